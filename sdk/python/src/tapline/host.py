"""What a plugin asks of whoever runs it, and what it is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

Level: TypeAlias = Literal["debug", "info", "warn", "error"]
Header: TypeAlias = tuple[str, str]

T = TypeVar("T")
#: What may have to be waited for: the value itself where the host answers at once.
Waited: TypeAlias = T | Awaitable[T]


class Absent(Enum):
    """That there is nothing at a path, which is not the same as ``null``."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


class Flow(Enum):
    """How a call goes on after a before hook."""

    #: Inward, with the input as it now is.
    PROCEED = "proceed"
    #: Outward, with the output that the hook has set.
    FINISH = "finish"


@dataclass(frozen=True)
class Operation:
    """What the host asks of a plugin."""

    #: ``start``, ``stop``, ``health``, ``export-state``, ``import-state``, ``event``, ``handle``, or the kind of a hook.
    kind: str
    #: The name of the hook or of the subscription, the contribution as ``point/key``, or the version that a state is of.
    name: str = ""
    #: What is asked of a contribution.
    method: str = ""


@dataclass(frozen=True)
class Entry:
    """What is in a folder."""

    name: str
    kind: Literal["file", "folder"]
    #: The length of a file in bytes; 0 for a folder.
    size: int


@dataclass(frozen=True)
class Request:
    """A request over http."""

    method: str
    url: str
    headers: Sequence[Header]
    body: bytes
    timeout_milliseconds: int | None
    limit: int | None


@dataclass(frozen=True)
class Answer:
    """A whole answer over http."""

    status: int
    headers: Sequence[Header]
    body: bytes


@dataclass(frozen=True)
class Head:
    """The begin of an answer over http; ``body`` is the number under which the rest is read."""

    status: int
    headers: Sequence[Header]
    body: int


class Host(Protocol):
    """Whoever runs a plugin. Values are what JSON can express; what goes wrong is raised as a ``Failure``.

    What returns ``Waited`` may return an awaitable when it is used by an ``async def``.
    """

    def get(self, path: str) -> Any | Absent: ...
    def get_many(self, paths: Sequence[str]) -> Sequence[Any | Absent]: ...
    def set(self, path: str, value: Any) -> None: ...
    def caller(self) -> str | None: ...
    def is_given_up(self) -> bool: ...
    def next(self) -> Waited[None]: ...
    def is_streamed(self) -> bool: ...
    def emit(self, piece: Any) -> Waited[None]: ...
    def log(self, level: Level, message: str) -> None: ...
    def exit(self, error: Exception | None) -> None: ...
    def sleep(self, milliseconds: int) -> Waited[None]: ...
    def call(self, target: str, method: str, request: Any, within_milliseconds: int | None) -> Waited[Any]: ...
    def relay(self, target: str, method: str, request: Any, within_milliseconds: int | None) -> Waited[Any]: ...
    def cast(self, target: str, method: str, request: Any) -> None: ...
    def publish(self, topic: str, payload: Any) -> int: ...
    def read_file(self, path: str) -> Waited[bytes]: ...
    def write_file(self, path: str, content: bytes) -> Waited[None]: ...
    def append_file(self, path: str, content: bytes) -> Waited[None]: ...
    def list_folder(self, path: str) -> Waited[Sequence[Entry]]: ...
    def remove_file(self, path: str) -> Waited[None]: ...
    def now(self) -> int: ...
    def elapsed(self) -> int: ...
    def random(self, count: int) -> bytes: ...
    def http_send(self, request: Request) -> Waited[Answer]: ...
    def http_open(self, request: Request) -> Waited[Head]: ...
    def http_read(self, body: int) -> Waited[bytes | None]: ...
    def http_close(self, body: int) -> None: ...
