"""Plots of how good the rows are: every row with its interval, and top-k against k."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.record import Results, TaskResults
from benchmarks.report.families import KINDS, kind_of
from benchmarks.report.plots.axes import Mark, Series
from benchmarks.report.plots.book import Plot, PlotBook
from benchmarks.report.plots.charts import Curves, Intervals
from benchmarks.report.tables import CHANCE, SORT_BY
from retrieval.metrics import METRICS, top_k
from retrieval.ranking import DEPTH, Ranking

_TICKS = (1, 2, 3, 5, 10, 20, DEPTH)
"""Values of k with a number at the axis."""


def plot_accuracy(book: PlotBook, results: Results, tables: Mapping[str, Sequence[Json]]) -> None:
    """Plot the rows of every query set with scores, and the best of each kind."""
    for query_set, task in results.tasks.items():
        if task.is_scored:
            book.add(_all_rows(results.about.name, query_set, task, tables[query_set]))
            book.add(_first_k(results.about.name, query_set, task, tables[query_set]))


def kinds_of(task: TaskResults) -> dict[str, str]:
    """Row name to kind, of the rows with numbers."""
    return {r["row"]: kind_of(r) for r in task.records if r["status"] == "ok"}


def best_of_each_kind(names: Sequence[str], kinds: Mapping[str, str]) -> list[str]:
    """The first row of each kind, in the order of the kinds.

    Parameters
    ----------
    names : sequence of str
        Rows, best first.
    kinds : mapping of str to str
        Row name to kind, see `kinds_of`.
    """
    firsts = [next((name for name in names if kinds[name] == kind), None) for kind in KINDS]
    return [name for name in firsts if name is not None]


def top_k_curve(ranking: Ranking, depth: int = DEPTH) -> NDArray[np.float64]:
    """Share of queries with a right image among the first k, for every k to `depth`."""
    scored = ranking.relevant > 0
    return np.array([top_k(ranking, k)[scored].mean() for k in range(1, depth + 1)])


def in_random_order(ranking: Ranking) -> Ranking:
    """The ranking of the same queries by chance: all candidates of a query in one tie."""
    asked = np.flatnonzero(ranking.relevant > 0).astype(np.int32)
    return replace(
        ranking,
        neighbours=ranking.neighbours[:, :0],
        group_query=asked,
        group_start=np.zeros_like(asked),
        group_size=ranking.candidates[asked],
        group_relevant=ranking.relevant[asked],
        confusion_gap=np.zeros((len(asked), 0), np.int32),
        confusion_tied=np.zeros((len(asked), 0), np.int32),
    )


def _all_rows(name: str, query_set: str, task: TaskResults, rows: Sequence[Json]) -> Plot:
    kinds, label = kinds_of(task), METRICS[SORT_BY].label
    series = [
        Series(
            row["row"],
            Mark.of(kinds[row["row"]]),
            [row[f"{SORT_BY}{end}"] for end in ("", "_low", "_high")],
        )
        for row in rows
        if row["row"] in kinds
    ]
    chance = next((row[SORT_BY] for row in rows if row["row"] == CHANCE), None)
    return Plot(
        f"accuracy-{query_set}",
        query_set,
        f"{label} of all {len(series)} rows, best first, with 95 % bootstrap intervals over the "
        "queries; marker and colour: kind of extractor; dashed: random order.",
        Intervals(
            title=f"{name}, {query_set}: {label} of every row",
            xlabel=f"{label}, with its 95 % interval",
            series=series,
            chance=chance,
        ),
    )


def _first_k(name: str, query_set: str, task: TaskResults, rows: Sequence[Json]) -> Plot:
    kinds = kinds_of(task)
    best = best_of_each_kind([row["row"] for row in rows if row["row"] in kinds], kinds)
    curves = [Series(one, Mark.of(kinds[one]), top_k_curve(task.rankings[one])) for one in best]
    return Plot(
        f"top-k-{query_set}",
        query_set,
        f"Share of queries with a right image among the first k, k from 1 to {DEPTH}, of the row "
        f"of each kind that is best by {METRICS[SORT_BY].label}; chance is exact.",
        Curves(
            title=f"{name}, {query_set}: a right image among the first k, best row of each kind",
            xlabel="k",
            ylabel="share of queries",
            across=range(1, DEPTH + 1),
            series=curves,
            ticks=_TICKS,
            chance=top_k_curve(in_random_order(task.rankings[best[0]])),
        ),
    )
