"""Vectors in arrays, and the dataset of the images that they are of."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from benchmarks.evaluation.array_labels import doubts_about_classes, labelled_images
from benchmarks.formats.columns import kind_of, require_features, require_fractions
from benchmarks.formats.vectors import VectorTable, as_rows, require_vectors
from benchmarks.pipeline.extraction.contract import as_array
from benchmarks.pipeline.loading.queries import check_queries
from datasets.errors import InputError
from datasets.names import misspelt, near_misses
from datasets.source import require_dataset_name
from datasets.task import Dataset
from retrieval.ranking import Ranking

SAME = 1e-3
"""Two vectors of one image may differ by this share of their length: one was rounded."""


def as_table(vectors: Any, what: str) -> VectorTable:
    """Take whatever a user calls vectors.

    Parameters
    ----------
    vectors : array_like, shape (n_images, n_dims)
        Of real numbers, or a sparse matrix; a column of rows, alone in a data frame or not in
        one; a mapped array stays on disk.
    what : str
        Its name, for messages.

    Returns
    -------
    VectorTable
        Without ids.

    Raises
    ------
    InputError
        If it is no matrix of finite numbers.
    """
    if np.ma.is_masked(vectors):
        raise InputError(f"{what}: some numbers are masked; fill them, or leave their rows out")
    if hasattr(vectors, "collect"):
        raise InputError(f"{what}: a {type(vectors).__name__} is not computed; give .collect()")
    names = column_names(vectors)
    columns = [_as_array(vectors[name], what) for name in names]
    if len(columns) == 1 and columns[0].ndim > 1:
        matrix = columns[0]
    else:
        if columns:
            _require_features(columns, names, what)
        matrix = _as_array(vectors, what)
    matrix = as_rows(matrix)
    _require_numbers(matrix, what)
    if matrix.ndim == 2 and not len(matrix):
        raise InputError(f"{what}: no vectors in it")
    require_vectors(matrix, what)
    require_fractions(what, matrix)
    content = hashlib.sha256(repr(matrix.shape).encode())
    table = VectorTable("", Path(what), (), matrix)
    for block in table.blocks():
        content.update(np.ascontiguousarray(block).tobytes())
    return replace(table, sha256=content.hexdigest())


def column_names(vectors: Any) -> list[Any]:
    """Names of the columns of a data frame, or of a table of Arrow; none of anything else."""
    if hasattr(vectors, "dtypes") and hasattr(vectors, "columns"):
        return list(vectors.columns)
    return list(getattr(getattr(vectors, "schema", None), "names", ()))


def _as_array(vectors: Any, what: str) -> NDArray[Any]:
    try:
        return as_array(vectors)
    except ValueError as error:
        raise InputError(f"{what}: rows of different lengths; give vectors of one") from error
    except TypeError as error:  # of PyTorch, in bfloat16
        raise InputError(f"{what}: no array of numbers ({error}); give one of float32") from error


def _require_numbers(matrix: NDArray[Any], what: str) -> None:
    """Refuse objects, by the first that is no number, and numbers that NumPy does not know."""
    if matrix.dtype.kind == "V" and not matrix.dtype.names:
        raise InputError(f"{what}: numbers of {matrix.dtype}; give .astype('float32')")
    if matrix.dtype.kind == "O":
        for value in matrix.flat:
            if not isinstance(value, Real):
                named = " ".join(repr(value).split())
                raise InputError(
                    f"{what}: {named:.50} is no number; give numbers, and leave rows out where "
                    "some are missing"
                )


def _require_features(columns: Sequence[NDArray[Any]], names: Sequence[Any], what: str) -> None:
    """Require that no column of a data frame is a label, an id or an index."""
    kinds = [
        "lists"
        if column.ndim > 1 and names.count(name) == 1  # pandas gives all of one name together
        else {"f": "float", "b": "bool"}.get(column.dtype.kind)
        or (kind_of(column, whole=True) if column.dtype.kind in "iu" else str(column.dtype))
        for name, column in zip(names, columns, strict=True)
    ]
    ids = f"go into {what.partition('_')[0]}_ids"
    require_features(what, [str(name) for name in names], kinds, ids)


def array_dataset(
    name: str,
    labels: tuple[Iterable[Any], Iterable[Any]],
    sizes: tuple[int, int],
    ids: tuple[Iterable[Any] | None, Iterable[Any] | None],
    leave_one_out: bool | None,
) -> Dataset:
    """Make a dataset of images of which nothing but labels and ids is known.

    Parameters
    ----------
    name : str
        Of the dataset.
    labels : tuple of two iterables
        Of queries and gallery; a list or set is several labels, None is none.
    sizes : tuple of two ints
        Numbers of vectors.
    ids : tuple of two iterables or None
        Names; an image of the gallery with the query's id is the query itself.
    leave_one_out : bool, optional
        Whether the queries are the gallery; False if they are to find themselves.

    Raises
    ------
    InputError
        If there are more or fewer labels or ids than vectors, an id stands twice, or an image
        has other labels as a query than in the gallery.
    """
    require_dataset_name(name, "choose another in dataset=")
    query = labelled_images("query", labels[0], sizes[0], ids[0])
    gallery = labelled_images("gallery", labels[1], sizes[1], ids[1])
    named = ids[0] is not None and ids[1] is not None
    itself = {image.id: image for image in gallery} if named else {}
    if leave_one_out is False and (met := [one.id for one in query if one.id in itself]):
        raise InputError(
            f"leave_one_out=False lets queries find themselves, but {met[0]!r} stands in "
            "query_ids and gallery_ids, by which it is left out; leave out one of them"
        )
    if leave_one_out:
        if named and [one.id for one in query] != [one.id for one in gallery]:
            raise InputError(
                "leave_one_out: query_ids are not gallery_ids row by row; give the same for both"
            )
        itself = dict(zip((image.id for image in query), gallery, strict=True))
    asked = [
        replace(image, sha256=itself[image.id].sha256) if image.id in itself else image
        for image in query
    ]
    for image in query:
        if image.id in itself and itself[image.id].labels != image.labels:
            raise InputError(
                f"query_labels: {image.id!r} has other labels as a query than in the gallery, "
                "where it is the same image; give the same for both, or ids that tell them apart"
            )
    searched = {label for image in gallery for label in image.labels}
    labelled = searched.union(*(image.labels for image in query))
    _require_one_spelling(labelled)
    if not any(image.labels & searched for image in query):
        wanted = {label for image in query for label in image.labels}
        raise InputError(
            "no query has a label of the gallery, so that nothing could be scored; query_labels "
            f"are {_some(wanted)}, gallery_labels {_some(searched)}; write equal ones alike"
        )
    split = "leave-one-out: every image asks all others" if leave_one_out else "as it was given"
    warnings = doubts_about_classes(query, gallery)
    queries = {"query": tuple(asked)}
    return check_queries(
        Dataset(name, Path(), (), tuple(gallery), queries, split=split, warnings=tuple(warnings))
    )


def require_one_order(vectors: Any, part: str, labels: Any, ids: Any) -> None:
    """Require the rows of objects of pandas to stand in one order, where all name them.

    Raises
    ------
    InputError
        If they have the same names in another order.
    """
    for what, others in (("labels", labels), ("ids", ids)):
        if not (hasattr(vectors, "iloc") and hasattr(others, "iloc")):
            continue
        rows, other = list(vectors.index), list(others.index)
        if rows != other and len(rows) == len(other) and set(rows) == set(other):
            raise InputError(
                f"{part}_{what}: its index is that of the vectors in another order; give one "
                "order, as by .loc[vectors.index]"
            )


def require_others(queries: VectorTable, gallery: VectorTable, ranking: Ranking) -> str:
    """Require that queries do not find themselves.

    Parameters
    ----------
    queries, gallery : VectorTable
        The vectors.
    ranking : Ranking
        Its result. A query that ids leave out in the gallery finds others only.

    Raises
    ------
    InputError
        If most queries' vectors stand in the gallery, each a single time.

    Returns
    -------
    str
        Words of warning if some do; empty if none does.
    """
    alone = 0
    for row in np.flatnonzero(ranking.candidates == gallery.shape[0]).tolist():
        first = ranking.neighbours[row, :2]
        there = first[first >= 0].tolist()
        same = cdist(queries[row : row + 1], gallery[there], "cosine") < SAME**2 / 2
        alone += same.sum() == 1
    if 2 * alone > ranking.n_queries:
        raise InputError(
            f"{alone:,} of {ranking.n_queries:,} queries have the vector of one image of the "
            "gallery, as if each found itself: query_ids and gallery_ids that are equal for one "
            "image leave it out; leave_one_out=False says that these are other images"
        )
    return f"{alone:,} queries have the vector of one image of the gallery" if alone else ""


def require_one_name(data: Dataset, queries: VectorTable, gallery: VectorTable) -> list[str]:
    """Require that an image does not stand in queries and gallery by two spellings of its id.

    Raises
    ------
    InputError
        If the ids of two equal vectors differ in case, slashes, folders or an ending only.

    Returns
    -------
    list of str
        A warning if the ids of most queries do, whatever their vectors.
    """
    places = {image.id: row for row, image in enumerate(data.gallery)}
    rows = {image.id: row for row, image in enumerate(data.queries["query"])}
    alike = misspelt(rows, places)
    for name, other in sorted(alike.items()):
        pair = queries[rows[name] : rows[name] + 1], gallery[places[other] : places[other] + 1]
        if cdist(*pair, "cosine") < SAME**2 / 2:
            raise InputError(
                f"query_ids: {name!r} has the vector of {other!r} of gallery_ids, as if both were "
                "one image; write its id alike, so that it does not find itself"
            )
    if 2 * len(alike) <= len(rows):
        return []
    name, other = min(alike.items())
    return [
        f"query_ids are gallery_ids in another spelling, as {name!r} is {other!r}: if they name "
        "the same images, each finds itself; write them alike"
    ]


def _require_one_spelling(labels: set[str]) -> None:
    for name, other in sorted(near_misses(labels, labels).items()):
        raise InputError(
            f"query_labels, gallery_labels: {name!r} and {other!r} differ in case or form only; "
            "write one class alike, and tell two apart by more"
        )


def _some(labels: set[str]) -> str:
    """The first labels of a side, in words."""
    return f"{', '.join(map(repr, sorted(labels)[:3]))}{', …' * (len(labels) > 3)}" or "none"
