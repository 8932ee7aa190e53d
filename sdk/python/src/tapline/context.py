"""What a plugin reads, writes and asks for while it answers one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .failure import Failure
from .host import ABSENT, Entry, Host, Level
from .http import Response, Stream, request, response
from .values import as_bytes, at_once, awaited, milliseconds, plain

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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
        at_once(self._host.next())

    def emit(self, piece: Any) -> None:
        """Gives a piece of the answer to whoever reads along, and waits until there is room for it."""
        at_once(self._host.emit(plain(piece)))

    def call(self, target: str, method: str, request: Any = None, *, within: float | None = None) -> Any:
        """Calls another plugin and waits for its answer: ``within`` seconds at most, five unless said.

        The target is ``point/key``, a plugin's id, or ``capability:name``.
        """
        return at_once(self._host.call(target, method, plain(request), milliseconds(within)))

    def relay(self, target: str, method: str, request: Any = None, *, within: float | None = None) -> Any:
        """As :meth:`call`, and passes the pieces of the answer on to whoever reads along with the plugin's own."""
        return at_once(self._host.relay(target, method, plain(request), milliseconds(within)))

    def sleep(self, seconds: float) -> None:
        """Waits, and not longer than the call may take that the plugin is answering."""
        at_once(self._host.sleep(milliseconds(seconds)))

    def read_file(self, path: str) -> bytes:
        """All bytes of a file, under ``requires.fs``: ``scratch:/notes.txt``, ``data:/in.csv``."""
        return at_once(self._host.read_file(path))

    def write_file(self, path: str, content: bytes | str) -> None:
        """Writes a file whole or not at all, and makes the folders on its way."""
        at_once(self._host.write_file(path, as_bytes(content)))

    def append_file(self, path: str, content: bytes | str) -> None:
        """Adds to the end of a file, and makes it where there is none."""
        at_once(self._host.append_file(path, as_bytes(content)))

    def list_folder(self, path: str) -> Sequence[Entry]:
        """The files and folders in a folder, sorted by name."""
        return at_once(self._host.list_folder(path))

    def remove_file(self, path: str) -> None:
        """Removes a file or an empty folder."""
        at_once(self._host.remove_file(path))

    def http(self, url: str, **options: Any) -> Response:
        """Makes a request over http, under ``requires.http``, and waits for all of its answer.

        ``options`` are ``method``, ``headers``, ``body``, ``json``, ``timeout`` in seconds, and ``limit`` in bytes. In the
        value of a header, ``${secret:name}`` stands for a secret under ``requires.secrets``.
        """
        return response(at_once(self._host.http_send(request(url, **options))))

    def http_stream(self, url: str, **options: Any) -> Stream:
        """As :meth:`http`, and waits for the begin of the answer alone."""
        return Stream(self._host, at_once(self._host.http_open(request(url, **options))))


class AsyncContext(_Here):
    """What an ``async def`` is given: as :class:`Context`, and what waits is awaited."""

    async def next(self) -> None:
        """As :meth:`Context.next`."""
        await awaited(self._host.next())

    async def emit(self, piece: Any) -> None:
        """As :meth:`Context.emit`."""
        await awaited(self._host.emit(plain(piece)))

    async def call(self, target: str, method: str, request: Any = None, *, within: float | None = None) -> Any:
        """As :meth:`Context.call`."""
        return await awaited(self._host.call(target, method, plain(request), milliseconds(within)))

    async def relay(self, target: str, method: str, request: Any = None, *, within: float | None = None) -> Any:
        """As :meth:`Context.relay`."""
        return await awaited(self._host.relay(target, method, plain(request), milliseconds(within)))

    async def sleep(self, seconds: float) -> None:
        """As :meth:`Context.sleep`."""
        await awaited(self._host.sleep(milliseconds(seconds)))

    async def read_file(self, path: str) -> bytes:
        """As :meth:`Context.read_file`."""
        return await awaited(self._host.read_file(path))

    async def write_file(self, path: str, content: bytes | str) -> None:
        """As :meth:`Context.write_file`."""
        await awaited(self._host.write_file(path, as_bytes(content)))

    async def append_file(self, path: str, content: bytes | str) -> None:
        """As :meth:`Context.append_file`."""
        await awaited(self._host.append_file(path, as_bytes(content)))

    async def list_folder(self, path: str) -> Sequence[Entry]:
        """As :meth:`Context.list_folder`."""
        return await awaited(self._host.list_folder(path))

    async def remove_file(self, path: str) -> None:
        """As :meth:`Context.remove_file`."""
        await awaited(self._host.remove_file(path))

    async def http(self, url: str, **options: Any) -> Response:
        """As :meth:`Context.http`."""
        return response(await awaited(self._host.http_send(request(url, **options))))

    async def http_stream(self, url: str, **options: Any) -> Stream:
        """As :meth:`Context.http_stream`."""
        return Stream(self._host, await awaited(self._host.http_open(request(url, **options))))
