"""Sanity checks, made in every run.

- Vectors differ by more than single precision rounds, right images from wrong ones by more
  than distances do.
- Constant features score exactly chance.
- A gallery in another order gives the same scores.
- Right answers dealt out at random score about chance, whatever the features.

A method for which one does not hold is recorded as failed: its numbers would mean nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.vectors import ROUNDED
from retrieval.knn import GRID, Block, GridDistances, grid_distances
from retrieval.metrics import METRICS, chance, mean_scores
from retrieval.protocol import Judgement, Judgements
from retrieval.ranking import summarise
from retrieval.rows import Rows, normalise, pick
from retrieval.search import Search, Vectors

_ASKED = 20
"""Queries that a method is checked with; enough to see what goes wrong for all."""

_DEALS = 30
"""Times that right answers are dealt out anew."""

_ROUNDING, _EQUAL = 1e-6, 1e-12
"""Vectors of length 1 that differ by no more are told apart by rounding alone; are equal."""

_STEPS = 16
"""Steps of the grid of squared distances within which images are mostly tied."""

_BLURRED = (_STEPS * GRID) ** 0.5
"""Vectors of length 1 that differ by no more are within these steps."""

_BLOCK = 64
"""Vectors looked at at a time: the first tell enough, as a rule."""

_LOOKED_AT = 64
"""Vectors so near to a query that are compared with it, at most."""

_FALSE_ALARM = 1e-9
"""Probability that a sound search does not pass, per metric."""

_TOO_NEAR = (
    "vectors that all but point in one direction, in which the search does not tell right images "
    "from wrong ones; subtract their mean, or scale their dimensions, before"
)

Scores = dict[str, float | None]


class SanityError(RuntimeError):
    """A sanity check does not hold."""


def check_protocol(judgements: Judgements) -> None:
    """Constant features must score chance.

    Raises
    ------
    SanityError
        If they do not.
    """
    searched = np.ones((judgements.n_gallery, 2), np.float32)
    asked = np.ones((len(judgements.of), 2), np.float32)
    found = mean_scores(summarise(grid_distances(asked, searched), judgements))
    _require_equal(found, chance(judgements), "constant features do not score chance")


def check_precision(extractor: str, vectors: Iterable[NDArray[np.float32]]) -> None:
    """Vectors must differ by more than single precision rounds, or not at all.

    Parameters
    ----------
    extractor : str
        For the message.
    vectors : iterable of ndarray of float32, shape (n, n_dims)
        As it made them; no more are read than are needed.

    Raises
    ------
    SanityError
        If all differences are rounding's.
    """
    if _EQUAL < _spread(vectors, _ROUNDING) <= _ROUNDING:
        raise SanityError(f"{extractor}: {ROUNDED}")


def _spread(vectors: Iterable[NDArray[np.floating]], enough: float) -> float:
    """Largest distance from the first, of vectors scaled to length 1, or one that is enough."""
    first, widest = None, 0.0
    for block in vectors:
        rows = normalise(block)
        rows = rows[rows.any(axis=1)]
        if len(rows):
            first = rows[0] if first is None else first
            widest = max(widest, float(np.linalg.norm(rows - first, axis=1).max()))
        if widest > enough:
            break
    return widest


def check_search(
    method: str,
    search: Search,
    queries: Vectors,
    gallery: Vectors,
    judgements: Judgements,
) -> None:
    """Vectors must be told apart, order not matter, and shuffled answers score chance.

    Parameters
    ----------
    method : str
        For the message.
    search : Search
        How the method searches.
    queries, gallery : sequence of Rows
        The method's vectors.
    judgements : Judgements
        Of these queries.

    Raises
    ------
    SanityError
        If one does not hold.
    """
    for matrix in gallery:
        starts = range(0, matrix.shape[0], _BLOCK)
        if _EQUAL < _spread((matrix[at : at + _BLOCK] for at in starts), _BLURRED) <= _BLURRED:
            raise SanityError(f"{method}: {_TOO_NEAR}")
    few = [i for i, judged in enumerate(judgements.of) if len(judged.positive)][:_ASKED]
    if not few:
        return
    asked = [np.stack([part[i : i + 1][0] for i in few]) for part in queries]
    part = replace(judgements, of=tuple(judgements.of[i] for i in few), levels=())
    for some, matrix in zip(asked, gallery, strict=True):
        rows = (row for block in grid_distances(some, matrix) for row in block.distances)
        looked = zip(some, rows, part.of, strict=True)
        if 2 * sum(_is_blurred(*one, matrix) for one in looked) > len(few):
            raise SanityError(f"{method}: {_TOO_NEAR}")
    rng = np.random.default_rng(0)
    blocks = list(search(asked, gallery, part))
    straight = mean_scores(summarise(blocks, part))
    order = rng.permutation(judgements.n_gallery)
    place = np.argsort(order)
    moved = tuple(
        Judgement(np.sort(place[one.positive]), np.sort(place[one.excluded])) for one in part.of
    )
    permuted = [np.asarray(one[:])[order] for one in gallery]
    elsewhere = replace(part, of=moved)
    found = mean_scores(summarise(search(asked, permuted, elsewhere), elsewhere))
    _require_equal(found, straight, f"{method}: a gallery in another order gives other scores")
    _require_chance(method, blocks, part, rng)


def _is_blurred(
    query: NDArray[np.floating], distances: GridDistances, judged: Judgement, gallery: Rows
) -> bool:
    """Whether right and wrong images are as good as tied with a query that they differ from."""
    near = distances <= _STEPS
    near[judged.excluded] = False
    is_right = np.isin(np.flatnonzero(near), judged.positive)
    if not 0 < is_right.sum() < len(is_right):
        return False
    places = np.flatnonzero(near)[:_LOOKED_AT]
    apart = normalise(pick(gallery, places)) - normalise(query[None])
    return bool((np.linalg.norm(apart, axis=1) > _EQUAL).any())


def _require_chance(
    method: str,
    blocks: Sequence[Block],
    judgements: Judgements,
    rng: np.random.Generator,
) -> None:
    asked = len(judgements.of)
    dealt = [
        _dealt(one, judgements.n_gallery, rng) for _ in range(_DEALS) for one in judgements.of
    ]
    again = [Block(deal * asked + at, row) for deal in range(_DEALS) for at, row in blocks]
    scores = mean_scores(summarise(again, replace(judgements, of=tuple(dealt))))
    expected = chance(judgements)
    for name, metric in METRICS.items():
        mean, wanted = scores[name], expected[name]
        assert mean is not None, "queries without an answer were left out"
        assert wanted is not None, "there are queries"
        off = abs(mean - wanted) / metric.best
        if off > _allowed(wanted / metric.best, len(dealt)):
            raise SanityError(
                f"{method}: answers dealt out at random score {mean:.4f} in {name}, chance "
                f"is {wanted:.4f}; scores leak from somewhere"
            )


def _allowed(expected: float, count: int) -> float:
    """Give how far the mean of `count` values of 0 to 1 may be from expectation (Bernstein)."""
    unit = np.log(2 / _FALSE_ALARM) / count
    # No values of 0 to 1 with this mean vary more.
    variance = expected * (1 - expected)
    return float(unit / 3 + np.sqrt((unit / 3) ** 2 + 2 * variance * unit))


def _dealt(judged: Judgement, n_gallery: int, rng: np.random.Generator) -> Judgement:
    """As many right answers as before, anywhere among the images that take part."""
    allowed = np.delete(np.arange(n_gallery), judged.excluded)
    return replace(judged, positive=np.sort(rng.choice(allowed, len(judged.positive), False)))


def _require_equal(found: Scores, wanted: Scores, what: str) -> None:
    for name in METRICS:
        one, other = found[name], wanted[name]
        if one is not None and other is not None and abs(one - other) > 1e-9:
            raise SanityError(f"{what}: {one} instead of {other} in {name}")
