"""Vectors and labels in arrays, as a dataset with a method."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.formats.vectors import VectorTable, require_each_once, require_vectors
from datasets.errors import InputError
from datasets.names import canonical
from datasets.task import Dataset, Image


def as_table(vectors: Any, what: str) -> VectorTable:
    """Take whatever a user calls vectors.

    Parameters
    ----------
    vectors : array_like, shape (n_images, n_dims)
        Of real numbers; a mapped array stays on disk.
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
    try:
        matrix = np.asarray(vectors.detach().cpu() if hasattr(vectors, "detach") else vectors)
    except ValueError as error:
        raise InputError(f"{what}: rows of different lengths; give vectors of one") from error
    if matrix.ndim == 2 and not len(matrix):
        raise InputError(f"{what}: no vectors in it")
    require_vectors(matrix, what)
    content = hashlib.sha256(repr(matrix.shape).encode())
    table = VectorTable("", Path(what), (), matrix)
    for block in table.blocks():
        content.update(np.ascontiguousarray(block).tobytes())
    return replace(table, sha256=content.hexdigest())


def array_dataset(
    name: str,
    labels: tuple[Iterable[Any], Iterable[Any]],
    sizes: tuple[int, int],
    ids: tuple[Iterable[Any] | None, Iterable[Any] | None],
    leave_one_out: bool,
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
    leave_one_out : bool
        Whether the queries are the gallery.

    Raises
    ------
    InputError
        If there are more or fewer labels or ids than vectors, or an id stands twice.
    """
    query = _images("query", labels[0], sizes[0], ids[0])
    gallery = _images("gallery", labels[1], sizes[1], ids[1])
    itself = {image.id: image for image in gallery} if None not in ids else {}
    if leave_one_out:
        itself = dict(zip((image.id for image in query), gallery, strict=True))
    asked = [
        replace(image, sha256=itself[image.id].sha256) if image.id in itself else image
        for image in query
    ]
    searched = {label for image in gallery for label in image.labels}
    if not any(image.labels & searched for image in query):
        raise InputError("no query has a label of the gallery, so that nothing could be scored")
    split = "leave-one-out: every image asks all others" if leave_one_out else "as it was given"
    return Dataset(name, Path(), (), tuple(gallery), {"query": tuple(asked)}, split=split)


def _images(part: str, labels: Iterable[Any], size: int, ids: Iterable[Any] | None) -> list[Image]:
    classes = [_labels(one) for one in labels]
    names = [str(row) for row in range(size)] if ids is None else [canonical(str(i)) for i in ids]
    for what, given in (("labels", classes), ("ids", names)):
        if len(given) != size:
            raise InputError(f"{part}_{what}: {len(given):,} for {size:,} vectors; give one each")
    require_each_once(names, f"{part}_ids")
    return [
        Image(name, Path(), f"{part}/{name}", found[0] if found else None, None, found[1:])
        for name, found in zip(names, classes, strict=True)
    ]


def _labels(label: Any) -> tuple[str, ...]:
    several = isinstance(label, Sequence | set | frozenset | np.ndarray)
    if several and not isinstance(label, str | bytes):
        return tuple(sorted({one for part in label for one in _labels(part)}))
    if hasattr(label, "item"):  # of NumPy, or a tensor of one number
        label = label.item()
    # What is not equal to itself is NaN, by which tables say that there is none.
    return () if label is None or label != label else (canonical(str(label)),)
