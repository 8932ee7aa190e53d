"""The decorators with which a class says what it is as a plugin, in the words of the manifest."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

from .declaration import MARK, Declaration, DeclarationError, Role, Table
from .roles import METHODS, NODE, PROVIDER, VALIDATOR

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)
Kind: TypeAlias = Literal["before", "after", "around", "replace", "answer"]


def plugin(
    *,
    id: str,
    version: str,
    description: str = "",
    authors: Iterable[str] = (),
    requires: Mapping[str, Any] | None = None,
    limits: Mapping[str, Any] | None = None,
    capabilities: Iterable[Any] = (),
    depends_on: Iterable[Any] = (),
    conflicts: Iterable[Any] = (),
    instances: Literal["pool", "one"] = "pool",
    restart: Literal["permanent", "transient", "temporary"] = "permanent",
    runtime: Literal["wasm", "process"] = "wasm",
    idle: str | None = None,
    lazy: bool = False,
) -> Callable[[C], C]:
    """Makes a plugin of a class. What is asked for and said is what the manifest says, in its words.

    With ``runtime="process"`` it is a process of its own, which may use any package of its ``requirements.txt``; ``idle``
    and ``lazy`` are for it.
    """
    about: Table = {
        "id": id,
        "version": version,
        "description": description,
        "authors": list(authors),
        "requires": dict(requires or {}),
        "limits": dict(limits or {}),
        "capabilities": list(capabilities),
        "depends_on": list(depends_on),
        "conflicts": list(conflicts),
        "instances": instances,
        "restart": restart,
        "runtime": runtime,
        "process": _said({"idle": idle, "lazy": lazy}),
    }
    place = _place()

    def declare(declared: C) -> C:
        if not isinstance(declared, type):
            raise DeclarationError(place, "`@plugin` is for a class")
        setattr(declared, MARK, Declaration(declared, about, place))
        return declared

    return declare


def hook(
    point: str,
    *,
    kind: Kind,
    name: str | None = None,
    priority: int | None = None,
    when: Mapping[str, str] | None = None,
    before: Iterable[str] = (),
    after: Iterable[str] = (),
    tags: Iterable[str] = (),
    on_failure: Literal["fail", "skip"] | None = None,
    version: str | None = None,
    on: Literal["success", "error", "always"] | None = None,
    repeats: bool = False,
    overrides: Iterable[str] = (),
    optional: bool = False,
) -> Callable[[F], F]:
    """Joins a hook point. ``on`` is for hooks of kind after, ``repeats`` for around, ``overrides`` for replace.

    A before hook answers with a :class:`Flow`, or with nothing to go on; a replace hook with the output; an answer hook
    with its answer, or with nothing for none.
    """
    said = {
        "name": name,
        "point": point,
        "kind": kind,
        "priority": priority,
        "when": dict(when or {}),
        "before": list(before),
        "after": list(after),
        "tags": list(tags),
        "on_failure": on_failure,
        "version": version,
        "on": on,
        "repeats": repeats,
        "overrides": list(overrides),
        "optional": optional,
    }
    return _marked("hook", said)


def on(
    topic: str,
    *,
    name: str | None = None,
    capacity: int | None = None,
    overflow: Literal["drop-oldest", "drop-newest"] | None = None,
) -> Callable[[F], F]:
    """Subscribes to events: ``def heard(self, context, event: Event)``."""
    return _marked("on", {"topic": topic, "name": name, "capacity": capacity, "overflow": overflow})


def provides(
    point: str,
    key: str,
    *,
    method: str = "handle",
    schema: Mapping[str, Any] | str | None = None,
    authority: Literal["caller", "own"] | None = None,
) -> Callable[[F], F]:
    """Contributes to an extension point. The schema is a JSON Schema, or the name of a file of it beside this one."""
    return _contribution(point, key, method, schema, authority)


def node(
    key: str,
    *,
    schema: Mapping[str, Any] | str | None = None,
    authority: Literal["caller", "own"] | None = None,
) -> Callable[[F], F]:
    """Handles nodes of a type: ``def run(self, context, request: NodeRequest)``."""
    return _contribution(NODE, key, "handle", schema, authority)


def provider(
    key: str,
    *,
    schema: Mapping[str, Any] | str | None = None,
    authority: Literal["caller", "own"] | None = None,
) -> Callable[[F], F]:
    """Answers prompts: ``def complete(self, context, request: CompletionRequest) -> Completion``."""
    return _contribution(PROVIDER, key, "complete", schema, authority)


def validator(
    key: str,
    *,
    authority: Literal["caller", "own"] | None = None,
) -> Callable[[F], F]:
    """Says what is wrong: ``def validate(self, context, request: ValidationRequest) -> list[Finding]``."""
    return _contribution(VALIDATOR, key, "validate", None, authority)


def method(
    function: F | None = None,
    *,
    name: str | None = None,
    authority: Literal["caller", "own"] | None = None,
) -> Any:
    """Answers calls under the plugin's own id, by the function's name unless it has another: ``@method``."""
    marked = _contribution(METHODS, None, name, None, authority)
    return marked if function is None else marked(function)


def init(function: F) -> F:
    """Makes the plugin ready, or refuses: ``def init(self, config)``; this and what follows may take the context last."""
    return _marked("init", {})(function)


def start(function: F) -> F:
    """Begins work, once for the plugin."""
    return _marked("start", {})(function)


def stop(function: F) -> F:
    """Ends work, once for the plugin."""
    return _marked("stop", {})(function)


def health(function: F) -> F:
    """Says whether the plugin is well, by failing when it is not."""
    return _marked("health", {})(function)


def export_state(function: F) -> F:
    """Answers with all that another version is to know."""
    return _marked("export_state", {})(function)


def import_state(function: F) -> F:
    """Takes over what another version knew: ``def take(self, state, from_version)``."""
    return _marked("import_state", {})(function)


def otherwise(function: F) -> F:
    """Answers what no other method does: ``def call(self, context, operation: Operation)``.

    It is for plugins whose manifest is written by hand, and reads ``input`` and writes ``output`` itself.
    """
    return _marked("otherwise", {})(function)


def _contribution(
    point: str,
    key: str | None,
    request: str | None,
    schema: Mapping[str, Any] | str | None,
    authority: str | None,
) -> Callable[[F], F]:
    table: Table = {"point": point, "authority": authority}
    if isinstance(schema, str):
        table["schema"] = _schema_file(schema)
    elif schema is not None:
        table["schema"] = json.dumps(schema, ensure_ascii=False)
    table = _said(table)
    # What the method's name or the plugin's id stand in for is settled when the class is read.
    table |= {"key": key, "method": request}
    return _with_role("provides", table)


#: Whether schemas are read that stand in files. Where a plugin runs they are in its manifest, and the files are not there.
reads_schemas = True


def _schema_file(name: str) -> str:
    place = _place()
    if not reads_schemas:
        return "true"
    try:
        text = (Path(place.rsplit(":", 1)[0]).parent / name).read_text("utf-8")
        return json.dumps(json.loads(text), ensure_ascii=False)
    except (OSError, ValueError) as error:
        raise DeclarationError(place, f"schema file `{name}`: {error}") from None


def _marked(part: str, table: Table) -> Callable[[F], F]:
    return _with_role(part, _said(table))


def _with_role(part: str, table: Table) -> Callable[[F], F]:
    def mark(function: F) -> F:
        code = getattr(function, "__code__", None)
        if code is None:
            raise DeclarationError(_place(), "this decorator is for a method of a class")
        role = Role(part, table, f"{code.co_filename}:{code.co_firstlineno}")
        roles = function.__dict__.setdefault(MARK, [])
        # Decorators are applied from the last to the first.
        roles.insert(0, role)
        return function

    return mark


def _said(table: Table) -> Table:
    """What was said, without what was left out."""
    return {
        key: value for key, value in table.items() if value is not None and value is not False and value not in ([], {})
    }


def _place() -> str:
    """The file and line of the author's that is being run."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
