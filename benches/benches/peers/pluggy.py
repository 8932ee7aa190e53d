"""Times pluggy: prints one JSON object of nanoseconds a call, by the names of the scenarios."""

import json
import sys
import time

# This file has the name of the package that it needs.
sys.path.pop(0)
import pluggy

spec = pluggy.HookspecMarker("bench")
impl = pluggy.HookimplMarker("bench")


class Specs:
    @spec
    def point(self, value):
        pass


class Plain:
    @impl
    def point(self, value):
        return value + 1


class Wrapper:
    @impl(wrapper=True)
    def point(self, value):
        return (yield)


def caller(plugin, count):
    manager = pluggy.PluginManager("bench")
    manager.add_hookspecs(Specs)
    if plugin is Wrapper:
        manager.register(Plain())
    for _ in range(count):
        manager.register(plugin())
    return manager.hook.point


def measure(point):
    def batch(calls):
        begun = time.perf_counter_ns()
        for call in range(calls):
            point(value=call)
        return time.perf_counter_ns() - begun

    calls = 64
    while batch(calls) < 10_000_000:
        calls *= 2
    return sorted(batch(calls) / calls for _ in range(15))[7]


scenarios = {"empty": (Plain, 0), "sync 1": (Plain, 1), "sync 5": (Plain, 5), "sync 20": (Plain, 20)}
scenarios |= {"wrapper 1": (Wrapper, 1), "wrapper 5": (Wrapper, 5)}
print(json.dumps({name: measure(caller(*scenario)) for name, scenario in scenarios.items()}))
