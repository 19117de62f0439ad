"""SURF: blobs of the fast Hessian, described by Haar wavelets."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.local_features.detector import Detector, Found, find_by_opencv
from extractors.local_features.fast_hessian import fast_hessian
from extractors.local_features.haar_wavelets import describe, orientations
from extractors.preprocessing import AtMost, Grey, Preprocess


@dataclass(eq=False, repr=False)
class Surf(Detector):
    """Speeded-up robust features: box filters in place of Gaussian derivatives (SURF).

    Parameters
    ----------
    octaves : int
        Ranges of scale that are searched, each twice as coarse as the one before.
    threshold : float
        Least determinant of the Hessian, in OpenCV's units; low, so that smooth pictures have
        keypoints as well.
    max_points : int
        Keypoints kept, the strongest.
    prepare : Preprocess
        Preprocessing of each picture.

    Notes
    -----
    64 dimensions, whole numbers: 256 times the unit vector, within -127 to 127. OpenCV's code
    runs where its build has SURF (the wheels have not, it is among the non-free parts);
    elsewhere ours, written from the paper.
    """

    summary = "Keypoints and descriptors by SURF"
    reference = (
        "Bay, Ess, Tuytelaars and Van Gool (2008), Speeded-up robust features (SURF), Computer "
        "Vision and Image Understanding 110(3), doi:10.1016/j.cviu.2007.09.014"
    )
    version = "surf 1"

    dims = 64
    dtype = np.int8

    octaves: int = 4
    threshold: float = 100.0
    max_points: int = 500
    prepare: Preprocess = AtMost(480)

    @property
    def implementation(self) -> str:
        """Library and version that run, for the protocol card."""
        if nonfree(self.octaves, self.threshold) is None:
            return "this suite's, from the paper"
        return f"OpenCV {cv2.__version__} non-free"

    def find(self, plane: Grey) -> Found:
        """Find keypoints in a grey picture and describe them."""
        engine = nonfree(self.octaves, self.threshold)
        if engine is None:
            return self.find_by_paper(plane)
        points, vectors = find_by_opencv(self, engine, plane)
        return points, _whole(vectors) if len(points) else vectors

    def find_by_paper(self, plane: Grey) -> Found:
        """Find and describe the strongest keypoints by our own code, whatever OpenCV has."""
        blobs = fast_hessian(plane, self.octaves, self.threshold)[: self.max_points]
        x, y, size, response = blobs.T
        scale = size * (1.2 / 9)  # the smallest filter, of side 9, is a Gaussian of sigma 1.2
        angle = orientations(plane, x, y, scale)
        vectors = describe(plane, x, y, scale, angle)
        return np.column_stack([x, y, size, angle, response]), _whole(vectors)


def _whole(vectors: NDArray[np.number]) -> NDArray[np.int8]:
    return np.clip(np.rint(256 * vectors), -127, 127).astype(np.int8)


@cache
def nonfree(octaves: int, threshold: float) -> cv2.Feature2D | None:
    """OpenCV's own SURF, or None if this build has none, which only a call tells.

    Parameters
    ----------
    octaves : int
        As of `Surf`.
    threshold : float
        As of `Surf`.
    """
    try:
        extra: Any = cv2.xfeatures2d
        return extra.SURF_create(hessianThreshold=threshold, nOctaves=octaves)
    except (AttributeError, cv2.error):
        return None
