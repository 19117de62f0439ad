"""The commands beside the main one: the vocabulary-size curve and the key-point table."""

import csv
import json
import shutil

import numpy as np
import pytest
from pictures import scene
from PIL import Image

from benchmarks import keypoints, vocabulary_size
from benchmarks.report import __main__ as report


@pytest.fixture
def folder(tmp_path):
    """Two classes of four scenes."""
    for number in range(8):
        path = tmp_path / "scenes" / ("left" if number % 2 else "right") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene(number)).save(path)
    return tmp_path / "scenes"


def test_vocabulary_size_curve_has_a_row_for_each_size(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(vocabulary_size, "SIZES", (4, 16))
    arguments = ["--dataset", folder, "--extractor", "orb-bovw", "--jobs", 1]
    arguments += ["--out", tmp_path / "out", "--cache", tmp_path / "cache"]
    assert vocabulary_size.main([str(argument) for argument in arguments]) == 0
    tables = tmp_path / "out" / "vocabulary-size"
    rows = json.loads((tables / "scenes" / "table.json").read_text())["query"]
    assert {row["method"]: row["dimensions"] for row in rows if "dimensions" in row} == {
        "orb-bovw-0004": 4,
        "orb-bovw-0016": 16,
    }
    assert "orb-bovw-0016" in (tables / "summary.md").read_text()
    assert (tables / "scenes" / "plots" / "orb-bovw-query.png").stat().st_size > 1000
    assert "](plots.md)" in (tables / "scenes" / "table.md").read_text()
    before = {path: path.read_bytes() for path in tables.rglob("*") if path.is_file()}
    shutil.copytree(tables / "scenes", tmp_path / "out" / "scenes")
    assert report.main(["--out", str(tmp_path / "out"), "--no-plots"]) == 0
    assert {path: path.read_bytes() for path in before} == before
    assert "orb-bovw-0016" in capsys.readouterr().out


def test_vocabularies_of_two_extractors_are_two_plots(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(vocabulary_size, "SIZES", (4, 16))
    arguments = ["--dataset", folder, "--jobs", 1, "--quiet", "--out", tmp_path / "out"]
    arguments += ["--cache", tmp_path / "cache", "--extractor"]
    for name in ("orb-bovw", "akaze-bovw"):
        assert vocabulary_size.main([str(one) for one in (*arguments, name)]) == 0
    plots = (tmp_path / "out" / "vocabulary-size" / "scenes" / "plots").iterdir()
    assert {path.name for path in plots} == {"akaze-bovw-query.png", "orb-bovw-query.png"}


@pytest.mark.parametrize("name", ["hog", "sift-vlad", "nothing"])
def test_vocabulary_size_wants_a_bag_of_words(folder, name, capsys):
    assert vocabulary_size.main(["--dataset", str(folder), "--extractor", name]) == 2
    assert "rootsift-bovw" in capsys.readouterr().err


def test_key_points_are_found_again_after_a_change(folder, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for number, path in enumerate(sorted(folder.rglob("*.png"))[:3]):
        path.rename(flat / f"{number}.png")
    assert keypoints.main([str(flat), "--out", str(tmp_path / "out")]) == 0
    with (tmp_path / "out" / "keypoints.csv").open(newline="") as file:
        header, *lines = csv.reader(file)
    table = {line[0]: np.array(line[1:5], float) for line in lines}
    assert header[1:5] == ["rotation 10°", "rotation 30°", "rotation 90°", "scale 0.7"]
    assert {"SIFT", "ORB", "SURF, mahotas", "SURF, this suite's"} <= set(table)
    assert (table["SURF, this suite's"] > 2 * table["SURF, mahotas"]).all()
    assert (table["SIFT"] > 0.6).all()


def test_key_points_leave_out_what_is_no_picture(folder, tmp_path, caplog):
    first, *_, last = sorted(folder.rglob("*.png"))
    (folder / "._0.png").write_bytes(b"\0\5\x16\7")
    (folder / "notes.pdf").write_bytes(b"%PDF-1.4")
    (folder / "folder.png").mkdir()
    last.write_bytes(first.read_bytes()[:999])
    assert len(keypoints.read_some(folder)) == 7
    assert [str(last) in line for line in caplog.messages] == [True]


def test_key_point_table_wants_pictures(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "missing"):
        assert keypoints.main([str(path)]) == 2
        assert str(path) in capsys.readouterr().err
