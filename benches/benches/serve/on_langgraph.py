"""FastAPI in front of LangGraph: a graph of one node, without a checkpoint and with those in SQLite."""

import sys
import uuid
from contextlib import asynccontextmanager
from typing import TypedDict

import uvicorn
from fastapi import FastAPI
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel


class Number(TypedDict):
    n: int


class Asked(BaseModel):
    n: int


async def increment(state):
    return {"n": state["n"] + 1}


graph = StateGraph(Number)
graph.add_node("increment", increment)
graph.add_edge(START, "increment")
graph.add_edge("increment", END)
quick = graph.compile()


@asynccontextmanager
async def lifespan(app):
    async with AsyncSqliteSaver.from_conn_string(sys.argv[1]) as saver:
        app.state.kept = graph.compile(checkpointer=saver)
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/health/live", status_code=204)
async def live():
    return None


@app.post("/quick")
async def run_quick(asked: Asked):
    return await quick.ainvoke(asked.model_dump())


@app.post("/kept")
async def run_kept(asked: Asked):
    thread = {"configurable": {"thread_id": uuid.uuid4().hex}}
    return await app.state.kept.ainvoke(asked.model_dump(), thread)


uvicorn.run(app, host="127.0.0.1", port=0, access_log=False)
