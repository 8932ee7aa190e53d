"""<< description >>"""

from datetime import timedelta

from tapline import Context, hook, plugin


@plugin(
    id="<< id >>",
    version="0.1.0",<< runtime >>
    description="<< description >>",
    capabilities=[<< capabilities >>],
    requires={
        "clock": "coarse",
        "context": {"read": ["node"]},
        "events": {"publish": ["<< id >>.*"]},
    },
)
class << type >>:
    # Outside of most other hooks, around each node; the lower the priority, the further outside.
    @hook("node.execute", kind="around", priority=10)
    def watch(self, context: Context) -> None:
        node, begun, state = context.read("node.id"), context.elapsed(), "failed"
        try:
            context.next()
            state = "done"
        finally:
            took = (context.elapsed() - begun) // timedelta(milliseconds=1)
            context.log("info", f"{node}: {state} after {took} ms")
            context.publish("<< id >>.node", {"node": node, "state": state})
