"""Runs hook programs (JSON on standard input) with pluggy, and prints what came of each."""

import json
import sys

# This file has the name of the package that it needs.
sys.path.pop(0)
import pluggy

spec = pluggy.HookspecMarker("oracle")
impl = pluggy.HookimplMarker("oracle")


class Failed(Exception):
    pass


class Specs:
    @spec
    def collect(self, value):
        pass

    @spec(firstresult=True)
    def first(self, value):
        pass


def plugin(name, function, **options):
    function.__name__ = name
    return type("Plugin", (), {name: staticmethod(impl(**options)(function))})()


def wrapper(does):
    def wrap(value):
        if does["do"] == "fail-before":
            raise Failed(does["code"])
        try:
            result = yield
        except Failed:
            if does["do"] == "recover":
                return does["n"]
            raise
        if does["do"] == "fail-after":
            raise Failed(does["code"])
        return result + does["n"] if does["do"] == "add" else result

    return wrap


def run(program):
    manager = pluggy.PluginManager("oracle")
    manager.add_hookspecs(Specs)
    called = []
    name = "collect" if program["kind"] in ("order", "collect") else "first"

    def answering(index, does):
        def answer(value):
            called.append(index)
            return None if does == "none" else does["set"]

        return answer

    def core(value):
        if "fail" in program["core"]:
            raise Failed(program["core"]["fail"])
        return program["core"]["set"]

    if program["kind"] == "wrap":
        manager.register(plugin(name, core))
    # The last one registered is called first, but among those that are to be called last.
    hooks = list(enumerate(program["hooks"]))
    is_late = lambda entry: program["kind"] != "wrap" and entry[1]["stage"] > 0
    for index, hook in list(filter(is_late, hooks)) + [one for one in reversed(hooks) if not is_late(one)]:
        if program["kind"] == "wrap":
            manager.register(plugin(name, wrapper(hook["does"]), wrapper=True))
        else:
            options = {"tryfirst": hook["stage"] < 0, "trylast": hook["stage"] > 0}
            manager.register(plugin(name, answering(index, hook["does"]), **options))
    try:
        value = getattr(manager.hook, name)(value=program["input"])
    except Failed as failed:
        return {"error": str(failed)}
    if program["kind"] == "order":
        value = None
    elif program["kind"] == "first" and value is None:
        value = "none"
    return {"value": value, "called": called}


print(json.dumps([run(program) for program in json.load(sys.stdin)]))
