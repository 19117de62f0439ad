"""SURF: blobs of the fast Hessian, described by Haar wavelets."""

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.local_features.detector import Detector, from_opencv
from extractors.local_features.fasthessian import fast_hessian
from extractors.local_features.haarpatch import describe, orientations
from extractors.preprocessing import AtMost, Grey, Preprocess


@dataclass(eq=False, repr=False)
class Surf(Detector):
    """Speeded-up robust features: box filters in place of Gaussian derivatives.

    Parameters
    ----------
    octaves : int
        Ranges of scale that are searched, each twice as coarse as the one before.
    threshold : float
        Of the Hessian's determinant, in OpenCV's units; low, so that smooth pictures have
        points as well.
    max_points : int
        The strongest are kept.
    prepare : Preprocess
        Applied first.

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

    dims: ClassVar[int] = 64
    kind: ClassVar[type] = np.int8

    octaves: int = 4
    threshold: float = 100.0
    max_points: int = 500
    prepare: Preprocess = AtMost(480)

    @property
    def implementation(self) -> str:
        """Whose code runs, for the protocol card."""
        if nonfree(self.octaves, self.threshold) is None:
            return "this suite's, from the paper"
        return f"OpenCV {cv2.__version__} non-free"

    def find(self, plane: Grey) -> tuple[NDArray[np.floating], NDArray[np.number]]:
        """Find points and descriptors in a grey picture."""
        engine = nonfree(self.octaves, self.threshold)
        if engine is None:
            return self.find_by_paper(plane)
        points, vectors = from_opencv(self, engine, plane)
        return points, _whole(vectors) if len(points) else vectors

    def find_by_paper(self, plane: Grey) -> tuple[NDArray[np.floating], NDArray[np.number]]:
        """Find the strongest points and their descriptors, whatever OpenCV has."""
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
    """OpenCV's own SURF, or None if this build has none; only a call tells."""
    try:
        extra: Any = cv2.xfeatures2d
        return extra.SURF_create(hessianThreshold=threshold, nOctaves=octaves)
    except (AttributeError, cv2.error):
        return None
