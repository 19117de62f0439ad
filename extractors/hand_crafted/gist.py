"""The GIST descriptor of a scene: energy of oriented filters in a coarse grid."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy
from numpy.typing import NDArray

from extractors.base import Descriptor
from extractors.preprocessing import Pixels, Preprocess, Square, grey

_PADDING = 16
"""Pixels mirrored around the picture before it is filtered, against wrap-around."""

_CYCLES = 4
"""Cut-off of the contrast normalisation, in cycles per picture."""


@dataclass(eq=False, repr=False)
class Gist(Descriptor):
    """Energy of oriented band-pass filters over a coarse grid (GIST).

    The filters, the contrast normalisation and their constants are those of the authors'
    LMgist; the margin of mirrored pixels is 16 where theirs is 32, grey is luma, and responses
    of the coarse bands are sampled at every second or fourth pixel.

    Parameters
    ----------
    scales : int
        Number of frequency bands, not quite an octave apart.
    orientations : int
        Number of filters per band.
    grid : int
        Cells per side; the energy is averaged over each of the grid x grid cells.
    prepare : Preprocess
        Preprocessing of each picture; must give square pictures of one size, divisible by `grid`.

    Notes
    -----
    ``scales * orientations * grid**2`` dimensions.
    """

    family = "shape"
    summary = "Energy of edges of several sizes and directions in a coarse grid (GIST)"
    reference = (
        "Oliva and Torralba (2001), Modeling the shape of the scene: a holistic representation of "
        "the spatial envelope, IJCV 42(3), doi:10.1023/A:1011139631724"
    )
    version = "gist 1"

    scales: int = 4
    orientations: int = 8
    grid: int = 4
    prepare: Preprocess = Square(128)

    def describe(self, image: Pixels) -> NDArray[np.floating]:
        """Mean energy of every filter in every cell."""
        plane = grey(image).astype(np.float32)
        plane -= plane.min()
        even = _normalise_contrast(255 * plane / max(plane.max(), 1))
        spectrum = scipy.fft.fft2(np.pad(even, _PADDING, mode="symmetric"))
        cell = len(image) // self.grid
        energies = [
            self._energies(spectrum, scale, _stride(scale, cell)) for scale in range(self.scales)
        ]
        return np.concatenate(energies)

    def _energies(
        self, spectrum: NDArray[np.complex64], scale: int, stride: int
    ) -> NDArray[np.float32]:
        """Mean energy of one scale's filters in every cell, from every `stride`-th pixel."""
        low = _low_frequencies(len(spectrum), stride)
        filters = _filters(len(spectrum), scale, self.orientations, stride)
        responses = scipy.fft.ifft2(spectrum[np.ix_(low, low)] * filters, overwrite_x=True)
        margin = _PADDING // stride
        inner = responses[:, margin:-margin, margin:-margin]
        energy = np.sqrt(inner.real**2 + inner.imag**2)  # np.abs takes three times as long
        cell = inner.shape[1] // self.grid
        blocks = energy.reshape(len(filters), self.grid, cell, self.grid, cell)
        return blocks.mean(axis=(2, 4)).ravel()


def _low_frequencies(side: int, stride: int) -> NDArray[np.intp]:
    """Frequencies in cycles per picture that a picture of every `stride`-th pixel can hold."""
    half = side // stride // 2
    return np.r_[:half, -half:0]


def _centre(scale: int) -> float:
    """Centre frequency of a scale's filters, in cycles per pixel."""
    return 0.3 / 1.85**scale


def _stride(scale: int, cell: int) -> int:
    """Step at which a scale's responses may be sampled: coarse filters pass nothing fine."""
    stride = 1
    while 2.6 * _centre(scale) < 0.25 / stride and cell % (2 * stride) == 0:
        stride *= 2
    return min(stride, _PADDING)


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
def _filters(side: int, scale: int, orientations: int, stride: int) -> NDArray[np.float32]:
    """Transfer functions of a scale, shape (orientations, side / stride, side / stride)."""
    frequency = _low_frequencies(side, stride)
    radius = np.hypot(frequency[:, None], frequency[None, :])
    angle = np.arctan2(frequency[:, None], frequency[None, :])
    band = np.exp(-3.5 * (radius / side / _centre(scale) - 1) ** 2) / stride**2
    bank = []
    for index in range(orientations):
        turned = angle + np.pi * index / orientations
        turned = (turned + np.pi) % (2 * np.pi) - np.pi
        bank.append(band * np.exp(-2 * np.pi * (orientations**2 / 64) * turned**2))
    return np.array(bank, np.float32)
