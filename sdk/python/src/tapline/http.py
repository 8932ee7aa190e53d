"""Requests over http and their answers."""

from __future__ import annotations

import json as _json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .failure import Failure
from .host import Answer, Head, Header, Host, Request
from .values import as_bytes, at_once, awaited, milliseconds, to_json


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
            return _json.loads(self.text())
        except ValueError as error:
            raise Failure("wrong-type", str(error)) from None

    def done(self) -> Response:
        """The same answer, if its status is from 200 to 299; fails with ``http-status`` otherwise."""
        if 200 <= self.status < 300:
            return self
        message = f"the server answered with status {self.status}"
        raise Failure("http-status", message, {"status": self.status})


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
        return at_once(self._host.http_read(self._body))

    async def next_chunk(self) -> bytes | None:
        """The next piece of the body, in an ``async def``; ``None`` at its end."""
        return await awaited(self._host.http_read(self._body))

    def close(self) -> None:
        """Reads no more of the body, which ends its request."""
        self._host.http_close(self._body)


def request(
    url: str,
    *,
    method: str | None = None,
    headers: Mapping[str, str] | Sequence[Header] = (),
    body: bytes | str = b"",
    json: Any = None,
    timeout: float | None = None,
    limit: int | None = None,
) -> Request:
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    content = as_bytes(body)
    if json is not None:
        content = to_json(json).encode()
        pairs.append(("content-type", "application/json"))
    method = method or ("POST" if content else "GET")
    return Request(method, url, pairs, content, milliseconds(timeout), limit)


def response(answer: Answer) -> Response:
    return Response(answer.status, answer.headers, answer.body)


def _header(headers: Iterable[Header], name: str) -> str | None:
    return next((value for known, value in headers if known.lower() == name.lower()), None)
