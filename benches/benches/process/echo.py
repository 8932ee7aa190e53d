"""A plugin in Python that gives back what it is given."""

import os

from tapline import Context, hook, method, plugin


@plugin(id="echoing", version="1.0.0", requires={"context": {"read": ["input", "output"], "write": ["output"]}})
class Echoing:
    @method
    def echo(self, context: Context, request):
        return request

    @method
    def process(self, context: Context, request):
        return os.getpid()

    @hook("wrap", kind="around")
    def wrap(self, context: Context) -> None:
        context.next()
