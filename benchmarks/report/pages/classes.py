"""Which classes a row finds, what it takes them for, and images that come up too often."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, skew

from benchmarks.formats.files import write_text
from benchmarks.formats.markdown import markdown, to_csv
from benchmarks.pipeline.records.record import Listed, Results, TaskResults
from benchmarks.report.plots.book import Plot, PlotBook
from benchmarks.report.plots.charts import HeatMap
from benchmarks.report.tables import SORT_BY, share
from retrieval.metrics import METRICS, score
from retrieval.ranking import Ranking

FIRST = 10
"""Neighbours that are looked at."""

CONFUSION = "(confusion image)"

_DRAWN = 20
"""Classes that a picture has room for."""

_SHOWN = 15
"""Classes, and mistakes, that the page lists."""

_RARE = 1e-3
"""An image is a hub if random answers would make any image of the gallery one this rarely."""

_LEGEND = """\
Per class: mean average precision of the class's queries. Mistakes: of the first image of each
query, the class it is of. Hubs: images among the first ten of more queries than random answers
would give any image once in a thousand galleries; skewness is that of the number of times that
images are among the first ten (0 if all come up equally).
"""


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
    text = f"# {results.about.name}: classes, mistakes, hubs\n\n{_LEGEND}"
    per_class: list[list[object]] = []
    mistakes: list[list[object]] = []
    for query_set, task in results.tasks.items():
        classes = sorted({query.label for query in task.queries if query.label})
        if not classes or not task.is_scored:
            continue
        names, matrix = class_scores(task, classes)
        for name, row in zip(names, matrix, strict=True):
            for label, value in zip(classes, row.tolist(), strict=True):
                per_class.append(
                    [query_set, name, label, None if np.isnan(value) else round(value, 5)]
                )
        found = {name: _answers(task, name, results.gallery) for name in names}
        for name, counts in found.items():
            mistakes += [[query_set, name, *pair, n] for pair, n in sorted(_wrong(counts).items())]
        text += f"\n## {query_set}\n\n"
        text += _class_section(book, query_set, names, classes, matrix)
        text += _mistake_section(book, query_set, names[0], found[names[0]])
        text += _hub_section(task, names, results.gallery)
    if not per_class:
        return
    write_text(folder / "classes.csv", to_csv(["query_set", "row", "class", SORT_BY], per_class))
    header = ["query_set", "row", "class", "first_image_is", "queries"]
    write_text(folder / "mistakes.csv", to_csv(header, mistakes))
    write_text(folder / "classes.md", text)


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


def first_answers(ranking: Ranking, gallery: Sequence[Listed]) -> list[str | None]:
    """Class of each query's nearest image; None for a lone query."""
    made: list[str | None] = []
    for nearest, relevant in zip(ranking.neighbours[:, 0], ranking.relevant, strict=True):
        image = gallery[nearest]
        made.append((image.label or CONFUSION) if relevant and nearest >= 0 else None)
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


def _answers(task: TaskResults, name: str, gallery: Sequence[Listed]) -> Counter[tuple[str, str]]:
    answers = first_answers(task.rankings[name], gallery)
    return Counter(
        (query.label, answer)
        for query, answer in zip(task.queries, answers, strict=True)
        if query.label and answer
    )


def _wrong(counts: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """Those of the answers that are mistakes."""
    return {pair: count for pair, count in counts.items() if pair[0] != pair[1]}


def _class_section(
    book: PlotBook,
    query_set: str,
    names: Sequence[str],
    classes: Sequence[str],
    matrix: NDArray[np.float64],
) -> str:
    label = METRICS[SORT_BY].label
    if len(classes) <= _DRAWN:
        plot = Plot(
            f"classes-{query_set}",
            query_set,
            f"{label} of every row on the queries of each class; rows are in order of {label}.",
            HeatMap(
                title=f"{book.folder.name}, {query_set}: {label} per class",
                rows=names,
                columns=classes,
                values=np.nan_to_num(matrix),
                subtitle=label,
            ),
        )
        return book.add(plot)
    best, whole = matrix.max(axis=0), np.nan_to_num(matrix.max(axis=0))
    order = np.argsort(whole, kind="stable")[:_SHOWN]
    cells = [
        [classes[index], share(best[index]), names[int(np.nanargmax(matrix[:, index]))]]
        for index in order
        if not np.isnan(best[index])
    ]
    head = f"The {len(cells)} hardest of {len(classes)} classes; all are in classes.csv.\n\n"
    return head + markdown(["class", f"best {label}", "by"], cells)


def _mistake_section(
    book: PlotBook, query_set: str, name: str, counts: Counter[tuple[str, str]]
) -> str:
    """The best row's confusion matrix as a picture, and its commonest mistakes as a table."""
    wrong = _wrong(counts)
    ordered = sorted(wrong, key=lambda pair: (-wrong[pair], pair))[:_SHOWN]
    total = sum(counts.values())
    text = f"\n{name}: the first image is wrong for {sum(wrong.values())} of {total} queries.\n"
    classes = sorted({label for label, _ in counts})
    if len(classes) <= _DRAWN:
        answers = sorted({answer for _, answer in counts} | set(classes))
        matrix = np.array([[counts[label, answer] for answer in answers] for label in classes])
        shares = matrix / matrix.sum(axis=1, keepdims=True)
        plot = Plot(
            f"mistakes-{query_set}",
            query_set,
            f"The class of the first image that {name}, the best row, finds, by class of the "
            "query: shares of the class's queries.",
            HeatMap(
                title=f"{book.folder.name}, {query_set}: what {name} puts first",
                rows=classes,
                columns=answers,
                values=shares,
                subtitle="share of queries; rows: class of the query",
            ),
        )
        text += f"\n{book.add(plot)}"
    if not ordered:
        return text
    cells = [[*pair, str(wrong[pair])] for pair in ordered]
    return text + "\n" + markdown(["class", "first image is", "queries"], cells)


def _hub_section(task: TaskResults, names: Sequence[str], gallery: Sequence[Listed]) -> str:
    found = {name: hubs(task.rankings[name], len(gallery)) for name in names}
    cells = []
    for name in names:
        top = found[name].found[:1]
        most = f"{gallery[top[0][0]].id} ({top[0][1]} queries)" if top else "–"
        cells.append([name, str(len(found[name].found)), f"{found[name].skewness:.1f}", most])
    limit = found[names[0]].limit
    text = f"\nHubs: images among the first {FIRST} of more than {limit} of "
    text += f"{len(task.queries)} queries.\n\n"
    return text + markdown(["extractor", "hubs", "skewness", "the largest"], cells)


def _mean(values: NDArray[np.float64]) -> float:
    scored = values[~np.isnan(values)]
    return float(scored.mean()) if len(scored) else float("nan")
