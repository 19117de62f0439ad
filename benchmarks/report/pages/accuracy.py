"""Plots of accuracy: every method with its interval, and the share of right first k images."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

from benchmarks.formats.files import Json
from benchmarks.formats.markdown import DIGITS
from benchmarks.pipeline.methods.names import CHANCE
from benchmarks.pipeline.records.results import Results
from benchmarks.report.families import best_of_each_family, families_of
from benchmarks.report.format import write_csv
from benchmarks.report.plots.axes import Mark, Series
from benchmarks.report.plots.book import PlotBook
from benchmarks.report.plots.charts import Curves, Intervals
from benchmarks.report.tables import SORT_BY
from retrieval.curves import LEVELS, precision_at_recall
from retrieval.metrics import METRICS
from retrieval.ranking import DEPTH, Ranking
from retrieval.scoring import top_k

CURVES = "precision-recall.csv"

_KS = range(1, DEPTH + 1)
"""Values of k that are drawn."""

_TICKS = (1, 2, 3, 5, 10, 20, DEPTH)
"""Values of k with a number at the axis."""


def plot_accuracy(book: PlotBook, results: Results, tables: Mapping[str, Sequence[Json]]) -> None:
    """Plot the methods of every query set with scores, and the best of each family."""
    label = METRICS[SORT_BY].label
    for query_set, task in results.tasks.items():
        if not task.is_scored:
            continue
        marks = {name: Mark.of(family) for name, family in families_of(task).items()}
        chance, *rows = [row for row in tables[query_set] if row["status"] == "ok"]
        ends = {r["method"]: [r[SORT_BY + end] for end in ("", "_low", "_high")] for r in rows}
        best = best_of_each_family(list(ends), families_of(task))
        book.add(
            f"accuracy-{query_set}",
            query_set,
            f"{label} of all {len(ends)} methods, best first, with 95 % bootstrap intervals over "
            "the queries; marker and colour: family; dashed: random order.",
            Intervals(
                title=f"{results.about.name}, {query_set}: {label} of every method",
                xlabel=f"{label}, with its 95 % interval",
                series=[Series(name, marks[name], values) for name, values in ends.items()],
                chance=chance[SORT_BY],
            ),
        )
        book.add(
            f"top-k-{query_set}",
            query_set,
            f"Share of queries with a relevant image among the first k, k from 1 to {DEPTH}, of "
            f"the method of each family that is best by {label}; chance is exact.",
            Curves(
                title=f"{results.about.name}, {query_set}: a relevant image among the first k, "
                "best method of each family",
                xlabel="k",
                ylabel="share of queries",
                across=_KS,
                series=[Series(n, marks[n], top_k_curve(task.rankings[n])) for n in best],
                ticks=_TICKS,
                chance=chance_curve(task.rankings[best[0]]),
            ),
        )


def write_curves(book: PlotBook, results: Results, tables: Mapping[str, Sequence[Json]]) -> None:
    """Write ``precision-recall.csv``, and plot the methods that are the best of their family."""
    lines = []
    for query_set, task in results.tasks.items():
        if not task.is_scored:
            continue
        curves = {name: precision_recall_curve(one) for name, one in task.rankings.items()}
        chance = precision_recall_curve(next(iter(task.rankings.values())).in_random_order())
        lines += [
            {"query_set": query_set, "method": name, "recall": recall, "precision": precision}
            for name, curve in {CHANCE: chance, **curves}.items()
            for recall, precision in zip(LEVELS.round(2), curve.round(DIGITS), strict=True)
        ]
        ordered = [row["method"] for row in tables[query_set] if row["method"] in curves]
        marks = {name: Mark.of(family) for name, family in families_of(task).items()}
        book.add(
            f"precision-recall-{query_set}",
            query_set,
            "Precision over recall, interpolated, mean over the queries, of the method of each "
            f"family that is best by {METRICS[SORT_BY].label}.",
            Curves(
                title=f"{results.about.name}, {query_set}: precision over recall, best method of "
                "each family",
                xlabel="recall",
                ylabel="precision",
                across=LEVELS.tolist(),
                series=[
                    Series(name, marks[name], curves[name])
                    for name in best_of_each_family(ordered, families_of(task))
                ],
                chance=chance,
            ),
        )
    if lines:
        write_csv(book.folder / CURVES, lines)


def precision_recall_curve(ranking: Ranking) -> NDArray[np.float64]:
    """Mean, over the queries with relevant images, of the precision at every recall."""
    scored = ranking.relevant > 0
    return precision_at_recall(ranking)[scored].mean(axis=0)


def top_k_curve(ranking: Ranking) -> NDArray[np.float64]:
    """Share of queries with a relevant image among the first k, for every k to `DEPTH`."""
    scored = ranking.relevant > 0
    return np.array([top_k(ranking, k)[scored].mean() for k in _KS])


def chance_curve(ranking: Ranking) -> NDArray[np.float64]:
    """The same share for the same queries in random order."""
    scored = ranking.relevant > 0
    both = np.stack([ranking.candidates[scored], ranking.relevant[scored]])
    (images, relevant), which = np.unique(both, axis=1, return_inverse=True)
    drawn = (np.minimum(k, images) for k in _KS)
    return np.array([hypergeom.sf(0, images, relevant, k)[which].mean() for k in drawn])
