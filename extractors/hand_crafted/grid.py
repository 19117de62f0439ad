"""Cutting a picture into a grid of cells."""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Pixel = TypeVar("Pixel", bound=np.generic)


def cells(image: NDArray[Pixel], grid: int) -> Iterator[NDArray[Pixel]]:
    """Give the grid x grid cells of a picture, row by row.

    Cells of a picture with fewer pixels than cells overlap, so that none is empty.

    Parameters
    ----------
    image : ndarray, shape (height, width, ...)
        At least one pixel.
    grid : int
        Cells per side, at least 1.
    """
    tops, bottoms = _bounds(image.shape[0], grid)
    lefts, rights = _bounds(image.shape[1], grid)
    for top, bottom in zip(tops, bottoms, strict=True):
        for left, right in zip(lefts, rights, strict=True):
            yield image[top:bottom, left:right]


def _bounds(length: int, grid: int) -> tuple[list[int], list[int]]:
    starts = [min(length - 1, index * length // grid) for index in range(grid)]
    ends = [max(start + 1, (index + 1) * length // grid) for index, start in enumerate(starts)]
    return starts, ends
