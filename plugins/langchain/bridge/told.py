"""What LangChain tells of its work, as events of the host."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from tapline import Context


class Told(BaseCallbackHandler):
    """Publishes ``langchain.started``, ``langchain.ended`` and ``langchain.failed`` of all that runs."""

    #: In the order in which things happen, and not on another thread.
    run_inline = True

    def __init__(self, context: Context) -> None:
        self._context = context
        self._begun: dict[UUID, tuple[dict[str, Any], float]] = {}

    def _begin(self, kind: str, serialized: Any, run_id: UUID, parent_run_id: UUID | None, name: str | None) -> None:
        name = name or (serialized or {}).get("name") or kind
        parent = None if parent_run_id is None else str(parent_run_id)
        about = {"run": str(run_id), "parent": parent, "kind": kind, "name": name}
        self._begun[run_id] = (about, time.monotonic())
        self._context.publish("langchain.started", about)

    def _end(self, run_id: UUID, error: BaseException | None = None) -> None:
        about, begun = self._begun.pop(run_id, ({"run": str(run_id)}, time.monotonic()))
        about = {**about, "milliseconds": round((time.monotonic() - begun) * 1000, 3)}
        if error is None:
            self._context.publish("langchain.ended", about)
        else:
            self._context.publish("langchain.failed", {**about, "error": f"{type(error).__name__}: {error}"})

    def on_chain_start(self, serialized, inputs, *, run_id, parent_run_id=None, name=None, **_):  # type: ignore[no-untyped-def]
        self._begin("chain", serialized, run_id, parent_run_id, name)

    def on_chat_model_start(self, serialized, messages, *, run_id, parent_run_id=None, name=None, **_):  # type: ignore[no-untyped-def]
        self._begin("model", serialized, run_id, parent_run_id, name)

    def on_llm_start(self, serialized, prompts, *, run_id, parent_run_id=None, name=None, **_):  # type: ignore[no-untyped-def]
        self._begin("model", serialized, run_id, parent_run_id, name)

    def on_tool_start(self, serialized, input_str, *, run_id, parent_run_id=None, name=None, **_):  # type: ignore[no-untyped-def]
        self._begin("tool", serialized, run_id, parent_run_id, name)

    def on_retriever_start(self, serialized, query, *, run_id, parent_run_id=None, name=None, **_):  # type: ignore[no-untyped-def]
        self._begin("retriever", serialized, run_id, parent_run_id, name)

    def _ended(self, answer: Any, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id)

    def _failed(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, error)

    on_chain_end = on_llm_end = on_tool_end = on_retriever_end = _ended
    on_chain_error = on_llm_error = on_tool_error = on_retriever_error = _failed
