"""Runs a plugin as a WebAssembly component, on what componentize-py generates from the contract.

It is imported before the author's module, while the component is made, and knows the generated modules by what it is
given: a component has those alone that its manifest asks for.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Coroutine, Mapping
from types import ModuleType
from typing import Any, NoReturn

from . import confine
from .definition import Running, declared_in
from .failure import Failure
from .host import ABSENT, Flow, Operation
from .imports import Imports
from .values import to_json


class Component:
    """The exports of a component, and its way to the host."""

    def __init__(self, author: ModuleType, imports: Mapping[str, Any], err: type[Exception]) -> None:
        self._running = Running(declared_in(author))
        self._host = Imports(imports, err)
        self._types, self._err = imports["types"], err
        confine.to_log(self._host.log)

    def init(self) -> None:
        self._run(self._running.init(self._host))

    def call(self, kind: str, name: str = "", method: str = "") -> Any:
        flow = self._run(self._running.call(Operation(kind, name, method), self._host))
        return self._types.Flow.FINISH if flow is Flow.FINISH else self._types.Flow.PROCEED

    def export_state(self) -> str:
        self.call("export-state")
        state = self._host.get("output")
        return to_json(None if state is ABSENT else state)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            work.send(None)
        except StopIteration as done:
            return done.value
        except Failure as failure:
            raise self._err(self._host.wire(failure)) from None
        except BaseException as error:
            self._break(error)
        never = Failure("waits-for-nothing", "it awaits something that no host will bring")
        raise self._err(self._host.wire(never))

    def _break(self, error: BaseException) -> NoReturn:
        """Ends the instance, and leaves behind why."""
        try:
            text = told(error)
        except BaseException as another:
            # There is little left to work with when memory or the stack is used up.
            text = (
                f"{type(error).__name__}: {str(error)[:1000]} (its traceback cannot be told: {type(another).__name__})"
            )
        self._host.log("error", text)
        confine.end()


def told(error: BaseException) -> str:
    """An exception with its traceback, from the author's first line on; long ones are cut in the middle."""
    step = error.__traceback__
    while step is not None and "/tapline/" in step.tb_frame.f_code.co_filename:
        step = step.tb_next
    exception = traceback.TracebackException(type(error), error, step, limit=-20, compact=True)
    _without_carets(exception)
    text = "".join(exception.format()).rstrip()
    # The folders of the search path are numbered where the component is made.
    lines = re.sub(r'File "/\d+/', 'File "', text)
    return lines if len(lines) <= 6000 else f"{lines[:2000]}\n[…]\n{lines[-3900:]}"


def _without_carets(exception: traceback.TracebackException) -> None:
    """To place carets, the line is parsed, and for what cannot be parsed alone Python looks for the file."""
    for frame in exception.stack:
        frame.colno = None
    for other in (exception.__cause__, exception.__context__):
        if other is not None:
            _without_carets(other)


def exports(component: Component) -> dict[str, Callable[..., Any]]:
    """The classes that componentize-py looks for, by the name of their interface."""

    class Lifecycle:
        def init(self) -> None:
            component.init()

        def start(self) -> None:
            component.call("start")

        def stop(self) -> None:
            component.call("stop")

    class Before:
        def before(self, hook: str) -> Any:
            return component.call("before", hook)

    class After:
        def after(self, hook: str) -> None:
            component.call("after", hook)

    class Around:
        def around(self, hook: str) -> None:
            component.call("around", hook)

    class Replace:
        def replace(self, hook: str) -> None:
            component.call("replace", hook)

    class Answer:
        def answer(self, hook: str) -> None:
            component.call("answer", hook)

    class Listener:
        def event(self, subscription: str) -> None:
            component.call("event", subscription)

    class Handler:
        def handle(self, contribution: str, method: str) -> None:
            component.call("handle", contribution, method)

    class Health:
        def health(self) -> None:
            component.call("health")

    class State:
        def export_state(self) -> str:
            return component.export_state()

        def import_state(self, state: str, from_version: str) -> None:
            component.call("import-state", from_version)

    classes = (Lifecycle, Before, After, Around, Replace, Answer, Listener, Handler, Health, State)
    return {one.__name__: one for one in classes}
