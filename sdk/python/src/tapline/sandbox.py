"""Runs a plugin as a WebAssembly component, on what componentize-py generates from the contract.

It is imported before the author's module, while the component is made, and knows the generated modules by what it is
given: a component has those alone that its manifest asks for.
"""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import ModuleType
from typing import Any, NoReturn

from . import confine
from .context import to_json
from .definition import Running, declared_in
from .failure import Failure
from .host import ABSENT, Absent, Answer, Entry, Flow, Head, Level, Operation, Request


class Component:
    """The exports of a component, and its way to the host."""

    def __init__(self, author: ModuleType, imports: Mapping[str, Any], err: type[Exception]) -> None:
        self._running = Running(declared_in(author))
        self._host = _Imports(imports, err)
        self._types, self._err = imports["types"], err
        confine.to_log(self._host.log)

    def init(self) -> None:
        self._run(self._running.init(self._host))

    def call(self, kind: str, name: str = "", method: str = "") -> Any:
        flow = self._run(self._running.call(Operation(kind, name, method), self._host))
        return self._types.Flow.FINISH if flow is Flow.FINISH else self._types.Flow.PROCEED

    def export_state(self) -> str:
        self.call("export-state")
        state = self._host.get("output")
        return to_json(None if state is ABSENT else state)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            work.send(None)
        except StopIteration as done:
            return done.value
        except Failure as failure:
            raise self._err(self._host.wire(failure)) from None
        except BaseException as error:
            self._break(error)
        never = Failure("waits-for-nothing", "it awaits something that no host will bring")
        raise self._err(self._host.wire(never))

    def _break(self, error: BaseException) -> NoReturn:
        """Ends the instance, and leaves behind why."""
        try:
            text = told(error)
        except BaseException as another:
            # There is little left to work with when memory or the stack is used up.
            text = f"{type(error).__name__}: {error} (its traceback cannot be told: {another!r})"
        self._host.log("error", text)
        confine.end()


def told(error: BaseException) -> str:
    """An exception with its traceback, from the author's first line on; long ones are cut in the middle."""
    step = error.__traceback__
    while step is not None and "/tapline/" in step.tb_frame.f_code.co_filename:
        step = step.tb_next
    exception = traceback.TracebackException(type(error), error, step, limit=-20, compact=True)
    _without_carets(exception)
    text = "".join(exception.format()).rstrip()
    # The folders of the search path are numbered where the component is made.
    lines = re.sub(r'File "/\d+/', 'File "', text)
    return lines if len(lines) <= 6000 else f"{lines[:2000]}\n[…]\n{lines[-3900:]}"


def _without_carets(exception: traceback.TracebackException) -> None:
    """To place carets, the line is parsed, and for what cannot be parsed alone Python looks for the file."""
    for frame in exception.stack:
        frame.colno = None
    for other in (exception.__cause__, exception.__context__):
        if other is not None:
            _without_carets(other)


class _Imports:
    """The host, reached through the imports of the contract."""

    def __init__(self, imports: Mapping[str, Any], err: type[Exception]) -> None:
        self._imports = imports
        self._err = err

    def wire(self, failure: Failure) -> Any:
        details = None if failure.details is None else to_json(failure.details)
        return self._imports["types"].Failure(str(failure.code), str(failure.message), details)

    def _ask(self, interface: str, function: str, *arguments: Any) -> Any:
        module = self._imports.get(interface)
        if module is None:
            asked = confine.ASKED_BY[interface]
            raise Failure("denied", f"the manifest does not ask for it: it would say `requires={{{asked}}}`")
        try:
            return getattr(module, function)(*arguments)
        except self._err as error:
            wire = error.value  # type: ignore[attr-defined]
            details = None if wire.details is None else json.loads(wire.details)
            raise Failure(wire.code, wire.message, details) from None

    def get(self, path: str) -> Any | Absent:
        return _value(self._ask("context", "get", path))

    def get_many(self, paths: Sequence[str]) -> Sequence[Any | Absent]:
        return [_value(value) for value in self._ask("context", "get_many", list(paths))]

    def set(self, path: str, value: Any) -> None:
        self._ask("context", "set", path, to_json(value))

    def caller(self) -> str | None:
        return self._ask("context", "caller")  # type: ignore[no-any-return]

    def is_given_up(self) -> bool:
        return self._ask("context", "is_given_up")  # type: ignore[no-any-return]

    def next(self) -> None:
        self._ask("chain", "next")

    def is_streamed(self) -> bool:
        return self._ask("stream", "is_read")  # type: ignore[no-any-return]

    def emit(self, piece: Any) -> None:
        self._ask("stream", "emit", to_json(piece))

    def log(self, level: Level, message: str) -> None:
        module = self._imports["log"]
        module.log(getattr(module.Level, level.upper()), message)

    def exit(self, error: Exception | None) -> None:
        self._ask("life", "exit", self.wire(error) if isinstance(error, Failure) else None)

    def call(self, target: str, method: str, request: Any, within_milliseconds: int | None) -> Any:
        return json.loads(self._ask("peers", "call", target, method, to_json(request), within_milliseconds))

    def cast(self, target: str, method: str, request: Any) -> None:
        self._ask("peers", "cast", target, method, to_json(request))

    def publish(self, topic: str, payload: Any) -> int:
        return self._ask("events", "publish", topic, to_json(payload))  # type: ignore[no-any-return]

    def read_file(self, path: str) -> bytes:
        return bytes(self._ask("files", "read", path))

    def write_file(self, path: str, content: bytes) -> None:
        self._ask("files", "write", path, content)

    def append_file(self, path: str, content: bytes) -> None:
        self._ask("files", "append", path, content)

    def list_folder(self, path: str) -> Sequence[Entry]:
        entries = self._ask("files", "list_folder", path)
        return [Entry(entry.name, entry.kind.name.lower(), entry.size) for entry in entries]

    def remove_file(self, path: str) -> None:
        self._ask("files", "remove", path)

    def now(self) -> int:
        return self._ask("clock", "now")  # type: ignore[no-any-return]

    def elapsed(self) -> int:
        return self._ask("clock", "monotonic")  # type: ignore[no-any-return]

    def random(self, count: int) -> bytes:
        return bytes(self._ask("random", "bytes", count))

    def http_send(self, request: Request) -> Answer:
        answer = self._ask("http", "send", self._outgoing(request))
        return Answer(answer.status, _headers(answer.headers), bytes(answer.body))

    def http_open(self, request: Request) -> Head:
        head = self._ask("http", "open", self._outgoing(request))
        return Head(head.status, _headers(head.headers), head.body)

    def http_read(self, body: int) -> bytes | None:
        piece = self._ask("http", "read", body)
        return None if piece is None else bytes(piece)

    def http_close(self, body: int) -> None:
        self._ask("http", "close", body)

    def _outgoing(self, request: Request) -> Any:
        module = self._imports.get("http")
        if module is None:
            return None
        headers = [module.Header(name, value) for name, value in request.headers]
        times = (request.timeout_milliseconds, request.limit)
        return module.Request(request.method, request.url, headers, request.body, *times)


def _value(text: str | None) -> Any | Absent:
    return ABSENT if text is None else json.loads(text)


def _headers(headers: Sequence[Any]) -> list[tuple[str, str]]:
    return [(header.name, header.value) for header in headers]


def exports(component: Component) -> dict[str, Callable[..., Any]]:
    """The classes that componentize-py looks for, by the name of their interface."""

    class Lifecycle:
        def init(self) -> None:
            component.init()

        def start(self) -> None:
            component.call("start")

        def stop(self) -> None:
            component.call("stop")

    class Before:
        def before(self, hook: str) -> Any:
            return component.call("before", hook)

    class After:
        def after(self, hook: str) -> None:
            component.call("after", hook)

    class Around:
        def around(self, hook: str) -> None:
            component.call("around", hook)

    class Replace:
        def replace(self, hook: str) -> None:
            component.call("replace", hook)

    class Answer:
        def answer(self, hook: str) -> None:
            component.call("answer", hook)

    class Listener:
        def event(self, subscription: str) -> None:
            component.call("event", subscription)

    class Handler:
        def handle(self, contribution: str, method: str) -> None:
            component.call("handle", contribution, method)

    class Health:
        def health(self) -> None:
            component.call("health")

    class State:
        def export_state(self) -> str:
            return component.export_state()

        def import_state(self, state: str, from_version: str) -> None:
            component.call("import-state", from_version)

    classes = (Lifecycle, Before, After, Around, Replace, Answer, Listener, Handler, Health, State)
    return {one.__name__: one for one in classes}
