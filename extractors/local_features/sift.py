"""SIFT, at keypoints and on a dense grid."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from extractors.local_features.detector import Detector, Found, find_by_opencv
from extractors.preprocessing import AtMost, Grey, Preprocess


@dataclass(eq=False, repr=False)
class Sift(Detector):
    """Scale-invariant feature transform: extrema of differences of Gaussians (SIFT).

    Parameters
    ----------
    max_points : int
        Keypoints kept, the strongest.
    contrast : float
        Least contrast of a keypoint; half of OpenCV's default, for drawings and smooth pictures.
    prepare : Preprocess
        Preprocessing of each picture.

    Notes
    -----
    128 dimensions, whole numbers from 0 to 255.
    """

    summary = "Keypoints and descriptors by SIFT"
    reference = (
        "Lowe (2004), Distinctive image features from scale-invariant keypoints, IJCV 60(2), "
        "doi:10.1023/B:VISI.0000029664.99615.94"
    )
    version = "sift 1"

    dims = 128

    max_points: int = 500
    contrast: float = 0.02
    prepare: Preprocess = AtMost(480)

    def find(self, plane: Grey) -> Found:
        """Find keypoints in a grey picture and describe them."""
        return find_by_opencv(self, _sift(self.contrast, self.max_points), plane)


@dataclass(eq=False, repr=False)
class DenseSift(Detector):
    """SIFT descriptors on a regular grid at several sizes, upright (PHOW).

    Smooth pictures and line drawings, which have few keypoints, get as many as any other.

    Parameters
    ----------
    step : int
        Pixels from one point to the next.
    sizes : tuple of int
        Diameters of the described patches in pixels.
    max_points : int
        Points kept, evenly from all over the grid if it has more.
    prepare : Preprocess
        Preprocessing, to about one size.

    Notes
    -----
    128 dimensions, whole numbers from 0 to 255. All points have the same response; patches
    without any contrast are left out.
    """

    summary = "SIFT descriptors on a regular grid"
    reference = (
        "Bosch, Zisserman and Muñoz (2007), Image classification using random forests and ferns, "
        "ICCV, doi:10.1109/ICCV.2007.4409066"
    )
    version = "dense-sift 1"

    dims = 128

    step: int = 14
    sizes: tuple[int, ...] = (16, 32, 48)
    max_points: int = 2000
    prepare: Preprocess = AtMost(256)

    def find(self, plane: Grey) -> Found:
        """Describe the grid's points in a grey picture."""
        height, width = plane.shape
        # SIFT's patch is about six times the size that OpenCV is told.
        places = [
            cv2.KeyPoint(float(x), float(y), size / 6, 0.0, 1.0)
            for size in self.sizes
            for y in range(self.step // 2, height, self.step)
            for x in range(self.step // 2, width, self.step)
        ]
        if not places:
            return self.nothing()
        _, descriptors = _sift().compute(plane, places)
        points = np.array([(p.pt[0], p.pt[1], 6 * p.size, 0.0, 1.0) for p in places], np.float32)
        full = np.flatnonzero(descriptors.any(axis=1))
        if len(full) > self.max_points:
            full = full[np.linspace(0, len(full) - 1, self.max_points).astype(np.intp)]
        return points[full], descriptors[full]


@cache
def _sift(contrast: float = 0.0, points: int = 0) -> cv2.SIFT:
    return cv2.SIFT.create(nfeatures=points, contrastThreshold=contrast)
