"""A plugin as its host sees it: it is made once, and then asked one operation after the other."""

from __future__ import annotations

from inspect import isawaitable
from types import ModuleType
from typing import Any

from .context import AsyncContext, Context, Event
from .declaration import MARK, Declaration, DeclarationError, Handler
from .failure import Failure
from .host import ABSENT, Flow, Host, Operation
from .roles import NODE, PROVIDER, VALIDATOR, Completion, CompletionRequest, NodeRequest, ValidationRequest
from .values import plain

_LIFE = ("start", "stop", "health")
#: The requests that methods of extension points take; all others take the value as it is.
_REQUESTS = {
    (NODE, "handle"): NodeRequest,
    (PROVIDER, "complete"): CompletionRequest,
    (VALIDATOR, "validate"): ValidationRequest,
}


def declared_in(module: ModuleType) -> Declaration:
    """The declaration of the one plugin of a module."""
    found: list[Declaration] = [one.__dict__[MARK] for one in vars(module).values() if _is_plugin(one)]
    own = [declaration for declaration in found if declaration.plugin.__module__ == module.__name__] or found
    if len(own) != 1:
        message = f"there are {len(own)} classes under `@plugin`; a plugin is one class"
        raise DeclarationError(f"{module.__file__}:1", message)
    return own[0]


def _is_plugin(value: Any) -> bool:
    return isinstance(value, type) and MARK in value.__dict__


class Running:
    """One instance of a plugin."""

    def __init__(self, declaration: Declaration) -> None:
        self._declaration = declaration
        self._plugin: Any = None

    async def init(self, host: Host) -> None:
        """Makes the plugin from its configuration, which stands at ``input``."""
        plugin = self._declaration.plugin()
        handler = self._declaration.lifecycle.get("init")
        if handler is not None:
            config = host.get("input") if handler.parameters else None
            given = [{} if config is ABSENT or config is None else config, _context(host, handler)]
            await self._call_on(plugin, handler, *given[: handler.parameters])
        self._plugin = plugin

    def is_async(self, operation: Operation) -> bool:
        """Whether the method that answers a call is an ``async def``."""
        declared, kind, name = self._declaration, operation.kind, operation.name
        found: Handler | None = declared.lifecycle.get(kind.replace("-", "_"))
        if kind == "event":
            found = declared.listeners.get(name)
        elif kind == "handle":
            found = declared.handlers.get((name, operation.method), ("", None))[1]
        elif name in declared.hooks and declared.hooks[name][0] == kind:
            found = declared.hooks[name][1]
        found = found or declared.lifecycle.get("otherwise")
        return found is not None and found.is_async

    async def call(self, operation: Operation, host: Host) -> Flow:
        """Answers one call."""
        if self._plugin is None:
            raise Failure("not-active", "`init` has not run")
        flow = await self._answer(operation, host)
        return flow if isinstance(flow, Flow) else Flow.PROCEED

    async def _answer(self, operation: Operation, host: Host) -> Flow | None:
        declared = self._declaration
        kind, name = operation.kind, operation.name
        if kind in _LIFE and kind in declared.lifecycle:
            await self._live(declared.lifecycle[kind], host)
        elif kind == "export-state" and "export_state" in declared.lifecycle:
            state = await self._live(declared.lifecycle["export_state"], host)
            _context(host).write("output", state)
        elif kind == "import-state" and "import_state" in declared.lifecycle:
            await self._live(declared.lifecycle["import_state"], host, _input(host), name)
        elif kind == "event" and name in declared.listeners:
            handler = declared.listeners[name]
            await self._call(handler, _context(host, handler), Event.of(_input(host)))
        elif kind == "handle" and (name, operation.method) in declared.handlers:
            await self._handle(*declared.handlers[name, operation.method], operation.method, host)
            return Flow.FINISH
        elif name in declared.hooks and declared.hooks[name][0] == kind:
            return await self._hook(kind, name, declared.hooks[name][1], host)
        elif "otherwise" in declared.lifecycle:
            handler = declared.lifecycle["otherwise"]
            return _flow(await self._call(handler, _context(host, handler), operation), handler)
        elif kind not in _LIFE:
            raise _not_declared(operation)
        return None

    async def _live(self, handler: Handler, host: Host, *arguments: Any) -> Any:
        given = [*arguments, _context(host, handler)]
        return await self._call(handler, *given[: handler.parameters])

    async def _hook(self, kind: str, name: str, handler: Handler, host: Host) -> Flow | None:
        context = _context(host, handler)
        answer = await self._call(handler, context)
        if kind == "before":
            return _flow(answer, handler)
        if kind == "replace" or (kind == "answer" and answer is not None):
            context.write("output", answer)
        elif answer is not None:
            raise TypeError(f"`{handler.name}` is a hook of kind {kind} and answers with nothing: write `output`")
        return None

    async def _handle(self, point: str, handler: Handler, method: str, host: Host) -> None:
        context = _context(host, handler)
        arguments = [_request(point, method, _input(host))] if handler.parameters == 2 else []
        answer = await self._call(handler, context, *arguments)
        if point == VALIDATOR:
            answer = {"errors": [plain(finding) for finding in answer or ()]}
        context.write("output", answer.said() if isinstance(answer, Completion) else answer)

    async def _call(self, handler: Handler, *arguments: Any) -> Any:
        return await self._call_on(self._plugin, handler, *arguments)

    @staticmethod
    async def _call_on(plugin: Any, handler: Handler, *arguments: Any) -> Any:
        answer = getattr(plugin, handler.name)(*arguments)
        return await answer if isawaitable(answer) else answer


def _context(host: Host, handler: Handler | None = None) -> Context | AsyncContext:
    return AsyncContext(host) if handler is not None and handler.is_async else Context(host)


def _input(host: Host) -> Any:
    value = host.get("input")
    return None if value is ABSENT else value


def _request(point: str, method: str, value: Any) -> Any:
    kind = _REQUESTS.get((point, method))
    if kind is None:
        return value
    try:
        return kind.of(value)  # type: ignore[attr-defined]
    except (AttributeError, KeyError, TypeError) as error:
        raise Failure("invalid-request", f"the request to a {point} has not its shape: {error!r}") from None


def _flow(answer: Any, handler: Handler) -> Flow | None:
    if answer is None or isinstance(answer, Flow):
        return answer
    raise TypeError(f"`{handler.name}` answers with a `Flow` or with nothing, not with {type(answer).__name__}")


def _not_declared(operation: Operation) -> Failure:
    kind, name = operation.kind, operation.name
    if kind in ("export-state", "import-state"):
        return Failure("no-state", "the plugin hands over no state")
    if kind == "event":
        return Failure("no-such-subscription", f"there is no such subscription as `{name}`")
    if kind == "handle":
        return Failure("no-such-method", f"`{name}` has no method `{operation.method}`")
    return Failure("no-such-hook", f"there is no such hook as `{name}`")
