"""A plugin whose hooks do what its configuration says, so that the conformance suite can write both the manifest and
what stands behind it: the same as `tests/guests/script`, which says what each step does."""

from tapline import (
    AsyncContext,
    Failure,
    Flow,
    Operation,
    export_state,
    health,
    hook,
    import_state,
    init,
    method,
    on,
    otherwise,
    plugin,
)


@plugin(
    id="script-python",
    version="1.0.0",
    description="A plugin whose hooks do what its configuration says.",
    requires={
        "context": {"read": ["input", "output", "error"], "write": ["input", "output", "error"]},
        "events": {"publish": ["a.script"]},
        "call": ["nobody"],
    },
    instances="one",
)
class Script:
    @init
    def init(self, config):
        unknown = set(config) - {"hooks", "refuse"}
        if unknown:
            raise Failure("invalid-config", f"unknown field `{unknown.pop()}`")
        if config.get("refuse") is not None:
            raise Failure("refused", config["refuse"])
        self.hooks = config.get("hooks", {})
        self.notes = []
        self.count = 0

    @health
    async def health(self, context: AsyncContext) -> None:
        await self.run_if_any("health", context)

    @export_state
    async def export_state(self, context: AsyncContext):
        # A step may write another state.
        context.write("output", self.count)
        await self.run_if_any("export", context)
        return context.read("output")

    @import_state
    async def import_state(self, state, from_version: str, context: AsyncContext) -> None:
        self.count = state
        await self.run_if_any("import", context)

    # The suite puts its own manifest in the place of this one, so these are there for what the component exports.
    @hook("-", kind="before", name="-before")
    @hook("-", kind="after", name="-after")
    @hook("-", kind="around", name="-around")
    @hook("-", kind="replace", name="-replace")
    @hook("-", kind="answer", name="-answer")
    def exported(self, context: AsyncContext) -> None:
        raise Failure("no-such-hook", "it has none but those of its configuration")

    @on("a.-", name="-event")
    def listening(self, context: AsyncContext, event) -> None:
        self.exported(context)

    @method(name="-method")
    def answering(self, context: AsyncContext) -> None:
        self.exported(context)

    @otherwise
    async def call(self, context: AsyncContext, operation: Operation):
        if operation.kind in ("start", "stop"):
            return await self.run_if_any(operation.kind, context)
        if operation.kind != "handle":
            return await self.run(operation.name, context)
        if not operation.name.startswith("plugin/"):
            context.write("output", self.notes)
            return Flow.FINISH
        context.write("output", None)
        return await self.run(operation.method, context)

    async def run_if_any(self, moment: str, context: AsyncContext):
        return await self.run(moment, context) if moment in self.hooks else Flow.PROCEED

    async def run(self, name: str, context: AsyncContext):
        if name not in self.hooks:
            raise Failure("no-such-hook", name)
        flow = Flow.PROCEED
        for step in self.hooks[name]:
            [(what, given)] = step.items() if isinstance(step, dict) else [(step, None)]
            if what == "finish":
                flow = Flow.FINISH
            else:
                await self.step(what, given, context)
        return flow

    async def step(self, what: str, given, context: AsyncContext) -> None:
        match what:
            case "input" | "output":
                context.write(what, [*(context.read(what) or []), given])
            case "set":
                context.write("output", given)
            case "double":
                context.write("output", context.read("output") * 2)
            case "next":
                await context.next()
            case "next-or-not":
                await self.retry(context, 1, is_passed_on=False)
            case "retry":
                await self.retry(context, given)
            case "fail":
                raise Failure(given, "it was told to fail")
            case "break":
                raise RuntimeError("it was told to break")
            case "publish":
                context.publish(given, "hello")
            case "note":
                self.notes.append(context.read(given))
            case "count":
                self.count += 1
                context.write("output", self.count)
            case "call":
                context.write("output", await context.call(*given))
            case "call-within":
                milliseconds, *whom = given
                context.write("output", await context.call(*whom, within=milliseconds / 1000))
            case "relay":
                context.write("output", await context.relay(*given))
            case "sleep":
                await context.sleep(given / 1000)
            case "cast":
                context.cast(*given)
            case "emit":
                await context.emit(given)
            case "streamed":
                context.write("output", context.is_streamed())
            case "caller":
                context.write("output", context.caller())
            case "exit":
                context.exit()
            case "exit-with":
                context.exit(Failure(given, "it cannot go on"))
            case _:
                raise Failure("invalid-config", f"there is no step `{what}`")

    async def retry(self, context: AsyncContext, times: int, is_passed_on: bool = True) -> None:
        while True:
            times -= 1
            try:
                return await context.next()
            except Failure:
                if times <= 0:
                    if is_passed_on:
                        raise
                    return None
