"""What LangChain tells of its work: events of the host, and spans where somebody takes them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from tapline import Context, Failure

from .models import HOST
from .values import told

#: Who takes spans, and what each kind of run is called there.
_SPANS = "capability:telemetry"
_OPERATIONS = {"model": "chat", "tool": "execute_tool", "retriever": "retrieval"}


@dataclass
class _Run:
    """Something of LangChain that is running."""

    about: dict[str, Any]
    #: What is told of it in its span alone.
    span: dict[str, Any]
    begun: float = field(default_factory=time.time)
    since: float = field(default_factory=time.monotonic)


class Told(BaseCallbackHandler):
    """Publishes ``langchain.started``, ``langchain.ended`` and ``langchain.failed`` of all that runs, and tells its span."""

    #: In the order in which things happen, and not on another thread.
    run_inline = True

    def __init__(self, context: Context) -> None:
        self._context = context
        self._running: dict[UUID, _Run] = {}
        self._wanted = _wanted(context)
        self._publishes = True

    def _begin(
        self,
        kind: str,
        serialized: Any,
        run_id: UUID,
        parent_run_id: UUID | None,
        name: str | None,
        given: Any = None,
        **span: Any,
    ) -> None:
        name = name or (serialized or {}).get("name") or kind
        parent = None if parent_run_id is None else str(parent_run_id)
        about = {"run": str(run_id), "parent": parent, "kind": kind, "name": name}
        operation = _OPERATIONS.get(kind) or ("invoke_workflow" if parent is None else None)
        span = {"operation": operation, "input": self._content(given), **span}
        self._running[run_id] = _Run(about, span)
        self._publish("langchain.started", about)

    def _end(self, run_id: UUID, error: BaseException | None = None, answer: Any = None, **span: Any) -> None:
        run = self._running.pop(run_id, None)
        if run is None:
            return
        about = {**run.about, "milliseconds": round((time.monotonic() - run.since) * 1000, 3)}
        failed = None if error is None else f"{type(error).__name__}: {error}"
        if error is None:
            self._publish("langchain.ended", about)
        else:
            self._publish("langchain.failed", {**about, "error": failed})
            span["error"] = {"code": _code(error), "message": self._content(failed) or ""}
        self._tell({**run.span, "output": self._content(answer), **span}, about, run.begun)

    def _publish(self, topic: str, about: dict[str, Any]) -> None:
        if not self._publishes:
            return
        try:
            self._context.publish(topic, about)
        except Failure:
            # Who has a tool called may not be told of as much as this plugin may by itself.
            self._publishes = False

    def _tell(self, span: dict[str, Any], about: dict[str, Any], begun: float) -> None:
        if not self._wanted["spans"]:
            return
        span = {key: value for key, value in span.items() if value is not None}
        begun *= 1000
        span |= {"id": about["run"], "parent": about["parent"], "name": about["name"]}
        span |= {"begun": begun, "ended": begun + about["milliseconds"], "attributes": {"kind": about["kind"]}}
        try:
            self._context.call(_SPANS, "span", span)
        except Failure:
            # Nothing fails because somebody cannot be told of it.
            self._wanted["spans"] = False

    def _content(self, value: Any) -> Any:
        return told(value) if self._wanted["content"] else None

    def on_chain_start(self, serialized, inputs, *, run_id, parent_run_id=None, name=None, **_):  # type: ignore[no-untyped-def]
        self._begin("chain", serialized, run_id, parent_run_id, name, inputs)

    def on_chat_model_start(self, serialized, messages, *, run_id, parent_run_id=None, name=None, metadata=None, **_):  # type: ignore[no-untyped-def]
        self._begin("model", serialized, run_id, parent_run_id, name, messages[0], **_model(metadata))

    def on_llm_start(self, serialized, prompts, *, run_id, parent_run_id=None, name=None, metadata=None, **_):  # type: ignore[no-untyped-def]
        self._begin("model", serialized, run_id, parent_run_id, name, prompts[0], **_model(metadata))

    def on_tool_start(self, serialized, input_str, *, run_id, parent_run_id=None, name=None, inputs=None, **_):  # type: ignore[no-untyped-def]
        self._begin("tool", serialized, run_id, parent_run_id, name, inputs or input_str)

    def on_retriever_start(self, serialized, query, *, run_id, parent_run_id=None, name=None, **_):  # type: ignore[no-untyped-def]
        self._begin("retriever", serialized, run_id, parent_run_id, name, query)

    def on_llm_end(self, response: Any, *, run_id: UUID, **_: Any) -> None:
        first = response.generations[0][0]
        self._end(run_id, answer=first.text, **_answered(getattr(first, "message", None)))

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, answer=outputs)

    def on_tool_end(self, output: Any, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, answer=output)

    def on_retriever_end(self, documents: Any, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, answer=documents)

    def _failed(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, error)

    on_chain_error = on_llm_error = on_tool_error = on_retriever_error = _failed


def _wanted(context: Context) -> dict[str, bool]:
    """What may be told of this call; nothing where nobody takes spans."""
    try:
        return dict(context.call(_SPANS, "wanted"))
    except Failure:
        return {"spans": False, "content": False}


def _model(metadata: dict[str, Any] | None) -> dict[str, Any]:
    """Which model is asked, as LangChain says it itself."""
    about = metadata or {}
    if about.get("ls_provider") == HOST:
        # The request to the provider has a span of its own, which says all of that once.
        return {"operation": None}
    return {"provider": about.get("ls_provider"), "model": about.get("ls_model_name")}


def _answered(message: Any) -> dict[str, Any]:
    if message is None or message.response_metadata.get("model_provider") == HOST:
        return {}
    usage, about = getattr(message, "usage_metadata", None), message.response_metadata
    counted = {key: usage[key] for key in ("input_tokens", "output_tokens")} if usage else None
    return {"usage": counted, "response_model": about.get("model_name"), "finish_reason": about.get("finish_reason")}


def _code(error: BaseException) -> str:
    return error.code if isinstance(error, Failure) else type(error).__name__
