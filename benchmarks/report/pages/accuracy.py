"""Plots of how good the rows are: every row with its interval, and top-k against k."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.results import Results, TaskResults
from benchmarks.report.families import best_of_each_family, families_of
from benchmarks.report.plots.axes import Curve, Dot, Mark
from benchmarks.report.plots.book import WIDTH, Plot, PlotBook
from benchmarks.report.plots.charts import paint_curves, paint_dots
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
        distractors_before=np.zeros((len(asked), 0), np.int32),
        distractors_tied=np.zeros((len(asked), 0), np.int32),
    )


def _all_rows(name: str, query_set: str, task: TaskResults, rows: Sequence[Json]) -> Plot:
    kinds, label = families_of(task), METRICS[SORT_BY].label
    dots = [
        Dot(
            row["row"],
            kinds[row["row"]],
            *(row[f"{SORT_BY}{end}"] for end in ("", "_low", "_high")),
        )
        for row in rows
        if row["row"] in kinds
    ]
    chance = next((row[SORT_BY] for row in rows if row["row"] == CHANCE), None)
    return Plot(
        f"accuracy-{query_set}",
        query_set,
        f"{label} of all {len(dots)} rows, best first, with 95 % bootstrap intervals over the "
        "queries; marker and colour: kind of extractor; dashed: random order.",
        (WIDTH, 1.5 + 0.185 * max(4, len(dots))),
        partial(
            paint_dots,
            title=f"{name}, {query_set}: {label} of every row",
            label=f"{label}, with its 95 % interval",
            dots=dots,
            chance=chance,
        ),
    )


def _first_k(name: str, query_set: str, task: TaskResults, rows: Sequence[Json]) -> Plot:
    kinds = families_of(task)
    best = best_of_each_family([row["row"] for row in rows if row["row"] in kinds], kinds)
    curves = [Curve(one, Mark.of(kinds[one]), top_k_curve(task.rankings[one])) for one in best]
    return Plot(
        f"top-k-{query_set}",
        query_set,
        f"Share of queries with a right image among the first k, k from 1 to {DEPTH}, of the row "
        f"of each kind that is best by {METRICS[SORT_BY].label}; chance is exact.",
        (WIDTH, 4.3),
        partial(
            paint_curves,
            title=f"{name}, {query_set}: a right image among the first k, best row of each kind",
            labels=("k", "share of queries"),
            across=range(1, DEPTH + 1),
            curves=curves,
            ticks=_TICKS,
            chance=top_k_curve(in_random_order(task.rankings[best[0]])),
        ),
    )
