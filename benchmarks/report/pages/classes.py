"""Page of the classes: scores of each, mistakes, and images that come up too often."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, skew

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.results import ImageEntry, Results, TaskResults
from benchmarks.report.format import write_csv, write_page
from benchmarks.report.plots.book import PlotBook
from benchmarks.report.plots.charts import ROWS, HeatMap, best_of
from benchmarks.report.tables import SORT_BY
from retrieval.metrics import METRICS, score
from retrieval.ranking import Ranking

FIRST = 10
"""Neighbours that are looked at."""

DISTRACTOR = "(distractor)"
"""Stands for the class of a gallery image that has none."""

_DRAWN = 20
"""Classes that a plot has room for."""

_SHOWN = 15
"""Classes, and mistakes, that the page lists."""

_RARE = 1e-3
"""An image is a hub if random answers would make any image of the gallery one this rarely."""


class Hubs(NamedTuple):
    """Images that come up too often.

    Attributes
    ----------
    found : list of tuple of int
        Gallery index and number of queries, most first.
    limit : int
        Queries that a hub has more of.
    skewness : float
        Of how often the gallery's images come up.
    """

    found: list[tuple[int, int]]
    limit: int
    skewness: float


def write_classes(folder: Path, results: Results, book: PlotBook) -> None:
    """Write ``classes.md``, ``classes.csv`` and ``mistakes.csv``, where there are classes."""
    sections = [
        _section(query_set, task, results.gallery, book)
        for query_set, task in results.tasks.items()
        if task.is_scored and any(query.label for query in task.queries)
    ]
    per_class = [
        {"query_set": section["query_set"], "method": name, "class": label}
        | {SORT_BY: None if np.isnan(value) else round(value, 5)}
        for section in sections
        for name, row in zip(section["names"], section["matrix"].tolist(), strict=True)
        for label, value in zip(section["classes"], row, strict=True)
    ]
    mistakes = [
        {"query_set": section["query_set"], "method": name, "class": label}
        | {"first_image_is": answer, "queries": count}
        for section in sections
        for name, wrong in section["wrong"].items()
        for (label, answer), count in wrong.items()
    ]
    if sections:
        write_csv(folder / "classes.csv", per_class)
        about = {"name": results.about.name, "first": FIRST, "shown": _SHOWN}
        about |= {"gallery": results.gallery}
        write_page(folder / "classes.md", "classes", **about, sections=sections)
    if mistakes:
        write_csv(folder / "mistakes.csv", mistakes)


def _section(
    query_set: str, task: TaskResults, gallery: Sequence[ImageEntry], book: PlotBook
) -> Json:
    classes = sorted({label for query in task.queries for label in query.labels})
    names, matrix = class_scores(task, classes)
    answers = {}
    for name in names:
        pairs = zip(task.queries, first_answers(task, name, gallery), strict=True)
        answers[name] = Counter((query.label, to) for query, to in pairs if query.label and to)
    best = matrix.max(axis=0)
    order = [int(n) for n in np.argsort(best, kind="stable") if not np.isnan(best[n])][:_SHOWN]
    return {
        "query_set": query_set,
        "names": names,
        "classes": classes,
        "matrix": matrix,
        "hardest": [(classes[n], best[n], names[int(matrix[:, n].argmax())]) for n in order],
        "asked": answers[names[0]].total(),
        "wrong": {
            name: Counter({pair: n for pair, n in sorted(one.items()) if pair[0] != pair[1]})
            for name, one in answers.items()
        },
        "queries": len(task.queries),
        "hubs": {name: hubs(task.rankings[name], len(gallery)) for name in names},
        "plots": _plots(book, query_set, names, classes, matrix, answers[names[0]]),
    }


def class_scores(
    task: TaskResults, classes: Sequence[str]
) -> tuple[list[str], NDArray[np.float64]]:
    """Mean average precision of every method on every class.

    Returns
    -------
    names : list of str
        Methods, best first.
    scores : ndarray of float64, shape (n_methods, n_classes)
        NaN where no query of the class is scored.
    """
    values = {name: score(ranking)[SORT_BY] for name, ranking in task.rankings.items()}
    names = sorted(values, key=lambda name: (-_mean(values[name]), name))
    asked: dict[str, list[int]] = {label: [] for label in classes}
    for place, query in enumerate(task.queries):
        for label in query.labels.intersection(asked):
            asked[label].append(place)
    made = [[_mean(values[name][asked[label]]) for label in classes] for name in names]
    return names, np.array(made)


def first_answers(
    task: TaskResults, method: str, gallery: Sequence[ImageEntry]
) -> list[str | None]:
    """Class of each query's nearest image; None for a query without a relevant image.

    It is the query's own of an image of several classes, one of which is the query's.
    """
    ranking, answers = task.rankings[method], []
    firsts = zip(task.queries, ranking.neighbours[:, 0], ranking.relevant, strict=True)
    for query, nearest, relevant in firsts:
        found = gallery[nearest]
        own = query.label if query.labels & found.labels else found.label
        answers.append((own or DISTRACTOR) if relevant and nearest >= 0 else None)
    return answers


def hubs(ranking: Ranking, n_gallery: int) -> Hubs:
    """Find the images that stand among the first ten of suspiciously many queries.

    Parameters
    ----------
    ranking : Ranking
        Of one method.
    n_gallery : int
        Number of gallery images.

    References
    ----------
    M. Radovanović, A. Nanopoulos, M. Ivanović (2010), Hubs in space: popular nearest neighbors
    in high-dimensional data, JMLR 11, https://jmlr.org/papers/v11/radovanovic10a.html
    """
    first = ranking.neighbours[:, :FIRST]
    times = np.bincount(first[first >= 0], minlength=n_gallery)
    by_chance = float(np.minimum(1, FIRST / np.maximum(ranking.candidates, 1)).mean())
    limit = int(binom.isf(_RARE / n_gallery, ranking.n_queries, by_chance))
    order = np.argsort(-times, kind="stable")
    found = [(int(index), int(times[index])) for index in order if times[index] > limit]
    return Hubs(found, limit, float(skew(times)) if times.std() else 0.0)


def _plots(
    book: PlotBook,
    query_set: str,
    names: Sequence[str],
    classes: Sequence[str],
    matrix: NDArray[np.float64],
    counts: Counter[tuple[str, str]],
) -> Json | None:
    """Plot the scores of all methods by class, and what the best takes the classes for."""
    if len(classes) > _DRAWN:
        return None
    where, label = f"{book.folder.name}, {query_set}", METRICS[SORT_BY].label
    scores = book.add(
        f"classes-{query_set}",
        query_set,
        f"{label} of {best_of(names)} on the queries of each class; methods are in order of "
        f"{label}.",
        HeatMap(
            title=f"{where}: {label} per class",
            subtitle=label,
            rows=names[:ROWS],
            columns=classes,
            values=np.nan_to_num(matrix[:ROWS]),
        ),
    )
    asked = sorted({label for label, _ in counts})
    answers = sorted({answer for _, answer in counts} | set(asked))
    table = np.array([[counts[label, answer] for answer in answers] for label in asked])
    mistakes = book.add(
        f"mistakes-{query_set}",
        query_set,
        f"Class of the first image that {names[0]}, the best method, finds, by class of the "
        "query: shares of the class's queries.",
        HeatMap(
            title=f"{where}: class of the first image by {names[0]}",
            subtitle="share of queries; rows: class of the query",
            rows=asked,
            columns=answers,
            values=table / table.sum(axis=1, keepdims=True),
        ),
    )
    return {"classes": scores, "mistakes": mistakes}


def _mean(values: NDArray[np.float64]) -> float:
    scored = values[~np.isnan(values)]
    return float(scored.mean()) if len(scored) else float("nan")
