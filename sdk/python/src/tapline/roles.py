"""What the extension points of a pipeline ask and are answered."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

#: The extension point of node types: the key is the ``type`` of a node.
NODE = "node"
#: The extension point of model providers: the key is the provider's name.
PROVIDER = "provider"
#: The extension point of validators: the key is the validator's name.
VALIDATOR = "validator"
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

    #: What the model is to answer; empty where the last of ``messages`` is that.
    prompt: str = ""
    #: Who the model is to be.
    system: str | None = None
    #: The model, where the provider has several.
    model: str | None = None
    #: What was said before the prompt: objects with ``role``, ``content``, ``tool_calls`` and ``tool_call_id``.
    messages: list[dict[str, Any]] = field(default_factory=list)
    #: What the model may ask to have done: objects with ``name``, ``description`` and ``parameters``.
    tools: list[dict[str, Any]] = field(default_factory=list)
    #: The JSON Schema of the answer, where it is to be a value.
    output_schema: Any = None
    #: How freely the model chooses, from 0.
    temperature: float | None = None
    #: How many tokens the answer may have.
    max_tokens: int | None = None
    #: Texts at which the answer ends.
    stop: list[str] = field(default_factory=list)
    #: Has a model that can do so answer the same twice.
    seed: int | None = None

    @classmethod
    def of(cls, value: Any) -> CompletionRequest:
        # Whoever asks may know of more than this SDK does.
        return cls(**{one.name: value[one.name] for one in fields(cls) if value.get(one.name) is not None})


@dataclass(frozen=True)
class Completion:
    """What a provider answers."""

    #: The model's answer: text, or a value where it answers with structure.
    output: Any
    #: The model that answered.
    model: str
    #: What the model asks tools, before it goes on: objects with ``id``, ``name`` and ``arguments``.
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    #: Why the answer ended: ``stop``, ``length``, ``tool_calls``, or a word of the provider's.
    finish_reason: str | None = None
    #: What it has used up: ``input_tokens``, ``output_tokens``, and ``cost`` where it is known.
    usage: dict[str, Any] | None = None

    def said(self) -> dict[str, Any]:
        """What is known of it."""
        every = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in every.items() if name in ("output", "model") or value}


@dataclass(frozen=True)
class ValidationRequest:
    """What a validator is asked."""

    #: The value to look at: the output of a node.
    value: Any
    #: What the pipeline says of how to look at it; ``None`` where it says nothing. ``with`` in the pipeline file.
    config: Any = None

    @classmethod
    def of(cls, value: Any) -> ValidationRequest:
        return cls(value["value"], value.get("with"))


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    #: What is wrong, for people.
    message: str
    #: Where, as a JSON pointer into the value; empty for the whole.
    path: str = ""
    #: The rule that was broken, for programs.
    rule: str | None = None
