"""Page of the distractors: scores by their number, intrusion, and the classes that attract."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.results import Results, TaskResults
from benchmarks.report.comparisons import rank_change, score_task
from benchmarks.report.families import best_of_each_family, families_of
from benchmarks.report.format import write_csv, write_page
from benchmarks.report.plots.axes import Curve, Mark
from benchmarks.report.plots.book import WIDTH, Plot, PlotBook
from benchmarks.report.plots.charts import heat_size, paint_curves, paint_heat
from benchmarks.report.tables import SORT_BY
from retrieval.distractors import LEVELS
from retrieval.metrics import METRICS, score
from retrieval.ranking import Ranking
from retrieval.statistics import intervals

FIRST = 10
"""Neighbours that intrusion is counted in."""

Curves = dict[str, NDArray[np.float64]]
"""Method to mean and ends of its interval, shape (n_numbers_of_distractors, 3)."""


def write_confusion(folder: Path, results: Results, book: PlotBook) -> None:
    """Write ``confusion.md`` and ``confusion.csv``, and plot, where there are distractors."""
    if not any(image.distractor is not None for image in results.gallery):
        return
    sections, lines = [], []
    for query_set, task in results.tasks.items():
        if not task.is_scored:
            continue
        counts, places = np.unique(_counts(task.rankings), return_index=True)
        found = {
            metric: {name: curve[places] for name, curve in by_name.items()}
            for metric, by_name in curves(task.rankings).items()
        }
        lines += [
            {"query_set": query_set, "method": name, "metric": metric, "distractors": count}
            | {key: round(end, 5) for key, end in zip(("mean", "low", "high"), point, strict=True)}
            for name in task.rankings
            for metric, by_name in found.items()
            for count, point in zip(counts.tolist(), by_name[name].tolist(), strict=True)
        ]
        sections.append(
            {"query_set": query_set}
            | _curve_section(book, query_set, task, found[SORT_BY], counts.tolist())
            | _intrusion_section(book, query_set, results, task)
        )
    if lines:
        write_csv(folder / "confusion.csv", lines)
        write_page(
            folder / "confusion.md",
            "distractors",
            name=results.about.name,
            first=FIRST,
            sections=sections,
        )


def curves(rankings: Mapping[str, Ranking]) -> dict[str, Curves]:
    """Score every method with more and more distractors, from none to all.

    Parameters
    ----------
    rankings : mapping of str to Ranking
        By method, of one query set.

    Returns
    -------
    dict of str to dict of str to ndarray, shape (LEVELS + 1, 3)
        Metric and method to mean and ends of its interval.
    """
    at = {
        name: [score(ranking.with_confusion(level)) for level in range(LEVELS + 1)]
        for name, ranking in rankings.items()
    }
    made: dict[str, Curves] = {}
    for metric in METRICS:
        columns = [
            one[metric][rankings[name].relevant > 0]
            for name, scores in at.items()
            for one in scores
        ]
        matrix = np.stack(columns, axis=1)
        points = np.column_stack([matrix.mean(axis=0), intervals(matrix)])
        made[metric] = dict(zip(rankings, np.split(points, len(rankings)), strict=True))
    return made


def intrusion(ranking: Ranking, is_distractor: NDArray[np.bool_]) -> float:
    """Share of the first ten places that distractors take.

    Parameters
    ----------
    ranking : Ranking
        Of one method.
    is_distractor : ndarray of bool, shape (n_gallery,)
        Whether each gallery image is one.
    """
    first = ranking.neighbours[ranking.relevant > 0, :FIRST]
    return float(is_distractor[first[first >= 0]].mean()) if (first >= 0).any() else 0.0


def attraction(ranking: Ranking, classes: NDArray[np.intp], count: int) -> NDArray[np.float64]:
    """Frequency of each distractor class among the first ten, in multiples of that by chance.

    Parameters
    ----------
    ranking : Ranking
        Of one method.
    classes : ndarray of intp, shape (n_gallery,)
        Number of each image's distractor class, -1 for images that are no distractors.
    count : int
        Number of distractor classes.
    """
    first = ranking.neighbours[ranking.relevant > 0, :FIRST]
    found = classes[first[first >= 0]]
    seen = np.bincount(found[found >= 0], minlength=count) / max(len(found), 1)
    expected = np.bincount(classes[classes >= 0], minlength=count) / len(classes)
    return seen / expected


def _curve_section(
    book: PlotBook, query_set: str, task: TaskResults, found: Curves, counts: list[int]
) -> Json:
    ordered = sorted(found, key=lambda name: (-found[name][-1, 0], name))
    levels = sorted({0, len(counts) // 2, len(counts) - 1})
    without, among = score_task(task, SORT_BY, 0), score_task(task, SORT_BY)
    return {
        "levels": [counts[level] for level in levels],
        "curves": [
            {
                "method": name,
                "points": found[name][levels].tolist(),
                "kept": found[name][-1, 0] / max(found[name][0, 0], 1e-12),
            }
            for name in ordered
        ],
        "change": rank_change(without.values, among.values),
        "curve_plot": book.add(
            _curve_plot(book.folder.name, query_set, task, found, ordered, counts)
        ),
    }


def _curve_plot(
    dataset: str,
    query_set: str,
    task: TaskResults,
    found: Curves,
    ordered: list[str],
    counts: list[int],
) -> Plot:
    families, label = families_of(task), METRICS[SORT_BY].label
    named = best_of_each_family(ordered, families)
    return Plot(
        f"confusion-{query_set}",
        query_set,
        f"{label} with more and more distractors in the gallery: of each family the method that "
        "is best among all of them, with its 95 % band; all others are grey.",
        (WIDTH, 4.3),
        partial(
            paint_curves,
            title=f"{dataset}, {query_set}: with more and more distractors",
            labels=("distractors in the gallery", label),
            across=counts,
            curves=[Curve(name, Mark.of(families[name]), found[name]) for name in named],
            others=[found[name][:, 0] for name in ordered if name not in named],
        ),
    )


def _intrusion_section(
    book: PlotBook, query_set: str, results: Results, task: TaskResults
) -> Json:
    names = sorted({image.distractor for image in results.gallery if image.distractor is not None})
    classes = np.array(
        [-1 if one.distractor is None else names.index(one.distractor) for one in results.gallery]
    )
    rates = {name: intrusion(ranking, classes >= 0) for name, ranking in task.rankings.items()}
    ordered = sorted(rates, key=lambda name: (rates[name], name))
    matrix = np.stack([attraction(task.rankings[n], classes, len(names)) for n in ordered])
    shown = [name or "(no name)" for name in names]
    plot = Plot(
        f"attraction-{query_set}",
        query_set,
        f"How many times as often as by chance each distractor class stands among the first "
        f"{FIRST}, by method.",
        heat_size(ordered, shown),
        partial(
            paint_heat,
            title=f"{book.folder.name}, {query_set}: distractors among the first {FIRST}",
            rows=ordered,
            columns=shown,
            values=matrix,
            label="times as often as by chance",
        ),
    )
    return {
        "by_chance": float((classes >= 0).mean()),
        "intrusion": [
            {
                "method": name,
                "rate": rates[name],
                "most": shown[times.argmax()],
                "times": times.max(),
            }
            for name, times in zip(ordered, matrix, strict=True)
        ],
        "attraction_plot": book.add(plot) if len(names) > 1 else "",
    }


def _counts(rankings: Mapping[str, Ranking]) -> list[int]:
    """Distractors at each point, as most queries have them."""
    levels = np.median(next(iter(rankings.values())).confusion, axis=0)
    return [0, *np.cumsum(levels).astype(int).tolist()]
