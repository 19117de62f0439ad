"""Plots of accuracy against its costs: memory, extraction, search."""

from collections.abc import Mapping, Sequence

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.results import Results
from benchmarks.report.families import families_of
from benchmarks.report.plots.axes import Mark, Series
from benchmarks.report.plots.book import PlotBook
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
    label = METRICS[SORT_BY].label
    for query_set, task in results.tasks.items():
        families = families_of(task) if task.is_scored else {}
        rows = [row for row in tables[query_set] if row["method"] in families]
        for cost, (name, words) in _DRAWN.items():
            known = [row for row in rows if is_known(row.get(cost))]
            if not known:
                continue
            missing = len(rows) - len(known)
            book.add(
                f"{name}-{query_set}",
                query_set,
                f"{label} against {words}: named are the methods that no other beats in both, "
                "all others are grey." + f" Left out, cost unknown: {missing}." * bool(missing),
                Costs(
                    title=f"{results.about.name}, {query_set}: {label} and {name}",
                    xlabel=words,
                    ylabel=label,
                    series=[
                        Series(r["method"], Mark.of(families[r["method"]]), [r[cost], r[SORT_BY]])
                        for r in known
                    ],
                    front=pareto_front([r[cost] for r in known], [r[SORT_BY] for r in known]),
                ),
            )


def is_known(cost: float | None) -> bool:
    """Tell whether a cost was measured; what was too quick to measure has no logarithm."""
    return cost is not None and cost > 0


def pareto_front(costs: Sequence[float | None], scores: Sequence[float | None]) -> list[int]:
    """Find the methods that no other beats: none is both at most as costly and at least as good.

    Methods of equal cost and equal score do not beat each other. Those without a cost or a score
    are not on the front and beat nobody.

    Parameters
    ----------
    costs, scores : sequence of float
        One per method; None where unknown. Less cost is better, a higher score is better.

    Returns
    -------
    list of int
        Places of the methods, cheapest first.
    """
    front: list[int] = []
    best: tuple[float, float] | None = None
    known = [
        (cost, -score, place)
        for place, (cost, score) in enumerate(zip(costs, scores, strict=True))
        if cost is not None and score is not None
    ]
    for cost, loss, place in sorted(known):
        if best is None or loss < best[1] or (cost, loss) == best:
            front.append(place)
            best = (cost, loss)
    return front
