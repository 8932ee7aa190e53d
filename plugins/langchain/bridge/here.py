"""The call that is being answered, for objects that outlive it or are used on threads of LangChain's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tapline import Context, Failure

_current: ContextVar[Context] = ContextVar("call")


@contextmanager
def answering(context: Context) -> Iterator[None]:
    """Makes it the call that objects of this plugin ask the host in."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)


def host() -> Context:
    """The host, in the call that is being answered."""
    try:
        return _current.get()
    except LookupError:
        raise Failure("no-call", "a model was asked outside of any call of a node") from None
