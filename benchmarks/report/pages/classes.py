"""Page of the classes: scores of each, mistakes, and images that come up too often."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, skew

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.results import ImageEntry, Results, TaskResults
from benchmarks.report.format import write_csv, write_page
from benchmarks.report.plots.book import Plot, PlotBook
from benchmarks.report.plots.charts import heat_size, paint_heat
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


@dataclass(frozen=True)
class Hubs:
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
    sections, per_class, mistakes = [], [], []
    for query_set, task in results.tasks.items():
        classes = sorted({query.label for query in task.queries if query.label})
        if not classes or not task.is_scored:
            continue
        names, matrix = class_scores(task, classes)
        per_class += [
            {"query_set": query_set, "method": name, "class": label}
            | {SORT_BY: None if np.isnan(value) else round(value, 5)}
            for name, row in zip(names, matrix, strict=True)
            for label, value in zip(classes, row.tolist(), strict=True)
        ]
        answers = {name: _answers(task, name, results.gallery) for name in names}
        mistakes += [
            {"query_set": query_set, "method": name, "class": label}
            | {"first_image_is": answer, "queries": count}
            for name, counts in answers.items()
            for (label, answer), count in sorted(counts.items())
            if label != answer
        ]
        best = names[0]
        sections.append(
            {"query_set": query_set, "best": best, "count": len(classes)}
            | {"hardest": _hardest(names, classes, matrix)}
            | _mistakes(answers[best])
            | _hubs(task, names, results.gallery)
            | {"class_plot": "", "mistake_plot": ""}
        )
        if len(classes) <= _DRAWN:
            dataset = book.folder.name
            class_plot = _class_plot(dataset, query_set, names, classes, matrix)
            mistake_plot = _mistake_plot(dataset, query_set, best, answers[best])
            sections[-1]["class_plot"] = book.add(class_plot)
            sections[-1]["mistake_plot"] = book.add(mistake_plot)
    if sections:
        write_csv(folder / "classes.csv", per_class)
        if mistakes:
            write_csv(folder / "mistakes.csv", mistakes)
        write_page(
            folder / "classes.md",
            "classes",
            name=results.about.name,
            first=FIRST,
            drawn=_DRAWN,
            sections=sections,
        )


def class_scores(
    task: TaskResults, classes: Sequence[str]
) -> tuple[list[str], NDArray[np.float64]]:
    """Mean average precision of every row on every class.

    Returns
    -------
    names : list of str
        Rows, best first.
    scores : ndarray of float64, shape (n_rows, n_classes)
        NaN where no query of the class is scored.
    """
    values = {name: score(ranking)[SORT_BY] for name, ranking in task.rankings.items()}
    names = sorted(values, key=lambda name: (-_mean(values[name]), name))
    labels = np.array([query.label or "" for query in task.queries])
    made = [[_mean(values[name][labels == label]) for label in classes] for name in names]
    return names, np.array(made)


def first_answers(ranking: Ranking, gallery: Sequence[ImageEntry]) -> list[str | None]:
    """Class of each query's nearest image; None for a lone query."""
    made: list[str | None] = []
    for nearest, relevant in zip(ranking.neighbours[:, 0], ranking.relevant, strict=True):
        image = gallery[nearest]
        made.append((image.label or DISTRACTOR) if relevant and nearest >= 0 else None)
    return made


def hubs(ranking: Ranking, n_gallery: int) -> Hubs:
    """Find the images that stand among the first ten of suspiciously many queries.

    Parameters
    ----------
    ranking : Ranking
    n_gallery : int

    References
    ----------
    M. Radovanović, A. Nanopoulos, M. Ivanović (2010), Hubs in space: popular nearest neighbors
    in high-dimensional data, JMLR 11, https://jmlr.org/papers/v11/radovanovic10a.html
    """
    first = ranking.neighbours[:, :FIRST]
    times = np.bincount(first[first >= 0], minlength=n_gallery)
    share_ = min(1.0, FIRST / n_gallery)
    limit = int(binom.isf(_RARE / n_gallery, ranking.n_queries, share_))
    order = np.argsort(-times, kind="stable")
    found = [(int(index), int(times[index])) for index in order if times[index] > limit]
    return Hubs(found, limit, float(skew(times)) if times.std() else 0.0)


def _answers(
    task: TaskResults, name: str, gallery: Sequence[ImageEntry]
) -> Counter[tuple[str, str]]:
    answers = first_answers(task.rankings[name], gallery)
    return Counter(
        (query.label, answer)
        for query, answer in zip(task.queries, answers, strict=True)
        if query.label and answer
    )


def _hardest(
    names: Sequence[str], classes: Sequence[str], matrix: NDArray[np.float64]
) -> list[Json]:
    """Classes with the lowest best score, and the method that reaches it."""
    best = matrix.max(axis=0)
    order = np.argsort(np.nan_to_num(best), kind="stable")[:_SHOWN]
    return [
        {"label": classes[index], "best": best[index], "by": names[int(matrix[:, index].argmax())]}
        for index in order
        if not np.isnan(best[index])
    ]


def _mistakes(counts: Counter[tuple[str, str]]) -> Json:
    """Commonest mistakes of a method, and how many there are."""
    wrong = {pair: count for pair, count in counts.items() if pair[0] != pair[1]}
    ordered = sorted(wrong, key=lambda pair: (-wrong[pair], pair))[:_SHOWN]
    return {
        "wrong": sum(wrong.values()),
        "asked": sum(counts.values()),
        "mistakes": [(*pair, wrong[pair]) for pair in ordered],
    }


def _hubs(task: TaskResults, names: Sequence[str], gallery: Sequence[ImageEntry]) -> Json:
    found = {name: hubs(task.rankings[name], len(gallery)) for name in names}
    return {
        "queries": len(task.queries),
        "limit": found[names[0]].limit,
        "hubs": [
            {
                "method": name,
                "count": len(one.found),
                "skewness": one.skewness,
                "largest": gallery[one.found[0][0]].id if one.found else None,
                "times": one.found[0][1] if one.found else 0,
            }
            for name, one in found.items()
        ],
    }


def _class_plot(
    dataset: str,
    query_set: str,
    names: Sequence[str],
    classes: Sequence[str],
    matrix: NDArray[np.float64],
) -> Plot:
    label = METRICS[SORT_BY].label
    return Plot(
        f"classes-{query_set}",
        query_set,
        f"{label} of every method on the queries of each class; methods are in order of {label}.",
        heat_size(names, classes),
        partial(
            paint_heat,
            title=f"{dataset}, {query_set}: {label} per class",
            rows=names,
            columns=classes,
            values=np.nan_to_num(matrix),
            label=label,
        ),
    )


def _mistake_plot(
    dataset: str, query_set: str, name: str, counts: Counter[tuple[str, str]]
) -> Plot:
    classes = sorted({label for label, _ in counts})
    answers = sorted({answer for _, answer in counts} | set(classes))
    matrix = np.array([[counts[label, answer] for answer in answers] for label in classes])
    return Plot(
        f"mistakes-{query_set}",
        query_set,
        f"The class of the first image that {name}, the best method, finds, by class of the "
        "query: shares of the class's queries.",
        heat_size(classes, answers),
        partial(
            paint_heat,
            title=f"{dataset}, {query_set}: class of the first image by {name}",
            rows=classes,
            columns=answers,
            values=matrix / matrix.sum(axis=1, keepdims=True),
            label="share of queries; rows: class of the query",
        ),
    )


def _mean(values: NDArray[np.float64]) -> float:
    scored = values[~np.isnan(values)]
    return float(scored.mean()) if len(scored) else float("nan")
