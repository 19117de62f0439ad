"""What every row found for every query, small enough for a page to load in one piece."""

from collections.abc import Container, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.results import ImageEntry, Results, TaskResults
from benchmarks.report.site.thumbnails import thumbnail_name
from retrieval.ranking import Ranking

FIRST = 10
"""Neighbours that are shown of each query."""

WRONG, RIGHT, UNJUDGED = range(3)

_DIGITS = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))


def images_shown(results: Results) -> set[str]:
    """Content hashes of a dataset's queries and of the first ten of any row."""
    shown = {query.sha256 for task in results.tasks.values() for query in task.queries}
    for task in results.tasks.values():
        shown |= {results.gallery[place].sha256 for place in _places(task.rankings)}
    return shown


def found_data(
    task: TaskResults, gallery: Sequence[ImageEntry], thumbnails: Container[str]
) -> Json:
    """What a query set's explorer needs.

    Parameters
    ----------
    task : TaskResults
    gallery : sequence of ImageEntry
    thumbnails : container of str
        Content hashes of the pictures that have one.

    Returns
    -------
    dict
        ``images``, those that any row found, and ``queries``: each its id, class, confusion
        class (None if it is no confusion image) and thumbnail, queries also whether they
        have a right answer. ``rows``: row name to its neighbours, ten to a query, each written
        in ``width`` digits to the base of 64: 0 where the gallery is exhausted, else one more
        than three times the image's place in ``images`` plus `WRONG`, `RIGHT` or `UNJUDGED`.
    """
    places = _places(task.rankings)
    width = 1
    while 64**width < 3 * len(places) + 1:
        width += 1
    scored = next((ranking.relevant > 0 for ranking in task.rankings.values()), None)
    rows = {
        name: _codes(ranking, places, rightness(ranking, task.queries, gallery))
        for name, ranking in task.rankings.items()
    }
    return {
        "first": FIRST,
        "digits": "".join(_DIGITS),
        "width": width,
        "images": [_image(gallery[place], thumbnails) for place in places],
        "queries": [
            [*_image(query, thumbnails), bool(scored is not None and scored[number])]
            for number, query in enumerate(task.queries)
        ],
        "rows": {name: _written(codes, width) for name, codes in rows.items()},
    }


def rightness(
    ranking: Ranking, queries: Sequence[ImageEntry], gallery: Sequence[ImageEntry]
) -> NDArray[np.int64]:
    """Say of the first ten of each query whether they are right, shape (n_queries, 10).

    The ranking knows which places are relevant, whatever made them so. Only where relevant
    images are tied with others do the classes have to tell; a query without a class leaves
    those unjudged, as everything is for a query without a right answer.
    """
    made = np.full((ranking.n_queries, FIRST), WRONG)
    early = ranking.group_start < FIRST
    groups = np.stack(
        [ranking.group_query, ranking.group_start, ranking.group_size, ranking.group_relevant]
    )
    for query, start, size, relevant in groups[:, early].T.tolist():
        tied = slice(start, min(start + size, FIRST))
        if relevant == size:
            made[query, tied] = RIGHT
        elif queries[query].label is None:
            made[query, tied] = UNJUDGED
        else:
            label = queries[query].label
            nearest = ranking.neighbours[query, tied].tolist()
            made[query, start : start + len(nearest)] = [
                RIGHT if place >= 0 and gallery[place].label == label else WRONG
                for place in nearest
            ]
    made[ranking.relevant == 0] = UNJUDGED
    return made


def _places(rankings: Mapping[str, Ranking]) -> NDArray[np.int64]:
    """Gallery indices of all images among the first ten of any row, in order."""
    found = [ranking.neighbours[:, :FIRST].ravel() for ranking in rankings.values()]
    places = np.unique(np.concatenate([np.empty(0, np.int64), *found]))
    return places[places >= 0]


def _codes(
    ranking: Ranking, places: NDArray[np.int64], judged: NDArray[np.int64]
) -> NDArray[np.int64]:
    nearest = ranking.neighbours[:, :FIRST]
    codes = np.zeros((len(nearest), FIRST), np.int64)
    there = 1 + 3 * np.searchsorted(places, nearest) + judged[:, : nearest.shape[1]]
    codes[:, : nearest.shape[1]] = np.where(nearest < 0, 0, there)
    return codes


def _written(codes: NDArray[np.int64], width: int) -> str:
    powers = 64 ** np.arange(width)[::-1]
    return "".join(_DIGITS[codes[..., None] // powers % 64].ravel())


def _image(image: ImageEntry, thumbnails: Container[str]) -> list[str | None]:
    thumbnail = thumbnail_name(image.sha256) if image.sha256 in thumbnails else None
    return [image.id, image.label, image.distractor, thumbnail]
