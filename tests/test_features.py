"""What each feature measures: against slow references, and the invariances it promises."""

import cv2
import numpy as np
import pytest
from pictures import picture

from extractors.base import hellinger
from extractors.hand_crafted.colour import (
    ColourCorrelogram,
    ColourHistogram,
    ColourMoments,
    convert,
)
from extractors.hand_crafted.gist import Gist
from extractors.hand_crafted.shape import (
    EdgeOrientationHistogram,
    FourierDescriptors,
    HistogramOfOrientedGradients,
    HuMoments,
    ZernikeMoments,
)
from extractors.hand_crafted.silhouette import silhouette
from extractors.hand_crafted.texture import GaborBank, Haralick, LocalBinaryPattern
from extractors.preprocessing import LongestSide, Square, cells

PHOTO = np.array(picture(7, 64))


def as_is(image):
    """Preprocessing that does nothing."""
    return image


def distance(first, second):
    first, second = (vector / np.linalg.norm(vector) for vector in (first, second))
    return np.linalg.norm(first - second)


def shape_picture(rotation=0.0, scale=1.0, shift=(0, 0), kind="L"):
    """A dark polygon on white."""
    corners = {
        "L": [(-30, -40), (-10, -40), (-10, 20), (30, 20), (30, 40), (-30, 40)],
        "star": [
            (40 * r * np.cos(t), 40 * r * np.sin(t))
            for t, r in zip(
                np.linspace(0, 2 * np.pi, 10, endpoint=False), [1, 0.4] * 5, strict=True
            )
        ],
    }[kind]
    angle = np.deg2rad(rotation)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = np.array(corners) @ turn.T + 96 + np.array(shift)
    image = np.full((192, 192, 3), 255, np.uint8)
    return cv2.fillPoly(image, [points.round().astype(np.int32)], (20, 20, 60))


def test_rgb_histogram_counts_pixels():
    expected, _ = np.histogramdd(PHOTO.reshape(-1, 3), bins=8, range=[(0, 256)] * 3)
    found = ColourHistogram("rgb", (8, 8, 8), prepare=as_is).describe(PHOTO)
    assert np.allclose(found**2, expected.ravel() / expected.sum(), atol=1e-6)


def test_histogram_ignores_place_and_a_grid_does_not():
    shuffled = np.random.default_rng(0).permutation(PHOTO.reshape(-1, 3)).reshape(PHOTO.shape)
    for space in ("rgb", "hsv", "lab"):
        plain = ColourHistogram(space, prepare=as_is)
        assert np.allclose(plain.describe(PHOTO), plain.describe(shuffled))
    grid = ColourHistogram("rgb", grid=4, prepare=as_is)
    assert distance(grid.describe(PHOTO), grid.describe(shuffled)) > 0.2


def test_colour_spaces_keep_every_pixel_inside_their_bins():
    corners = np.array(np.meshgrid([0, 128, 255], [0, 128, 255], [0, 128, 255]))
    colours = corners.reshape(3, 1, -1).T.astype(np.uint8)
    for space in ("rgb", "hsv", "lab"):
        found = ColourHistogram(space, prepare=as_is).describe(colours)
        assert (found**2).sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="'cmyk' is none of"):
        convert(PHOTO, "cmyk")


def test_colour_moments_are_the_moments():
    values = PHOTO.reshape(-1, 3).astype(float)
    third = ((values - values.mean(0)) ** 3).mean(0)
    expected = [values.mean(0), values.std(0), np.cbrt(third)]
    found = ColourMoments("rgb", prepare=as_is).describe(PHOTO)
    assert np.allclose(found, np.concatenate(expected))


def test_correlogram_against_a_slow_reference():
    image = np.array(picture(3, 12))
    quantised = image.astype(int) * 2 // 256
    colour = quantised @ [4, 2, 1]
    same, pairs = np.zeros(8), np.zeros(8)
    for y in range(12):
        for x in range(12):
            for dy in (-3, 0, 3):
                for dx in (-3, 0, 3):
                    if (dy or dx) and 0 <= y + dy < 12 and 0 <= x + dx < 12:
                        pairs[colour[y, x]] += 1
                        same[colour[y, x]] += colour[y, x] == colour[y + dy, x + dx]
    expected = np.sqrt(np.divide(same, pairs, out=np.zeros(8), where=pairs > 0))
    found = ColourCorrelogram(2, distances=(3,), prepare=as_is).describe(image)
    assert np.allclose(found, expected)


def test_hellinger_maps_a_dot_product_to_the_bhattacharyya_coefficient():
    first, second = np.array([1.0, 3, 0]), np.array([2.0, 2, 4])
    expected = np.sqrt(first / 4 * second / 8).sum()
    assert hellinger(first) @ hellinger(second) == pytest.approx(expected)
    assert hellinger(np.array([0, 0])).tolist() == [0, 0]
    assert hellinger(np.array([-1, 3])).tolist() == [-0.5, np.sqrt(0.75)]


def test_cells_cover_the_picture_once():
    image = np.arange(11 * 7).reshape(11, 7)
    parts = list(cells(image, 4))
    assert len(parts) == 16
    assert sorted(np.concatenate([part.ravel() for part in parts])) == list(range(77))
    assert all(part.size for part in cells(np.zeros((2, 1)), 4))


def test_lbp_ignores_brightness_and_quarter_turns():
    lbp = LocalBinaryPattern(prepare=as_is)
    dark = PHOTO // 2 + 10
    noisy = np.random.default_rng(2).integers(0, 256, PHOTO.shape).astype(np.uint8)
    turned = np.ascontiguousarray(np.rot90(PHOTO))
    assert distance(lbp.describe(PHOTO), lbp.describe(turned)) < 0.1
    assert distance(lbp.describe(PHOTO), lbp.describe(dark)) < 0.3
    assert distance(lbp.describe(PHOTO), lbp.describe(noisy)) > 0.4


def test_texture_features_tell_fine_from_coarse_and_upright_from_lying():
    wave = np.sin(np.arange(128) * 2 * np.pi / 8)
    upright = np.uint8(128 + 100 * np.tile(wave, (128, 1)))[..., None].repeat(3, 2)
    lying = np.ascontiguousarray(upright.transpose(1, 0, 2))
    coarse = cv2.resize(upright, None, fx=4, fy=4)[:128, :128]
    for extractor in (GaborBank(), Gist(), EdgeOrientationHistogram()):
        assert distance(extractor.describe(upright), extractor.describe(lying)) > 0.4
    for extractor in (GaborBank(), Gist(), Haralick()):
        assert distance(extractor.describe(upright), extractor.describe(coarse)) > 0.1


@pytest.mark.parametrize("extractor", [ZernikeMoments(), FourierDescriptors(), HuMoments()])
def test_silhouette_features_ignore_pose_and_tell_shapes_apart(extractor):
    base = extractor.describe(extractor.prepare(shape_picture()))
    star = extractor.describe(extractor.prepare(shape_picture(kind="star")))
    posed = shape_picture(rotation=35, scale=1.3, shift=(8, -12))
    moved = extractor.describe(extractor.prepare(posed))
    assert distance(base, moved) < 0.35 * distance(base, star)


def test_outlines_are_measured_by_their_main_harmonic():
    round_ = np.full((128, 128, 3), 255, np.uint8)
    cv2.circle(round_, (64, 64), 40, (0, 0, 0), -1)
    assert np.abs(FourierDescriptors().describe(round_)).max() < 0.05  # a circle is that alone
    found = FourierDescriptors().describe(shape_picture())
    assert found.shape == (47,)
    assert 0.05 < found.max() < 1


def test_hu_moments_that_vanish_do_not_jump():
    turned = []
    for angle in (0, 10, 20):
        picture = np.full((256, 256, 3), 255, np.uint8)
        cv2.ellipse(picture, (128, 128), (90, 45), angle, 0, 360, (0, 0, 0), -1)
        turned.append(HuMoments(prepare=as_is).describe(picture))
    assert np.abs(np.diff(turned, axis=0)).max() < 3


def test_silhouette_of_line_art_is_what_the_lines_enclose():
    filled = shape_picture()
    lines = np.full_like(filled, 255)
    mask = silhouette(filled)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(lines, contours, -1, (0, 0, 0), 2)
    overlap = (silhouette(lines) & mask).sum() / (silhouette(lines) | mask).sum()
    assert overlap > 0.85  # the lines are drawn half outside
    assert silhouette(np.full((9, 9, 3), 50, np.uint8)).all()


def test_hog_and_edges_give_nothing_for_a_blank_picture():
    blank = np.full((128, 128, 3), 90, np.uint8)
    assert not HistogramOfOrientedGradients().describe(blank).any()
    assert not EdgeOrientationHistogram().describe(blank).any()


def test_preprocessing_sizes():
    tall = np.zeros((50, 20, 3), np.uint8)
    assert LongestSide(100)(tall).shape == (100, 40, 3)
    assert LongestSide(10)(tall).shape == (10, 4, 3)
    assert LongestSide(10)(np.zeros((500, 1, 3), np.uint8)).shape == (10, 1, 3)
    assert Square(32)(tall).shape == (32, 32, 3)
