"""Local features with binary descriptors, compared by Hamming distance."""

from dataclasses import dataclass
from functools import cache

import cv2

from extractors.local_features.detector import Detector, Found, find_by_opencv
from extractors.preprocessing import AtMost, Grey, Preprocess


@dataclass(eq=False, repr=False)
class Orb(Detector):
    """Oriented FAST corners with rotated BRIEF descriptors (ORB).

    Parameters
    ----------
    max_points : int
        Keypoints kept, the strongest.
    threshold : int
        Threshold of the FAST detector in grey levels.
    prepare : Preprocess
        Preprocessing of each picture.

    Notes
    -----
    256 bits.
    """

    summary = "Keypoints and binary descriptors by ORB"
    reference = (
        "Rublee, Rabaud, Konolige and Bradski (2011), ORB: an efficient alternative to SIFT or "
        "SURF, ICCV, doi:10.1109/ICCV.2011.6126544"
    )
    version = "orb 1"

    dims = 32
    binary = True

    max_points: int = 500
    threshold: int = 10
    prepare: Preprocess = AtMost(480)

    def find(self, plane: Grey) -> Found:
        """Find keypoints in a grey picture and describe them."""
        return find_by_opencv(self, _orb(self.max_points, self.threshold), plane)


@dataclass(eq=False, repr=False)
class Akaze(Detector):
    """Keypoints of a non-linear scale space, which keeps edges sharp (AKAZE).

    Parameters
    ----------
    max_points : int
        Keypoints kept, the strongest.
    threshold : float
        Least determinant of the Hessian; half of OpenCV's default.
    prepare : Preprocess
        Preprocessing of each picture.

    Notes
    -----
    486 bits (M-LDB).
    """

    summary = "Keypoints and binary descriptors by AKAZE"
    reference = (
        "Alcantarilla, Nuevo and Bartoli (2013), Fast explicit diffusion for accelerated features "
        "in nonlinear scale spaces, BMVC, doi:10.5244/C.27.13"
    )
    version = "akaze 1"

    dims = 61
    binary = True

    max_points: int = 500
    threshold: float = 0.0005
    prepare: Preprocess = AtMost(480)

    def find(self, plane: Grey) -> Found:
        """Find keypoints in a grey picture and describe them."""
        return find_by_opencv(self, _akaze(self.threshold), plane)


@cache
def _orb(points: int, threshold: int) -> cv2.ORB:
    return cv2.ORB.create(nfeatures=points, fastThreshold=threshold)


@cache
def _akaze(threshold: float) -> cv2.Feature2D:
    # OpenCV 5 moved AKAZE into another module.
    home = cv2 if hasattr(cv2, "AKAZE_create") else cv2.xfeatures2d
    return home.AKAZE_create(threshold=threshold)
