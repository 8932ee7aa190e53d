"""NeoGraph: an engine in C++, whose nodes are functions of Python here; they read and write channels of the state."""

import asyncio
from itertools import count

import neograph_engine as neograph
from measure import serve
from neograph_engine import END_NODE, START_NODE, ChannelWrite

threads = count()


@neograph.node("increment")
def increment(state):
    return [ChannelWrite("n", state.get("n") + 1)]


@neograph.node("contribute")
def contribute(state):
    return [ChannelWrite("all", [state.get("n") + 1])]


@neograph.node("join")
def join(state):
    return [ChannelWrite("sum", sum(state.get("all")))]


def compiled(channels, nodes, edges):
    definition = {
        "schema_version": neograph.TOPOLOGY_SCHEMA_VERSION,
        "name": "bench",
        "channels": {name: {"reducer": reducer} for name, reducer in channels.items()},
        "nodes": {name: {"type": node} for name, node in nodes.items()},
        "edges": [{"from": before, "to": after} for before, after in edges],
    }
    return neograph.GraphEngine.compile(definition, neograph.NodeContext(), stderr_notices=False)


def sequence(nodes):
    names = [f"n{index}" for index in range(nodes)]
    edges = zip([START_NODE, *names], [*names, END_NODE])
    return compiled({"n": "overwrite"}, dict.fromkeys(names, "increment"), edges)


def config(inputs, steps):
    return neograph.RunConfig(thread_id=str(next(threads)), input=inputs, max_steps=steps)


def value(result, channel):
    return result.output["channels"][channel]["value"]


def chain(nodes):
    engine = sequence(nodes)

    def run():
        assert value(engine.run(config({"n": 0}, nodes + 1)), "n") == nodes

    return (run,)


def fan(nodes):
    names = [f"n{index}" for index in range(nodes)]
    edges = [(START_NODE, name) for name in names] + [(name, "join") for name in names] + [("join", END_NODE)]
    channels = {"n": "overwrite", "all": "append", "sum": "overwrite"}
    engine = compiled(channels, dict.fromkeys(names, "contribute") | {"join": "join"}, edges)

    def run():
        assert value(engine.run(config({"n": 0, "all": []}, 3)), "sum") == nodes

    return (run,)


def burst(runs):
    engine = sequence(3)

    async def run_all():
        return await asyncio.gather(*(engine.run_async(config({"n": 0}, 4)) for _ in range(runs)))

    def run():
        assert all(value(result, "n") == 3 for result in asyncio.run(run_all()))

    return run, runs


serve({"chain": chain, "fan": fan, "burst": burst})
