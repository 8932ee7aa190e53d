"""What a plugin reads, writes and asks for while it answers one call."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from inspect import isawaitable
from typing import Any, TypeVar

from .failure import Failure
from .host import ABSENT, Answer, Entry, Head, Header, Host, Level, Request, Waited

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MOST_RANDOM = 64 << 10


@dataclass(frozen=True)
class Event:
    """What a subscription brings: an event, or the word that some were lost because the queue was full."""

    #: What kind of thing happened; empty when events were lost.
    topic: str = ""
    #: What is to be known of it.
    payload: Any = None
    #: How many events were lost here.
    missed: int = 0

    @classmethod
    def of(cls, value: Any) -> Event:
        return cls(value.get("topic", ""), value.get("payload"), value.get("missed", 0))


@dataclass(frozen=True)
class Response:
    """The answer to a request over http."""

    status: int
    #: The headers in the order of the answer, their names in lower case.
    headers: Sequence[Header]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of the first header of a name."""
        return _header(self.headers, name)

    def text(self) -> str:
        """The body as text; what is no UTF-8 in it is replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body, which is JSON. Fails with ``wrong-type`` when it is none."""
        try:
            return json.loads(self.text())
        except ValueError as error:
            raise Failure("wrong-type", str(error)) from None

    def done(self) -> Response:
        """The same answer, if its status is from 200 to 299; fails with ``http-status`` otherwise."""
        if 200 <= self.status < 300:
            return self
        message = f"the server answered with status {self.status}"
        raise Failure("http-status", message, {"status": self.status})


class _Here:
    """What needs no waiting."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def read(self, path: str, default: Any = None) -> Any:
        """The value at a path; ``default`` when there is nothing. Fails with ``denied`` without a grant."""
        value = self._host.get(path)
        return default if value is ABSENT else value

    def read_many(self, *paths: str) -> list[Any]:
        """The values at several paths, ``None`` where there is nothing, at the cost of one crossing."""
        return [None if value is ABSENT else value for value in self._host.get_many(paths)]

    def has(self, path: str) -> bool:
        """Whether there is a value at a path, be it ``null``."""
        return self._host.get(path) is not ABSENT

    def write(self, path: str, value: Any) -> None:
        """Puts a value at a path, creating objects on the way. Fails with ``denied`` without a grant."""
        self._host.set(path, plain(value))

    def is_streamed(self) -> bool:
        """Whether somebody reads the answer to this request while it is made."""
        return self._host.is_streamed()

    def caller(self) -> str | None:
        """The id of the plugin that makes the request; ``None`` for the application's own, and in a hook."""
        return self._host.caller()

    def is_given_up(self) -> bool:
        """Whether nobody waits for the answer any more: long work can be left off."""
        return self._host.is_given_up()

    def exit(self, error: Failure | None = None) -> None:
        """Ends the plugin once the call has been answered: it is done, or cannot go on."""
        self._host.exit(error)

    def cast(self, target: str, method: str, request: Any = None) -> None:
        """Calls another plugin and waits for nothing."""
        self._host.cast(target, method, plain(request))

    def publish(self, topic: str, payload: Any = None) -> int:
        """Publishes an event, and says how many subscriptions it was queued for."""
        return self._host.publish(topic, plain(payload))

    def log(self, level: Level, message: str) -> None:
        """Writes a line to the host's log."""
        self._host.log(level, message)

    def now(self) -> datetime:
        """The time, in UTC, under ``requires.clock``."""
        return _EPOCH + timedelta(microseconds=self._host.now() // 1000)

    def elapsed(self) -> timedelta:
        """The time since the plugin was loaded, under ``requires.clock``."""
        return timedelta(microseconds=self._host.elapsed() // 1000)

    def random(self, count: int) -> bytes:
        """So many random bytes, good for keys, under ``requires.random``; 64 KiB at most."""
        if not 0 <= count <= _MOST_RANDOM:
            raise Failure("too-large", f"{count} random bytes are more than the {_MOST_RANDOM} that can be had at once")
        return self._host.random(count)


class Context(_Here):
    """What a ``def`` is given. Paths are dotted: ``input.user.name``, ``output.items.0``."""

    def next(self) -> None:
        """Runs what is inside an around hook; what comes out is then at ``output``. Raises the inner error."""
        _at_once(self._host.next())

    def emit(self, piece: Any) -> None:
        """Gives a piece of the answer to whoever reads along, and waits until there is room for it."""
        _at_once(self._host.emit(plain(piece)))

    def call(self, target: str, method: str, request: Any = None, *, within: float | None = None) -> Any:
        """Calls another plugin and waits for its answer: ``within`` seconds at most, five unless said.

        The target is ``point/key``, a plugin's id, or ``capability:name``.
        """
        return _at_once(self._host.call(target, method, plain(request), _milliseconds(within)))

    def read_file(self, path: str) -> bytes:
        """All bytes of a file, under ``requires.fs``: ``scratch:/notes.txt``, ``data:/in.csv``."""
        return _at_once(self._host.read_file(path))

    def write_file(self, path: str, content: bytes | str) -> None:
        """Writes a file whole or not at all, and makes the folders on its way."""
        _at_once(self._host.write_file(path, _bytes(content)))

    def append_file(self, path: str, content: bytes | str) -> None:
        """Adds to the end of a file, and makes it where there is none."""
        _at_once(self._host.append_file(path, _bytes(content)))

    def list_folder(self, path: str) -> Sequence[Entry]:
        """The files and folders in a folder, sorted by name."""
        return _at_once(self._host.list_folder(path))

    def remove_file(self, path: str) -> None:
        """Removes a file or an empty folder."""
        _at_once(self._host.remove_file(path))

    def http(self, url: str, **options: Any) -> Response:
        """Makes a request over http, under ``requires.http``, and waits for all of its answer.

        ``options`` are ``method``, ``headers``, ``body``, ``json``, ``timeout`` in seconds, and ``limit`` in bytes. In the
        value of a header, ``${secret:name}`` stands for a secret under ``requires.secrets``.
        """
        return _response(_at_once(self._host.http_send(_request(url, **options))))

    def http_stream(self, url: str, **options: Any) -> Stream:
        """As :meth:`http`, and waits for the begin of the answer alone."""
        return Stream(self._host, _at_once(self._host.http_open(_request(url, **options))))


class AsyncContext(_Here):
    """What an ``async def`` is given: as :class:`Context`, and what waits is awaited."""

    async def next(self) -> None:
        """As :meth:`Context.next`."""
        await _awaited(self._host.next())

    async def emit(self, piece: Any) -> None:
        """As :meth:`Context.emit`."""
        await _awaited(self._host.emit(plain(piece)))

    async def call(self, target: str, method: str, request: Any = None, *, within: float | None = None) -> Any:
        """As :meth:`Context.call`."""
        return await _awaited(self._host.call(target, method, plain(request), _milliseconds(within)))

    async def read_file(self, path: str) -> bytes:
        """As :meth:`Context.read_file`."""
        return await _awaited(self._host.read_file(path))

    async def write_file(self, path: str, content: bytes | str) -> None:
        """As :meth:`Context.write_file`."""
        await _awaited(self._host.write_file(path, _bytes(content)))

    async def append_file(self, path: str, content: bytes | str) -> None:
        """As :meth:`Context.append_file`."""
        await _awaited(self._host.append_file(path, _bytes(content)))

    async def list_folder(self, path: str) -> Sequence[Entry]:
        """As :meth:`Context.list_folder`."""
        return await _awaited(self._host.list_folder(path))

    async def remove_file(self, path: str) -> None:
        """As :meth:`Context.remove_file`."""
        await _awaited(self._host.remove_file(path))

    async def http(self, url: str, **options: Any) -> Response:
        """As :meth:`Context.http`."""
        return _response(await _awaited(self._host.http_send(_request(url, **options))))

    async def http_stream(self, url: str, **options: Any) -> Stream:
        """As :meth:`Context.http_stream`."""
        return Stream(self._host, await _awaited(self._host.http_open(_request(url, **options))))


class Stream:
    """The answer to a request over http whose body comes in pieces, within the call."""

    def __init__(self, host: Host, head: Head) -> None:
        self._host = host
        self._body = head.body
        self.status = head.status
        self.headers = head.headers

    def header(self, name: str) -> str | None:
        """The value of the first header of a name."""
        return _header(self.headers, name)

    def chunk(self) -> bytes | None:
        """The next piece of the body, in a ``def``; ``None`` at its end."""
        return _at_once(self._host.http_read(self._body))

    async def next_chunk(self) -> bytes | None:
        """The next piece of the body, in an ``async def``; ``None`` at its end."""
        return await _awaited(self._host.http_read(self._body))

    def close(self) -> None:
        """Reads no more of the body, which ends its request."""
        self._host.http_close(self._body)


def plain(value: Any) -> Any:
    """A value as JSON can express it: dataclasses become objects."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value


def _at_once(answer: Waited[T]) -> T:
    if isawaitable(answer):
        raise TypeError("this host answers `async def` methods alone")
    return answer


async def _awaited(answer: Waited[T]) -> T:
    if isawaitable(answer):
        return await answer
    return answer


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else max(0, round(seconds * 1000))


def _bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else bytes(content)


def _header(headers: Iterable[Header], name: str) -> str | None:
    return next((value for known, value in headers if known.lower() == name.lower()), None)


def _response(answer: Answer) -> Response:
    return Response(answer.status, answer.headers, answer.body)


def _request(
    url: str,
    *,
    method: str | None = None,
    headers: Mapping[str, str] | Sequence[Header] = (),
    body: bytes | str = b"",
    json: Any = None,  # noqa: A002
    timeout: float | None = None,
    limit: int | None = None,
) -> Request:
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    content = _bytes(body)
    if json is not None:
        content = to_json(json).encode()
        pairs.append(("content-type", "application/json"))
    method = method or ("POST" if content else "GET")
    return Request(method, url, pairs, content, _milliseconds(timeout), limit)


def to_json(value: Any) -> str:
    """A value as JSON text. Fails with ``wrong-type`` for what JSON cannot express."""
    try:
        return json.dumps(plain(value), default=_part, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise Failure("wrong-type", f"it cannot be expressed as JSON: {error}") from None


def _part(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")
