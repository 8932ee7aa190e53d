"""The operations of the benchmark `transform`, with polars: a line names one, and is answered by a line of JSON."""

import json
import os
import sys
import time

import polars as pl

TURNS = 5


def filter_sort_map(rows, others):
    kept = rows.filter(pl.col("amount") > 500).sort("amount", "id")
    return kept.select("id", (pl.col("amount") * pl.col("price")).alias("total"))


def group(rows, others):
    return rows.group_by("kind", maintain_order=True).agg(
        pl.len().alias("count"),
        pl.col("price").sum().alias("total"),
        pl.col("amount").min().alias("least"),
        pl.col("amount").mean().alias("mean"),
    )


def join(rows, others):
    return rows.join(others, on="key", maintain_order="left_right")


WORKS = {"filter": filter_sort_map, "group": group, "join": join}


def read(folder, work):
    """The rows, and where there are any, those that they are joined with."""
    if work != "join":
        return pl.read_json(os.path.join(folder, "rows.json")), None
    with open(os.path.join(folder, "both.json")) as file:
        both = json.load(file)
    return pl.DataFrame(both["left"]), pl.DataFrame(both["right"])


def lowest(run):
    def took():
        begun = time.perf_counter_ns()
        run()
        return time.perf_counter_ns() - begun

    return min(took() for _ in range(TURNS))


folder = None
for line in sys.stdin:
    word, rest = line.split(maxsplit=1)
    answer = {"value": 0, "spread": 0}
    if word == "folder":
        folder = rest.strip()
    elif rest.strip() == "memory":
        rows, others = read(folder, word)
        answer["value"] = lowest(lambda: WORKS[word](rows, others))
    else:
        output = os.path.join(folder, "polars.json")
        answer["value"] = lowest(lambda: WORKS[word](*read(folder, word)).write_json(output))
    print(json.dumps(answer), flush=True)
