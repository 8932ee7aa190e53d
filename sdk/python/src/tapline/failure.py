"""The error that is returned on purpose."""

from __future__ import annotations

from typing import Any


class Failure(Exception):
    """An error that a plugin returns on purpose, or that the host answers with.

    Any other exception is a mistake in the plugin: the call fails, and the instance is not used again.
    """

    def __init__(self, code: str, message: str, details: Any = None) -> None:
        """``code`` is a short constant for programs, ``message`` is for people, ``details`` is any JSON value."""
        super().__init__(code, message, details)
        self.code = code
        self.message = message
        self.details = details

    def __str__(self) -> str:
        return self.message
