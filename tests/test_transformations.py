"""Transformations of pictures: valid, seeded by the picture alone, and stronger with strength."""

import hashlib

import cv2
import numpy as np
import pytest
from pictures import scene

from datasets.transformations import TRANSFORMATIONS, copies

SHA = hashlib.sha256(b"a picture").hexdigest()
NAMES = [one.name for one in TRANSFORMATIONS]


@pytest.fixture(scope="module")
def photograph():
    """Shapes in colour up to the borders, with a slow change of light and texture between."""
    rng = np.random.default_rng(3)
    light = np.linspace(60, 160, 270)[None, :, None] * np.array([1.0, 0.8, 0.6])
    shapes = np.concatenate([scene(1)[90:270, 90:270], scene(2)[90:270, 90:180]], axis=1)
    mixed = 0.5 * light + 0.5 * shapes + rng.normal(0, 4, (180, 270, 1))
    return np.clip(mixed, 0, 255).astype(np.uint8)


def distance(picture, copy):
    """Mean absolute difference, a copy of another size being scaled to that of the picture."""
    back = cv2.resize(copy, picture.shape[1::-1])
    return np.abs(back.astype(float) - picture).mean()


def test_names_are_unique_and_strengths_are_five():
    assert len(set(NAMES)) == len(NAMES)
    assert {len(one.values) for one in TRANSFORMATIONS if one.name != "mirror"} == {5}
    assert len(list(copies())) == 5 * (len(NAMES) - 1) + 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (33, 2), (60, 90)])
def test_any_picture_gives_a_picture_and_stays_as_it_is(shape):
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    before = picture.copy()
    for how, strength in copies():
        made = how(picture, strength, SHA)
        assert made.dtype == np.uint8, how.name
        assert made.ndim == 3, how.name
        assert made.shape[2] == 3, how.name
        assert made.size, how.name
        assert made.flags.c_contiguous, how.name
        assert np.array_equal(picture, before), how.name


@pytest.mark.parametrize("how", TRANSFORMATIONS, ids=NAMES)
def test_strength_0_is_the_picture_and_more_strength_changes_more(how, photograph):
    assert np.array_equal(how(photograph, 0, SHA), photograph)
    made = [how(photograph, strength, SHA) for strength in how.strengths]
    if how.name in ("crop", "aspect", "scale"):  # what is left of a picture has its own size
        sizes = [photograph.size, *(one.size for one in made)]
        assert sizes == sorted(sizes, reverse=True)
        assert len(set(sizes)) == len(sizes)
    else:
        found = [0, *(distance(photograph, one) for one in made)]
        assert found == sorted(found)
        assert len(set(found)) == len(found)


@pytest.mark.parametrize("how", TRANSFORMATIONS, ids=NAMES)
def test_a_copy_depends_on_its_picture_alone(how, photograph):
    others = [hashlib.sha256(bytes([number])).hexdigest() for number in range(6)]
    strength = how.strengths[-1]
    first = how(photograph, strength, SHA)
    made = [how(photograph, strength, other) for other in others]
    assert np.array_equal(first, how(photograph, strength, SHA))
    is_random = any(not np.array_equal(first, one) for one in made)
    drawn = {"noise", "aspect", "rotation", "crop", "occlusion", "colour-cast", "text", "border"}
    assert is_random == (how.name in drawn | {"watermark"})


def test_values_mean_what_they_say(photograph):
    by_name = {one.name: one for one in TRANSFORMATIONS}
    grey = by_name["saturation"](photograph, 5, SHA).astype(int)
    assert np.ptp(grey, axis=2).max() <= 1
    assert np.array_equal(by_name["mirror"](photograph, 1, SHA), photograph[:, ::-1])
    hidden = by_name["occlusion"](photograph, 5, SHA)
    share = (hidden == 128).all(axis=2).mean()
    assert share == pytest.approx(0.5, abs=0.02)
    assert by_name["crop"](photograph, 5, SHA).shape == (90, 135, 3)
    assert by_name["border"](photograph, 5, SHA).shape == (270, 360, 3)
    flat = by_name["contrast"](photograph, 5, SHA)
    assert flat.std() < photograph.std()
    assert flat.mean() == pytest.approx(photograph.mean(), abs=1)
    noise = by_name["noise"](np.full((100, 100, 3), 128, np.uint8), 1, SHA)
    assert noise.std() == pytest.approx(0.08 * 255, rel=0.05)
