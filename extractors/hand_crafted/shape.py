"""Descriptors of shape: directions of edges, moments and outlines of silhouettes."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.base import Descriptor, hellinger
from extractors.hand_crafted.silhouette import outline, silhouette
from extractors.preprocessing import LongestSide, Pixels, Preprocess, Square, cells, grey


@dataclass(eq=False, repr=False)
class HistogramOfOrientedGradients(Descriptor):
    """Histograms of gradient directions on a dense grid, normalised over blocks of cells.

    Parameters
    ----------
    orientations : int
        Bins of directions over half a turn.
    cell : int
        Side of a cell in pixels.
    prepare : Preprocess
        Preprocessing of each picture; must give pictures of one size, a multiple of `cell`.
    """

    family = "shape"
    summary = "Directions of gradients in a grid of cells (HOG)"
    reference = (
        "Dalal and Triggs (2005), Histograms of oriented gradients for human detection, CVPR, "
        "doi:10.1109/CVPR.2005.177"
    )
    version = "histogram-of-oriented-gradients 1"

    orientations: int = 9
    cell: int = 16
    prepare: Preprocess = Square(128)

    def describe(self, image: Pixels) -> NDArray[np.floating]:
        """Blocks of 2 x 2 cells, end to end."""
        hog = _hog(image.shape[1], image.shape[0], self.cell, self.orientations)
        return np.asarray(hog.compute(grey(image))).ravel()


@cache
def _hog(width: int, height: int, cell: int, orientations: int) -> "cv2.HOGDescriptor":
    """OpenCV's descriptor for pictures of one size, blocks overlapping by a cell."""
    block, step = (2 * cell, 2 * cell), (cell, cell)
    return cv2.HOGDescriptor((width, height), block, step, step, orientations)


@dataclass(eq=False, repr=False)
class EdgeOrientationHistogram(Descriptor):
    """Histograms of the directions of edge pixels in a grid of cells.

    Parameters
    ----------
    bins : int
        Bins of directions over half a turn.
    grid : int
        Cells per side; each of the grid x grid cells has a histogram of its own.
    prepare : Preprocess
        Preprocessing of each picture.

    Notes
    -----
    ``bins * grid**2`` dimensions, Hellinger-mapped over the whole picture. A picture without
    an edge gives the zero vector.
    """

    family = "shape"
    summary = "Directions of edges in a grid of cells"
    reference = (
        "Jain and Vailaya (1996), Image retrieval using color and shape, Pattern Recognition "
        "29(8), doi:10.1016/0031-3203(95)00160-3"
    )
    version = "edge-orientation-histogram 1"

    bins: int = 12
    grid: int = 4
    prepare: Preprocess = LongestSide(128)

    def describe(self, image: Pixels) -> NDArray[np.floating]:
        """Counts of every cell, end to end."""
        plane = cv2.GaussianBlur(grey(image), (3, 3), 0)
        across = cv2.Sobel(plane, cv2.CV_16S, 1, 0)
        down = cv2.Sobel(plane, cv2.CV_16S, 0, 1)
        edges = cv2.Canny(across, down, 100, 200) > 0
        direction = np.arctan2(down, across) % np.pi
        index = np.minimum((direction / np.pi * self.bins).astype(np.intp), self.bins - 1)
        index[~edges] = self.bins
        counts = [
            np.bincount(cell.ravel(), minlength=self.bins + 1)[: self.bins]
            for cell in cells(index, self.grid)
        ]
        return hellinger(np.concatenate(counts))


@dataclass(eq=False, repr=False)
class HuMoments(Descriptor):
    """Hu's seven moment invariants of the silhouette, on a logarithmic scale (region-based).

    Parameters
    ----------
    prepare : Preprocess
        Preprocessing of each picture.

    Notes
    -----
    7 dimensions of unlike scale: put a ``StandardScaler`` behind it.
    """

    family = "shape"
    summary = "Seven moments of the silhouette that do not change when it is turned"
    reference = (
        "Hu (1962), Visual pattern recognition by moment invariants, IRE Trans. Information "
        "Theory 8(2), doi:10.1109/TIT.1962.1057692"
    )
    version = "hu-moments 1"

    prepare: Preprocess = LongestSide(128)

    def describe(self, image: Pixels) -> NDArray[np.floating]:
        """Signed logarithms of the invariants."""
        moments = cv2.HuMoments(cv2.moments(silhouette(image), binaryImage=True)).ravel()
        # Zero at zero: an invariant that vanishes may be of either sign.
        return np.sign(moments) * np.log10(1 + np.abs(moments) / 1e-12)


@dataclass(eq=False, repr=False)
class ZernikeMoments(Descriptor):
    """Magnitudes of the Zernike moments of the silhouette (region-based).

    Parameters
    ----------
    degree : int
        Highest degree of the polynomials.
    prepare : Preprocess
        Preprocessing of each picture.

    Notes
    -----
    49 dimensions at degree 12, invariant to rotation. The disc is centred on the silhouette
    and reaches its farthest pixel.
    """

    family = "shape"
    summary = "Moments of the silhouette over a disc"
    reference = (
        "Khotanzad and Hong (1990), Invariant image recognition by Zernike moments, IEEE TPAMI "
        "12(5), doi:10.1109/34.55109"
    )
    version = "zernike-moments 1"

    degree: int = 12
    prepare: Preprocess = LongestSide(64)

    def describe(self, image: Pixels) -> NDArray[np.floating]:
        """Magnitudes in the library's order."""
        import mahotas.features  # here, so that listings need not wait for it

        mask = silhouette(image)
        centre, radius = cv2.minEnclosingCircle(cv2.findNonZero(mask))
        middle = (centre[1], centre[0])
        return mahotas.features.zernike_moments(mask, max(radius, 1.0), self.degree, cm=middle)


@dataclass(eq=False, repr=False)
class FourierDescriptors(Descriptor):
    """Magnitudes of the Fourier coefficients of the silhouette's outline (boundary-based).

    Parameters
    ----------
    samples : int
        Points taken at equal steps along the outline, a power of two.
    harmonics : int
        Coefficients kept on each side of zero.
    prepare : Preprocess
        Preprocessing of each picture.

    Notes
    -----
    ``2 * harmonics - 1`` dimensions, invariant to place, scale, rotation and starting point.
    An outline of a single point gives the zero vector.
    """

    family = "shape"
    summary = "Frequencies of the silhouette's outline"
    reference = (
        "Granlund (1972), Fourier preprocessing for hand print character recognition, IEEE Trans. "
        "Computers 21(2), doi:10.1109/TC.1972.5008926; Zhang and Lu (2003), A comparative study "
        "of curvature scale space and Fourier descriptors for shape-based image retrieval, "
        "Journal of Visual Communication and Image Representation 14(1), "
        "doi:10.1016/S1047-3203(03)00003-8"
    )
    version = "fourier-descriptors 1"

    samples: int = 256
    harmonics: int = 24
    prepare: Preprocess = LongestSide(128)

    def describe(self, image: Pixels) -> NDArray[np.floating]:
        """Magnitudes over that of the first harmonic."""
        points = outline(silhouette(image), self.samples)
        magnitude = np.abs(np.fft.fft(points))
        # OpenCV's outlines run so that the main ellipse turns with harmonic -1.
        first = magnitude[-1]
        kept = np.concatenate([magnitude[1 : self.harmonics + 1], magnitude[-self.harmonics : -1]])
        return kept / first if first > 0 else np.zeros_like(kept)
