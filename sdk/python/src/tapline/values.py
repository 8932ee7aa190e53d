"""Values on their way to the host and back."""

from __future__ import annotations

import dataclasses
import json
from inspect import isawaitable
from typing import Any, TypeVar, overload

from .failure import Failure
from .host import Waited

T = TypeVar("T")


def plain(value: Any) -> Any:
    """A value as JSON can express it: dataclasses become objects."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value


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


@overload
def milliseconds(seconds: float) -> int: ...
@overload
def milliseconds(seconds: float | None) -> int | None: ...
def milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else max(0, round(seconds * 1000))


def as_bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else bytes(content)


def at_once(answer: Waited[T]) -> T:
    if isawaitable(answer):
        raise TypeError("this host answers `async def` methods alone")
    return answer


async def awaited(answer: Waited[T]) -> T:
    if isawaitable(answer):
        return await answer
    return answer
