"""What the extension points of a pipeline ask and are answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: The extension point of node types: the key is the ``type`` of a node.
NODE = "node"
#: The extension point of model providers: the key is the provider's name.
PROVIDER = "provider"
#: The extension point of what is called under a plugin's own id.
METHODS = "plugin"


@dataclass(frozen=True)
class NodeRequest:
    """What a node handler is asked."""

    #: The node's configuration, with its templates rendered; ``with`` in the pipeline file.
    config: Any
    #: The values that the configuration's expressions may name: inputs, and the nodes that they refer to.
    scope: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Any) -> NodeRequest:
        return cls(value["with"], value.get("scope", {}))


@dataclass(frozen=True)
class CompletionRequest:
    """What a provider is asked."""

    #: What the model is to answer.
    prompt: str
    #: Who the model is to be.
    system: str | None = None
    #: The model, where the provider has several.
    model: str | None = None

    @classmethod
    def of(cls, value: Any) -> CompletionRequest:
        return cls(value["prompt"], value.get("system"), value.get("model"))


@dataclass(frozen=True)
class Completion:
    """What a provider answers."""

    #: The model's answer: text, or a value where it answers with structure.
    output: Any
    #: The model that answered.
    model: str
