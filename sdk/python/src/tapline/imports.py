"""The host of a component, reached through the imports of the contract."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from . import confine
from .failure import Failure
from .host import ABSENT, Absent, Answer, Entry, Head, Level, Request
from .values import to_json


class Imports:
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

    def sleep(self, milliseconds: int) -> None:
        self._ask("life", "sleep", milliseconds)

    def call(self, target: str, method: str, request: Any, within_milliseconds: int | None) -> Any:
        return json.loads(self._ask("peers", "call", target, method, to_json(request), within_milliseconds))

    def relay(self, target: str, method: str, request: Any, within_milliseconds: int | None) -> Any:
        return json.loads(self._ask("peers", "relay", target, method, to_json(request), within_milliseconds))

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
