"""Rankings that are compared."""

import numpy as np


def same(one, other):
    """Whether two results rank alike, to the tie."""
    return all(
        np.array_equal(getattr(one.ranking, name), getattr(other.ranking, name))
        for name in ("neighbours", "relevant", "group_start", "group_relevant")
    )
