"""GIST: the spatial envelope of a scene."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from extractors.base import Descriptor
from extractors.preprocessing import Image, Preprocess, Square, grey

_PADDING = 16
"""Pixels mirrored around the picture before it is filtered, against wrap-around."""

_CYCLES = 4
"""Cut-off of the contrast normalisation, in cycles per picture."""


@dataclass(eq=False, repr=False)
class Gist(Descriptor):
    """Energy of oriented band-pass filters over a coarse grid.

    The filters, the contrast normalisation and their constants are those of the authors'
    LMgist; the margin of mirrored pixels is 16 where theirs is 32, and grey is luma.

    Parameters
    ----------
    scales : int
        Octave-like frequency bands.
    orientations : int
        Filters per band.
    grid : int
        The energy is averaged over grid x grid cells.
    prepare : Preprocess
        Applied first; must give square pictures of one size, divisible by `grid`.

    Notes
    -----
    ``scales * orientations * grid**2`` dimensions.

    References
    ----------
    A. Oliva, A. Torralba (2001), Modeling the shape of the scene: a holistic representation
    of the spatial envelope, IJCV 42(3), doi:10.1023/A:1011139631724
    """

    scales: int = 4
    orientations: int = 8
    grid: int = 4
    prepare: Preprocess = Square(128)

    def describe(self, image: Image) -> NDArray[np.floating]:
        """Mean energy of every filter in every cell."""
        plane = grey(image).astype(np.float32)
        plane -= plane.min()
        even = _normalise_contrast(255 * plane / max(plane.max(), 1))
        padded = np.pad(even, _PADDING, mode="symmetric")
        filters = _filters(len(padded), self.scales, self.orientations)
        responses = scipy.fft.ifft2(scipy.fft.fft2(padded) * filters, overwrite_x=True)
        inner = responses[:, _PADDING:-_PADDING, _PADDING:-_PADDING]
        energy = np.sqrt(inner.real**2 + inner.imag**2)  # np.abs takes three times as long
        side = len(image) // self.grid
        blocks = energy.reshape(len(filters), self.grid, side, self.grid, side)
        return blocks.mean(axis=(2, 4)).ravel()


def _normalise_contrast(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Remove slow changes of brightness, and divide by the local contrast."""
    margin = 5
    padded = np.pad(np.log(plane + 1), margin, mode="symmetric")
    low_pass = _low_pass(len(padded))
    high = padded - scipy.fft.ifft2(scipy.fft.fft2(padded) * low_pass).real
    contrast = np.sqrt(np.abs(scipy.fft.ifft2(scipy.fft.fft2(high**2) * low_pass)))
    return (high / (0.2 + contrast))[margin:-margin, margin:-margin]


@cache
def _low_pass(side: int) -> NDArray[np.float32]:
    cutoff = _CYCLES / np.sqrt(np.log(2))
    frequency = np.fft.fftfreq(side, 1 / side)
    square = frequency[:, None] ** 2 + frequency[None, :] ** 2
    return np.exp(-square / cutoff**2).astype(np.float32)


@cache
def _filters(side: int, scales: int, orientations: int) -> NDArray[np.float32]:
    """Transfer functions, shape (scales * orientations, side, side)."""
    frequency = np.fft.fftfreq(side, 1 / side)
    radius = np.hypot(frequency[:, None], frequency[None, :])
    angle = np.arctan2(frequency[:, None], frequency[None, :])
    bank = []
    for scale in range(scales):
        centre = 0.3 / 1.85**scale
        band = np.exp(-3.5 * (radius / side / centre - 1) ** 2)
        for index in range(orientations):
            turned = angle + np.pi * index / orientations
            turned = (turned + np.pi) % (2 * np.pi) - np.pi
            bank.append(band * np.exp(-2 * np.pi * (orientations**2 / 64) * turned**2))
    return np.array(bank, np.float32)
