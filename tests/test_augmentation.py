"""Augmented copies: Keras' geometry, seeded, of training images alone."""

import os
import re

import numpy as np
import pytest
from pictures import fill, scene
from PIL import Image

from benchmarks.augment import main
from extractors.networks.augmentation import Augmentation, with_copies


class Fixed:
    """Stands in for a generator: gives what it is told to."""

    def __init__(self, *values):
        self.values = list(values)

    def uniform(self, low, high, size=None):
        return np.array(self.values.pop(0))

    def random(self):
        return self.values.pop(0)


CASES = {
    "as it is": (0, 0, 0, 0, 1, 1, False),
    "turn": (30, 0, 0, 0, 1, 1, False),
    "shift": (0, 0, 17, -9, 1, 1, False),
    "shear": (0, 20, 0, 0, 1, 1, False),
    "zoom": (0, 0, 0, 0, 0.8, 1.2, False),
    "mirror": (0, 0, 0, 0, 1, 1, True),
    "all": (-25, 10, -12, 20, 1.15, 0.85, True),
}


@pytest.mark.parametrize("case", CASES)
def test_geometry_is_that_of_keras(case):
    """Keras counts its centre in the wrong order where a picture is not square; ours is."""
    turn, slant, right, down, wide, tall, mirrored = CASES[case]
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    picture = scene(3)[30:330, 30:330]
    height, width = picture.shape[:2]
    ours = Augmentation(rotation=90, shift=1, shear=90, zoom=0).vary(
        picture,
        Fixed(
            np.array([turn, slant]) / 90,
            np.array([down / height, right / width]),
            (tall, wide),
            0.0 if mirrored else 1.0,
        ),
    )
    wanted = ImageDataGenerator(fill_mode="nearest", interpolation_order=1).apply_transform(
        picture.astype(np.float32),
        {
            "theta": turn,
            "tx": right,
            "ty": down,
            "shear": slant,
            "zx": wide,
            "zy": tall,
            "flip_horizontal": mirrored,
        },
    )
    assert np.abs(ours.astype(float) - wanted).mean() < 1.0
    if case != "as it is":
        assert np.abs(picture.astype(float) - wanted).mean() > 3.0


def test_copies_follow_their_picture_and_are_seeded():
    pictures = [scene(1), scene(2)]
    made = list(with_copies(pictures, Augmentation(copies=2), seed=4))
    assert len(made) == 6
    assert np.array_equal(made[0], pictures[0])
    assert np.array_equal(made[3], pictures[1])
    again = list(with_copies(pictures, Augmentation(copies=2), seed=4))
    assert all(map(np.array_equal, made, again))
    other = list(with_copies(pictures, Augmentation(copies=2), seed=5))
    assert not np.array_equal(made[1], other[1])
    assert not np.array_equal(made[1], made[2])
    assert len(list(with_copies(pictures, None, seed=0))) == 2


def test_the_command_writes_copies_of_training_images_only(parted, tmp_path, capsys):
    arguments = ["--out", str(tmp_path / "made"), "--cache", str(tmp_path / "cache")]
    assert main([str(parted), "--copies", "2", *arguments]) == 0
    written = sorted((tmp_path / "made").rglob("*.png"))
    assert len(written) == 8 * 3
    assert {path.parent.name for path in written} == {"apple", "berry"}
    original = np.array(Image.open(parted / "training" / "apple" / "00.png"))
    folder = tmp_path / "made" / "training" / "apple"
    assert np.array_equal(np.array(Image.open(folder / "00-png.png")), original)
    copies = [np.array(Image.open(folder / f"00-png-copy-{n}.png")) for n in (1, 2)]
    assert all(copy.shape == original.shape for copy in copies)
    assert not np.array_equal(copies[0], copies[1])


def test_copies_of_other_training_images_never_lie_beside_these(classes, tmp_path, capsys):
    places = ["--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache"), "--quiet"]
    made = [str(classes), *places, "--copies", "1"]
    assert main(made) == 0
    before = tree(tmp_path / "out")
    left = tmp_path / "out" / "training" / "apple" / ".half-written-x.part"
    left.touch()
    os.utime(left, (1, 1))
    assert main(made) == 0
    assert tree(tmp_path / "out") == before
    (tmp_path / "out" / "training" / "apple" / "mine.txt").touch()
    for more in (["--seed", "3"], []):
        assert main([*made, *more]) == 2
        said = capsys.readouterr().err
        assert re.fullmatch(r"error: --out .* is no copy of a training image of these.*\n", said)
    (tmp_path / "out" / "training" / "apple" / "mine.txt").unlink()
    assert tree(tmp_path / "out") == before
    for path in classes.rglob("0[0-4].png"):
        path.unlink()
    assert main(made) == 2
    assert tree(tmp_path / "out") == before


def tree(folder):
    return {path: path.read_bytes() for path in folder.rglob("*.*")}


def test_bad_input_is_one_line_and_code_2(parted, tmp_path, capsys):
    assert main([str(parted), "--out", str(tmp_path), "--copies", "0"]) == 2
    assert capsys.readouterr().err == "error: argument --copies: 0 is less than 1 (see --help)\n"


def test_no_copy_takes_another_ones_file(tmp_path):
    for number, place in enumerate(("cat", "cat/deeper", "dog")):
        fill(tmp_path / "set" / "training" / place, 2, number)
        fill(tmp_path / "set" / "validation" / "gallery" / place, 2, 10 + number)
        fill(tmp_path / "set" / "validation" / "query" / place, 2, 20 + number)
    places = ["--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    assert main([str(tmp_path / "set"), *places, "--copies", "1", "--jobs", "1"]) == 0
    assert len(list((tmp_path / "out" / "training" / "cat").iterdir())) == 8
