"""Models of LangChain that ask the providers of the host."""

from __future__ import annotations

import json
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, ConfigDict

from .here import host

#: Who LangChain is told makes the models of the host's providers.
HOST = "tapline"

_ROLES = {"human": "user", "ai": "assistant", "tool": "tool", "system": "system"}


class ProviderChat(BaseChatModel):
    """A provider of the host, as a chat model."""

    model_config = ConfigDict(extra="forbid")

    provider: str
    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    #: How long an answer may take, in seconds.
    timeout: float = 300

    @property
    def _llm_type(self) -> str:
        return f"{HOST}-{self.provider}"

    def _get_ls_params(self, stop: list[str] | None = None, **options: Any) -> Any:
        return {**super()._get_ls_params(stop=stop, **options), "ls_provider": HOST}

    def bind_tools(self, tools: Any, *, tool_choice: Any = None, **options: Any) -> Any:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **options)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **options: Any,
    ) -> ChatResult:
        system = [one.text for one in messages if isinstance(one, SystemMessage)]
        request = {
            "messages": [_said(one) for one in messages if not isinstance(one, SystemMessage)],
            "system": "\n\n".join(system) or None,
            "model": self.model,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "seed": self.seed,
            "stop": stop,
            "tools": [outlined(tool) for tool in options.get("tools", ())],
        }
        request = {key: value for key, value in request.items() if value is not None}
        answer = host().call(f"provider/{self.provider}", "complete", request, within=self.timeout)
        return ChatResult(generations=[ChatGeneration(message=_answered(answer))])


class ProviderEmbeddings(BaseModel, Embeddings):
    """A provider of the host, as a maker of vectors."""

    model_config = ConfigDict(extra="forbid")

    provider: str
    model: str | None = None
    dimensions: int | None = None
    #: How long an answer may take, in seconds.
    timeout: float = 300
    #: How many texts are sent at once.
    batch: int = 256

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        about = {"model": self.model, "dimensions": self.dimensions}
        about = {key: value for key, value in about.items() if value is not None}
        vectors: list[list[float]] = []
        for begin in range(0, len(texts), self.batch):
            request = {"texts": texts[begin : begin + self.batch], **about}
            answer = host().call(f"provider/{self.provider}", "embed", request, within=self.timeout)
            vectors.extend(answer["vectors"])
        return vectors

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


def _said(message: BaseMessage) -> dict[str, Any]:
    said: dict[str, Any] = {"role": _ROLES.get(message.type, "user"), "content": message.text}
    if isinstance(message, AIMessage) and message.tool_calls:
        said["tool_calls"] = [
            {"id": call["id"] or "", "name": call["name"], "arguments": call["args"]} for call in message.tool_calls
        ]
    if isinstance(message, ToolMessage):
        said["tool_call_id"] = message.tool_call_id
    return said


def outlined(tool: dict[str, Any]) -> dict[str, Any]:
    """What a model of the host is told of a tool, as LangChain says it."""
    function = tool["function"]
    return {key: function[key] for key in ("name", "description", "parameters") if key in function}


def _answered(answer: dict[str, Any]) -> AIMessage:
    output = answer.get("output")
    calls = [
        {"id": call["id"], "name": call["name"], "args": call["arguments"], "type": "tool_call"}
        for call in answer.get("tool_calls", ())
        if isinstance(call["arguments"], dict)
    ]
    usage = answer.get("usage")
    counted = None
    if usage:
        given, made = usage.get("input_tokens", 0), usage.get("output_tokens", 0)
        counted = {"input_tokens": given, "output_tokens": made, "total_tokens": given + made}
    return AIMessage(
        content=output if isinstance(output, str) else "" if output is None else json.dumps(output, ensure_ascii=False),
        tool_calls=calls,
        usage_metadata=counted,
        response_metadata={
            "model_name": answer["model"],
            "model_provider": HOST,
            "finish_reason": answer.get("finish_reason"),
        },
    )
