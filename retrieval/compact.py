"""The arrays of a ranking in few bytes, and back: small integers, distances between places.

What is left out are neighbours behind the tenth, and levels of distractors: several parts become
one. Every metric of the whole gallery, and of the levels that stay, comes out the same.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 10
"""Neighbours that are kept."""

_PARTS = (5, 5)
"""Parts of distractors that become one: the levels none, half and all of them stay."""

_BY_QUERY = ("candidates", "relevant", "distractors")
_BY_GROUP = ("group_size", "group_relevant", "distractors_before", "distractors_tied")
_OF_PARTS = ("distractors", "distractors_before", "distractors_tied")
NAMES = ("neighbours", "groups", "group_before", *_BY_QUERY, *_BY_GROUP)
"""Arrays of the compact form; ``grades`` is a further one where relevant images have grades."""

Arrays = Mapping[str, NDArray[Any]]


def to_compact(arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Compact the arrays of a ranking.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Fields of `retrieval.ranking.Ranking`.

    Returns
    -------
    dict of str to ndarray
        ``groups``, the number of tie groups of each query, and ``group_before``, the images that
        stand between the query's tie group before a group, or the top, and the group, but for
        the distractors; the others are fields of a ranking. Integers are of the smallest type.
    """
    made = {name: arrays[name] for name in (*_BY_QUERY, *_BY_GROUP)}
    for name in _OF_PARTS:
        made[name] = _merged(arrays[name])
    query, size = arrays["group_query"], arrays["group_size"]
    behind = np.cumsum(_gaps(arrays["group_start"], query, size), dtype=np.int64)
    made["group_before"] = np.diff(behind, prepend=0) - made["distractors_before"].sum(axis=1)
    made["groups"] = np.bincount(query, minlength=len(arrays["candidates"]))
    made["neighbours"] = arrays["neighbours"][:, :NEIGHBOURS]
    small = {name: _smallest(array) for name, array in made.items()}
    grades = arrays["grades"]
    return small | ({"grades": grades} if len(grades) else {})


def from_compact(stored: Arrays) -> dict[str, NDArray[Any]]:
    """Restore the fields of a ranking from its compact form.

    Parameters
    ----------
    stored : mapping of str to ndarray
        What `to_compact` has made, or a stranger.

    Raises
    ------
    ValueError
        If they do not fit together.
    """
    _require_integers(stored)
    queries, groups = len(stored["candidates"]), stored["groups"].astype(np.int64)
    _require(groups.shape == (queries,), "tie groups are not counted by query")
    total = int(groups.sum())
    for names, count in ((_BY_QUERY, queries), ((*_BY_GROUP, "group_before"), total)):
        for name in names:
            dimensions = 2 if name in _OF_PARTS else 1
            fits = stored[name].ndim == dimensions and len(stored[name]) == count
            _require(fits, f"{name} has another shape")
    _require(len({stored[name].shape[1] for name in _OF_PARTS}) == 1, "parts differ in number")
    nearest = stored["neighbours"]
    _require(nearest.ndim == 2 and len(nearest) == queries, "neighbours has another shape")
    query = np.repeat(np.arange(queries), groups)
    size = stored["group_size"].astype(np.int64)
    gaps = stored["group_before"].astype(np.int64) + stored["distractors_before"].sum(axis=1)
    ends = np.cumsum(gaps + size)
    first = np.searchsorted(query, query)  # the query's first group
    start = ends - size - (ends - gaps - size)[first]
    _require((start + size <= stored["candidates"][query]).all(), "groups are behind all images")
    found = {name: stored[name] for name in ("neighbours", *_BY_QUERY, *_BY_GROUP)}
    made = {name: array.astype(np.int32) for name, array in found.items()}
    made |= {"group_query": query.astype(np.int32), "group_start": start.astype(np.int32)}
    grades = stored.get("grades", np.empty(0))
    fits = grades.dtype == np.float64 and grades.shape in ((0,), (made["group_relevant"].sum(),))
    _require(fits, "its grades are not those of its relevant images")
    return made | {"grades": grades}


def _gaps(start: NDArray[Any], query: NDArray[Any], size: NDArray[Any]) -> NDArray[np.int64]:
    """Images between each tie group and the one before it, or the top of the ranking."""
    ends = np.concatenate([[0], (start + size)[:-1]])[: len(start)]
    is_first = np.diff(query, prepend=-1) > 0
    return np.asarray(start - np.where(is_first, 0, ends), np.int64)


def _merged(parts: NDArray[Any]) -> NDArray[Any]:
    """Add up the parts that become one; where there are other numbers of parts, all stay."""
    if parts.shape[1] != sum(_PARTS):
        return parts
    places = np.cumsum((0, *_PARTS[:-1]))
    return np.add.reduceat(parts, places, axis=1)


def _smallest(array: NDArray[Any]) -> NDArray[Any]:
    ends = (array.min(initial=0), array.max(initial=0))
    return array.astype(np.result_type(*map(np.min_scalar_type, ends)))


def _require_integers(stored: Arrays) -> None:
    for name in NAMES:
        array = stored[name]
        _require(array.dtype.kind in "iu", f"{name} is of another type")
        least = -1 if name == "neighbours" else 0
        inside = array.min(initial=0) >= least and array.max(initial=0) <= np.iinfo(np.int32).max
        _require(bool(inside), f"{name} has numbers that cannot be")


def _require(holds: bool, complaint: str) -> None:
    if not holds:
        raise ValueError(complaint)
