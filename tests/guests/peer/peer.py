"""A second implementation of the protocol of processes, made from its specification with nothing but Python's own library.

``peer.py vectors FILE`` reads the example bytes and holds them against their messages. Anything else is a plugin that does
what its methods are called, much of it against the protocol.
"""

import json
import os
import signal
import struct
import sys
import time


# MessagePack, as far as the specification needs it.


def pack(value):
    if value is None:
        return b"\xc0"
    if value is True or value is False:
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return pack_int(value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        text = value.encode()
        return head(len(text), (0xA0, 32), (0xD9, 0xDA, 0xDB)) + text
    if isinstance(value, bytes):
        return head(len(value), None, (0xC4, 0xC5, 0xC6)) + value
    if isinstance(value, list):
        return head(len(value), (0x90, 16), (None, 0xDC, 0xDD)) + b"".join(map(pack, value))
    pairs = b"".join(pack(key) + pack(content) for key, content in value.items())
    return head(len(value), (0x80, 16), (None, 0xDE, 0xDF)) + pairs


def head(length, short, longer):
    if short and length < short[1]:
        return bytes([short[0] | length])
    for tag, form in zip(longer, (">B", ">H", ">I")):
        if tag is not None and length < 1 << 8 * struct.calcsize(form):
            return bytes([tag]) + struct.pack(form, length)
    raise ValueError("too long")


def pack_int(value):
    if 0 <= value < 128:
        return bytes([value])
    if -32 <= value < 0:
        return struct.pack("b", value)
    forms = [(0xCC, ">B"), (0xCD, ">H"), (0xCE, ">I"), (0xCF, ">Q")]
    if value < 0:
        forms = [(0xD0, ">b"), (0xD1, ">h"), (0xD2, ">i"), (0xD3, ">q")]
    for tag, form in forms:
        try:
            return bytes([tag]) + struct.pack(form, value)
        except struct.error:
            continue
    raise ValueError("too large")


class Reader:
    def __init__(self, content):
        self.content, self.at = content, 0

    def take(self, count):
        piece = self.content[self.at : self.at + count]
        self.at += count
        if len(piece) < count:
            raise ValueError("cut off")
        return piece

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def value(self):
        tag = self.take(1)[0]
        if tag < 0x80:
            return tag
        if tag < 0x90:
            return self.pairs(tag & 15)
        if tag < 0xA0:
            return self.items(tag & 15)
        if tag < 0xC0:
            return self.take(tag & 31).decode()
        if tag >= 0xE0:
            return tag - 256
        sizes = (">B", ">H", ">I")
        if tag == 0xC0:
            return None
        if tag in (0xC2, 0xC3):
            return tag == 0xC3
        if tag in (0xC4, 0xC5, 0xC6):
            return bytes(self.take(self.number(sizes[tag - 0xC4])))
        if tag in (0xCA, 0xCB):
            return self.number(">f" if tag == 0xCA else ">d")
        if 0xCC <= tag <= 0xD3:
            return self.number(">B >H >I >Q >b >h >i >q".split()[tag - 0xCC])
        if tag in (0xD9, 0xDA, 0xDB):
            return self.take(self.number(sizes[tag - 0xD9])).decode()
        if tag in (0xDC, 0xDD):
            return self.items(self.number(sizes[tag - 0xDB]))
        if tag in (0xDE, 0xDF):
            return self.pairs(self.number(sizes[tag - 0xDD]))
        raise ValueError(f"no value begins with {tag:#x}")

    def items(self, count):
        return [self.value() for _ in range(count)]

    def pairs(self, count):
        return {self.value(): self.value() for _ in range(count)}


def framed(message):
    body = pack(message)
    return struct.pack("<I", len(body)) + body


def unframed(frame):
    reader = Reader(frame)
    length = reader.number("<I")
    value = reader.value()
    assert reader.at == len(frame) == length + 4, "the frame has another length"
    return value


# The example bytes.

#: What is bytes in a message, and a list of numbers in JSON.
BYTES = ("content", "bytes", "body")


def with_bytes(value, key=""):
    if isinstance(value, list) and key in BYTES and all(isinstance(item, int) for item in value):
        return bytes(value)
    if isinstance(value, list):
        return [with_bytes(item) for item in value]
    if isinstance(value, dict):
        return {name: with_bytes(item, name) for name, item in value.items()}
    return value


def check_vectors(file):
    with open(file) as vectors:
        vectors = json.load(vectors)
    for vector in vectors:
        message, frame = with_bytes(vector["message"]), bytes.fromhex(vector["bytes"])
        assert unframed(frame) == message, vector
        assert framed(message) == frame, (vector, framed(message).hex())
    print(f"{len(vectors)} messages")


# A plugin.


def read_all(count):
    content = b""
    while len(content) < count:
        piece = os.read(3, count - len(content))
        if not piece:
            sys.exit(0)
        content += piece
    return content


def receive():
    prefix = read_all(4)
    return unframed(prefix + read_all(struct.unpack("<I", prefix)[0]))


def send_bytes(content):
    while content:
        content = content[os.write(4, content) :]


def send(name, **content):
    send_bytes(framed({name: content}))


def ask(call, what, number=1):
    send("ask", call=call, ask=number, what=what)
    while True:
        message = receive()
        if "answer" in message:
            return message["answer"]["with"]


def here(_):
    return {"environment": dict(os.environ), "files": open_files(), "folder": sorted(os.listdir(".")), "id": os.getpid()}


def open_files():
    return sorted(int(name) for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}"))


def tried(action):
    try:
        action()
    except OSError as error:
        return os.strerror(error.errno)
    except MemoryError:
        return "no memory"
    return "done"


def hungry(_):
    """What is more than a process may have."""

    def memory():
        held = bytearray(3 << 30)
        held[::4096] = b"x" * len(held[::4096])

    def file():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with open(os.path.join(os.environ["HOME"], "large"), "wb") as large:
            for _ in range(200):
                large.write(bytes(1 << 20))

    def files():
        held = [os.open("/dev/null", os.O_RDONLY) for _ in range(500)]
        held.clear()

    def forks():
        children = []
        try:
            for _ in range(2000):
                child = os.fork()
                if child == 0:
                    time.sleep(60)
                    os._exit(0)
                children.append(child)
        finally:
            for child in children:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)

    return {"memory": tried(memory), "file": tried(file), "files": tried(files), "forks": tried(forks)}


def reaching(request):
    """What is past the walls."""
    import ctypes
    import socket

    libc = ctypes.CDLL(None, use_errno=True)

    def called(number, *arguments):
        def call():
            if libc.syscall(number, *arguments) < 0:
                raise OSError(ctypes.get_errno(), "")

        return tried(call)

    def connected(kind, address):
        def connect():
            with socket.socket(kind, socket.SOCK_STREAM) as one:
                one.settimeout(2)
                one.connect(address)

        return tried(connect)

    return {
        "socket of a path": connected(socket.AF_UNIX, request["socket"]),
        "abstract socket": connected(socket.AF_UNIX, "\0" + request["abstract"]),
        "network": connected(socket.AF_INET, ("127.0.0.1", request["port"])),
        "file of the host": tried(lambda: open(request["file"]).close()),
        "signal to the host": tried(lambda: os.kill(request["host"], 0)),
        "ptrace": called(101, 16, request["host"], 0, 0),
        "io_uring": called(425, 1, 0),
        "memfd": called(319, b"x", 0),
        "bpf": called(321, 0, 0, 0),
        "user namespace": called(272, 0x10000000),
    }


def answer(name, request, call):
    """What a method answers; ``None`` when it says what is against the protocol, or nothing."""
    if name == "echo":
        return request
    if name == "here":
        return here(request)
    if name == "hungry":
        return hungry(request)
    if name == "reaching":
        return reaching(request)
    if name == "asks":
        return ask(call, {"call": {"target": "other", "method": "wait", "request": None}})
    if name == "prints":
        sys.stdout.write("x" * 99 + "\n" + ("y" * 99 + "\n") * 50_000)
        sys.stdout.flush()
        return "printed"
    if name == "escapes":
        print("\x1b[31mred\x1b]0;title\x07\r", file=sys.stderr, flush=True)
        return "said"
    if name == "another's":
        for number in (call + 1, call + 1000):
            send("done", call=number, output="mine")
        return "answered"
    if name == "pinged":
        for _ in range(request):
            message = receive()
            send("pong", **message["ping"])
        return request
    if name == "unspeakable":
        # Bytes, a number as a name, and a number that is none are no values of JSON.
        answers = [ask(call, {"set": {"path": "output", "value": value}}) for value in (b"x", {1: 2}, float("nan"))]
        return [answer["failure"]["code"] for answer in answers]
    if name == "unspeakable-answer":
        return b"x"
    if name == "leaves":
        # A child of its own session, whose parent is gone.
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for number in range(3, 5):
                    os.close(number)
                os.execvp("sleep", ["sleep", request])
            os._exit(0)
        return "left"
    misbehave(name, call)
    return None


def misbehave(name, call):
    if name == "half":
        send_bytes(framed({"done": {"call": call, "output": "x" * 1000}})[:500])
        os._exit(7)
    elif name == "long":
        send_bytes(struct.pack("<I", 0xFFFFFFFF))
    elif name == "garbage":
        send_bytes(struct.pack("<I", 4) + b"\xc1\xc1\xc1\xc1")
    elif name == "unknown":
        send("shout", call=call)
    elif name == "strangers":
        for number in range(call + 1, call + 20):
            send("done", call=number)
    elif name == "greedy":
        for number in range(100):
            send("ask", call=call, ask=number, what={"sleep": {"milliseconds": 60_000}})
    elif name == "dies":
        print("the last words", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    elif name == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(60)


def plugin(mode):
    hello = receive()["hello"]
    if mode == "silent":
        time.sleep(60)
    if mode == "dies-first":
        os.kill(os.getpid(), signal.SIGKILL)
    send("hello", version=99 if mode == "newer" else hello["versions"][1], sdk="peer")
    if mode == "dies-greeted":
        os.kill(os.getpid(), signal.SIGKILL)
    while True:
        message = receive()
        if "call" in message:
            one = message["call"]
            operation = one["operation"]
            if isinstance(operation, str):
                send("done", call=one["call"])
                continue
            if mode == "mute":
                continue
            output = answer(operation["handle"]["method"], one.get("input"), one["call"])
            if output is not None:
                send("done", call=one["call"], output=output)
        elif "ping" in message and mode != "deaf":
            send("pong", **message["ping"])


if __name__ == "__main__":
    if sys.argv[1] == "vectors":
        check_vectors(sys.argv[2])
    else:
        plugin(sys.argv[1])
