"""<< description >>"""

from typing import Any

from tapline import Context, Failure, NodeRequest, node, plugin


@plugin(
    id="<< id >>",
    version="0.1.0",<< runtime >>
    description="<< description >>",
    capabilities=[<< capabilities >>],
    depends_on=[{"id": "echo"}],
    requires={"call": ["provider/echo"]},
)
class << type >>:
    # Brings another plugin into a node of its own: here a provider, which it calls once for each text.
    @node("<< id >>", schema="schemas/<< id >>.json")
    def ask(self, context: Context, request: NodeRequest) -> list[Any]:
        texts = request.config.get("texts")
        if not isinstance(texts, list):
            raise Failure("invalid-settings", "`texts` is not a list")
        return [context.call("provider/echo", "complete", {"prompt": text})["output"] for text in texts]
