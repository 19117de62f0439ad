"""Page of the distractors: scores by their number, intrusion, and the classes that attract."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import Json
from benchmarks.formats.markdown import DIGITS
from benchmarks.pipeline.records.results import Results, TaskResults
from benchmarks.report.comparisons import rank_change, score_task, values_of
from benchmarks.report.families import best_of_each_family, families_of
from benchmarks.report.format import write_csv, write_page
from benchmarks.report.plots.axes import Mark, Series
from benchmarks.report.plots.book import PlotBook
from benchmarks.report.plots.charts import ROWS, Curves, HeatMap, best_of
from benchmarks.report.tables import SORT_BY
from retrieval.bootstrap import intervals
from retrieval.metrics import METRICS
from retrieval.ranking import Ranking

FIRST = 10
"""Neighbours that intrusion is counted in."""

Points = dict[str, NDArray[np.float64]]
"""Method to mean and ends of its interval, shape (n_numbers_of_distractors, 3)."""


def write_distractors(folder: Path, results: Results, book: PlotBook) -> None:
    """Write ``confusion.md`` and ``confusion.csv``, and plot, where there are distractors."""
    if not any(image.distractor is not None for image in results.gallery):
        return
    sections, lines = [], []
    for query_set, task in results.tasks.items():
        if not task.is_scored:
            continue
        # As most queries have them; where there are few, levels have equally many.
        levels = np.median(next(iter(task.rankings.values())).distractors, axis=0)
        numbers, places = np.unique([0, *np.cumsum(levels).astype(int)], return_index=True)
        found = curves(task.rankings)
        lines += [
            {"query_set": query_set, "method": name, "metric": metric, "distractors": number}
            | {key: round(end, 5) for key, end in zip(("mean", "low", "high"), point, strict=True)}
            for name in task.rankings
            for metric, by_name in found.items()
            for number, point in zip(numbers.tolist(), by_name[name][places].tolist(), strict=True)
        ]
        means = {name: points[places] for name, points in found[SORT_BY].items()}
        section = _curves(book, query_set, task, means, numbers.tolist())
        sections.append(section | _intrusion(book, query_set, results, task))
    if lines:
        write_csv(folder / "confusion.csv", lines)
        about = {"name": results.about.name, "first": FIRST}
        write_page(folder / "confusion.md", "distractors", **about, sections=sections)


def curves(rankings: Mapping[str, Ranking]) -> dict[str, Points]:
    """Score every method with more and more distractors, from none to all.

    Parameters
    ----------
    rankings : mapping of str to Ranking
        By method, of one query set.

    Returns
    -------
    dict of str to dict of str to ndarray, shape (n_levels + 1, 3)
        Metric and method to mean and ends of its interval.
    """
    scored = {
        name: [
            values_of(ranking.with_distractors(level))
            for level in range(ranking.distractors.shape[1] + 1)
        ]
        for name, ranking in rankings.items()
    }
    made: dict[str, Points] = {}
    for metric in METRICS:
        values = [one[metric] for at in scored.values() for one in at]
        matrix = np.stack(values, axis=1)
        points = np.column_stack([matrix.mean(axis=0), intervals(matrix)])
        made[metric] = dict(zip(rankings, np.split(points, len(rankings)), strict=True))
    return made


def intruders(ranking: Ranking, classes: NDArray[np.intp], count: int) -> NDArray[np.float64]:
    """Share of each distractor class among the first ten neighbours of the scored queries.

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
    return np.bincount(found[found >= 0], minlength=count) / max(len(found), 1)


def share_of_distractors(ranking: Ranking) -> float:
    """Share of distractors among the images that take part, in the mean of the scored queries."""
    scored = ranking.relevant > 0
    return float((ranking.distractors[scored].sum(axis=1) / ranking.candidates[scored]).mean())


def _curves(
    book: PlotBook, query_set: str, task: TaskResults, means: Points, numbers: list[int]
) -> Json:
    """Scores with some numbers of distractors, and the change of the methods' order."""
    ordered = sorted(means, key=lambda name: (-means[name][-1, 0], name))
    families, label = families_of(task), METRICS[SORT_BY].label
    named = best_of_each_family(ordered, families)
    plot = book.add(
        f"confusion-{query_set}",
        query_set,
        f"{label} with more and more distractors in the gallery: of each family the method that "
        "is best among all of them, with its 95 % band; all others are grey.",
        Curves(
            title=f"{book.folder.name}, {query_set}: with more and more distractors",
            xlabel="distractors in the gallery",
            ylabel=label,
            across=numbers,
            series=[Series(name, Mark.of(families[name]), means[name]) for name in named],
            others=[means[name][:, 0] for name in ordered if name not in named],
        ),
    )
    return {
        "query_set": query_set,
        "levels": {numbers[at]: at for at in sorted({0, len(numbers) // 2, len(numbers) - 1})},
        "curves": {name: means[name].tolist() for name in ordered},
        "change": rank_change(*(score_task(task, SORT_BY, n).values for n in (0, None))),
        "curve_plot": plot,
    }


def _intrusion(book: PlotBook, query_set: str, results: Results, task: TaskResults) -> Json:
    """Share of distractors among the first ten, and the class that comes up most, by method."""
    names = sorted({image.distractor for image in results.gallery if image.distractor is not None})
    classes = np.array(
        [-1 if one.distractor is None else names.index(one.distractor) for one in results.gallery]
    )
    shares = {n: intruders(ranking, classes, len(names)) for n, ranking in task.rankings.items()}
    rates = {name: round(float(one.sum()), DIGITS) for name, one in shares.items()}
    ordered = sorted(rates, key=lambda name: (rates[name], name))
    of_each = np.bincount(classes[classes >= 0], minlength=len(names))
    by_chance = of_each / of_each.sum() * share_of_distractors(next(iter(task.rankings.values())))
    matrix = np.stack([shares[name] for name in ordered]) / by_chance
    shown = [name or "(no name)" for name in names]
    plot = len(names) > 1 and book.add(
        f"attraction-{query_set}",
        query_set,
        f"Frequency of each class of distractors among the first {FIRST}, in multiples of that in "
        f"random order, by {best_of(ordered)}, those with the fewest of them first.",
        HeatMap(
            title=f"{book.folder.name}, {query_set}: distractors among the first {FIRST}",
            subtitle="times as often as by chance",
            rows=ordered[:ROWS],
            columns=shown,
            values=matrix[:ROWS],
        ),
    )
    most = [(shown[int(times.argmax())], times.max()) for times in matrix]
    return {
        "by_chance": by_chance.sum(),
        "intrusion": [(name, rates[name], *one) for name, one in zip(ordered, most, strict=True)],
        "attraction_plot": plot or "",
    }
