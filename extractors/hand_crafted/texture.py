"""Descriptors of texture: changes of brightness from pixel to pixel, whatever the colour."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import skimage
from numpy.typing import NDArray

from extractors.base import Descriptor, hellinger
from extractors.preprocessing import LongestSide, Pixels, Preprocess, grey


@dataclass(eq=False, repr=False)
class LocalBinaryPattern(Descriptor):
    """Histograms of rotation-invariant uniform local binary patterns at several scales.

    The eight neighbours of each pixel are looked at, in the picture and in ever smaller
    versions of it, an octave apart.

    Parameters
    ----------
    octaves : int
        Number of sizes of the picture, each half the one before.
    prepare : Preprocess
        Preprocessing of each picture.

    Notes
    -----
    ``10 * octaves`` dimensions, Hellinger-mapped per octave.
    """

    family = "texture"
    summary = "Patterns of brighter neighbours around each pixel, at several scales"
    reference = (
        "Ojala, Pietikäinen and Mäenpää (2002), Multiresolution gray-scale and rotation invariant "
        "texture classification with local binary patterns, IEEE TPAMI 24(7), "
        "doi:10.1109/TPAMI.2002.1017623; Qian, Hua, Chen and Ke (2011), PLBP: an effective local "
        "binary patterns texture descriptor with pyramid representation, Pattern Recognition "
        "44(10-11), doi:10.1016/j.patcog.2011.03.029"
    )
    version = "local-binary-pattern 1"

    octaves: int = 3
    prepare: Preprocess = LongestSide(128)

    def describe(self, image: Pixels) -> NDArray[np.floating]:
        """Histogram of every octave, end to end."""
        plane = grey(image)
        histograms = []
        for _ in range(self.octaves):
            codes = skimage.feature.local_binary_pattern(plane, 8, 1, method="uniform")
            histograms.append(hellinger(np.bincount(codes.astype(np.intp).ravel(), minlength=10)))
            plane = np.asarray(cv2.pyrDown(plane))
        return np.concatenate(histograms)


@dataclass(eq=False, repr=False)
class Haralick(Descriptor):
    """Haralick's thirteen measures of the grey-level co-occurrence matrix (GLCM).

    Parameters
    ----------
    levels : int
        Grey levels of the matrix, a divisor of 256.
    distances : tuple of int
        Distances of the neighbours in pixels.
    prepare : Preprocess
        Preprocessing of each picture.

    Notes
    -----
    26 dimensions a distance, mean and range over the four directions, of unlike scale: put a
    ``StandardScaler`` behind it. A picture too small for a distance gets zeros there.
    """

    family = "texture"
    summary = "Statistics of which grey levels occur side by side"
    reference = (
        "Haralick, Shanmugam and Dinstein (1973), Textural features for image classification, "
        "IEEE Trans. SMC 3(6), doi:10.1109/TSMC.1973.4309314"
    )
    version = "haralick 1"

    levels: int = 32
    distances: tuple[int, ...] = (1, 4)
    prepare: Preprocess = LongestSide(128)

    def describe(self, image: Pixels) -> NDArray[np.floating]:
        """The measures of every distance, end to end."""
        plane = grey(image) // (256 // self.levels)
        return np.concatenate([self._measures(plane, distance) for distance in self.distances])

    def _measures(self, plane: NDArray[np.uint8], distance: int) -> NDArray[np.float64]:
        import mahotas.features  # here, so that listings need not wait for it

        if min(plane.shape) <= distance:
            return np.zeros(26)
        return mahotas.features.haralick(plane, return_mean_ptp=True, distance=distance)


@dataclass(eq=False, repr=False)
class GaborBank(Descriptor):
    """Mean and standard deviation of the responses to a bank of Gabor filters.

    The filters of one frequency are applied to the picture and to ever smaller versions of
    it, an octave apart.

    Parameters
    ----------
    frequency : float
        Frequency of the filters in cycles per pixel.
    octaves : int
        Number of sizes of the picture that are filtered, each half the one before.
    orientations : int
        Number of filters, evenly over half a turn.
    prepare : Preprocess
        Preprocessing of each picture.

    Notes
    -----
    ``2 * octaves * orientations`` dimensions of unlike scale: put a ``StandardScaler`` behind
    it.
    """

    family = "texture"
    summary = "Strength of stripes of several widths and directions"
    reference = (
        "Manjunath and Ma (1996), Texture features for browsing and retrieval of image data, IEEE "
        "TPAMI 18(8), doi:10.1109/34.531803"
    )
    version = "gabor-bank 2"
    zero_is_nothing = False  # a plain surface

    frequency: float = 0.25
    octaves: int = 4
    orientations: int = 6
    prepare: Preprocess = LongestSide(128)

    def describe(self, image: Pixels) -> NDArray[np.floating]:
        """Mean and deviation of every filter's magnitude, largest size first."""
        plane: NDArray[np.floating] = grey(image).astype(np.float32) / 255
        moments = []
        for _ in range(self.octaves):
            for even, odd in _gabor_kernels(self.frequency, self.orientations):
                # cv2.magnitude rounds by where its arrays lie in memory.
                squares = cv2.filter2D(plane, -1, even) ** 2 + cv2.filter2D(plane, -1, odd) ** 2
                magnitude = np.sqrt(squares)
                moments += [magnitude.mean(), magnitude.std()]
            plane = np.asarray(cv2.pyrDown(plane))
        return np.array(moments)


@cache
def _gabor_kernels(
    frequency: float, orientations: int
) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Even and odd part of every filter, without response to constant brightness."""
    kernels = []
    for index in range(orientations):
        angle = np.pi * index / orientations
        kernel = skimage.filters.gabor_kernel(frequency, theta=angle, n_stds=2)
        kernel = kernel - kernel.mean()
        kernels.append((kernel.real.astype(np.float32), kernel.imag.astype(np.float32)))
    return kernels


@dataclass(eq=False, repr=False)
class ThresholdAdjacency(Descriptor):
    """Parameter-free threshold adjacency statistics (PFTAS).

    The picture is thresholded around Otsu's value; each white pixel is counted by the number
    of its white neighbours.

    Parameters
    ----------
    prepare : Preprocess
        Preprocessing of each picture.

    Notes
    -----
    54 dimensions, Hellinger-mapped.
    """

    family = "texture"
    summary = "Counts of the white neighbours of white pixels, after Otsu's threshold"
    reference = (
        "Coelho et al. (2010), Structured literature image finder: extracting information from "
        "text and images in biomedical literature, LNCS 6004, doi:10.1007/978-3-642-13131-8_4; "
        "Hamilton et al. (2007), Fast automated cell phenotype image classification, BMC "
        "Bioinformatics 8:110, doi:10.1186/1471-2105-8-110"
    )
    version = "threshold-adjacency 1"

    prepare: Preprocess = LongestSide(128)

    def describe(self, image: Pixels) -> NDArray[np.floating]:
        """Shares of the neighbour counts."""
        import mahotas.features  # here, so that listings need not wait for it

        return hellinger(np.nan_to_num(mahotas.features.pftas(grey(image))))
