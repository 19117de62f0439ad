"""Matrices of vectors, read block by block and scaled to length 1."""

import mmap
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

_IN_CACHE = 2**15
"""Values that stay in a core's cache while they are scaled (256 KiB)."""


class Rows(Protocol):
    """A matrix that can be read block by block: an array, or one that stays on disk."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows and of columns."""

    def __getitem__(self, rows: slice, /) -> NDArray[np.floating]:
        """Give some rows as an array."""


def normalise(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Scale each row of a float32 matrix to Euclidean length 1; a zero row stays zero.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, n_dims)
        A vector in each row.

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    return scale(vectors)[0]


def scale(vectors: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scale rows as `normalise` does; also gives what each was divided by, its length or 1."""
    rows = np.empty(vectors.shape, np.float64)  # squares of float32 values do not overflow there
    divisors = np.ones(len(rows))
    for place in parts(len(rows), _IN_CACHE // max(1, rows[:1].size)):
        part = rows[place]
        part[:] = vectors[place]
        length = np.sqrt(np.einsum("ij,ij->i", part, part))
        if not np.isfinite(length).all():
            raise ValueError("vectors must be finite")
        divisors[place][length > 0] = length[length > 0]
        part /= divisors[place][:, None]
    return rows, divisors


def parts(count: int, size: int) -> list[slice]:
    """Cut rows into parts, of two rows at least: the sum of a single one is rounded otherwise.

    Parameters
    ----------
    count : int
        Number of rows.
    size : int
        Rows of a part; the last may have one more.
    """
    size = max(2, size)
    starts = range(0, max(1, count - 1), size)
    return [slice(at, at + size if count - at - size > 1 else count) for at in starts]


def number_within(groups: NDArray[np.integer]) -> NDArray[np.intp]:
    """Number the members of each group from 0.

    Parameters
    ----------
    groups : ndarray of int, shape (n,)
        The group of each member, in order of the groups.
    """
    return np.arange(len(groups)) - np.searchsorted(groups, groups)


def lengths(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute the Euclidean length of each row, to be kept beside a gallery.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, n_dims)
        A vector in each row.
    """
    rows = np.asarray(vectors, np.float64)
    return np.sqrt(np.einsum("ij,ij->i", rows, rows)).astype(np.float32)


def release(block: NDArray[np.floating]) -> None:
    """Give back the memory of rows that are mapped from a file and have been read.

    The system keeps them in its cache as long as it has room, but they no longer count as this
    process's own. Rows that are not mapped stay as they are.

    Parameters
    ----------
    block : ndarray, shape (n, n_dims)
        Consecutive rows of a matrix.
    """
    owner: Any = block
    # What NumPy computes of a mapped array is of its type, and not mapped.
    while isinstance(owner, np.ndarray) and getattr(owner, "_mmap", None) is None:
        owner = owner.base
    # Pages of a private mapping may have been written to; they would be lost.
    if not isinstance(owner, np.memmap) or owner.mode == "c" or not hasattr(mmap, "MADV_DONTNEED"):
        return
    mapped: mmap.mmap = owner._mmap  # type: ignore[attr-defined]  # NumPy offers no other way
    first = np.frombuffer(mapped, np.uint8).ctypes.data
    start = (block.ctypes.data - first) // mmap.PAGESIZE * mmap.PAGESIZE
    mapped.madvise(mmap.MADV_DONTNEED, start, block.ctypes.data + block.nbytes - first - start)


def pick(
    rows: Rows, indices: NDArray[np.intp], columns: slice = slice(None)
) -> NDArray[np.floating]:
    """Read single rows.

    Parameters
    ----------
    rows : Rows
        The matrix.
    indices : ndarray of intp
        Their numbers, in any order.
    columns : slice
        Columns that are wanted.
    """
    if isinstance(rows, np.ndarray):
        return rows[indices, columns]
    picked = [rows[index : index + 1][:, columns] for index in indices.tolist()]
    return np.concatenate(picked or [np.empty((0, rows.shape[1]), np.float32)[:, columns]])
