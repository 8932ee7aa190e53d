"""Makes of what a sandbox has not, an error that says what to use instead.

A component imports nothing but the contract: there is no clock behind ``time.time()`` and no file behind ``open()``. In
the component such a call would end the instance without a word, so what reaches for them is replaced before the author's
module is imported.
"""

from __future__ import annotations

import builtins
import contextlib
import datetime as datetimes
import gc
import importlib
import io
import linecache
import logging
import os
import random
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NoReturn

from .failure import Failure
from .host import Level

#: What a manifest says under ``requires`` to be given an interface of the contract.
ASKED_BY = {
    "peers": '"call": […]',
    "events": '"events": {"publish": […]}',
    "files": '"fs": […]',
    "clock": '"clock": "coarse"',
    "random": '"random": True',
    "http": '"http": […]',
}

_CLOCK = "a sandboxed plugin has no clock of its own: use `context.now()` or `context.elapsed()`"
_RANDOM = "a sandboxed plugin has no source of random numbers: use `context.random()`, or give a seed"
_FILES = "a sandboxed plugin has no files of its own: use `context.read_file()` and its like"
_NETWORK = "a sandboxed plugin has no network: use `context.http()`"
_WAIT = "a sandboxed plugin cannot wait by itself: use `context.sleep()`"

#: What the standard library imports only when it is first used.
_LATER = [
    "_strptime",
    "_colorize",
    "ast",
    "bisect",
    "calendar",
    "copy",
    "heapq",
    "locale",
    "struct",
    "textwrap",
    "token",
]
_LATER += ["tokenize", "unicodedata", "warnings", "weakref", "encodings.ascii", "encodings.idna", "encodings.latin_1"]
_LATER += ["encodings.utf_16", "encodings.utf_8_sig"]

_TIME = ["time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time"]
_TIME += ["process_time_ns", "clock_gettime", "clock_gettime_ns", "clock_getres", "thread_time", "thread_time_ns"]
_OS = ["open", "stat", "lstat", "listdir", "scandir", "walk", "mkdir", "makedirs", "remove", "unlink", "rename"]
_OS += ["replace", "rmdir", "getcwd", "chdir", "utime", "readlink", "symlink", "link", "access", "truncate"]


def _refusing(message: str) -> Callable[..., NoReturn]:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise Failure("not-available", message)

    return refuse


def _unless_given(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    """The function, which asks the clock when it is given fewer arguments than this."""

    def guarded(*arguments: Any) -> Any:
        if len(arguments) < count or arguments[count - 1] is None:
            raise Failure("not-available", _CLOCK)
        return function(*arguments)

    return guarded


def _confine_time() -> None:
    for name in _TIME:
        if hasattr(time, name):
            setattr(time, name, _refusing(_CLOCK))
    for name in ("localtime", "gmtime", "ctime"):
        setattr(time, name, _unless_given(getattr(time, name), 1))
    for name in ("asctime", "strftime"):
        setattr(time, name, _unless_given(getattr(time, name), 1 if name == "asctime" else 2))
    time.sleep = _refusing(_WAIT)
    # The host's log has its own times.
    told = {name: getattr(time, name) for name in ("strftime", "localtime", "gmtime")}
    logging.time = SimpleNamespace(time=lambda: 0.0, time_ns=lambda: 0, **told)  # type: ignore[attr-defined]
    real = datetimes.datetime

    class Kind(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, real)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, real)

    # The real class cannot be changed, and asks the clock past all that could be replaced.
    class datetime(real, metaclass=Kind):  # type: ignore[misc,valid-type]
        now = utcnow = today = classmethod(_refusing(_CLOCK))

    datetime.__module__, datetime.__qualname__ = "datetime", "datetime"
    datetimes.datetime = datetime  # type: ignore[misc]


def _confine_random() -> None:
    class Seeded:
        """Whether the module's own generator was given a seed: without one it would be the same in every instance."""

        yet = False

    def seed(value: Any = None, version: int = 2) -> None:
        if value is None:
            raise Failure("not-available", _RANDOM)
        Seeded.yet = True
        own_seed(value, version)

    def seeded(function: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any, **named: Any) -> Any:
            if not Seeded.yet:
                raise Failure("not-available", _RANDOM)
            return function(*arguments, **named)

        return guarded

    own = random._inst
    own_seed = own.seed
    for name in random.__all__:
        function = getattr(random, name)
        if getattr(function, "__self__", None) is own:
            setattr(random, name, seed if name == "seed" else seeded(function))

    class Random(random.Random):
        def __new__(cls, *seeds: Any, **named: Any) -> Random:
            # Without a seed, the C part would ask the system for one before anything else is said.
            return super().__new__(cls, 0)  # type: ignore[call-arg]

        def seed(self, a: Any = None, version: int = 2) -> None:
            if a is None:
                raise Failure("not-available", _RANDOM)
            super().seed(a, version)

    Random.__module__, Random.__qualname__ = "random", "Random"
    random.Random = Random  # type: ignore[misc]
    refuse = _refusing(_RANDOM)
    os.urandom = random._urandom = refuse  # type: ignore[attr-defined]
    if hasattr(os, "getrandom"):
        os.getrandom = refuse


class _Lines(io.TextIOBase):
    """Writes whole lines to the log."""

    def __init__(self, log: Callable[[Level, str], None], level: Level) -> None:
        self._log, self._level, self._begun = log, level, ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *whole, self._begun = (self._begun + text).split("\n")
        for line in whole:
            self._log(self._level, line)
        return len(text)

    def flush(self) -> None:
        if self._begun:
            self._log(self._level, self._begun)
            self._begun = ""


class _Records(logging.Handler):
    """Writes what is said to ``logging``."""

    def __init__(self, log: Callable[[Level, str], None]) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        levels: list[tuple[int, Level]] = [(logging.ERROR, "error"), (logging.WARNING, "warn"), (logging.INFO, "info")]
        level: Level = next((level for least, level in levels if record.levelno >= least), "debug")
        self._log(level, self.format(record))


def to_log(log: Callable[[Level, str], None]) -> None:
    """Sends what is printed, and what is said to ``logging``, to the host's log."""
    sys.stdout, sys.stderr = _Lines(log, "info"), _Lines(log, "warn")
    sys.stdin = None
    logging.root.addHandler(_Records(log))


class _NoMoreImports:
    """Refuses what was not imported while the component was made: there are no files to import it from."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        raise ImportError(f"`{name}` is imported while the plugin runs: import it at the top of the module", name=name)


def seal() -> None:
    """Is called last, when all is imported: from here on there are no files, not even those of Python itself."""
    for name in _LATER:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    _keep_lines()
    sys.path.clear()
    sys.path_importer_cache.clear()
    sys.meta_path.append(_NoMoreImports())
    builtins.open = io.open = io.open_code = _refusing(_FILES)
    for name in _OS:
        if hasattr(os, name):
            setattr(os, name, _refusing(_FILES))
    sockets = sys.modules.get("socket")
    if sockets is not None:
        sockets.socket = sockets.create_connection = _refusing(_NETWORK)  # type: ignore[attr-defined]
    gc.collect()
    # What is there already is never collected: looking at it would touch all of the memory that instances share.
    gc.freeze()


def _keep_lines() -> None:
    """Keeps the author's lines for tracebacks, and has all others shown without theirs."""
    standard = os.path.dirname(os.__file__)
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and file.endswith(".py") and not file.startswith(standard) and "/tapline/" not in file:
            lines = linecache.getlines(file)
            # Without a time it is not looked for on the disk again.
            linecache.cache[file] = (len(lines), None, lines, file)
    linecache.updatecache = lambda *_, **__: []


def end() -> NoReturn:
    """Ends the instance at once."""
    sys.stderr = sys.stdout = None
    # What componentize-py does with an exception that is none of the contract's is a trap.
    raise SystemError("the instance has ended")


_confine_time()
_confine_random()
