"""Trainings by several seeds: their spread is measured, shown, and allowed by `verify`."""

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from pictures import fill

import extractors
from benchmarks import seeds
from benchmarks.pipeline.methods.names import parse_method
from benchmarks.pipeline.records.record import RecordPath
from benchmarks.pipeline.records.seeds import read_spreads
from benchmarks.report import __main__ as report
from benchmarks.verify.__main__ import main
from benchmarks.verify.tolerances import KINDS
from extractors.networks.scratch import CompactCnn
from extractors.networks.training import Recipe
from extractors.preprocessing import Square

TINY = CompactCnn(widths=(8, 16), prepare=Square(32), recipe=Recipe(epochs=1))


@pytest.fixture
def alike(tmp_path):
    """Two classes that look alike, so that every training ends elsewhere."""
    root = tmp_path / "alike"
    for number, name in enumerate(("apple", "berry")):
        fill(root / "training" / name, 6, 10 + number)
        fill(root / "validation" / "gallery" / name, 9, 20 + number)
        fill(root / "validation" / "query" / name, 8, 30 + number)
    return root


def seeded(tmp_path, *arguments):
    folders = ["--out", tmp_path / "out", "--cache", tmp_path / "cache", "--jobs", 1]
    given = [*arguments, *folders, "--no-plots", "--quiet"]
    return seeds.main([str(argument) for argument in given])


def test_the_spread_of_seeds_is_measured_shown_and_allowed(alike, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(extractors.MENU, "cnn-compact", TINY)
    chosen = ("--dataset", alike, "--extractor", "cnn-compact", "--seeds", 2)
    assert seeded(tmp_path, *chosen) == 0
    folder = tmp_path / "out" / "alike"
    with (folder / "seeds.csv").open(newline="") as file:
        by_map, by_top = csv.DictReader(file)
    scores = np.array([float(by_map[f"seed {seed}"]) for seed in range(2)])
    own = RecordPath(folder / "records" / "query", "cnn-compact")
    again = RecordPath(tmp_path / "out/seeds/alike/records/query", "cnn-compact-seed-1")
    assert scores == pytest.approx([path.read()["scores"]["map"] for path in (own, again)])
    assert len(set(scores)) == 2
    figures = [float(by_map[key]) for key in ("mean", "deviation", "smallest", "largest")]
    assert figures == pytest.approx([scores.mean(), scores.std(ddof=1), min(scores), max(scores)])
    [spread] = read_spreads(folder).values()
    assert spread.map == pytest.approx(np.ptp(scores), abs=1e-8)
    assert by_top["metric"] == "top1"

    before = {path: path.read_bytes() for path in (folder / "seeds.md", folder / "seeds.csv")}
    assert "| cnn-compact | mAP |" in before[folder / "seeds.md"].decode()
    assert "(seeds.md)" in (folder / "table.md").read_text()
    for path in before:
        path.unlink()
    assert report.main(["--out", str(tmp_path / "out"), "--no-plots"]) == 0
    assert {path: path.read_bytes() for path in before} == before

    # Trainings on pictures that were there before are no spread.
    moved = shutil.copytree(tmp_path / "out", tmp_path / "moved")
    for path in moved.rglob("cnn-compact-seed-1.json"):
        content = {k: v for k, v in json.loads(path.read_text()).items() if k != "checksum"}
        content["card"] |= {"task hash": "another", "split hash": "another"}
        path.write_text(json.dumps(content))
    about = moved / "seeds" / "alike" / "dataset.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"split_hash": "another"}))
    assert report.main(["--out", str(moved), "--no-plots"]) == 0
    assert not list((moved / "alike").glob("seeds.*"))
    assert "(seeds.md)" not in (moved / "alike" / "table.md").read_text()

    # Another seed of the same training is as near as the seeds were measured to be.
    shutil.copytree(tmp_path / "out", tmp_path / "other")
    path = RecordPath(tmp_path / "other/alike/records/query", "cnn-compact")
    record = again.read()
    path.write(record | {"method": "cnn-compact"}, again.read_ranking(record), {})
    folders = [str(tmp_path / "other"), "--against", str(tmp_path / "out")]
    strict = replace(KINDS[0], map=1e-4, top=1e-4)
    monkeypatch.setattr("benchmarks.verify.compare.kind_of", lambda extractor: strict)
    capsys.readouterr()
    assert main(folders) == 0
    assert "0 of 1 rows equal, 1 within tolerance" in capsys.readouterr().out
    (folder / "seeds.csv").unlink()
    assert main(folders) == 1
    assert "1 differs: cnn-compact on query " in (said := capsys.readouterr().out)
    assert "(the parameters differ" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--extractor", "hog"), "--extractor hog: learns nothing by chance"),
        (("--extractor", "cnn-compact+hog"), "neither fused nor re-ranked"),
        (("--extractor", "cnn-compact", "--seeds", 1), "--seeds 1: a spread needs at least 2"),
    ],
)
def test_what_has_no_seeds_is_refused_in_one_line(parted, tmp_path, capsys, arguments, message):
    assert seeded(tmp_path, "--dataset", parted, *arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "name",
    ["cnn-plain", "cnn-compact", "densenet169-finetuned", "sift-bovw", "sift-fisher", "sift-vlad"],
)
def test_whatever_learns_by_chance_gets_another_seed(name):
    plain = parse_method(name, 3)
    made = seeds.seeded(plain, 4)
    assert made.name == f"{name}-seed-4"
    head, own = made.extractors[0].head, plain.extractors[0].head
    recipe = getattr(head, "recipe", None)
    assert (recipe or head).seed == 4
    assert (getattr(own, "recipe", None) or own).seed == 0
    assert recipe is None or recipe.epochs == 3
