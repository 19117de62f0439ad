"""Descriptors of colour: histograms, moments, correlograms and the picture made tiny."""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.base import Descriptor, hellinger
from extractors.preprocessing import LongestSide, Pixels, Preprocess, Square, cells


class ColourSpace(NamedTuple):
    """A colour space in OpenCV's 8-bit form.

    Attributes
    ----------
    conversion : int or None
        OpenCV's code of the conversion from RGB, None for RGB itself.
    ranges : tuple of 3 (int, int)
        Least value of each channel, and the one above its largest.
    """

    conversion: int | None
    ranges: tuple[tuple[int, int], ...]


COLOUR_SPACES = {
    "rgb": ColourSpace(None, ((0, 256),) * 3),
    "hsv": ColourSpace(cv2.COLOR_RGB2HSV_FULL, ((0, 256),) * 3),
    # sRGB fills a part of the a and b axes only; what little lies outside is clipped.
    "lab": ColourSpace(cv2.COLOR_RGB2LAB, ((0, 256), (64, 192), (64, 192))),
}


def convert(image: Pixels, space: str) -> Pixels:
    """Convert an RGB picture to another colour space, clipped to its ranges.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        RGB picture.
    space : str
        Name of one of `COLOUR_SPACES`.

    Raises
    ------
    ValueError
        If there is no such space.
    """
    if space not in COLOUR_SPACES:
        raise ValueError(f"colour space {space!r} is none of: {', '.join(COLOUR_SPACES)}")
    conversion, ranges = COLOUR_SPACES[space]
    converted = image if conversion is None else cv2.cvtColor(image, conversion)
    low, high = np.array(ranges).T
    return np.clip(converted, low, high - 1).astype(np.uint8)


@dataclass(eq=False, repr=False)
class ColourHistogram(Descriptor):
    """Joint histogram of the three colour channels, over the picture or over a grid of cells.

    Parameters
    ----------
    space : {"rgb", "hsv", "lab"}
        Colour space; HSV and Lab separate brightness from colour.
    bins : tuple of 3 int
        Bins per channel.
    grid : int
        Cells per side; each of the grid x grid cells has a histogram of its own.
    prepare : Preprocess
        Preprocessing of each picture.

    Notes
    -----
    ``grid**2 * prod(bins)`` dimensions, Hellinger-mapped per cell.
    """

    family = "colour"
    summary = "Share of the pixels in each range of colours"
    reference = "Swain and Ballard (1991), Color indexing, IJCV 7(1), doi:10.1007/BF00130487"
    version = "colour-histogram 1"

    space: str = "rgb"
    bins: tuple[int, int, int] = (8, 8, 8)
    grid: int = 1
    prepare: Preprocess = LongestSide(128)

    def describe(self, image: Pixels) -> NDArray[np.floating]:
        """Histogram of every cell, end to end."""
        converted = convert(image, self.space)
        limits = [limit for pair in COLOUR_SPACES[self.space].ranges for limit in pair]
        histograms = [
            cv2.calcHist([cell], [0, 1, 2], None, list(self.bins), limits).ravel()
            for cell in cells(converted, self.grid)
        ]
        return hellinger(np.stack(histograms)).ravel()


@dataclass(eq=False, repr=False)
class ColourMoments(Descriptor):
    """Mean, standard deviation and cube root of the third moment of each channel.

    Parameters
    ----------
    space : {"rgb", "hsv", "lab"}
        Colour space.
    grid : int
        Cells per side; each of the grid x grid cells has moments of its own.
    prepare : Preprocess
        Preprocessing of each picture.

    Notes
    -----
    ``9 * grid**2`` dimensions of unlike scale: put a ``StandardScaler`` behind it.
    """

    family = "colour"
    summary = "Mean, standard deviation and skew of each colour channel"
    reference = (
        "Stricker and Orengo (1995), Similarity of color images, SPIE 2420, doi:10.1117/12.205308"
    )
    version = "colour-moments 1"
    zero_is_nothing = False  # the moments of black

    space: str = "hsv"
    grid: int = 1
    prepare: Preprocess = LongestSide(128)

    def describe(self, image: Pixels) -> NDArray[np.floating]:
        """Nine moments of every cell, end to end."""
        moments = []
        for cell in cells(convert(image, self.space), self.grid):
            values = cell.reshape(-1, 3).astype(float)
            mean = values.mean(axis=0)
            centred = values - mean
            square = centred * centred
            third = np.cbrt((square * centred).mean(axis=0))
            moments += [mean, np.sqrt(square.mean(axis=0)), third]
        return np.concatenate(moments)


@dataclass(eq=False, repr=False)
class ColourCorrelogram(Descriptor):
    """Auto-correlogram: probability that a pixel's neighbour at some distance has its colour.

    Parameters
    ----------
    levels : int
        Levels to which each RGB channel is quantised.
    distances : tuple of int
        Distances of the neighbours in pixels.
    prepare : Preprocess
        Preprocessing of each picture.

    Notes
    -----
    ``levels**3 * len(distances)`` probabilities, square-rooted. Of the ring of pixels at each
    distance the eight in the main directions are looked at.
    """

    family = "colour"
    summary = "Chance that a pixel's neighbour at some distance has its colour"
    reference = (
        "Huang, Kumar, Mitra, Zhu and Zabih (1997), Image indexing using color correlograms, "
        "CVPR, doi:10.1109/CVPR.1997.609412"
    )
    version = "colour-correlogram 1"

    levels: int = 4
    distances: tuple[int, ...] = (1, 3, 5, 7)
    prepare: Preprocess = LongestSide(128)

    def describe(self, image: Pixels) -> NDArray[np.floating]:
        """Probability of each colour at each distance from itself."""
        level = image.astype(np.intp) * self.levels // 256
        colour = (level[..., 0] * self.levels + level[..., 1]) * self.levels + level[..., 2]
        return np.sqrt(
            np.concatenate([self._probabilities(colour, step) for step in self.distances])
        )

    def _probabilities(self, colour: NDArray[np.intp], step: int) -> NDArray[np.float64]:
        count = self.levels**3
        same, pairs = np.zeros(count), np.zeros(count)
        # Four directions and, by symmetry, their opposites.
        for down, right in ((0, step), (step, 0), (step, step), (step, -step)):
            height, width = colour.shape
            if height <= down or width <= abs(right):
                continue
            first = colour[: height - down, max(0, -right) : width - max(0, right)]
            second = colour[down:, max(0, right) : width - max(0, -right)]
            same += 2 * np.bincount(first[first == second], minlength=count)
            pairs += np.bincount(first.ravel(), minlength=count)
            pairs += np.bincount(second.ravel(), minlength=count)
        return np.divide(same, pairs, out=np.zeros(count), where=pairs > 0)


@dataclass(eq=False, repr=False)
class TinyImage(Descriptor):
    """The picture itself at a few pixels, mean removed: the baseline of all baselines.

    Parameters
    ----------
    prepare : Preprocess
        Preprocessing of each picture, to the size of the tiny one.

    Notes
    -----
    ``3 * side**2`` dimensions.
    """

    family = "colour"
    summary = "The picture itself at a few pixels, a baseline"
    reference = (
        "Torralba, Fergus and Freeman (2008), 80 million tiny images, IEEE TPAMI 30(11), "
        "doi:10.1109/TPAMI.2008.128"
    )
    version = "tiny-image 1"

    prepare: Preprocess = Square(16)

    def describe(self, image: Pixels) -> NDArray[np.floating]:
        """Pixel values around their mean."""
        values = image.astype(float).ravel()
        return values - values.mean()
