"""Objects that a node's settings describe."""

from __future__ import annotations

import importlib
from typing import Any

from tapline import Failure

from .here import host
from .kept import keeping
from .models import ProviderChat, ProviderEmbeddings

#: What an object of the settings is about: one of these keys makes a description of it.
_KINDS = ("import", "chat", "embeddings", "kept")


def made(described: Any) -> Any:
    """What is described: ``{import: "module:Name", args: {…}}``, ``{chat: {…}}``, ``{embeddings: {…}}``,
    ``{kept: "folder"}``, or a value.

    What is imported is called where there are ``args`` or it is a class, and is meant itself otherwise.
    """
    if isinstance(described, list):
        return [made(one) for one in described]
    if not isinstance(described, dict):
        return described
    kind = next((kind for kind in _KINDS if kind in described), None)
    if kind is None:
        return {key: made(value) for key, value in described.items()}
    try:
        if kind == "import":
            return _imported(described)
        if kind == "kept":
            return keeping.folder(host(), str(described["kept"]))
        return {"chat": ProviderChat, "embeddings": ProviderEmbeddings}[kind](**described[kind])
    except Failure:
        raise
    except Exception as error:
        what = described["import"] if kind == "import" else kind
        raise Failure("invalid-config", f"`{what}` cannot be made: {error}") from error


def _imported(described: dict[str, Any]) -> Any:
    others = described.keys() - {"import", "args"}
    if others:
        raise Failure("invalid-config", f"`{described['import']}`: unknown: {', '.join(sorted(others))}")
    module, _, names = described["import"].partition(":")
    if not names:
        raise Failure("invalid-config", f"`{described['import']}` is no import path: write `module:Name`")
    found: Any = importlib.import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    if "args" in described or isinstance(found, type):
        return found(**made(described.get("args", {})))
    return found
