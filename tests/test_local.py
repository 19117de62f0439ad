"""Local features: what detectors find, and that turned and scaled pictures are found again."""

import cv2
import numpy as np
import pytest
from pictures import scene
from sklearn.pipeline import make_pipeline

from extractors import DETECTORS
from extractors.local_features.encoders import BagOfWords
from extractors.local_features.sift import DenseSift, Sift
from extractors.preprocessing import AtMost

every_detector = pytest.mark.parametrize("name", DETECTORS)


def turned(picture: np.ndarray, degrees: float, scale: float) -> np.ndarray:
    centre = (picture.shape[1] / 2, picture.shape[0] / 2)
    matrix = cv2.getRotationMatrix2D(centre, degrees, scale)
    size = (picture.shape[1], picture.shape[0])
    return cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_AREA, borderValue=(255, 255, 255))


SCENES = [scene(seed) for seed in range(12)]


@every_detector
def test_features_are_rows_of_points_and_whole_numbers(name):
    detector = DETECTORS[name]
    found = detector.detect(SCENES[0])
    assert found.points.dtype == np.float32
    assert found.points.shape == (len(found), 5)
    assert found.descriptors.shape == (len(found), detector.dims)
    assert found.descriptors.dtype == detector.dtype
    assert 20 < len(found) <= detector.max_points
    width, height = found.frame
    x, y, size, angle, response = found.points.T
    assert (width, height) == (detector.prepare(SCENES[0]).shape[1::-1])
    assert 0 <= x.min() <= x.max() <= width
    assert 0 <= y.min() <= y.max() <= height
    assert size.min() > 0
    assert 0 <= angle.min() <= angle.max() < 360
    assert (np.diff(response) <= 0).all()


@every_detector
def test_a_blank_picture_has_no_key_points(name):
    found = DETECTORS[name].detect(np.full((50, 70, 3), 128, np.uint8))
    assert found.points.shape == (0, 5)
    assert found.descriptors.shape == (0, DETECTORS[name].dims)


@pytest.mark.parametrize("name", ["sift", "orb", "surf"])
@pytest.mark.parametrize(("degrees", "scale"), [(30, 1.0), (90, 1.0), (0, 0.7), (-50, 0.8)])
def test_a_turned_and_scaled_picture_ranks_its_original_first(name, degrees, scale):
    row = make_pipeline(DETECTORS[name], BagOfWords(words=200))
    gallery = row.fit(SCENES).transform(SCENES)
    queries = row.transform([turned(picture, degrees, scale) for picture in SCENES])
    gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
    assert (queries @ gallery.T).argmax(axis=1).tolist() == list(range(len(SCENES)))


def test_the_strongest_points_are_kept():
    all_points = Sift(max_points=1000).detect(SCENES[0]).points
    some = Sift(max_points=20).detect(SCENES[0]).points
    assert len(some) == 20
    assert some[:, 4].min() >= np.sort(all_points[:, 4])[-20]


def test_dense_sift_covers_the_picture_and_leaves_blank_patches_out():
    noise = np.random.default_rng(0).integers(0, 256, (56, 84, 3)).astype(np.uint8)
    found = DenseSift(step=14, sizes=(16, 32)).detect(noise)
    assert len(found) == 2 * (56 // 14) * (84 // 14)
    assert set(found.points[:, 0].tolist()) == {7.0, 21, 35, 49, 63, 77}
    assert sorted(set(found.points[:, 2].tolist())) == [16, 32]
    noise[:, :50] = 200
    assert 0 < len(DenseSift(step=14, sizes=(16, 32)).detect(noise)) < len(found)


def test_dense_sift_of_many_points_is_thinned_evenly():
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3)).astype(np.uint8)
    found = DenseSift(step=8, max_points=500).detect(noise)
    assert len(found) == 500
    lower = found.points[:, 1] > 128
    assert 0.4 < lower.mean() < 0.6
    assert set(found.points[:, 2].tolist()) == {16, 32, 48}


def test_small_pictures_are_not_blown_up():
    small = np.zeros((30, 40, 3), np.uint8)
    assert AtMost(480)(small) is small
    assert AtMost(20)(small).shape == (15, 20, 3)
