"""Preprocessing of pictures, which is part of an extractor's identity."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""An RGB picture: uint8, shape (height, width, 3)."""

Grey = NDArray[np.uint8]
"""A grey picture: uint8, shape (height, width)."""

Pixel = TypeVar("Pixel", bound=np.generic)

INTERPOLATION = "area averaging where pixels are lost, bilinear where they are added"
"""Interpolation of every preprocessing here."""


class Preprocess(Protocol):
    """Turns a picture into the form that an extractor is made for."""

    def __call__(self, image: Pixels) -> Pixels:
        """Return the picture, prepared."""
        ...


@dataclass
class Shared:
    """Slow preprocessing of pictures, kept for all extractors that begin with it.

    Attributes
    ----------
    saved : float
        Seconds that making it again would have taken so far.
    """

    saved: float = 0.0
    _made: dict[tuple[int, Preprocess], tuple[Pixels, float]] = field(default_factory=dict)

    def once(
        self, preprocess: Preprocess, image: Pixels, make: Callable[[Pixels], Pixels]
    ) -> Pixels:
        """Make something of a picture, or give what an equal preprocessing made of it."""
        key = (id(image), preprocess)
        if key in self._made:
            self.saved += self._made[key][1]
        else:
            began = time.perf_counter()
            made = make(image)
            made.setflags(write=False)  # one of those that share it could change it for all
            self._made[key] = made, time.perf_counter() - began
        return self._made[key][0]


_shared: ContextVar[Shared | None] = ContextVar("shared", default=None)


@contextmanager
def shared() -> Iterator[Shared]:
    """Within it, slow preprocessing is done once for all extractors that begin with it.

    The pictures must neither change nor be released meanwhile.
    """
    work = Shared()
    token = _shared.set(work)
    try:
        yield work
    finally:
        _shared.reset(token)


def once(preprocess: Preprocess, image: Pixels, make: Callable[[Pixels], Pixels]) -> Pixels:
    """Apply a slow preprocessing, once for each picture within `shared`.

    Parameters
    ----------
    preprocess : Preprocess
        Its parameters; equal ones share.
    image : ndarray of uint8, shape (height, width, 3)
        RGB picture.
    make : callable
        Does it.
    """
    now = _shared.get()
    return now.once(preprocess, image, make) if now else make(image)


@dataclass(frozen=True)
class LongestSide:
    """Scale a picture up or down so that its longest side has `pixels`; keep its aspect.

    Parameters
    ----------
    pixels : int
        Length of the longest side.
    """

    version = "longest-side 1"

    pixels: int

    def __call__(self, image: Pixels) -> Pixels:
        """Return the picture, scaled."""
        height, width = image.shape[:2]
        scale = self.pixels / max(height, width)
        return resize(image, max(1, round(width * scale)), max(1, round(height * scale)))


@dataclass(frozen=True)
class AtMost:
    """Scale a picture down so that its longest side has `pixels`; leave smaller ones alone.

    Parameters
    ----------
    pixels : int
        Length of the longest side.
    """

    version = "at-most 1"

    pixels: int

    def __call__(self, image: Pixels) -> Pixels:
        """Return the picture, no larger than wanted."""
        return image if max(image.shape[:2]) <= self.pixels else LongestSide(self.pixels)(image)


@dataclass(frozen=True)
class Square:
    """Scale a picture to `pixels` x `pixels`, whatever its aspect.

    Parameters
    ----------
    pixels : int
        Length of each side.
    """

    version = "square 1"

    pixels: int

    def __call__(self, image: Pixels) -> Pixels:
        """Return the picture, scaled."""
        return resize(image, self.pixels, self.pixels)


def require_picture(image: Any) -> Pixels:
    """Require a picture as extractors take it; returns it.

    Raises
    ------
    ValueError
        If it is anything else, such as numbers from 0 to 1, or a row of a single picture.
    """
    is_bytes = isinstance(image, np.ndarray) and image.dtype == np.uint8
    if is_bytes and image.ndim == 3 and image.shape[2] == 3 and image.size:
        return image
    shape, kind = np.shape(image), getattr(image, "dtype", type(image).__name__)
    raise ValueError(
        "transform takes a list of pictures, each an RGB array of uint8, (height, width, 3); "
        f"one of these is {' x '.join(map(str, shape)) or 'no array'} of {kind}"
    )


def grey(image: Pixels) -> Grey:
    """Luma of an RGB picture (ITU-R BT.601).

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        RGB picture.
    """
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)  # type: ignore[return-value]


def cells(image: NDArray[Pixel], grid: int) -> Iterator[NDArray[Pixel]]:
    """Cut a picture into grid x grid cells, row by row.

    Cells of a picture with fewer pixels than cells overlap, so that none is empty.

    Parameters
    ----------
    image : ndarray, shape (height, width, ...)
        At least one pixel.
    grid : int
        Cells per side, at least 1.

    Yields
    ------
    ndarray, shape (cell_height, cell_width, ...)
        A view of the picture.
    """
    columns = list(_parts(image.shape[1], grid))
    for rows in _parts(image.shape[0], grid):
        for column in columns:
            yield image[rows, column]


def _parts(length: int, count: int) -> Iterator[slice]:
    for index in range(count):
        start = min(length - 1, index * length // count)
        yield slice(start, max(start + 1, (index + 1) * length // count))


def resize(image: Pixels, width: int, height: int) -> Pixels:
    """Scale a picture to a size, by `INTERPOLATION`.

    Parameters
    ----------
    image : ndarray of uint8, shape (h, w, 3)
        RGB picture.
    width, height : int
        Pixels of the result.
    """
    if image.shape[:2] == (height, width):
        return image
    # Area averaging avoids aliasing; it is no use where pixels are added.
    shrinks = width * height < image.shape[0] * image.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=method)  # type: ignore[return-value]
