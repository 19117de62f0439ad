"""The exact nearest neighbours of one query in a very large gallery, in one pass over it."""

import numpy as np
from numpy.typing import NDArray

from retrieval.knn import Cells, distances, first, normalise


def lengths(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Euclidean length of each row, kept beside a gallery so that a search need not find it."""
    rows = np.asarray(vectors, np.float64)
    return np.sqrt(np.einsum("ij,ij->i", rows, rows)).astype(np.float32)


def nearest_of_many(
    query: NDArray[np.floating],
    gallery: NDArray[np.floating],
    gallery_lengths: NDArray[np.float32],
    k: int,
) -> tuple[NDArray[np.intp], Cells]:
    """Find what `retrieval.knn.nearest` finds, by a look at all and a close look at few.

    A product in single precision tells which vectors could be among the nearest, with its worst
    rounding allowed for; only those are compared exactly.

    Parameters
    ----------
    query : ndarray of float32, shape (1, n_dims)
    gallery : ndarray of float32, shape (n_gallery, n_dims)
        May be mapped from a file.
    gallery_lengths : ndarray of float32, shape (n_gallery,)
        See `lengths`.
    k : int
        Neighbours wanted, at least 1.

    Returns
    -------
    indices : ndarray of intp, shape (min(k, n_gallery),)
        By distance, then by index.
    cells : ndarray of int32, same shape
        Squared distances, see `retrieval.knn.Block`.

    References
    ----------
    N. J. Higham (2002), Accuracy and Stability of Numerical Algorithms, SIAM, section 3.1,
    doi:10.1137/1.9780898718027
    """
    unit = normalise(query)[0].astype(np.float32)
    products = gallery @ unit
    found = np.divide(
        products, gallery_lengths, out=np.zeros_like(products), where=gallery_lengths > 0
    )
    near = np.arange(len(found))
    if k < len(found):
        # An inner product of unit vectors is off by at most about n_dims half units of rounding,
        # on either side of the comparison; a few more for the divisions and the cells' grid.
        margin = (query.shape[1] + 16) * float(np.finfo(np.float32).eps)
        limit = np.partition(found, len(found) - k)[len(found) - k] - margin
        near = np.flatnonzero(found >= limit)
    (block,) = distances(query, np.asarray(gallery[near]))
    order = first(block.cells[0], k)
    return near[order], block.cells[0][order]
