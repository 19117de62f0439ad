"""Relevance feedback: a query moves towards what was right and away from what was wrong."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.rows import normalise, pick
from retrieval.search import Vectors

TOWARDS = 0.75
AWAY = 0.15


def rocchio(
    query: Vectors, gallery: Vectors, right: Sequence[int], wrong: Sequence[int]
) -> list[NDArray[np.float32]]:
    """Move a query's vectors by what a searcher says of some images, in each space by itself.

    Vectors are normalised first. The query counts 1, the mean of the right images `TOWARDS`, that
    of the wrong ones `AWAY` with its sign turned.

    Parameters
    ----------
    query : sequence of Rows
        A matrix of one row of each extractor.
    gallery : sequence of Rows
        The gallery's vectors by the same extractors.
    right, wrong : sequence of int
        Indices of gallery images.

    Returns
    -------
    list of ndarray of float32, shape (1, n_dims)

    References
    ----------
    J. J. Rocchio (1971), Relevance feedback in information retrieval, in G. Salton (ed.), The
    SMART retrieval system, 313-323; the weights are those of C. D. Manning, P. Raghavan,
    H. Schütze (2008), Introduction to information retrieval, 9.1.1, doi:10.1017/CBO9780511809071
    """
    made = []
    for matrix, searched in zip(query, gallery, strict=True):
        moved = normalise(matrix[:1])
        for indices, weight in ((right, TOWARDS), (wrong, -AWAY)):
            if len(indices):
                chosen = pick(searched, np.asarray(indices, np.intp))
                moved += weight * normalise(chosen).mean(axis=0, keepdims=True)
        made.append(moved.astype(np.float32))
    return made
