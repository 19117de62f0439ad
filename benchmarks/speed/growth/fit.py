"""Exponents of growth: the slope of costs over sizes, both by their logarithms."""

from collections.abc import Mapping, Sequence

import numpy as np

FITTED_FROM = 1000
"""Smaller sizes play no part in a fit: what is paid once hides what each picture costs."""

LINEAR = 1.1
"""An exponent up to this is that of linear growth, as measurements vary."""


def exponent(costs: Mapping[int, float]) -> float | None:
    """Fit costs to a power of the size, by least squares of their logarithms.

    Parameters
    ----------
    costs : mapping of int to float
        Size to what it costs, greater than 0; sizes below `FITTED_FROM` are left out.

    Returns
    -------
    float or None
        None if fewer than two sizes are left.
    """
    sizes = [size for size in costs if size >= FITTED_FROM]
    return _slope(costs, sizes)


def last_exponent(costs: Mapping[int, float]) -> float | None:
    """Compare the two largest sizes; None if there is one, or if both are below `FITTED_FROM`.

    Parameters
    ----------
    costs : mapping of int to float
        Size to what it costs.
    """
    sizes = sorted(costs)[-2:]
    return _slope(costs, sizes) if sizes[-1] >= FITTED_FROM else None


def steeper(costs: Mapping[str, Mapping[int, float]]) -> list[str]:
    """Name what grows faster than linear between the two largest sizes.

    Parameters
    ----------
    costs : mapping of str
        Name to its costs.
    """
    ends = {name: last_exponent(mine) for name, mine in costs.items()}
    return [name for name, end in ends.items() if end is not None and end > LINEAR]


def _slope(costs: Mapping[int, float], sizes: Sequence[int]) -> float | None:
    if len(sizes) < 2:
        return None
    x, y = np.log(sizes), np.log([costs[size] for size in sizes])
    return float(np.polyfit(x, y, 1)[0])
