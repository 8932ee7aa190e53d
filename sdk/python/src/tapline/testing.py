"""A host for unit tests, which holds a context in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from .declaration import MARK
from .definition import Running
from .failure import Failure
from .host import ABSENT, Absent, Answer, Entry, Flow, Head, Level, Operation, Request


class FakeHost:
    """Holds ``context``, and notes what the plugin does. What it is not told, it fails with ``denied``."""

    def __init__(self, **context: Any) -> None:
        self.context: dict[str, Any] = context
        #: What is inside an around hook; it may change the context or raise.
        self.inner: Callable[[dict[str, Any]], None] = lambda context: None
        #: The answers of other plugins, by target and method.
        self.answers: dict[tuple[str, str], Any] = {}
        #: The pieces of those that are passed on, by target and method.
        self.pieces: dict[tuple[str, str], list[Any]] = {}
        self.logged: list[tuple[Level, str]] = []
        self.published: list[tuple[str, Any]] = []
        self.emitted: list[Any] = []
        self.casts: list[tuple[str, str, Any]] = []
        self.exited = False
        self.files: dict[str, bytes] = {}
        #: Nanoseconds; waiting adds to them.
        self.time = 0
        self._entered = False

    def get(self, path: str) -> Any | Absent:
        value: Any = self.context
        for part in path.split("."):
            try:
                value = value[int(part)] if isinstance(value, list) else value[part]
            except (LookupError, TypeError, ValueError):
                return ABSENT
        return value

    def get_many(self, paths: Sequence[str]) -> Sequence[Any | Absent]:
        return [self.get(path) for path in paths]

    def set(self, path: str, value: Any) -> None:
        *way, last = path.split(".")
        target: Any = self.context
        for part in way:
            target = target[int(part)] if isinstance(target, list) else target.setdefault(part, {})
        # As it would come out on the other side.
        target[int(last) if isinstance(target, list) else last] = json.loads(json.dumps(value))

    def caller(self) -> str | None:
        return None

    def is_given_up(self) -> bool:
        return False

    def next(self) -> None:
        if self._entered:
            raise Failure("already-called", "`next` has been called before")
        self._entered = True
        self.inner(self.context)

    def is_streamed(self) -> bool:
        return True

    def emit(self, piece: Any) -> None:
        self.emitted.append(piece)

    def log(self, level: Level, message: str) -> None:
        self.logged.append((level, message))

    def exit(self, error: Exception | None) -> None:
        self.exited = True

    def sleep(self, milliseconds: int) -> None:
        self.time += milliseconds * 1_000_000

    def call(self, target: str, method: str, request: Any, within_milliseconds: int | None) -> Any:
        try:
            return self.answers[target, method]
        except KeyError:
            raise _denied("call", target) from None

    def relay(self, target: str, method: str, request: Any, within_milliseconds: int | None) -> Any:
        self.emitted += self.pieces.get((target, method), [])
        return self.call(target, method, request, within_milliseconds)

    def cast(self, target: str, method: str, request: Any) -> None:
        self.casts.append((target, method, request))

    def publish(self, topic: str, payload: Any) -> int:
        self.published.append((topic, payload))
        return 1

    def read_file(self, path: str) -> bytes:
        try:
            return self.files[path]
        except KeyError:
            raise Failure("no-such-file", f"there is no file `{path}`") from None

    def write_file(self, path: str, content: bytes) -> None:
        self.files[path] = content

    def append_file(self, path: str, content: bytes) -> None:
        self.files[path] = self.files.get(path, b"") + content

    def list_folder(self, path: str) -> Sequence[Entry]:
        folder = path if path.endswith(("/", ":")) else path + "/"
        below = [name for name in self.files if name.startswith(folder)]
        return [Entry(name.removeprefix(folder), "file", len(self.files[name])) for name in sorted(below)]

    def remove_file(self, path: str) -> None:
        self.read_file(path)
        del self.files[path]

    def now(self) -> int:
        return self.time

    def elapsed(self) -> int:
        return self.time

    def random(self, count: int) -> bytes:
        return bytes(count)

    def http_send(self, request: Request) -> Answer:
        raise _denied("request", request.url)

    def http_open(self, request: Request) -> Head:
        raise _denied("request", request.url)

    def http_read(self, body: int) -> bytes | None:
        raise Failure("no-such-body", f"there is no open body {body}")

    def http_close(self, body: int) -> None:
        pass


class TestPlugin:
    """A plugin that is run within a test."""

    #: It is no test, whatever its name says to pytest.
    __test__ = False

    def __init__(self, plugin: type, config: Any = None) -> None:
        self._running = Running(plugin.__dict__[MARK])
        asyncio.run(self._running.init(FakeHost(input=config)))

    def call(self, kind: str, name: str, host: FakeHost, method: str = "handle") -> Flow:
        """Has it answer an operation: ``test.call("around", "shout", FakeHost(input="Ada"))``."""
        return asyncio.run(self._running.call(Operation(kind, name, method), host))


def _denied(action: str, target: str) -> Failure:
    return Failure("denied", f"this test grants no {action} of `{target}`")
