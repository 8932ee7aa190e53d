"""Does with polars what each line of the input asks for, and answers with a line each."""

import json
import sys

import polars as pl

SCHEMA = {"id": pl.Int64, "k": pl.Int64, "s": pl.String, "x": pl.Float64, "l": pl.List(pl.Int64)}


def frame(rows):
    return pl.DataFrame(rows, schema=SCHEMA)


def filtered(df, ask):
    return df.filter((pl.col("k") > 1) | (pl.col("s") == "b"))


def ordered(df, ask):
    down = ask["descending"]
    return df.sort(ask["by"], descending=down, nulls_last=down, maintain_order=True)


def grouped(df, ask):
    x, k = pl.col("x"), pl.col("id")
    # The sum of nothing is 0 there, and null here.
    total = pl.when(x.count() > 0).then(x.sum())
    return df.group_by(ask["by"], maintain_order=True).agg(
        pl.len().alias("count"),
        total.alias("sum"),
        x.min().alias("min"),
        x.max().alias("max"),
        x.mean().alias("mean"),
        k.first().alias("first"),
        k.last().alias("last"),
        (k - (1 << 60)).sum().alias("ids"),
        pl.col("s").alias("all"),
    )


def joined(df, ask):
    how = {"outer": "full"}.get(ask["how"], ask["how"])
    order = "right_left" if how == "right" else "left_right"
    coalesce = None if how == "anti" else True
    other = frame(ask["right"])
    return df.join(other, on=ask["on"], how=how, coalesce=coalesce, maintain_order=order)


def single(df, ask):
    return df.unique(subset=ask["by"], keep=ask["keep"], maintain_order=True)


def exploded(df, ask):
    return df.explode("l", empty_as_null=ask["keep_empty"], keep_nulls=ask["keep_empty"])


ANSWERS = {
    "filter": filtered,
    "sort": ordered,
    "group": grouped,
    "join": joined,
    "unique": single,
    "explode": exploded,
}

for line in sys.stdin:
    ask = json.loads(line)
    answer = ANSWERS[ask["what"]](frame(ask["rows"]), ask)
    print(json.dumps(answer.to_dicts()))
