"""The curve of precision over recall."""

import numpy as np
from numpy.typing import NDArray

from retrieval.ranking import Ranking

LEVELS = np.linspace(0, 1, 11)
"""Recalls that the curve is given at, as by trec_eval (``iprec_at_recall``)."""

_ROUNDING = 1e-9


def precision_at_recall(ranking: Ranking) -> NDArray[np.float64]:
    """Interpolated precision of every query: the highest at any depth with at least that recall.

    Where images tie, the number of relevant images down to a depth is the mean over all their
    orders. So constant features have the precision of chance, the share of relevant images, at
    every recall.

    Parameters
    ----------
    ranking : Ranking
        A search's result.

    Returns
    -------
    ndarray of float64, shape (n_queries, len(LEVELS))
        At the recalls of `LEVELS`; NaN for a query without relevant images.

    References
    ----------
    C. D. Manning, P. Raghavan, H. Schütze (2008), Introduction to Information Retrieval,
    Cambridge University Press, chapter 8.4, doi:10.1017/CBO9780511809071
    """
    curves = np.full((ranking.n_queries, len(LEVELS)), np.nan)
    ends = np.searchsorted(ranking.group_query, np.arange(ranking.n_queries + 1))
    for query in np.flatnonzero(ranking.relevant):
        groups = slice(ends[query], ends[query + 1])
        start, size = ranking.group_start[groups], ranking.group_size[groups]
        relevant = ranking.group_relevant[groups]
        found = np.cumsum(relevant)
        wanted = np.maximum(LEVELS * ranking.relevant[query] - _ROUNDING, 0)
        group = np.searchsorted(found, wanted)  # the first at whose end the recall is reached
        before = found[group] - relevant[group]
        share = relevant[group] / size[group]
        place = np.maximum(np.ceil((wanted - before) / share), 1)
        # Within a group precision only falls or only rises, so it is highest at one of its ends.
        here = (before + place * share) / (start[group] + place)
        later = np.maximum.accumulate((found / (start + size))[::-1])[::-1]
        curves[query] = np.maximum(here, later[group])
    return curves
