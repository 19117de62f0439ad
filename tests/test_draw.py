"""The two commands that draw local features."""

import numpy as np
import pytest
from pictures import scene
from PIL import Image

from benchmarks import matches
from extractors import draw
from extractors.draw import INLIER, keypoints_picture, matches_picture
from extractors.local_features.detector import LocalFeatures


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "a picture.png"
    Image.fromarray(scene(0)).save(path)
    return path


def features(*points):
    rows = np.array(points, np.float32).reshape(-1, 5)
    return LocalFeatures(rows, np.zeros((len(rows), 4), np.uint8), (50, 40))


def test_key_points_are_circles_with_a_line():
    blank = np.full((480, 960, 3), 99, np.uint8)
    drawn = keypoints_picture(blank, features((100, 200, 40, 90, 1)))
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
    assert keypoints_picture(blank, features(*points)).shape == (40 * 19, 50 * 19, 3)
    some = keypoints_picture(blank, features(*points), strongest=1)
    assert (some[: 10 * 19, : 10 * 19] == 99).all()


def test_matches_are_lines_from_picture_to_picture():
    blank = np.full((40, 50, 3), 255, np.uint8)
    asked, found = features((10, 20, 4, 0, 1)), features((30, 20, 4, 0, 1))
    pairs, inliers = np.array([[0, 0]]), np.array([True])
    drawn = matches_picture(blank, asked, blank[:30], found, pairs, inliers)
    assert drawn.shape == (40, 50 + 8 + 50, 3)
    line = drawn[19:22, 15:80].min(axis=0).astype(int)
    assert (np.abs(line - INLIER) < 60).all()
    none = np.empty((0, 2), np.intp)
    assert (matches_picture(blank, asked, blank, found, none, inliers[:0]) == 255).all()


@pytest.mark.parametrize("detector", ["sift", "orb", "surf"])
def test_draw_command(photo, tmp_path, capsys, detector):
    out = tmp_path / "drawn.png"
    assert draw.main([str(photo), "--detector", detector, "--out", str(out)]) == 0
    with Image.open(out) as drawn:
        assert drawn.size == (1080, 1080)
    assert "key points" in capsys.readouterr().out


def test_matches_command_finds_the_turned_picture(photo, tmp_path, capsys):
    turned, out = tmp_path / "turned.png", tmp_path / "matches.png"
    Image.fromarray(scene(0)).rotate(90).save(turned)
    assert matches.main([str(photo), str(turned), "--out", str(out)]) == 0
    words = capsys.readouterr().out.split()
    assert int(words[words.index("inliers;") - 1]) > 100
    assert out.stat().st_size > 0


def test_bad_input_is_one_line(photo, tmp_path, capsys):
    lying = tmp_path / "text.jpg"
    lying.write_text("no picture")
    for arguments in ([lying], [photo, "--out", tmp_path / "missing" / "x.png"], [tmp_path]):
        assert draw.main([str(argument) for argument in arguments]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    for arguments in ([lying, photo], [photo, photo, "--out", tmp_path / "missing" / "x.png"]):
        assert matches.main([str(argument) for argument in arguments]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert matches.main([str(photo), str(photo), "--detector", "sfit"]) == 2
    assert "did you mean 'sift'?" in capsys.readouterr().err
    with pytest.raises(SystemExit) as left:
        draw.main([str(photo), "--detector", "sfit"])
    assert left.value.code == 2
