"""<< description >>"""

from typing import Any

from tapline import Completion, CompletionRequest, Context, Failure, init, plugin, provider


@plugin(id="<< id >>", version="0.1.0",<< runtime >> description="<< description >>", capabilities=[<< capabilities >>])
class << type >>:
    @init
    def init(self, config: dict[str, Any]) -> None:
        self.prefix = config.get("prefix", "")

    # A model server would be asked here, over `context.http`.
    @provider("<< id >>")
    def complete(self, context: Context, request: CompletionRequest) -> Completion:
        if not request.prompt.strip():
            raise Failure("empty-prompt", "there is nothing to answer")
        return Completion(output=self.prefix + request.prompt[::-1], model="backwards")
