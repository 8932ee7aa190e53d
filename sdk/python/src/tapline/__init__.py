"""What authors of Tapline plugins in Python write against.

A plugin is a class under :func:`plugin`::

    from tapline import AsyncContext, hook, init, plugin

    @plugin(
        id="shout",
        version="1.0.0",
        requires={"context": {"read": ["output"], "write": ["output"]}},
    )
    class Shout:
        @init
        def init(self, config):
            self.suffix = config.get("suffix", "!")

        @hook("greet", kind="around", priority=40)
        async def shout(self, context: AsyncContext) -> None:
            await context.next()
            context.write("output", context.read("output").upper() + self.suffix)

A method may be ``def`` and is then given a :class:`Context`, or ``async def`` and is then given an
:class:`AsyncContext`, on which what waits is awaited.
"""

from .context import AsyncContext, Context, Event
from .declaration import DeclarationError
from .declare import (
    export_state,
    health,
    hook,
    import_state,
    init,
    method,
    node,
    on,
    otherwise,
    plugin,
    provider,
    provides,
    start,
    stop,
    validator,
)
from .failure import Failure
from .host import Entry, Flow, Operation
from .http import Response, Stream
from .roles import Completion, CompletionRequest, Finding, NodeRequest, ValidationRequest

__all__ = [
    "AsyncContext",
    "Completion",
    "CompletionRequest",
    "Context",
    "DeclarationError",
    "Entry",
    "Event",
    "Failure",
    "Finding",
    "Flow",
    "NodeRequest",
    "Operation",
    "Response",
    "Stream",
    "ValidationRequest",
    "export_state",
    "health",
    "hook",
    "import_state",
    "init",
    "method",
    "node",
    "on",
    "otherwise",
    "plugin",
    "provider",
    "provides",
    "start",
    "stop",
    "validator",
]
