"""Description of a picture beside the nearest thing that one would use instead."""

import cv2
import mahotas.features
import numpy as np
import pytest
from mahotas.features.surf import surf
from pictures import scene
from skimage.feature import hog

from extractors.hand_crafted.colour import ColourHistogram
from extractors.hand_crafted.gist import Gist
from extractors.hand_crafted.shape import HistogramOfOrientedGradients
from extractors.hand_crafted.texture import LocalBinaryPattern
from extractors.local_features.binary import Orb
from extractors.local_features.sift import Sift
from extractors.local_features.surf import Surf
from extractors.preprocessing import Square, grey

PICTURE = cv2.GaussianBlur(
    np.random.default_rng(0).integers(0, 256, (256, 256, 3)).astype(np.uint8), (0, 0), 3
)
SMALL = Square(128)(PICTURE)
PLANE = grey(SMALL)
SCENE = scene(0)

CASES = {
    ("rgb histogram", "ours"): lambda: ColourHistogram("rgb").describe(PICTURE),
    ("rgb histogram", "numpy.histogramdd"): lambda: np.histogramdd(
        PICTURE.reshape(-1, 3), bins=8, range=[(0, 256)] * 3
    ),
    ("hog", "ours"): lambda: HistogramOfOrientedGradients().describe(SMALL),
    ("hog", "skimage.feature.hog"): lambda: hog(PLANE, 9, (16, 16), (2, 2)),
    ("lbp, 8 points", "ours"): lambda: LocalBinaryPattern(octaves=1).describe(SMALL),
    ("lbp, 8 points", "mahotas.features.lbp"): lambda: mahotas.features.lbp(PLANE, 1, 8),
    ("gist", "ours"): lambda: Gist().describe(SMALL),
    ("keypoints: sift", "OpenCV"): lambda: Sift().detect(SCENE),
    ("keypoints: orb", "OpenCV"): lambda: Orb().detect(SCENE),
    ("keypoints: surf", "ours"): lambda: Surf().detect(SCENE),
    ("keypoints: surf", "mahotas.features.surf"): lambda: surf(grey(SCENE), max_points=500),
}


@pytest.mark.parametrize("case", CASES, ids=" / ".join)
def test_describe(benchmark, case):
    feature, peer = case
    benchmark.group = f"description: {feature}"
    benchmark.extra_info["peer"] = peer
    cv2.setNumThreads(1)
    benchmark(CASES[case])
