"""The contract of what describes pictures: a row of numbers for each, or its local features."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from benchmarks.formats.vectors import as_rows
from extractors.local_features.detector import LocalFeatures
from extractors.precision import single


def as_values(made: Any, count: int) -> Sequence[NDArray[np.float32] | LocalFeatures]:
    """Take what a step gave: local features, or a matrix.

    Parameters
    ----------
    made : object
        What ``transform`` returned.
    count : int
        Number of pictures that it was given.

    Raises
    ------
    ValueError
        If it is not one value for each picture.
    """
    if not hasattr(made, "__array__") and not scipy.sparse.issparse(made):
        made = list(made)
        if len(made) == count and all(isinstance(one, LocalFeatures) for one in made):
            return made
    return list(as_matrix(made, count))


def as_matrix(made: Any, count: int) -> NDArray[np.float32]:
    """Take anything that is a matrix of real numbers; parameters as of `as_values`.

    Raises
    ------
    ValueError
        If it is none, or has other than `count` rows.
    """
    rows = as_rows(as_array(made))
    if rows.ndim != 2 or len(rows) != count or not rows.shape[1] or rows.dtype.kind not in "fiub":
        raise ValueError(
            f"vectors are rows of numbers, one for each picture (here {count}); this is "
            f"{' x '.join(map(str, rows.shape)) or 'one value'} of {rows.dtype}"
        )
    return single(rows)


def as_array(made: Any) -> NDArray[Any]:
    """Take whatever holds numbers: lists, generators, sparse matrices, tensors, columns of rows.

    Raises
    ------
    ValueError
        If some are masked, or rows are of different lengths.
    """
    if scipy.sparse.issparse(made):
        made = made.toarray()
    if isinstance(made, Iterator):
        made = list(made)
    if hasattr(made, "detach"):  # of PyTorch
        made = made.detach().cpu()
    if np.ma.is_masked(made):
        raise ValueError("some numbers are masked; fill them")
    array = np.asarray(made)
    # Data frames hold rows in a column, and numbers that may be missing, as objects.
    return np.array(array.tolist()) if array.dtype.kind == "O" and array.ndim else array
