"""Presets: the rows that they make, where they may be used, and what is no preset."""

import json
import os
import re
import shutil

import pytest

from benchmarks.costs import main as measure_costs
from benchmarks.pipeline.methods.names import parse_method
from benchmarks.pipeline.methods.presets import Trial, method_from, read_preset, write_preset
from benchmarks.pipeline.methods.space import search_space
from benchmarks.search import __main__ as search_module
from benchmarks.search import open_index
from benchmarks.tune.choose import make_preset
from datasets.task import Dataset, Image


@pytest.fixture
def written(tmp_path):
    """Write a preset that keeps the menu's LBP, changed as the test says; returns its file."""

    def write(change=json.dumps):
        names = ("a", "b", "c")
        images = tuple(Image(name, tmp_path / name, 64 * name, "x") for name in names)
        data = Dataset("elsewhere", tmp_path, images, (), {})
        tried = search_space("lbp")
        trials = [Trial(one, 30, 0.5, 0.4, 0.6, 0.5, 0.0, 1.0) for one in tried.choices()]
        file = write_preset(tmp_path, make_preset(tried, trials, {}, data, 0))
        file.write_text(change(json.loads(file.read_text())))
        return file

    return write


def test_a_preset_makes_a_row_beside_the_menus(
    parted, tuned, run, tmp_path, monkeypatch, preset_file
):
    better = lambda trials: trials[1]  # noqa: E731
    monkeypatch.setattr("benchmarks.tune.choose.choose", better)
    names = ("hsv-histogram", "lbp+hog", "lbp")
    assert tuned("--extractor", *names, "--dataset", parted, "--quiet") == 0
    files = [preset_file(name) for name in names]
    assert run("--extractor", *names, "--preset", *files, "--dataset", parted) == 0
    table = json.loads((tmp_path / "out/parted/table.json").read_text())["query"]
    rows = {row["method"]: row for row in table}
    assert {f"{name}@parted" for name in names} | set(names) <= set(rows)
    assert rows["hsv-histogram@parted"]["dimensions"] == 72
    note = "tuned: bins=(8, 3, 3), grid=1 by leave-one-out among 8 training images of parted"
    assert rows["hsv-histogram@parted"]["note"] == note
    record = json.loads((tmp_path / "out/parted/records/query/lbp@parted.json").read_text())
    assert record["card"]["extractor"]["tuned"] == record["note"]
    page = (tmp_path / "out/parted/presets.md").read_text()
    assert re.search(r"## On the gallery\n\n.*\n.*\n(\| query \| .*@parted \| .*\n){3}", page)
    assert "[Tuned methods](presets.md)" in (tmp_path / "out/parted/table.md").read_text()
    assert "lbp+hog@parted" in (tmp_path / "out/parted/hybrid.md").read_text()
    costs = list((tmp_path / "out/parted/records/query").glob("*.costs.json"))
    for path in costs:
        os.utime(path, (0, 0))
    places = ("--out", tmp_path / "out", "--cache", tmp_path / "cache", "--jobs", 1)
    assert measure_costs([str(a) for a in ("--preset", *files, "--dataset", parted, *places)]) == 0
    measured = {path.name for path in costs if path.stat().st_mtime}
    assert measured == {f"{name}@parted.costs.json" for name in names}


def test_a_preset_that_keeps_the_menus_choice_is_the_menus_row(
    parted, tuned, run, tmp_path, preset_file
):
    assert tuned("--extractor", "lbp", "--dataset", parted, "--quiet") == 0
    file = preset_file("lbp")
    row = method_from(file)
    assert row.extractors[0].identity == parse_method("lbp").extractors[0].identity
    assert row.note.startswith("as in the menu: no other choice is significantly better")
    assert run("--preset", file, "--extractor", "lbp", "--dataset", parted, "--quiet") == 0
    folder = tmp_path / "out/parted/records/query"
    menus, own = (json.loads((folder / f"{n}.json").read_text()) for n in ("lbp", "lbp@parted"))
    assert menus["scores"] == own["scores"]


def test_a_preset_is_not_run_where_the_images_that_chose_it_are_searched(
    classes, tuned, run, tmp_path, preset_file
):
    assert tuned("--extractor", "lbp", "--dataset", classes, "--quiet") == 0
    file = preset_file("lbp", "classes")
    arguments = ("--preset", file, "--dataset", classes, "--quiet")
    record = tmp_path / "out/classes/records/query/lbp@classes.json"
    assert run(*arguments) == 0
    assert json.loads(record.read_text())["status"] == "ok"
    assert run(*arguments, "--seed", 1) == 0
    found = json.loads(record.read_text())
    assert found["status"] == "skipped"
    assert re.match(r"tuned on \d+ images that are searched or asked here", found["reason"])


def changed(**changes):
    return lambda content: json.dumps(content | changes)


def test_a_preset_searches_and_its_index_stands_alone(parted, written, tmp_path, capsys):
    wide = {"octaves": 2, "prepare": {"class": "LongestSide", "pixels": 256}}
    file = written(changed(parameters=wide))
    asked = next((parted / "training" / "apple").iterdir())
    folders = ["--index", tmp_path / "index", "--cache", tmp_path / "cache"]

    def search(*arguments):
        return search_module.main([str(one) for one in (asked, *arguments, *folders)])

    assert search("--pictures", parted, "--preset", file, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert search("--preset", file, "--json") == 0
    wide["octaves"] = 3
    written(changed(parameters=wide))
    for more in ((), ("--serve",)):
        code = search_module.main([str(o) for o in (*more, "--preset", file, *folders)])
        assert code == 2
        assert "is an index by another lbp@elsewhere; make another" in capsys.readouterr().err
    file.unlink()
    assert search("--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert found["neighbours"] == again["neighbours"]
    assert found["neighbours"][0]["distance"] == 0
    index = open_index(tmp_path / "index")
    assert index.method.extractors[0].estimator.octaves == 2
    assert index.vectors[0].shape[1] == 20
    assert search("--pictures", parted, "--preset", file, "--extractor", "lbp") == 2
    assert "--preset and --extractor exclude each other" in capsys.readouterr().err


def nested(depth):
    made = []
    for _ in range(depth):
        made = [made]
    return made


def test_what_is_written_is_read_again(written):
    file = written()
    before = file.read_text()
    preset = read_preset(file)
    assert preset.candidates[0]["choice"] == preset.parameters
    write_preset(file.parents[2], preset)
    assert json.loads(file.read_text()) == json.loads(before)


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda _: "{", "no valid JSON"),
        (lambda _: "[" * 10**6, "no valid JSON"),
        (lambda _: "[1]", "expected `object`, got `array`; no preset of this version"),
        (lambda _: "{}", "no preset of this version: make it with benchmarks.tune"),
        (lambda content: json.dumps(content)[:-1] + ', "row": "lbp"}', "'row' stands twice"),
        (changed(more=1), "object contains unknown field `more`"),
        (changed(format=2), "invalid enum value 2 - at `$.format`"),
        (changed(format=True), "expected `int`, got `bool` - at `$.format`"),
        (changed(dataset="../../elsewhere"), "matching regex"),
        (changed(dataset=".."), "- at `$.dataset`"),
        (changed(dataset=""), "- at `$.dataset`"),
        (changed(dataset="\x1b[31m"), "- at `$.dataset`"),
        (changed(dataset="a:b"), "- at `$.dataset`"),
        (changed(dataset="x" * 199), "makes a method of too long a name"),
        (changed(row=1), "expected `str`, got `int` - at `$.row`"),
        (changed(row="cnn-plain"), "cnn-plain: cnn-plain is trained with the classes"),
        (changed(row="lbq"), "did you mean 'lbp'"),
        (changed(images=[1]), "expected `str`, got `int` - at `$.images[0]`"),
        (changed(images=["no hash"]), "- at `$.images[0]`"),
        (changed(images=[]), "length >= 1 - at `$.images`"),
        (changed(candidates=[]), "length >= 1 - at `$.candidates`"),
        (changed(candidates=[{"choice": {}}]), "- at `$.candidates[0]`"),
        (changed(verdict=None), "expected `str`, got `null` - at `$.verdict`"),
        (changed(failed={"a": 1}), "expected `str`, got `int` - at `$.failed[...]`"),
        (changed(card={}), "missing required field `training images`"),
        (changed(card={"deep": nested(500)}), "nested deeper than"),
        (changed(card={"score": float("nan")}), "no valid JSON"),
        (changed(parameters={"octaves": 99}), "no choice of those declared for lbp; tune it"),
        (changed(parameters={"prepare": "os.system"}), "no choice of those declared for lbp"),
        (changed(parameters=[]), "expected `object`, got `array` - at `$.parameters`"),
    ],
)
def test_a_damaged_or_foreign_preset_is_one_clear_error(
    damage, complaint, written, parted, run, capsys
):
    file = written(damage)
    assert run("--preset", file, "--dataset", parted) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: --preset {file}")
    assert complaint in error
    assert error.count("\n") == 1


def test_presets_that_are_missing_or_make_one_row_twice(parted, written, run, tmp_path, capsys):
    missing = tmp_path / "missing.json"
    assert run("--preset", missing, "--dataset", parted) == 2
    assert "no such file" in capsys.readouterr().err
    assert run("--preset", tmp_path, "--dataset", parted) == 2
    assert "cannot be read" in capsys.readouterr().err
    file = written()
    shutil.copy(file, missing)
    assert run("--preset", file, missing, "--dataset", parted) == 2
    assert "makes lbp@elsewhere, as" in capsys.readouterr().err
