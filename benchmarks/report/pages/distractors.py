"""What confusion images do: curves against their number, intrusion, and who attracts whom."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import write_text
from benchmarks.formats.markdown import markdown, to_csv
from benchmarks.pipeline.records.results import Results, TaskResults
from benchmarks.report.comparisons import in_words, rank_change
from benchmarks.report.families import best_of_each_family, families_of
from benchmarks.report.plots.axes import Curve, Mark
from benchmarks.report.plots.book import WIDTH, Plot, PlotBook
from benchmarks.report.plots.charts import heat_size, paint_curves, paint_heat
from benchmarks.report.tables import SORT_BY, share
from retrieval.distractors import LEVELS
from retrieval.metrics import METRICS, Values, score
from retrieval.ranking import Ranking
from retrieval.statistics import intervals

FIRST = 10
"""Neighbours that intrusion is counted in."""

_LEGEND = """\
Confusion images are negatives: pictures of things that no query asks for. Curves: the seeded,
nested subsets of them are dealt out by content, and every point comes from the one search with
all of them (fused and re-ranked rows are not searched again without them). Intrusion: share of
the first ten that are confusion images. Attraction: of the first ten, how many times as often a
confusion class stands there as it would in random order; the columns are the confusion classes.
"""


def write_confusion(folder: Path, results: Results, book: PlotBook) -> None:
    """Write ``confusion.md`` and ``confusion.csv``, and plot, where there are confusion images."""
    if not any(image.distractor is not None for image in results.gallery):
        return
    text = f"# {results.about.name}: confusion images\n\n{_LEGEND}"
    lines: list[list[object]] = []
    for query_set, task in results.tasks.items():
        if not task.is_scored:
            continue
        counts, places = np.unique(_counts(task.rankings), return_index=True)
        found = {
            name: {metric: curve[places] for metric, curve in by_metric.items()}
            for name, by_metric in curves(task.rankings).items()
        }
        for name, by_metric in found.items():
            for metric, curve in by_metric.items():
                lines += [
                    [query_set, name, metric, count, *(round(end, 5) for end in point)]
                    for count, point in zip(counts.tolist(), curve.tolist(), strict=True)
                ]
        text += f"\n## {query_set}\n\n"
        text += _curve_section(book, query_set, task, found, counts.tolist())
        text += _intrusion_section(book, query_set, results, task)
    if not lines:
        return
    header = ["query_set", "row", "metric", "confusion_images", "mean", "low", "high"]
    write_text(folder / "confusion.csv", to_csv(header, lines))
    write_text(folder / "confusion.md", text)


def curves(rankings: Mapping[str, Ranking]) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Every metric of every row against the number of confusion images.

    Returns
    -------
    dict of str to dict of str to ndarray, shape (LEVELS + 1, 3)
        Row and metric to mean and ends of its interval, from no confusion image to all.
    """
    at = [
        {name: score(ranking.with_distractors(level)) for name, ranking in rankings.items()}
        for level in range(LEVELS + 1)
    ]
    made: dict[str, dict[str, NDArray[np.float64]]] = {name: {} for name in rankings}
    for metric in METRICS:
        columns = [_scored(scores[name][metric]) for name in rankings for scores in at]
        matrix = np.stack(columns, axis=1)
        points = np.column_stack([matrix.mean(axis=0), intervals(matrix)])
        for name, curve in zip(rankings, np.split(points, len(rankings)), strict=True):
            made[name][metric] = curve
    return made


def intrusion(ranking: Ranking, confusing: NDArray[np.bool_]) -> float:
    """Share of the first ten places that confusion images take.

    Parameters
    ----------
    ranking : Ranking
    confusing : ndarray of bool, shape (n_gallery,)
    """
    first = ranking.neighbours[ranking.relevant > 0, :FIRST]
    return float(confusing[first[first >= 0]].mean()) if (first >= 0).any() else 0.0


def attraction(ranking: Ranking, kinds: NDArray[np.intp], count: int) -> NDArray[np.float64]:
    """How much more often than by chance each confusion class stands among the first ten.

    Parameters
    ----------
    ranking : Ranking
    kinds : ndarray of intp, shape (n_gallery,)
        Each image's confusion class, -1 for others.
    count : int
        Confusion classes.
    """
    first = ranking.neighbours[ranking.relevant > 0, :FIRST]
    found = kinds[first[first >= 0]]
    seen = np.bincount(found[found >= 0], minlength=count) / max(len(found), 1)
    expected = np.bincount(kinds[kinds >= 0], minlength=count) / len(kinds)
    return seen / expected


def _curve_section(
    book: PlotBook,
    query_set: str,
    task: TaskResults,
    found: Mapping[str, Mapping[str, NDArray[np.float64]]],
    counts: list[int],
) -> str:
    ordered = sorted(found, key=lambda name: (-found[name][SORT_BY][-1, 0], name))
    label = METRICS[SORT_BY].label
    levels = sorted({0, len(counts) // 2, len(counts) - 1})
    headings = ["extractor", *(f"{label}, {counts[n]} images" for n in levels), "kept"]
    cells = []
    for name in ordered:
        curve = found[name][SORT_BY]
        shown = [
            f"{share(curve[n, 0])} ({share(curve[n, 1])}–{share(curve[n, 2])})" for n in levels
        ]
        cells.append([name, *shown, f"{100 * curve[-1, 0] / max(curve[0, 0], 1e-12):.0f} %"])
    kinds = families_of(task)
    named = best_of_each_family(ordered, kinds)
    shown_plot = book.add(
        Plot(
            f"confusion-{query_set}",
            query_set,
            f"{label} with more and more confusion images in the gallery: of each kind the row "
            "that is best among all of them, with its 95 % band; all others are grey.",
            (WIDTH, 4.3),
            partial(
                paint_curves,
                title=f"{book.folder.name}, {query_set}: with more and more confusion images",
                labels=("confusion images in the gallery", label),
                across=counts,
                curves=[Curve(name, Mark.of(kinds[name]), found[name][SORT_BY]) for name in named],
                others=[found[name][SORT_BY][:, 0] for name in ordered if name not in named],
            ),
        )
    )
    without = {n: _scored(score(r.with_distractors(0))[SORT_BY]) for n, r in task.rankings.items()}
    among = {n: _scored(score(r)[SORT_BY]) for n, r in task.rankings.items()}
    order = in_words(rank_change(without, among), "no confusion images", "all of them")
    return f"{shown_plot}\n{markdown(headings, cells)}\n{order}"


def _intrusion_section(book: PlotBook, query_set: str, results: Results, task: TaskResults) -> str:
    confusing = np.array([image.distractor is not None for image in results.gallery])
    names = sorted({image.distractor for image in results.gallery if image.distractor is not None})
    kinds = np.array([_index(names, image.distractor) for image in results.gallery])
    rates = {name: intrusion(ranking, confusing) for name, ranking in task.rankings.items()}
    ordered = sorted(rates, key=lambda name: (rates[name], name))
    matrix = np.stack([attraction(task.rankings[n], kinds, len(names)) for n in ordered])
    text = f"\n{FIRST} first places, by chance: {share(float(confusing.mean()))} intrusion.\n\n"
    shown = [name or "(no name)" for name in names]
    strongest = [shown[int(row.argmax())] for row in matrix]
    cells = [
        [name, share(rates[name]), f"{most} ({row.max():.1f} times)"]
        for name, most, row in zip(ordered, strongest, matrix, strict=True)
    ]
    text += markdown(["extractor", "intrusion", "attracted most by"], cells)
    if len(names) > 1:
        plot = Plot(
            f"attraction-{query_set}",
            query_set,
            f"How many times as often as by chance each confusion class stands among the first "
            f"{FIRST}, by row.",
            heat_size(ordered, shown),
            partial(
                paint_heat,
                title=f"{book.folder.name}, {query_set}: confusion among the first {FIRST}",
                rows=ordered,
                columns=shown,
                values=matrix,
                label="times as often as by chance",
            ),
        )
        text += f"\n{book.add(plot)}"
    return text


def _counts(rankings: Mapping[str, Ranking]) -> list[int]:
    """Confusion images at each point, as most queries have them."""
    levels = np.median(next(iter(rankings.values())).distractors, axis=0)
    return [0, *np.cumsum(levels).astype(int).tolist()]


def _scored(values: Values) -> Values:
    return values[~np.isnan(values)]


def _index(names: list[str], name: str | None) -> int:
    return -1 if name is None else names.index(name)
