"""Haystack: a component gets what the components before it have returned through connections."""

import asyncio
import os

# Nothing is to be sent anywhere.
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"

from haystack import Pipeline, component
from haystack.core.component.types import Variadic
from measure import serve


@component
class Increment:
    @component.output_types(n=int)
    def run(self, n: int):
        return {"n": n + 1}

    @component.output_types(n=int)
    async def run_async(self, n: int):
        return {"n": n + 1}


@component
class Join:
    @component.output_types(sum=int)
    def run(self, all: Variadic[int]):
        return {"sum": sum(all)}


def sequence(nodes):
    pipeline = Pipeline()
    names = [f"n{index}" for index in range(nodes)]
    for name in names:
        pipeline.add_component(name, Increment())
    for before, after in zip(names, names[1:]):
        pipeline.connect(f"{before}.n", f"{after}.n")
    return pipeline


def chain(nodes):
    pipeline = sequence(nodes)

    def run():
        assert pipeline.run({"n0": {"n": 0}}) == {f"n{nodes - 1}": {"n": nodes}}

    return (run,)


def fan(nodes):
    pipeline = Pipeline()
    names = [f"n{index}" for index in range(nodes)]
    pipeline.add_component("join", Join())
    for name in names:
        pipeline.add_component(name, Increment())
        pipeline.connect(f"{name}.n", "join.all")
    inputs = {name: {"n": 0} for name in names}

    def run():
        assert pipeline.run(inputs) == {"join": {"sum": nodes}}

    return (run,)


def burst(runs):
    pipeline = sequence(3)

    async def run_all():
        return await asyncio.gather(*(pipeline.run_async({"n0": {"n": 0}}) for _ in range(runs)))

    def run():
        assert all(outputs == {"n2": {"n": 3}} for outputs in asyncio.run(run_all()))

    return run, runs


serve({"chain": chain, "fan": fan, "burst": burst})
