"""Vector stores that are kept from one call to the next."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from langchain_core.documents import Document
from langchain_core.vectorstores import VectorStore

from tapline import Context, Failure

from .here import answering
from .kept import keeping
from .made import made
from .told import Told
from .values import documents, told

#: How many documents are found unless it is said.
_FOUND = 4


class Stores:
    """The stores of this process, by the names that pipelines give them."""

    def __init__(self) -> None:
        self._stores: dict[str, tuple[str, VectorStore]] = {}

    def index(self, context: Context, config: dict[str, Any]) -> dict[str, Any]:
        """Adds documents to a store; the same one again takes its own place."""
        with answering(context):
            store = self._store(config["store"])
            given = documents(config["documents"])
            ids = [_id(document) for document in given]
            # Of the same document twice in one list a store need not make one.
            whole = dict(zip(ids, given, strict=True))
            if whole:
                store.add_documents(list(whole.values()), ids=list(whole))
            keeping.keep(context)
        return {"count": len(whole), "ids": list(whole)}

    def retrieve(self, context: Context, config: dict[str, Any]) -> dict[str, Any]:
        """The documents that are nearest to a query, or that a retriever finds."""
        query, count = config["query"], config.get("count", _FOUND)
        with answering(context):
            if "retriever" in config:
                found = made(config["retriever"]).invoke(query, {"callbacks": [Told(context)]})
                return _found([(document, None) for document in found[:count]])
            store = self._store(config["store"])
            return _found(store.similarity_search_with_score(query, k=count))

    def _store(self, config: dict[str, Any]) -> VectorStore:
        name = config.get("name", "default")
        described = {key: value for key, value in config.items() if key != "name"}
        text = json.dumps(described, sort_keys=True)
        known = self._stores.get(name)
        if known is not None:
            if described and text != known[0]:
                raise Failure("invalid-config", f"the store `{name}` is there already, with other settings")
            return known[1]
        if not described:
            raise Failure("no-such-store", f"there is no store `{name}`; `langchain_index` makes one")
        store = made(described)
        if not isinstance(store, VectorStore):
            raise Failure("invalid-config", f"`{described.get('import')}` is no vector store")
        self._stores[name] = (text, store)
        return store


def _id(document: Document) -> str:
    return str(uuid5(NAMESPACE_URL, json.dumps([document.page_content, told(document.metadata)], sort_keys=True)))


def _found(found: Sequence[tuple[Document, float | None]]) -> dict[str, Any]:
    items = [{**told(document), "score": None if score is None else float(score)} for document, score in found]
    return {"items": items, "count": len(items)}
