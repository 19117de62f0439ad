"""What rows could do together: the per-query oracle, and who solves what others do not."""

import numpy as np
from numpy.typing import NDArray

from retrieval.statistics import Pairs, Values


def oracle(values: Values) -> NDArray[np.float64]:
    """The best row's value of every query: an upper bound for choosing one row by query.

    Parameters
    ----------
    values : ndarray of float64, shape (n_queries, n_rows)
    """
    return values.max(axis=1)


def complementarity(values: Values, right: float = 1.0) -> Pairs:
    """Share of the queries that one row solves and another does not.

    Parameters
    ----------
    values : ndarray of float64, shape (n_queries, n_rows)
        Top-1, say.
    right : float
        From which value on a query is solved.

    Returns
    -------
    ndarray of float64, shape (n_rows, n_rows)
        Of the row against the column; 0 on the diagonal.
    """
    solved = values >= right
    return (solved[:, :, None] & ~solved[:, None, :]).mean(axis=0)
