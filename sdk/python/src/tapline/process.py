"""Runs a plugin as a process of its own: ``python3 -m tapline.process MODULE``.

Methods that are ``def`` run on threads, each call on one of its own; those that are ``async def`` run on one event loop,
in the main thread. What a plugin prints goes to the host's log.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
import threading
import traceback
from collections.abc import Coroutine, Sequence
from queue import SimpleQueue
from typing import Any

from . import declare
from .definition import Running, declared_in
from .failure import Failure
from .host import ABSENT, Absent, Answer, Entry, Flow, Head, Level, Operation, Request, Waited
from .wire import VERSION, Closed, Connection

_SDK = "tapline-python 0.1.0"


class GivenUp(Exception):
    """Nobody waits for the call any more."""


class Process:
    """The plugin of this process, and its way to the host."""

    def __init__(self, connection: Connection, running: Running) -> None:
        self._connection = connection
        self._running = running
        self._loop = asyncio.new_event_loop()
        self._calls: dict[int, Call] = {}
        #: Who may read; whoever does not read waits for it, or answers a call.
        self._reading = threading.Lock()
        self._counting = threading.Lock()
        #: How many threads read or wait for it.
        self._idle = 0

    def run(self) -> None:
        """Answers calls until the host says nothing any more."""
        self._connection.send("hello", {"version": VERSION, "sdk": _SDK})
        self._start_thread()
        self._loop.run_forever()

    def _start_thread(self) -> None:
        self._count(1)
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        try:
            while True:
                with self._reading:
                    content = self._next_call()
                # Somebody has to read what the call will ask for.
                if self._count(-1) == 0:
                    self._start_thread()
                self._begin(content)
                self._count(1)
        except (Closed, OSError):
            # Nobody is there any more to whom anything could be said.
            os._exit(0)

    def _count(self, by: int) -> int:
        with self._counting:
            self._idle += by
            return self._idle

    def _next_call(self) -> dict[str, Any]:
        """Reads until there is a call, and hands on what others wait for."""
        while True:
            name, content = self._connection.receive()
            if name == "call":
                return content  # type: ignore[no-any-return]
            if name == "answer":
                call = self._calls.get(content["call"])
                if call is not None:
                    call.answered(content["ask"], content["with"])
            elif name == "cancel":
                call = self._calls.get(content["call"])
                if call is not None:
                    call.give_up()
            elif name == "ping":
                self._connection.send("pong", content)

    def _begin(self, content: dict[str, Any]) -> None:
        operation = _operation(content["operation"])
        is_async = self._running.is_async(operation)
        call = AsyncCall(self._connection, content, self._loop) if is_async else Call(self._connection, content)
        self._calls[call.number] = call
        if operation.kind == "init":
            work: Coroutine[Any, Any, Any] = self._running.init(call)
        else:
            work = self._running.call(operation, call)
        if isinstance(call, AsyncCall):
            self._loop.call_soon_threadsafe(self._begin_task, call, work)
        else:
            self._end(call, *_outcome(work))

    def _begin_task(self, call: AsyncCall, work: Coroutine[Any, Any, Any]) -> None:
        task = call.task = self._loop.create_task(work)
        if call.is_given_up():
            task.cancel()

        def done(task: asyncio.Task[Any]) -> None:
            if task.cancelled():
                self._end(call, None, GivenUp())
            else:
                error = task.exception()
                self._end(call, None if error else task.result(), error)

        task.add_done_callback(done)

    def _end(self, call: Call, flow: Any, error: BaseException | None) -> None:
        done = call.done(flow, error)
        del self._calls[call.number]
        try:
            self._connection.send("done", done)
        except Failure as failure:
            self._connection.send("done", {"call": call.number, "failure": _wire(failure)})
        except OSError:
            os._exit(0)


def _outcome(work: Coroutine[Any, Any, Any]) -> tuple[Any, BaseException | None]:
    """What comes of work that waits for nothing but the host."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value, None
    except BaseException as error:
        return None, error
    return None, Failure("waits-for-nothing", "it awaits something, and is no `async def`")


def _operation(said: str | dict[str, Any]) -> Operation:
    if isinstance(said, str):
        return Operation(said)
    ((kind, about),) = said.items()
    name = next(about[key] for key in ("hook", "subscription", "contribution", "from") if key in about)
    return Operation(kind, name, about.get("method", ""))


class Call:
    """One call, and the host in it, for a ``def``."""

    def __init__(self, connection: Connection, content: dict[str, Any]) -> None:
        self.number: int = content["call"]
        self._connection = connection
        self._content = content
        self._asks = 0
        self._asking = threading.Lock()
        self._waiting: dict[int, SimpleQueue[Any]] = {}
        self._is_given_up = False
        self._output: Any = ABSENT
        self._is_addressed = "input" in content and content["operation"] != "init"

    def done(self, flow: Any, error: BaseException | None) -> dict[str, Any]:
        """The message that ends it."""
        done: dict[str, Any] = {"call": self.number}
        if isinstance(error, Failure):
            done["failure"] = _wire(error)
        elif isinstance(error, GivenUp):
            done["failure"] = {"code": "cancelled", "message": "the call was given up"}
        elif error is not None:
            done["fault"] = _told(error)
        else:
            if self._output is not ABSENT:
                done["output"] = self._output
            if flow is Flow.FINISH:
                done["flow"] = "finish"
        return done

    def answered(self, ask: int, answer: Any) -> None:
        """Hands an answer to whoever waits for it."""
        waiting = self._waiting.pop(ask, None)
        if waiting is not None:
            waiting.put(answer)

    def give_up(self) -> None:
        """Nobody waits for it any more."""
        self._is_given_up = True

    def _send(self, what: str | dict[str, Any], waiting: Any) -> None:
        with self._asking:
            self._asks += 1
            ask = self._asks
            self._waiting[ask] = waiting
        try:
            self._connection.send("ask", {"call": self.number, "ask": ask, "what": what})
        except BaseException:
            del self._waiting[ask]
            raise

    def _ask(self, kind: str, **about: Any) -> Any:
        """Asks, and waits in this thread."""
        value = self._value(kind, **about)
        return None if value is ABSENT else value

    def _value(self, kind: str, **about: Any) -> Any | Absent:
        """As ``_ask``, and tells nothing from ``None``."""
        waiting: SimpleQueue[Any] = SimpleQueue()
        self._send({kind: about} if about else kind, waiting)
        return _answer(waiting.get())

    def _wait(self, kind: str, **about: Any) -> Waited[Any]:
        """Asks for what may take its time."""
        return self._ask(kind, **about)

    def get(self, path: str) -> Any | Absent:
        if path == "input" and "input" in self._content:
            return self._content["input"]
        if path == "output" and self._output is not ABSENT:
            return self._output
        if path.startswith("output."):
            self._put_output()
        return self._value("get", path=path)

    def get_many(self, paths: Sequence[str]) -> Sequence[Any | Absent]:
        self._put_output()
        return [slot.get("value", ABSENT) for slot in self._ask("get-many", paths=list(paths))]

    def set(self, path: str, value: Any) -> None:
        if path == "output" and self._is_addressed:
            # It is the answer, and goes with the end of the call.
            self._output = value
            return
        if path.startswith("output."):
            self._put_output()
        if path.split(".")[0] == "input":
            self._content.pop("input", None)
        self._ask("set", path=path, value=value)

    def _put_output(self) -> None:
        """Puts where the host sees it what would have gone with the end of the call."""
        if self._output is not ABSENT:
            output, self._output = self._output, ABSENT
            self._ask("set", path="output", value=output)

    def caller(self) -> str | None:
        return self._content.get("caller")

    def is_given_up(self) -> bool:
        return self._is_given_up or bool(self._ask("is-given-up"))

    def next(self) -> Waited[None]:
        return self._wait("next")

    def is_streamed(self) -> bool:
        return bool(self._content.get("streamed"))

    def emit(self, piece: Any) -> Waited[None]:
        return self._wait("emit", piece=piece)

    def log(self, level: Level, message: str) -> None:
        self._ask("log", level=level, message=message)

    def exit(self, error: Exception | None) -> None:
        self._ask("exit", error=_wire(error) if isinstance(error, Failure) else None)

    def call(self, target: str, method: str, request: Any, within_milliseconds: int | None) -> Waited[Any]:
        return self._wait("call", **_called(target, method, request, within_milliseconds))

    def relay(self, target: str, method: str, request: Any, within_milliseconds: int | None) -> Waited[Any]:
        return self._wait("call", relays=True, **_called(target, method, request, within_milliseconds))

    def sleep(self, milliseconds: int) -> Waited[None]:
        return self._wait("sleep", milliseconds=milliseconds)

    def cast(self, target: str, method: str, request: Any) -> None:
        self._ask("cast", target=target, method=method, request=request)

    def publish(self, topic: str, payload: Any) -> int:
        return int(self._ask("publish", topic=topic, payload=payload))

    def read_file(self, path: str) -> Waited[bytes]:
        return self._wait("read-file", path=path)

    def write_file(self, path: str, content: bytes) -> Waited[None]:
        return self._wait("write-file", path=path, content=bytes(content))

    def append_file(self, path: str, content: bytes) -> Waited[None]:
        return self._wait("append-file", path=path, content=bytes(content))

    def list_folder(self, path: str) -> Waited[Sequence[Entry]]:
        return self._wait("list-folder", path=path)

    def remove_file(self, path: str) -> Waited[None]:
        return self._wait("remove-file", path=path)

    def now(self) -> int:
        return int(self._ask("now"))

    def elapsed(self) -> int:
        return int(self._ask("elapsed"))

    def random(self, count: int) -> bytes:
        return bytes(self._ask("random", count=count))

    def http_send(self, request: Request) -> Waited[Answer]:
        return self._wait("http-send", **_outgoing(request))

    def http_open(self, request: Request) -> Waited[Head]:
        return self._wait("http-open", **_outgoing(request))

    def http_read(self, body: int) -> Waited[bytes | None]:
        return self._wait("http-read", body=body)

    def http_close(self, body: int) -> None:
        self._ask("http-close", body=body)


class AsyncCall(Call):
    """One call, and the host in it, for an ``async def``: what takes its time is awaited on the event loop."""

    def __init__(self, connection: Connection, content: dict[str, Any], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(connection, content)
        self._loop = loop
        self.task: asyncio.Task[Any] | None = None

    def give_up(self) -> None:
        super().give_up()
        self._loop.call_soon_threadsafe(lambda: self.task and self.task.cancel())

    def _wait(self, kind: str, **about: Any) -> Waited[Any]:
        waiting = _Promise(self._loop)
        self._send({kind: about} if about else kind, waiting)
        return waiting.answer()


class _Promise:
    """An answer that is awaited on the event loop, and put there by the thread that reads."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._future: asyncio.Future[Any] = loop.create_future()

    def put(self, answer: Any) -> None:
        self._loop.call_soon_threadsafe(self._set, answer)

    def _set(self, answer: Any) -> None:
        if not self._future.done():
            self._future.set_result(answer)

    async def answer(self) -> Any:
        value = _answer(await self._future)
        return None if value is ABSENT else value


def _answer(answer: str | dict[str, Any]) -> Any:
    """What the host answered, as the plugin's code gets it; ``ABSENT`` where it answered with nothing."""
    if isinstance(answer, str):
        return ABSENT
    ((kind, value),) = answer.items()
    if kind == "failure":
        raise Failure(value["code"], value["message"], value.get("details"))
    if kind == "entries":
        return [Entry(entry["name"], entry["kind"], entry["size"]) for entry in value]
    if kind == "reply":
        headers = [(name, text) for name, text in value["headers"]]
        if value.get("body") is not None:
            return Head(value["status"], headers, value["body"])
        return Answer(value["status"], headers, value["content"])
    return value


def _called(target: str, method: str, request: Any, within: int | None) -> dict[str, Any]:
    return {"target": target, "method": method, "request": request, "within": within}


def _outgoing(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "url": request.url,
        "headers": [list(header) for header in request.headers],
        "body": request.body,
        "timeout": request.timeout_milliseconds,
        "limit": request.limit,
    }


def _wire(failure: Failure) -> dict[str, Any]:
    wire = {"code": str(failure.code), "message": str(failure.message)}
    return wire if failure.details is None else {**wire, "details": failure.details}


def _told(error: BaseException) -> str:
    """An exception with its traceback, from the author's first line on; a long one is cut in the middle."""
    step, own = error.__traceback__, os.path.dirname(__file__)
    while step is not None and os.path.dirname(step.tb_frame.f_code.co_filename) == own:
        step = step.tb_next
    lines = "".join(traceback.format_exception(type(error), error, step, limit=-20)).rstrip()
    return lines if len(lines) <= 6000 else f"{lines[:2000]}\n[…]\n{lines[-3900:]}"


def main() -> None:
    connection = Connection.of_process()
    # What is printed is for people, and they are to see it when it happens.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    _, hello = connection.receive()
    oldest, newest = hello["versions"]
    if not oldest <= VERSION <= newest:
        sys.exit(f"the host speaks versions {oldest} to {newest} of the protocol, and this SDK version {VERSION}")
    sys.path.insert(0, os.getcwd())
    declare.reads_schemas = False
    running = Running(declared_in(importlib.import_module(sys.argv[1])))
    Process(connection, running).run()


if __name__ == "__main__":
    main()
