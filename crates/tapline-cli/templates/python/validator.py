"""<< description >>"""

from typing import Any

from tapline import Context, Failure, hook, init, plugin


@plugin(
    id="<< id >>",
    version="0.1.0",<< runtime >>
    description="<< description >>",
    capabilities=[<< capabilities >>],
    requires={"context": {"read": ["input.with.prompt"]}},
)
class << type >>:
    @init
    def init(self, config: dict[str, Any]) -> None:
        self.longest = config.get("longest", 1000)

    # Before each node of type `chat`: a refusal here is the node's error, and no model is asked.
    @hook("node.execute", kind="before", when={"type": "chat"})
    def check(self, context: Context) -> None:
        length = len(context.read("input.with.prompt"))
        if length > self.longest:
            raise Failure("too-long", f"the prompt has {length} characters, and may have {self.longest}")
