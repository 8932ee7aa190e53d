"""<< description >>"""

from typing import Any

from tapline import Context, Failure, NodeRequest, node, plugin


@plugin(id="<< id >>", version="0.1.0",<< runtime >> description="<< description >>", capabilities=[<< capabilities >>])
class << type >>:
    @node("<< id >>", schema="schemas/<< id >>.json")
    def count(self, context: Context, request: NodeRequest) -> dict[str, Any]:
        match request.config:
            case {"text": str() as text, **others} if not others:
                words = text.split()
            case settings:
                raise Failure("invalid-settings", f"`text` and nothing else is known: {settings}")
        context.log("info", f"{len(words)} words")
        return {"words": len(words), "longest": max(words, key=len, default="")}
