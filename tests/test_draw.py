"""The command that draws local features."""

import re

import numpy as np
import pytest
from pictures import scene
from PIL import Image

from benchmarks import draw
from benchmarks.draw import INLIER, draw_keypoints, draw_matches
from datasets.reading import read_image
from extractors import DETECTORS
from extractors.local_features.detector import LocalFeatures


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "a picture.png"
    Image.fromarray(scene(0)).save(path)
    return path


def features(*points):
    rows = np.array(points, np.float32).reshape(-1, 5)
    return LocalFeatures(rows, np.zeros((len(rows), 4), np.uint8), (50, 40))


def test_keypoints_are_circles_with_a_line():
    blank = np.full((480, 960, 3), 99, np.uint8)
    drawn = draw_keypoints(blank, features((100, 200, 40, 90, 1)))
    changed = (drawn != 99).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert (rows.min(), rows.max()) == (pytest.approx(180, abs=3), pytest.approx(220, abs=3))
    assert (columns.min(), columns.max()) == (pytest.approx(80, abs=3), pytest.approx(120, abs=3))
    assert changed[210, 100]  # the line points down
    assert not changed[190, 100]
    assert (blank == 99).all()


def test_small_pictures_are_enlarged_and_only_the_strongest_drawn():
    blank = np.full((40, 50, 3), 99, np.uint8)
    points = [(25, 20, 8, 0, 2), (5, 5, 4, 0, 1)]
    assert draw_keypoints(blank, features(*points)).shape == (40 * 19, 50 * 19, 3)
    some = draw_keypoints(blank, features(*points), strongest=1)
    assert (some[: 10 * 19, : 10 * 19] == 99).all()


def test_matches_are_lines_from_picture_to_picture():
    blank = np.full((40, 50, 3), 255, np.uint8)
    asked, found = features((10, 20, 4, 0, 1)), features((30, 20, 4, 0, 1))
    pairs, inliers = np.array([[0, 0]]), np.array([True])
    drawn = draw_matches(blank, asked, blank[:30], found, pairs, inliers)
    assert drawn.shape == (40, 50 + 8 + 50, 3)
    line = drawn[19:22, 15:80].min(axis=0).astype(int)
    assert (np.abs(line - INLIER) < 60).all()
    none = np.empty((0, 2), np.intp)
    assert (draw_matches(blank, asked, blank, found, none, inliers[:0]) == 255).all()


@pytest.mark.parametrize("detector", ["sift", "orb", "surf"])
def test_keypoints_are_drawn_by_the_command(photo, tmp_path, capsys, detector):
    out = tmp_path / "drawn.png"
    assert draw.main([str(photo), "--detector", detector, "--out", str(out)]) == 0
    with Image.open(out) as drawn:
        assert drawn.size == (1080, 1080)
    assert "keypoints" in capsys.readouterr().out


@pytest.mark.parametrize(("points", "told"), [(7, True), (10_000, False)])
def test_it_is_told_if_only_the_strongest_are_drawn(photo, tmp_path, capsys, points, told):
    given = [str(photo), "--points", str(points), "--out", str(tmp_path / "drawn.png")]
    assert draw.main(given) == 0
    assert (f"keypoints, the {points} strongest of them;" in capsys.readouterr().out) == told


def test_matches_command_finds_the_turned_picture(photo, tmp_path, capsys):
    turned, out = tmp_path / "turned.png", tmp_path / "matches.png"
    Image.fromarray(scene(0)).rotate(90).save(turned)
    assert draw.main([str(photo), "--out", str(out), str(turned)]) == 0
    words = capsys.readouterr().out.split()
    assert int(words[words.index("inliers;") - 1]) > 100
    assert out.stat().st_size > 0


def save_transparent(pixels, path):
    shade = np.full((*pixels.shape[:2], 1), 255, np.uint8)
    shade[:, :180] = 0
    Image.fromarray(np.dstack([pixels, shade])).save(path)


def save_16_bit(pixels, path):
    Image.fromarray(pixels[..., 0].astype(np.uint16) * 257).save(path)


def save_turned(pixels, path):
    turn = Image.Exif()
    turn[0x0112] = 6
    Image.fromarray(pixels).save(path, exif=turn)


@pytest.mark.parametrize("save", [save_transparent, save_16_bit, save_turned])
def test_pictures_are_drawn_as_the_benchmark_reads_them(save, tmp_path, capsys):
    path, out = tmp_path / "odd.png", tmp_path / "drawn.png"
    save(scene(0)[:, :300], path)
    assert draw.main([str(path), "--out", str(out)]) == 0
    image = DETECTORS["sift"].prepare(read_image(path))
    expected = draw_keypoints(image, DETECTORS["sift"].detect(image))
    with Image.open(out) as drawn:
        assert np.array_equal(np.array(drawn), expected)
    assert str(len(DETECTORS["sift"].detect(image))) in capsys.readouterr().out


def test_bad_input_is_one_line(photo, tmp_path, capsys):
    lying = tmp_path / "text.jpg"
    lying.write_text("no picture")
    lost = ["--out", lying / "x.png"]
    for arguments in (
        *([lying], [photo, *lost], [tmp_path], [lying, photo], [photo, photo, *lost]),
        *([photo, "--points", "0"], [""], [photo, ""], [photo, "--out", ""]),
        *([photo, photo, "--points", "9"], [photo, "--model", "homography"]),
    ):
        assert draw.main([str(argument) for argument in arguments]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    for pictures in ([photo], [photo, photo]):
        assert draw.main([*map(str, pictures), "--detector", "sfit"]) == 2
        assert re.match(r"error: .*--detector: .*'sfit'.*'?sift'?", capsys.readouterr().err)
