"""The nearest images of every query by every method, as the page's explorer loads them."""

import base64
from collections.abc import Container, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.results import ImageEntry, Results, TaskResults
from benchmarks.report.site.thumbnails import thumbnail_name
from retrieval.ranking import Ranking

FIRST = 10
"""Neighbours of a query that are shown."""

WRONG, RIGHT, UNJUDGED = range(3)


def images_shown(results: Results) -> set[str]:
    """Content hashes of a dataset's queries and of their first neighbours by any method."""
    shown = {query for task in results.tasks.values() for query in task.queries}
    for task in results.tasks.values():
        shown |= {results.gallery[place] for place in _places(task.rankings)}
    return {image.sha256 for image in shown if image.has_file}


def neighbour_data(
    task: TaskResults, gallery: Sequence[ImageEntry], thumbnails: Container[str]
) -> Json:
    """Collect what the explorer shows of a query set.

    Parameters
    ----------
    task : TaskResults
        With the rankings of its methods.
    gallery : sequence of ImageEntry
        Images that the rankings number.
    thumbnails : container of str
        Content hashes of the pictures that have one.

    Returns
    -------
    dict
        ``images``, those that any method finds, and ``queries``: of each its id, class,
        distractor class (None if it is no distractor) and thumbnail, of queries also whether
        they have a right answer. ``neighbours``: method to an array of shape (n_queries,
        ``first``), little-endian in base 64, ``bytes`` a number: 0 where the gallery is exhausted,
        else one more than three times the image's place in ``images`` plus `WRONG`, `RIGHT` or
        `UNJUDGED`.
    """
    places = _places(task.rankings)
    size = 2 if 3 * len(places) < 2**16 else 4
    scored = next((ranking.relevant > 0 for ranking in task.rankings.values()), None)
    codes = {
        name: _codes(ranking, places, rightness(ranking, task.queries, gallery))
        for name, ranking in task.rankings.items()
    }
    return {
        "first": FIRST,
        "bytes": size,
        "images": [_image(gallery[place], thumbnails) for place in places],
        "queries": [
            [*_image(query, thumbnails), bool(scored is not None and scored[number])]
            for number, query in enumerate(task.queries)
        ],
        "neighbours": {
            name: base64.b64encode(found.astype(f"<u{size}").tobytes()).decode()
            for name, found in codes.items()
        },
    }


def rightness(
    ranking: Ranking, queries: Sequence[ImageEntry], gallery: Sequence[ImageEntry]
) -> NDArray[np.int64]:
    """Say of the first neighbours of each query whether they are right.

    The ranking knows which places are relevant, whatever made them so. Only where relevant
    images are tied with others do the classes have to tell; a query without a class leaves
    those unjudged, as everything is for a query without a right answer.

    Returns
    -------
    ndarray of int64, shape (n_queries, 10)
        `WRONG`, `RIGHT` or `UNJUDGED`.
    """
    made = np.full((ranking.n_queries, FIRST), WRONG)
    early = ranking.group_start < FIRST
    groups = np.stack(
        [ranking.group_query, ranking.group_start, ranking.group_size, ranking.group_relevant]
    )
    for query, start, size, relevant in groups[:, early].T.tolist():
        labels = queries[query].labels
        for place in range(start, min(start + size, FIRST)):
            image = gallery[ranking.neighbours[query, place]]
            if relevant == size:
                made[query, place] = RIGHT
            elif not labels:
                made[query, place] = UNJUDGED
            elif image.labels & labels:
                made[query, place] = RIGHT
    made[ranking.relevant == 0] = UNJUDGED
    return made


def _places(rankings: Mapping[str, Ranking]) -> NDArray[np.int64]:
    """Gallery indices of all images among the first neighbours by any method, in order."""
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


def _image(image: ImageEntry, thumbnails: Container[str]) -> list[str | None]:
    thumbnail = thumbnail_name(image.sha256) if image.sha256 in thumbnails else None
    return [image.id, image.label, image.distractor, thumbnail]
