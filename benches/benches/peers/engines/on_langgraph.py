"""LangGraph: a node reads a channel of the state, and returns what is to be written into it."""

import asyncio
from operator import add
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph
from measure import serve


class Number(TypedDict):
    n: int


class Numbers(TypedDict):
    n: int
    all: Annotated[list, add]
    sum: int


def increment(state):
    return {"n": state["n"] + 1}


async def increment_async(state):
    return increment(state)


def contribute(state):
    return {"all": [state["n"] + 1]}


def join(state):
    return {"sum": sum(state["all"])}


def sequence(nodes, node):
    graph = StateGraph(Number)
    names = [f"n{index}" for index in range(nodes)]
    for name in names:
        graph.add_node(name, node)
    for before, after in zip([START, *names], [*names, END]):
        graph.add_edge(before, after)
    return graph.compile()


def chain(nodes):
    graph = sequence(nodes, increment)

    def run():
        assert graph.invoke({"n": 0}, {"recursion_limit": nodes + 1})["n"] == nodes

    return (run,)


def fan(nodes):
    graph = StateGraph(Numbers)
    names = [f"n{index}" for index in range(nodes)]
    for name in names:
        graph.add_node(name, contribute)
        graph.add_edge(START, name)
    graph.add_node("join", join)
    graph.add_edge(names, "join")
    graph.add_edge("join", END)
    graph = graph.compile()

    def run():
        assert graph.invoke({"n": 0, "all": []})["sum"] == nodes

    return (run,)


def burst(runs):
    graph = sequence(3, increment_async)

    async def run_all():
        return await asyncio.gather(*(graph.ainvoke({"n": 0}) for _ in range(runs)))

    def run():
        assert all(state["n"] == 3 for state in asyncio.run(run_all()))

    return run, runs


serve({"chain": chain, "fan": fan, "burst": burst})
