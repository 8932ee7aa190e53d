"""What a class says of itself as a plugin, read from what its methods are decorated with."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

Table: TypeAlias = dict[str, Any]

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
            "plugin": {key: value for key, value in about.items() if key not in ("requires", "limits", "process")},
            "requires": json.loads(json.dumps(about.get("requires", {}))),
            "limits": about.get("limits", {}),
        }
        self._declare_process(about)
        for name, role in _roles(plugin):
            self._add(name, role)
        self._declare_state()

    def _declare_process(self, about: Table) -> None:
        """Says how it is started, where it is a process, and that it needs somebody who provides Python."""
        if about.get("runtime") == "process":
            self.manifest["process"] = {"command": list(_COMMAND), **about["process"]}
            self.manifest["plugin"]["depends_on"] += [{"capability": "python", "version": ">=3.11"}]
            self.places["process"] = self.place
        elif about.get("process"):
            raise DeclarationError(self.place, '`idle` and `lazy` are for plugins with `runtime="process"`')

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


#: What starts a plugin that is a process.
_COMMAND = ("python3", "-m", "tapline.process", "plugin")

#: The parameters of each method of a plugin's life, besides ``self``; the last of the most is the context.
_PARAMETERS = {
    "init": (0, 2),
    "start": (0, 1),
    "stop": (0, 1),
    "health": (0, 1),
    "export_state": (0, 1),
    "import_state": (2, 3),
    "otherwise": (2, 2),
}
_TAKES = {
    (0, 1): "at most one parameter besides `self`: the context",
    (0, 2): "at most two parameters besides `self`: the configuration and the context",
    (2, 3): "the state, the version that it is of, and the context if it asks for it, besides `self`",
    (1, 1): "one parameter besides `self`: the context",
    (1, 2): "the context, and the request if it has one, besides `self`",
}


def _roles(plugin: type) -> Iterable[tuple[str, Role]]:
    for base in reversed(plugin.__mro__):
        for name, function in vars(base).items():
            for role in getattr(function, "__dict__", {}).get(MARK, ()):
                yield name, role
