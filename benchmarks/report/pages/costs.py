"""Plots of what accuracy costs: memory, extraction, search."""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.record import Results
from benchmarks.report.pages.accuracy import kinds_of
from benchmarks.report.plots.axes import Mark, Series
from benchmarks.report.plots.book import Plot, PlotBook
from benchmarks.report.plots.charts import Costs
from benchmarks.report.tables import SORT_BY
from retrieval.metrics import METRICS

_DRAWN = {
    "bytes_per_image": ("memory", "bytes per image"),
    "extraction_ms": ("extraction", "milliseconds per image, extraction by one worker"),
    "search_ms": ("search", "milliseconds per query, exact search of the gallery"),
}
"""Cost to the name of its plot and to the words at its axis."""


def plot_costs(book: PlotBook, results: Results, tables: Mapping[str, Sequence[Json]]) -> None:
    """Plot accuracy against every cost, for every query set with scores."""
    for query_set, task in results.tasks.items():
        if not task.is_scored:
            continue
        kinds = kinds_of(task)
        rows = [row for row in tables[query_set] if row["row"] in kinds]
        for cost in _DRAWN:
            known = [row for row in rows if is_known(row.get(cost))]
            if known:
                missing = len(rows) - len(known)
                book.add(_plot(results.about.name, query_set, cost, known, kinds, missing))


def is_known(cost: float | None) -> bool:
    """Whether a cost was measured; what was too quick to measure has no logarithm."""
    return cost is not None and cost > 0


def pareto_front(costs: Sequence[float | None], scores: Sequence[float | None]) -> list[int]:
    """Rows that no other row beats: none is both at most as costly and at least as good.

    Rows of equal cost and equal score do not beat each other. Rows without a cost or a score
    are not on the front and beat nobody.

    Parameters
    ----------
    costs, scores : sequence of float
        One per row; None where unknown. Less cost is better, a higher score is better.

    Returns
    -------
    list of int
        Places of the rows, cheapest first.
    """
    known = {
        place: (cost, -score)
        for place, (cost, score) in enumerate(zip(costs, scores, strict=True))
        if cost is not None and score is not None
    }
    made: list[int] = []
    best = (np.inf, np.inf)
    for place in sorted(known, key=lambda place: (known[place], place)):
        if known[place][1] < best[1] or known[place] == best:
            made.append(place)
            best = known[place]
    return made


def _plot(
    name: str,
    query_set: str,
    cost: str,
    rows: Sequence[Json],
    kinds: Mapping[str, str],
    missing: int,
) -> Plot:
    short, words = _DRAWN[cost]
    label = METRICS[SORT_BY].label
    series = [
        Series(row["row"], Mark.of(kinds[row["row"]]), [row[cost], row[SORT_BY]]) for row in rows
    ]
    caption = (
        f"{label} against {words}: named rows are those that no other row beats in both, all "
        "others are grey."
    )
    if missing:
        caption += f" Left out, cost unknown: {missing} row{'s' * (missing > 1)}."
    return Plot(
        f"{short}-{query_set}",
        query_set,
        caption,
        Costs(
            title=f"{name}, {query_set}: {label} and {short}",
            xlabel=words,
            ylabel=label,
            series=series,
            front=pareto_front([row[cost] for row in rows], [row[SORT_BY] for row in rows]),
        ),
    )
