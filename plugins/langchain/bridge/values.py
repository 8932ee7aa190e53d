"""Values of LangChain as JSON can express them."""

from __future__ import annotations

from typing import Any

from langchain_core.documents import Document
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.prompt_values import PromptValue
from pydantic import BaseModel

from tapline import Failure


def told(value: Any) -> Any:
    """A message is its text, or an object where it asks for tools; a document has ``text`` and ``metadata``."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, AIMessage) and value.tool_calls:
        calls = [{"id": call["id"], "name": call["name"], "arguments": call["args"]} for call in value.tool_calls]
        return {"text": value.text, "tool_calls": calls}
    if isinstance(value, BaseMessage):
        return str(value.text)
    if isinstance(value, PromptValue):
        return value.to_string()
    if isinstance(value, Document):
        return {"text": value.page_content, "metadata": told(value.metadata)}
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(key): told(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [told(one) for one in value]
    return str(value)


def documents(values: Any) -> list[Document]:
    """Documents of a node's settings: texts, or objects with ``text`` and maybe ``metadata``."""
    return [_document(place, value) for place, value in enumerate(values)]


def _document(place: int, value: Any) -> Document:
    match value:
        case str():
            return Document(value)
        case {"text": str() as text, **others}:
            return Document(text, metadata=others.get("metadata") or {})
    raise Failure("invalid-config", f"documents.{place}: neither a text nor an object with `text`")
