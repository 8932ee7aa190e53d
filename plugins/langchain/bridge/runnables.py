"""Runs what LangChain can invoke."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig, RunnableSequence
from langchain_core.runnables.base import coerce_to_runnable
from langchain_core.utils.function_calling import convert_to_openai_tool

from tapline import Context, Failure

from .here import answering
from .made import made
from .models import outlined
from .told import Told
from .values import told


def run(context: Context, described: Any, given: Any) -> dict[str, Any]:
    """Makes what is described, one after the other where it is a list, and gives it the input."""
    with answering(context):
        runnable = _runnable(made(described))
        config: RunnableConfig = {"callbacks": [Told(context)]}
        try:
            if not context.is_streamed():
                return {"output": told(runnable.invoke(given, config))}
            return {"output": told(_streamed(context, runnable, given, config))}
        except Failure:
            raise
        except Exception as error:
            raise Failure("langchain", f"{type(error).__name__}: {error}") from error


def outline(context: Context, described: Any) -> dict[str, Any]:
    """What a model is told of the tool that is described."""
    with answering(context):
        tool = made(described)
    try:
        return outlined(convert_to_openai_tool(tool))
    except Exception as error:
        raise Failure("invalid-config", f"what is described is no tool: {error}") from error


def _runnable(parts: Any) -> Runnable[Any, Any]:
    steps = [coerce_to_runnable(part) for part in (parts if isinstance(parts, list) else [parts])]
    if not steps:
        raise Failure("invalid-config", "`run` is empty")
    return steps[0] if len(steps) == 1 else RunnableSequence(*steps)


def _streamed(context: Context, runnable: Runnable[Any, Any], given: Any, config: Any) -> Any:
    """The whole answer; its pieces go to whoever reads along."""
    whole: Any = None
    for piece in runnable.stream(given, config):
        context.emit(told(piece))
        if whole is None:
            whole = piece
            continue
        try:
            whole = whole + piece
        except TypeError:
            # What cannot be put together comes whole each time.
            whole = piece
    return whole
