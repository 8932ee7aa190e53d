"""A plugin that joins in where plugins in other languages do, and that does harm when it is told to."""

from dataclasses import dataclass

from tapline import AsyncContext, Context, Failure, NodeRequest, hook, init, method, node, plugin


@dataclass
class Shouted:
    text: str
    length: int


@plugin(
    id="pal-python",
    version="1.0.0",
    description="Joins in where plugins in other languages do.",
    requires={"context": {"read": ["input", "output"], "write": ["input", "output"]}},
)
class Pal:
    @init
    def init(self, config):
        self.name = config.get("name", "python")

    @hook("greet", kind="around", priority=50)
    async def greet(self, context: AsyncContext) -> None:
        context.write("input", [*context.read("input"), f"{self.name} in"])
        await context.next()
        context.write("output", [*context.read("output"), f"{self.name} out"])

    @node("python-shout", schema={"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]})
    def shout(self, context: Context, request: NodeRequest) -> Shouted:
        text = request.config["text"].upper()
        return Shouted(text, len(text))

    @method
    def add(self, context: Context, numbers):
        return sum(numbers)

    @method
    def fail(self, context: Context):
        raise Failure("on-purpose", "as it was asked to", {"why": "a test"})

    @method
    def mistake(self, context: Context):
        return {}["missing"]

    @method
    def time(self, context: Context):
        import time

        return time.time()

    @method
    def loop(self, context: Context):
        while True:
            pass

    @method
    def recurse(self, context: Context):
        return self.recurse(context)

    @method
    def descend(self, context: Context):
        # Python counts its own calls, and not those of C that call back.
        nested = []
        for _ in range(10_000_000):
            nested = [nested]
        return repr(nested)

    @method
    def allocate(self, context: Context):
        kept = []
        while True:
            kept.append(bytearray(1 << 20))

    @method
    def throw(self, context: Context):
        raise ValueError("x" * (16 << 20))

    @method
    def swallow(self, context: Context):
        while True:
            try:
                self.loop(context)
            except BaseException:
                pass
