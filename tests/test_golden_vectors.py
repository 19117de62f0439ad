"""Golden vectors: every declared version computes what it did when it was recorded."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from golden import declaring
from numpy.lib.introspect import opt_func_info
from reference import PICTURES
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import datasets.perceptual
import datasets.reading
import extractors
from extractors import DETECTORS, MENU
from extractors.base import Descriptor
from extractors.centring import DomainCentring
from extractors.compression import EightBits, HalfPrecision, PrincipalComponents, Signs
from extractors.hand_crafted.colour import ColourCorrelogram, ColourHistogram, ColourMoments
from extractors.hand_crafted.gist import Gist
from extractors.hand_crafted.lines import Lines
from extractors.hand_crafted.shape import (
    EdgeOrientationHistogram,
    FourierDescriptors,
    HistogramOfOrientedGradients,
    ZernikeMoments,
)
from extractors.hand_crafted.texture import GaborBank, Haralick, LocalBinaryPattern
from extractors.local_features import surf
from extractors.local_features.binary import Akaze, Orb
from extractors.local_features.detector import Detector, LocalFeatures
from extractors.local_features.encoders import BagOfWords, Encoder, Fisher, Vlad
from extractors.local_features.sift import DenseSift, Sift
from extractors.local_features.surf import Surf
from extractors.preprocessing import AtMost, LongestSide, Square
from extractors.whitening import Whitening

PARAMETERS = {
    "rgb": ColourMoments("rgb"),
    "lab in cells": ColourHistogram("lab", bins=(4, 6, 8), grid=3),
    "three levels": ColourCorrelogram(3, distances=(2,)),
    "one octave": LocalBinaryPattern(octaves=1),
    "64 levels": Haralick(levels=64, distances=(2,)),
    "eight directions": GaborBank(frequency=0.2, octaves=2, orientations=8),
    "small cells": HistogramOfOrientedGradients(orientations=12, cell=8),
    "18 directions": EdgeOrientationHistogram(bins=18, grid=2),
    "three scales": Gist(scales=3, orientations=4, grid=2),
    "degree eight": ZernikeMoments(degree=8),
    "eight harmonics": FourierDescriptors(samples=128, harmonics=8),
    "few points": Sift(max_points=60, contrast=0.06),
    "three octaves": Surf(octaves=3, threshold=400.0),
    "high threshold": Orb(max_points=200, threshold=25),
    "strong points": Akaze(threshold=0.002),
    "one size": DenseSift(step=10, sizes=(24,)),
    "128": LongestSide(128),
    "100": AtMost(100),
    "64": Square(64),
    "256": Lines(),
    "128, square": Lines(LongestSide(128), smoothings=1, sigma=1.6, speck=5, then=Square(64)),
}
"""Descriptors, detectors and preprocessing as the menu does not use them."""


def features(binary: bool) -> list[LocalFeatures]:
    """Make local features of five pictures, gathered around six descriptors.

    Words that are learned from what a detector finds can be quite others after the smallest
    difference, for another number of descriptors is another sample.
    """
    rng = np.random.default_rng(6)
    centres = rng.integers(30, 200, (6, 128)).astype(np.uint8)
    bits = np.unpackbits(centres[:, :32], axis=1)
    pictures = []
    for _ in range(5):
        nearest = rng.integers(0, 6, 90)
        around = centres[nearest] + rng.integers(0, 30, (90, 128)).astype(np.uint8)
        flipped = np.packbits(bits[nearest] ^ (rng.integers(0, 10, (90, 256)) == 0), axis=1)
        places = rng.integers(0, 60, (90, 5)).astype(np.float32)
        descriptors = flipped if binary else around
        pictures.append(LocalFeatures(places, descriptors, (60, 60), binary))
    return pictures


ENCODERS = {
    "pyramid of bits": make_pipeline(Orb(), BagOfWords(grids=(1, 3))),
    "plain": make_pipeline(Sift(), Vlad()),
    "bits": make_pipeline(Orb(), Vlad()),
    "as they are": make_pipeline(Sift(), Fisher()),
}
"""Encoders as the menu does not use them."""

FEW = {BagOfWords: {"words": 6}, Vlad: {"words": 6}, Fisher: {"components": 6, "dims": 5}}
"""Parameters with which encoders can learn from so little."""


def is_checked(thing) -> bool:
    """Whether a class declares a version here; networks have golden numbers of their own."""
    return "version" in vars(thing) and ".networks." not in thing.__module__


def cases() -> Iterator[tuple[str, object, bool]]:
    """Give names, what computes, and whether an encoder's descriptors are bits."""
    for name, step in (PARAMETERS | DETECTORS).items():
        yield name, step, False
    for name, entry in (ENCODERS | MENU).items():
        first, *others = (step for _, step in getattr(entry, "steps", [("", entry)]))
        if not isinstance(first, Detector):  # which stand above
            yield name, first, False
        elif is_checked(type(others[0])):
            yield name, clone(others[0]).set_params(**FEW[type(others[0])]), first.binary


CASES = [case for case in cases() if is_checked(type(case[1]))]


def of_points(found: LocalFeatures) -> list[np.ndarray]:
    """Deciles of each column of the points, and the mean descriptor.

    A point near a threshold, or two of nearly equal response, may come out otherwise on another
    processor; neither may matter.
    """
    deciles = np.quantile(found.points, np.linspace(0.1, 0.9, 9), axis=0)
    return [*deciles.T, found.descriptors.mean(axis=0)]


def compute(step, binary=False) -> tuple[list[np.ndarray], float]:
    """Arrays that a step makes, and how far those of other processors may be from them."""
    if isinstance(step, Detector):
        found = step.transform(PICTURES[:2])  # which have hundreds of points
        # OpenCV adds up floats in another order: a point at the threshold may come or go.
        tolerance = 3e-3 if isinstance(step, Sift | Akaze) else 1e-3
        return [array for one in found for array in of_points(one)], tolerance
    if isinstance(step, Encoder):
        learned = step.fit(features(binary))  # to the precision at which it stops learning
        return list(learned.transform(features(binary))), 1e-3
    # A pixel of ink at the threshold may come or go.
    tolerance = 1e-3 if isinstance(getattr(step, "prepare", step), Lines) else 1e-4
    if isinstance(step, Descriptor):
        return list(step.transform(PICTURES)), tolerance
    return [step(picture) for picture in PICTURES], tolerance


def _has_recorded_arctangent():
    kernels = opt_func_info(func_name="^arctan2$")["arctan2"]["fff"]
    return kernels["current"] == "X86_V4"


@pytest.mark.parametrize(("case", "step", "binary"), CASES)
def test_versions_compute_what_they_did(case, step, binary, golden, monkeypatch):
    monkeypatch.setattr(surf, "nonfree", lambda octaves, threshold: None)  # ours, everywhere
    if isinstance(step, EdgeOrientationHistogram) and not _has_recorded_arctangent():
        pytest.skip("directions on the border of two bins: NumPy rounds otherwise without AVX-512")
    arrays, tolerance = compute(step, binary)
    golden.check(step.version, arrays, case, tolerance)


OF_VECTORS = (Whitening(3), PrincipalComponents(3), HalfPrecision(), EightBits(), Signs())
"""Steps that learn from vectors."""


@pytest.mark.parametrize("step", OF_VECTORS, ids=str)
def test_steps_behind_extractors_compute_what_they_did(step, golden):
    vectors = np.random.default_rng(5).integers(0, 2 ** np.arange(1, 11), (40, 10))
    golden.check(step.version, [step.fit(vectors).transform(vectors)])


def test_domains_are_centred_as_they_were(golden):
    vectors = np.random.default_rng(7).integers(0, 2 ** np.arange(1, 11), (40, 10))
    step = DomainCentring().fit(vectors[:20], vectors[20:])
    golden.check(step.version, [step.transform(vectors, np.arange(40) >= 20)])


def test_every_version_is_checked_here():
    checked = {type(step) for _, step, _ in CASES} | {*map(type, OF_VECTORS), DomainCentring}
    assert {one for one in declaring(extractors) if is_checked(one)} == checked


def test_versions_have_a_name_and_a_number_and_are_unique():
    versions = [one.version for one in declaring(extractors)]
    versions += [datasets.reading.VERSION, datasets.perceptual.VERSION]
    assert all(re.fullmatch(r"[a-z0-9-]+ [1-9]\d*", version) for version in versions)
    names = [version.rpartition(" ")[0] for version in versions]
    assert len(set(names)) == len(names)


def test_other_numbers_need_another_version(golden, monkeypatch):
    step = MENU["rgb-histogram"]
    before = ColourHistogram.describe
    monkeypatch.setattr(ColourHistogram, "describe", lambda *args: before(*args) ** 1.01)
    with pytest.raises(pytest.fail.Exception, match="give the class a new version"):
        golden.check(step.version, list(step.transform(PICTURES)), "rgb-histogram")
