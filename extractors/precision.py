"""Single precision, in which all vectors are kept and compared."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SMALL = 1e-30
"""Smaller numbers lose digits, and at last all of them."""

_FEW = 4
"""Of fewer pictures, all may be alike."""

_NOISE = 1e-12
"""Rows that differ by this share of their largest number are equal but for rounding."""

_SAME = 1e-2
"""A vector may change by this share of its length from call to call: rounding does."""

_ROUNDED = (
    "vectors have digits that single precision (float32) does not hold; subtract their mean, or "
    "scale them to length 1, before"
)


def single(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Round rows to single precision; infinite where that does not reach.

    Parameters
    ----------
    rows : ndarray of numbers, shape (n, n_dims)
        A vector in each row.

    Raises
    ------
    ValueError
        If nothing would be left of a row's numbers, or of all differences of rows.
    """
    with np.errstate(over="ignore"):
        made = rows.astype(np.float32)
    is_sure = np.can_cast(rows.dtype, np.float32) or not rows.size or rows.ndim < 2
    if is_sure or not np.isfinite(made).all():
        return made
    largest = np.abs(rows).max(axis=1)
    if ((largest > 0) & (largest < _SMALL)).any():
        raise ValueError(_ROUNDED)
    if len(rows) >= _FEW and (made == made[0]).all():
        off = np.abs(rows[1:] - rows[0]).max(axis=1)
        if (off > _NOISE * largest[0]).all():
            raise ValueError(_ROUNDED)
    return made


def is_same(one: NDArray[np.floating], other: NDArray[np.floating]) -> bool:
    """Whether two vectors are of one picture, but for rounding."""
    if one.shape != other.shape or np.array_equal(one, other, equal_nan=True):
        return one.shape == other.shape
    return bool(np.linalg.norm(one - other) <= _SAME * np.linalg.norm(other))
