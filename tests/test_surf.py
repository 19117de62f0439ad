"""Our SURF: its filter against a slow loop, what it finds, and the invariances it promises."""

import pickle

import cv2
import numpy as np
import pytest

from benchmarks import keypoints
from extractors.local_features import surf
from extractors.local_features.fast_hessian import determinant, fast_hessian, filter_sizes
from extractors.local_features.haar_wavelets import describe, orientations
from extractors.local_features.surf import Surf
from extractors.preprocessing import AtMost


class PaperSurf(Surf):
    """Ours, even where OpenCV has its own."""

    def find(self, plane):
        return self.find_by_paper(plane)


def blobs(width=240, height=200, count=60, seed=3):
    """A grey RGB picture of seeded ellipses, smoothed."""
    rng = np.random.default_rng(seed)
    plane = np.full((height, width), 128, np.uint8)
    for x, y, a, b, turn, shade in rng.integers(
        (0, 0, 4, 3, 0, 0), (width, height, 16, 10, 180, 256), (count, 6)
    ):
        cv2.ellipse(plane, (int(x), int(y)), (int(a), int(b)), turn, 0, 360, int(shade), -1)
    return cv2.GaussianBlur(plane, (0, 0), 1)[..., None].repeat(3, axis=2)


def share_matched(first, second, expected):
    """Share of the first's points whose nearest descriptor lies where it should."""
    near = cv2.BFMatcher().match(
        first.descriptors.astype(np.float32), second.descriptors.astype(np.float32)
    )
    found = second.points[[match.trainIdx for match in near], :2]
    return (np.linalg.norm(found - expected, axis=1) < 3).mean()


def test_filter_sizes_are_those_of_the_paper():
    assert [filter_sizes(octave) for octave in range(4)] == [
        [9, 15, 21, 27],
        [15, 27, 39, 51],
        [27, 51, 75, 99],
        [51, 99, 147, 195],
    ]


@pytest.mark.parametrize(("size", "step"), [(9, 1), (15, 1), (15, 2), (21, 1), (27, 4)])
def test_determinant_against_a_slow_reference(size, step):
    plane = np.random.default_rng(0).integers(0, 256, (34, 41)).astype(np.uint8)
    lobe, half = size // 3, size // 2
    extent, gap = {9: (5, 1), 15: (9, 1), 21: (11, 3), 27: (15, 3)}[size]
    wide = np.zeros((size, size))
    for place, weight in ((0, 1), (1, -2), (2, 1)):
        across = slice(half - extent // 2, half + extent // 2 + 1)
        wide[across, place * lobe : (place + 1) * lobe] = weight / (lobe * extent)
    mixed = np.zeros((size, size))
    start = half + gap // 2 + 1
    before, after = slice(size - start - lobe, size - start), slice(start, start + lobe)
    for rows, columns, sign in (
        *((before, before, 1), (after, after, 1)),
        *((before, after, -1), (after, before, -1)),
    ):
        mixed[rows, columns] = sign / lobe**2
    expected = np.zeros(plane[::step, ::step].shape)
    for row in range(expected.shape[0]):
        for column in range(expected.shape[1]):
            top, left = row * step - half, column * step - half
            patch = plane[max(top, 0) : top + size, max(left, 0) : left + size]
            if patch.shape == (size, size) and min(top, left) >= 0:
                xx, yy, xy = ((patch * kernel).sum() for kernel in (wide, wide.T, mixed))
                expected[row, column] = xx * yy - 0.81 * xy**2
    assert expected.any()
    assert np.allclose(determinant(cv2.integral(plane), size, step), expected, atol=1e-2)


@pytest.mark.parametrize(("x", "y", "sigma"), [(50, 61, 3.0), (70, 55, 5.0), (64, 64, 8.0)])
def test_a_blob_is_found_where_it_is_and_as_large_as_it_is(x, y, sigma):
    down, across = np.mgrid[:130, :130]
    hill = np.exp(-((across - x) ** 2 + (down - y) ** 2) / (2 * sigma**2))
    strongest = fast_hessian((30 + 200 * hill).round().astype(np.uint8), 4, 100.0)[0]
    assert strongest[:2] == pytest.approx([x, y], abs=0.5)
    # The boxes blur as well, so that the best filter is smaller than the blob.
    assert strongest[2] * 1.2 / 9 == pytest.approx(0.7 * sigma, rel=0.2)


@pytest.mark.parametrize("degrees", [0, 40, 135, 250])
def test_orientation_is_where_brightness_rises_clockwise_from_x(degrees):
    down, across = np.mgrid[-40:41, -40:41]
    slope = np.cos(np.deg2rad(degrees)) * across + np.sin(np.deg2rad(degrees)) * down
    plane = (128 + 1.5 * slope).round().astype(np.uint8)
    found = orientations(plane, *np.array([[40.0], [40.0], [2.0]]))
    assert (found[0] - degrees + 180) % 360 - 180 == pytest.approx(0, abs=3)


def test_descriptor_of_an_even_slope():
    plane = np.tile(np.arange(0, 240, 2, dtype=np.uint8), (120, 1))
    [vector] = describe(plane, *np.array([[60.0], [60.0], [2.0], [0.0]]))
    across, down, across_size, down_size = vector.reshape(16, 4).T
    assert np.allclose(across, across_size)
    assert (across > 0).all()
    assert np.allclose([down, down_size], 0)
    assert np.linalg.norm(vector) == pytest.approx(1)
    [turned] = describe(plane.T.copy(), *np.array([[60.0], [60.0], [2.0], [90.0]]))
    assert np.allclose(turned, vector, atol=0.02)


@pytest.mark.parametrize(("degrees", "share"), [(90, 0.75), (20, 0.6)])
def test_points_of_a_turned_picture_match(degrees, share):
    image = blobs()
    matrix = cv2.getRotationMatrix2D((119.5, 99.5), degrees, 1)
    matrix[:, 2] += 40
    turned = cv2.warpAffine(image, matrix, (320, 280), borderMode=cv2.BORDER_REPLICATE)
    first, second = (PaperSurf(max_points=200).detect(picture) for picture in (image, turned))
    expected = first.points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    assert len(first) > 50
    assert share_matched(first, second, expected) > share


def test_points_of_a_larger_picture_match():
    image = blobs()
    large = cv2.resize(image, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_LINEAR)
    first, second = (PaperSurf(max_points=200).detect(picture) for picture in (image, large))
    assert share_matched(first, second, (first.points[:, :2] + 0.5) * 1.5 - 0.5) > 0.6


def test_a_picture_of_less_contrast_has_the_same_descriptors():
    image = blobs()
    first, second = (
        PaperSurf(max_points=80).detect(picture) for picture in (image, image // 2 + 40)
    )
    assert share_matched(first, second, first.points[:, :2]) > 0.9


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 300), (300, 1), (2, 3), (9, 9), (20, 20), (200, 160)]
)
@pytest.mark.parametrize("detector", [PaperSurf(), Surf()])
def test_pictures_without_blobs_give_nothing(shape, detector):
    found = detector.detect(np.full((*shape, 3), 77, np.uint8))
    assert found.points.shape == (0, 5)
    assert found.descriptors.shape == (0, 64)
    assert found.descriptors.dtype == np.int8


@pytest.mark.parametrize("shape", [(12, 12), (21, 35), (40, 500), (64, 64)])
def test_noise_of_any_shape_is_described(shape):
    noise = np.random.default_rng(1).integers(0, 256, (*shape, 3)).astype(np.uint8)
    found = PaperSurf().detect(noise)
    height, width = shape
    assert np.isfinite(found.points).all()
    assert (found.points[:, :2] >= 0).all()
    assert (found.points[:, :2] <= (width - 1, height - 1)).all()


def test_equal_neighbours_give_one_point_between_them():
    plane = np.full((80, 80), 20, np.uint8)
    plane[37:43, 37:43] = 220
    points = fast_hessian(plane, 1, 100.0)
    assert points[0, :2] == pytest.approx([39.5, 39.5], abs=0.1)
    assert (np.linalg.norm(points[:, :2] - 39.5, axis=1) < 2).sum() == 1


def test_a_checkerboard_is_no_trouble():
    tiles = np.kron(np.indices((16, 16)).sum(axis=0) % 2, np.ones((12, 12)))
    image = (255 * tiles).astype(np.uint8)[..., None].repeat(3, axis=2)
    assert np.isfinite(PaperSurf().detect(image).points).all()


def test_the_strongest_points_come_first_and_the_form_is_right():
    found = PaperSurf(max_points=30).detect(blobs())
    every = PaperSurf().detect(blobs())
    assert len(found) == 30 < len(every)
    assert (np.diff(found.points[:, 4]) <= 0).all()
    assert found.points.dtype == np.float32
    assert found.frame == (240, 200)
    assert ((found.points[:, 3] >= 0) & (found.points[:, 3] <= 360)).all()
    assert np.array_equal(found.points, every.points[:30])
    assert np.array_equal(found.descriptors, every.descriptors[:30])
    lengths = np.linalg.norm(found.descriptors.astype(float), axis=1)
    assert (np.abs(lengths - 256) < 40).all()  # what is cut off at 127 is missing


def test_the_same_picture_gives_the_same_points():
    first, second = (PaperSurf().detect(blobs()) for _ in range(2))
    assert np.array_equal(first.points, second.points)
    assert np.array_equal(first.descriptors, second.descriptors)


def test_a_copy_by_pickle_finds_the_same():
    detector = Surf(octaves=3, threshold=200.0, max_points=40, prepare=AtMost(150))
    copy = pickle.loads(pickle.dumps(detector))
    assert copy.get_params() == detector.get_params()
    assert np.array_equal(copy.detect(blobs()).points, detector.detect(blobs()).points)


def test_ours_runs_where_opencv_has_none(monkeypatch):
    surf.nonfree.cache_clear()
    monkeypatch.delattr(cv2, "xfeatures2d", raising=False)
    try:
        assert Surf().implementation == "this suite's, from the paper"
        assert len(Surf().detect(blobs()))
    finally:
        surf.nonfree.cache_clear()


@pytest.mark.parametrize("change", keypoints.CHANGES.values(), ids=keypoints.CHANGES)
def test_the_measurement_knows_where_points_go(change):
    image = np.zeros((90, 130, 3), np.uint8)
    cv2.circle(image, (40, 30), 6, (255, 255, 255), -1)
    changed, matrix = change(image)
    moments = cv2.moments(changed[..., 0])
    middle = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    assert middle == pytest.approx(tuple(matrix @ (40, 30, 1)), abs=0.05)


def test_the_measurement_of_an_unchanged_picture_is_full():
    found = PaperSurf().detect(blobs())
    right, again = keypoints.score(found, found, np.eye(2, 3))
    assert right > 0.95
    assert again == 1


def test_the_measurement_needs_pictures(tmp_path, capsys):
    assert keypoints.main([str(tmp_path)]) == 2
    assert "the folder is empty; put pictures into it" in capsys.readouterr().err
