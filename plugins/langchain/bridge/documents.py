"""Documents of a folder, and their parts."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Any

from langchain_text_splitters import RecursiveCharacterTextSplitter

from tapline import Context, Failure

from .here import answering
from .made import made
from .values import documents, told


def load(context: Context, folder: str, glob: str) -> dict[str, Any]:
    """The texts below a folder of ``data:`` whose names fit, in the order of their paths."""
    found: list[dict[str, Any]] = []
    waiting = [folder.strip("/")]
    while waiting:
        inside = waiting.pop(0)
        for entry in context.list_folder(f"data:/{inside}"):
            path = f"{inside}/{entry.name}".lstrip("/")
            if entry.kind == "folder":
                waiting.append(path)
            elif fnmatch(entry.name, glob):
                found.append({"text": _text(context, path), "metadata": {"source": path}})
    found.sort(key=lambda one: one["metadata"]["source"])
    return {"items": found, "count": len(found)}


def _text(context: Context, path: str) -> str:
    try:
        return context.read_file(f"data:/{path}").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Failure("invalid-data", f"`{path}` is not UTF-8") from None


def split(context: Context, config: dict[str, Any]) -> dict[str, Any]:
    """The parts of documents, each with the metadata of its document and with ``part``, its place there from 1."""
    with answering(context):
        described = config.get("splitter")
        splitter = RecursiveCharacterTextSplitter() if described is None else made(described)
        parts = []
        for document in documents(config["documents"]):
            for number, part in enumerate(splitter.split_documents([document]), 1):
                part.metadata["part"] = number
                parts.append(told(part))
    return {"items": parts, "count": len(parts)}
