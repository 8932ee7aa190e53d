"""Brings what LangChain has into pipelines: runnables, tools, text splitters, retrievers and vector stores."""

from __future__ import annotations

import os
from typing import Any

from tapline import Context, NodeRequest, init, node, plugin, provides

# What is installed for the plugin is imported where it runs, so that it is built without it.


@plugin(
    id="langchain",
    version="0.1.0",
    description="Runnables, tools, text splitters, retrievers and vector stores of LangChain.",
    authors=["The Tapline authors"],
    capabilities=["langchain_tools", "vector_stores"],
    requires={
        "call": ["provider/*", "capability:telemetry"],
        "events": {"publish": ["langchain.*"]},
        "fs": [{"path": "data:", "mode": "rw", "why": "reads documents, and keeps stores where a node says so"}],
    },
    # Stores are there from one call to the next.
    instances="one",
    runtime="process",
)
class LangChain:
    @init
    def init(self) -> None:
        # Nothing of it leaves this process, and no library starts as many threads as the machine has processors.
        os.environ.update(ANONYMIZED_TELEMETRY="False", LANGSMITH_TRACING="false", LANGCHAIN_TRACING_V2="false")
        os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
        from bridge.stores import Stores

        self.stores = Stores()

    @node("langchain", schema="schemas/langchain.json")
    def run(self, context: Context, request: NodeRequest) -> dict[str, Any]:
        from bridge import runnables

        return runnables.run(context, request.config["run"], request.config.get("input"))

    @node("langchain_tool", schema="schemas/langchain_tool.json")
    def tool(self, context: Context, request: NodeRequest) -> dict[str, Any]:
        from bridge import runnables

        return runnables.run(context, request.config["tool"], request.config.get("input", {}))

    @provides("tool", "langchain", method="describe_with")
    def describe(self, context: Context, request: dict[str, Any]) -> dict[str, Any]:
        from bridge import runnables

        return runnables.outline(context, request["with"])

    @provides("tool", "langchain", method="call_with")
    def call(self, context: Context, request: dict[str, Any]) -> Any:
        from bridge import runnables

        return runnables.run(context, request["with"], request["arguments"])["output"]

    @node("langchain_load", schema="schemas/langchain_load.json")
    def load(self, context: Context, request: NodeRequest) -> dict[str, Any]:
        from bridge import documents

        return documents.load(context, request.config["folder"], request.config.get("glob", "*"))

    @node("langchain_split", schema="schemas/langchain_split.json")
    def split(self, context: Context, request: NodeRequest) -> dict[str, Any]:
        from bridge import documents

        return documents.split(context, request.config)

    @node("langchain_index", schema="schemas/langchain_index.json")
    def index(self, context: Context, request: NodeRequest) -> dict[str, Any]:
        return self.stores.index(context, request.config)

    @node("langchain_retrieve", schema="schemas/langchain_retrieve.json")
    def retrieve(self, context: Context, request: NodeRequest) -> dict[str, Any]:
        return self.stores.retrieve(context, request.config)
