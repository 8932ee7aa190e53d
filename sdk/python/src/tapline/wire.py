"""Messages between a host and a plugin that is a process, as ``docs/wire.md`` specifies them."""

from __future__ import annotations

import dataclasses
import os
import threading
from typing import Any, BinaryIO

import msgpack

from .failure import Failure

#: The version of the protocol that this speaks.
VERSION = 1
#: The files on which a process reads what the host says, and on which it answers.
READS, WRITES = 3, 4

_PREFIX = 4


class Closed(Exception):
    """The host says nothing any more."""


class Connection:
    """Reads and writes whole messages; one thread reads at a time, and any number may write."""

    def __init__(self, reads: BinaryIO, writes: int) -> None:
        self._reads = reads
        self._writes = writes
        self._writing = threading.Lock()

    @classmethod
    def of_process(cls) -> Connection:
        """The pipes that the host has given this process, which no process that it starts will have."""
        for number in (READS, WRITES):
            os.set_inheritable(number, False)
        return cls(os.fdopen(READS, "rb", buffering=1 << 16), WRITES)

    def receive(self) -> tuple[str, Any]:
        """The name and the content of the next message. Raises ``Closed`` when there is none."""
        prefix = self._reads.read(_PREFIX)
        body = self._reads.read(int.from_bytes(prefix, "little"))
        if len(prefix) < _PREFIX or not body:
            raise Closed
        ((name, content),) = msgpack.unpackb(body).items()
        return name, content

    def send(self, name: str, content: dict[str, Any]) -> None:
        """Sends a message. Fails with ``wrong-type`` when something in it cannot be expressed."""
        try:
            body = msgpack.packb({name: content}, default=_part)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise Failure("wrong-type", f"it cannot be expressed as JSON: {error}") from None
        frame = memoryview(len(body).to_bytes(_PREFIX, "little") + body)
        with self._writing:
            while frame:
                frame = frame[os.write(self._writes, frame) :]


def _part(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")
