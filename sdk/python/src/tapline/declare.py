"""The decorators with which a class says what it is as a plugin, in the words of the manifest."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

from .roles import METHODS, NODE, PROVIDER

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)
Table: TypeAlias = dict[str, Any]
Kind: TypeAlias = Literal["before", "after", "around", "replace", "answer"]

#: Where a class keeps its declaration, and a function what it is decorated with.
MARK = "__tapline__"


class DeclarationError(Exception):
    """A declaration that makes no sense, with the place where it stands."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}")


@dataclass(frozen=True)
class Role:
    """What a method is: its part of the plugin, what the manifest says of it, and where that stands."""

    part: str
    table: Table
    place: str


@dataclass(frozen=True)
class Handler:
    """A method of the class, and how it is called."""

    name: str
    #: Parameters besides ``self``.
    parameters: int
    is_async: bool


class Declaration:
    """What a class under :func:`plugin` says of itself."""

    def __init__(self, plugin: type, about: Table, place: str) -> None:
        self.plugin = plugin
        self.place = place
        self.lifecycle: dict[str, Handler] = {}
        self.hooks: dict[str, tuple[str, Handler]] = {}
        self.listeners: dict[str, Handler] = {}
        self.handlers: dict[tuple[str, str], tuple[str, Handler]] = {}
        #: Where each part of the manifest stands, by its path in the manifest.
        self.places: dict[str, str] = {"plugin": place, "requires": place, "limits": place}
        self.manifest: Table = {
            "plugin": {key: value for key, value in about.items() if key not in ("requires", "limits")},
            "requires": json.loads(json.dumps(about.get("requires", {}))),
            "limits": about.get("limits", {}),
        }
        for name, role in _roles(plugin):
            self._add(name, role)
        self._declare_state()

    def _add(self, name: str, role: Role) -> None:
        if role.part in ("hook", "on"):
            add = self._add_hook if role.part == "hook" else self._add_listener
            add(name, role)
        elif role.part == "provides":
            self._add_contribution(name, role)
        elif role.part in self.lifecycle:
            raise DeclarationError(role.place, f"there is another `@{role.part}` in this class")
        else:
            low, high = _PARAMETERS[role.part]
            self.lifecycle[role.part] = self._handler(name, role, low, high)

    def _add_hook(self, name: str, role: Role) -> None:
        hook = {"name": name, **role.table}
        if hook["name"] in self.hooks:
            raise DeclarationError(role.place, f"there is another hook `{hook['name']}` in this class")
        self.hooks[hook["name"]] = (hook["kind"], self._handler(name, role, 1, 1))
        self._list("hook", hook, role.place)

    def _add_listener(self, name: str, role: Role) -> None:
        subscription = {"name": name, **role.table}
        if subscription["name"] in self.listeners:
            raise DeclarationError(role.place, f"there is another subscription `{subscription['name']}` in this class")
        self.listeners[subscription["name"]] = self._handler(name, role, 2, 2)
        self._list("subscribe", subscription, role.place)
        # To subscribe is to ask for it.
        events = self.manifest["requires"].setdefault("events", {})
        topics = events.setdefault("subscribe", [])
        if subscription["topic"] not in topics:
            topics.append(subscription["topic"])

    def _add_contribution(self, name: str, role: Role) -> None:
        table = dict(role.table)
        key = table.pop("key") or self.manifest["plugin"]["id"]
        method = table.pop("method") or name
        contribution = f"{table['point']}/{key}"
        if (contribution, method) in self.handlers:
            raise DeclarationError(role.place, f"there is another method that answers `{method}` for `{contribution}`")
        self.handlers[contribution, method] = (table["point"], self._handler(name, role, 1, 2))
        provided = self.manifest.get("provides", [])
        first = next((one for one in provided if (one["point"], one["key"]) == (table["point"], key)), None)
        if first is None:
            self._list("provides", {**table, "key": key, "methods": [method]}, role.place)
        elif "schema" in table:
            raise DeclarationError(role.place, "the schema of a contribution is given with the first of its methods")
        elif first.get("authority") != table.get("authority"):
            raise DeclarationError(role.place, "all methods of a contribution answer with the same `authority`")
        else:
            first["methods"].append(method)

    def _list(self, key: str, table: Table, place: str) -> None:
        entries = self.manifest.setdefault(key, [])
        self.places[f"{key}[{len(entries)}]"] = place
        entries.append(table)

    def _handler(self, name: str, role: Role, low: int, high: int) -> Handler:
        function = inspect.getattr_static(self.plugin, name)
        parameters = list(inspect.signature(function).parameters.values())[1:]
        count = sum(1 for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD))
        if not low <= count <= high:
            takes = _TAKES.get((low, high), f"{high} parameters besides `self`")
            raise DeclarationError(role.place, f"`{name}` takes {takes}")
        return Handler(name, count, inspect.iscoroutinefunction(function))

    def _declare_state(self) -> None:
        about = self.manifest["plugin"]
        about["health"] = "health" in self.lifecycle
        exports, imports = "export_state" in self.lifecycle, "import_state" in self.lifecycle
        if exports != imports:
            message = "`@export_state` and `@import_state` stand together: what one writes the other reads"
            raise DeclarationError(self.place, message)
        if exports and about.get("instances") != "one":
            raise DeclarationError(self.place, 'a plugin that hands over its state says `instances="one"`')
        about["state"] = exports


#: The parameters of each method of a plugin's life, besides ``self``.
_PARAMETERS = {
    "init": (0, 1),
    "start": (0, 0),
    "stop": (0, 0),
    "health": (0, 0),
    "export_state": (0, 0),
    "import_state": (2, 2),
    "otherwise": (2, 2),
}
_TAKES = {
    (0, 0): "no parameter besides `self`",
    (0, 1): "at most one parameter besides `self`: the configuration",
    (1, 1): "one parameter besides `self`: the context",
    (1, 2): "the context, and the request if it has one, besides `self`",
}


def plugin(
    *,
    id: str,  # noqa: A002
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
) -> Callable[[C], C]:
    """Makes a plugin of a class. What is asked for and said is what the manifest says, in its words."""
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
    authority: Literal["callers", "own"] | None = None,
) -> Callable[[F], F]:
    """Contributes to an extension point. The schema is a JSON Schema, or the name of a file of it beside this one."""
    return _contribution(point, key, method, schema, authority)


def node(
    key: str,
    *,
    schema: Mapping[str, Any] | str | None = None,
    authority: Literal["callers", "own"] | None = None,
) -> Callable[[F], F]:
    """Handles nodes of a type: ``def run(self, context, request: NodeRequest)``."""
    return _contribution(NODE, key, "handle", schema, authority)


def provider(
    key: str,
    *,
    schema: Mapping[str, Any] | str | None = None,
    authority: Literal["callers", "own"] | None = None,
) -> Callable[[F], F]:
    """Answers prompts: ``def complete(self, context, request: CompletionRequest) -> Completion``."""
    return _contribution(PROVIDER, key, "complete", schema, authority)


def method(
    function: F | None = None,
    *,
    name: str | None = None,
    authority: Literal["callers", "own"] | None = None,
) -> Any:
    """Answers calls under the plugin's own id, by the function's name unless it has another: ``@method``."""
    marked = _contribution(METHODS, None, name, None, authority)
    return marked if function is None else marked(function)


def init(function: F) -> F:
    """Makes the plugin ready, or refuses: ``def init(self, config)``, or without the configuration."""
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


def _schema_file(name: str) -> str:
    place = _place()
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
    return {key: value for key, value in table.items() if value is not None and value is not False and value not in ([], {})}


def _roles(plugin: type) -> Iterable[tuple[str, Role]]:
    for base in reversed(plugin.__mro__):
        for name, function in vars(base).items():
            for role in getattr(function, "__dict__", {}).get(MARK, ()):
                yield name, role


def _place() -> str:
    """The file and line of the author's that is being run."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
