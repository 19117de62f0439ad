"""Costs measured anew: by the command, without touching scores."""

import json
import shutil

import pytest
from pictures import scene
from PIL import Image

from benchmarks.costs import main
from benchmarks.pipeline.evaluation import costs as costs_module
from benchmarks.pipeline.records.record import RecordPath


@pytest.fixture
def measure(tmp_path, monkeypatch):
    """Run the command with a clock by which every step takes a second; gives the exit code."""
    steps = []

    def timed(work, given):
        steps.append(work)
        return 1.0, work(given)

    monkeypatch.setattr(costs_module, "_timed", timed)

    def run_command(*arguments):
        folders = ["--out", tmp_path / "out", "--cache", tmp_path / "cache", "--jobs", 1]
        steps.clear()
        return main([str(one) for one in (*arguments, *folders)]), len(steps)

    return run_command


def test_each_step_is_timed_once_and_added_up(scenes, run, measure, tmp_path):
    rows = ["orb-bovw", "lbp", "lbp+orb-bovw", "orb-bovw+geometry", "cnn-compact"]
    run("--extractor", *rows, "--dataset", scenes, "--epochs", 1)
    folder = tmp_path / "out" / "scenes" / "records" / "query"
    kept = {path: path.read_bytes() for path in folder.glob("*") if "costs" not in path.name}
    before = json.loads((folder / "lbp.costs.json").read_text())
    assert measure("--dataset", scenes, "--epochs", 1) == (0, 4)
    assert all(path.read_bytes() == was for path, was in kept.items())
    found = {row: RecordPath(folder, row).read_costs() for row in rows}
    # Four gallery pictures, a second a step: detecting, encoding, describing, running.
    per_image = {row: costs["extraction_ms"] / 250 for row, costs in found.items()}
    assert per_image == {
        "orb-bovw": 2,
        "lbp": 1,
        "lbp+orb-bovw": 3,
        "orb-bovw+geometry": 2,
        "cnn-compact": 1,
    }
    assert all(costs["search_ms"] > 0 for costs in found.values())
    assert found["lbp"]["fit_seconds"] == before["fit_seconds"]
    table = json.loads((tmp_path / "out" / "scenes" / "table.json").read_text())["query"]
    assert {row["method"]: row.get("extraction_ms") for row in table}["lbp"] == 250


def test_only_rows_that_are_named(scenes, run, measure, tmp_path):
    run("--extractor", "lbp", "hog", "--dataset", scenes)
    folder = tmp_path / "out" / "scenes" / "records" / "query"
    was = RecordPath(folder, "hog").read_costs()
    assert measure("--dataset", scenes, "--extractor", "lbp") == (0, 1)
    assert RecordPath(folder, "hog").read_costs() == was
    assert RecordPath(folder, "lbp").read_costs()["extraction_ms"] == 250


def test_nothing_to_measure_is_one_line(scenes, run, measure, tmp_path, capsys):
    assert measure("--dataset", scenes) == (2, 0)
    error = capsys.readouterr().err
    assert "no records of scenes there" in error
    run("--extractor", "lbp", "--dataset", scenes)
    assert measure("--dataset", scenes, "--extractor", "lbp", "hog") == (2, 0)
    assert "no records of scenes by hog there" in capsys.readouterr().err
    assert measure("--dataset", scenes, "--extractor", "lbp", "hgo") == (2, 0)
    assert "did you mean 'hog'?" in capsys.readouterr().err
    shutil.copy(scenes / "training/class-0/00.png", scenes / "training/class-0/again.png")
    Image.fromarray(scene(77)).save(scenes / "training" / "class-0" / "new.png")
    assert measure("--dataset", scenes)[0] == 2  # another training set, so other records
