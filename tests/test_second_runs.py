"""Second runs: rows of the first are what they were made of, or they leave with a word."""

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import seeds
from benchmarks.audit.__main__ import main as audit
from benchmarks.cli.options import a_path
from benchmarks.formats import vectors
from benchmarks.formats.files import with_checksum, write_json
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.__main__ import main as report
from datasets.errors import InputError
from datasets.source import require_dataset_name

OWN = '''
"""Means and deviations of colours, projected by chance."""

from dataclasses import dataclass

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.random_projection import GaussianRandomProjection

from extractors.base import Descriptor
from extractors.preprocessing import Preprocess, Square


@dataclass(eq=False, repr=False)
class Moments(Descriptor):
    """Mean and deviation of each colour."""

    family = "colour"
    summary = "Moments"
    reference = "Nobody (2020), Means, https://example.org/means"

    prepare: Preprocess = Square(16)

    def describe(self, image):
        """Give both of each channel."""
        return np.concatenate([image.mean(axis=(0, 1)), image.std(axis=(0, 1))])


EXTRACTORS = {
    "projected": make_pipeline(Moments(), GaussianRandomProjection(4, random_state=0)),
}
'''


@pytest.fixture
def plugin(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    return tmp_path / "own.py"


def edit(path, change):
    content = json.loads(path.read_text())
    del content["checksum"]
    change(content)
    write_json(path, with_checksum(content))


def test_rows_of_other_rules_stand_in_no_table_beside_todays(parted, run, tmp_path, caplog):
    run("--extractor", "lbp", "hsv-histogram", "--dataset", parted)
    records = tmp_path / "out/parted/records/query"
    edit(records / "lbp.json", lambda one: one["card"].update({"protocol version": "search 0"}))
    assert report(["--out", str(tmp_path / "out"), "--no-plots"]) == 0
    rows = json.loads((tmp_path / "out/parted/table.json").read_text())["query"]
    assert [row["method"] for row in rows] == ["chance", "hsv-histogram"]
    assert "lbp.json: left out, was scored by other rules (search 0)" in caplog.text


def test_a_table_that_is_all_of_other_rules_stays(parted, run, tmp_path):
    run("--extractor", "lbp", "--dataset", parted)
    for path in (tmp_path / "out/parted/records").glob("*/lbp.json"):
        edit(path, lambda one: one["card"].update({"protocol version": "search 0"}))
    assert report(["--out", str(tmp_path / "out"), "--no-plots"]) == 0
    assert "| lbp " in (tmp_path / "out/parted/table.md").read_text()


def test_a_tuned_row_of_a_former_preset_is_no_row_of_the_new_one(
    parted, tuned, run, tmp_path, monkeypatch, preset_file, caplog
):
    def tune(number):
        monkeypatch.setattr("benchmarks.tune.choose.choose", lambda trials: trials[number])
        assert tuned("--extractor", "lbp", "--dataset", parted, "--quiet") == 0
        return (tmp_path / "out/parted/presets.md").read_text()

    tune(1)
    given = ("--extractor", "lbp", "--preset", preset_file("lbp"), "--dataset", parted)
    assert run(*given) == 0
    page = tmp_path / "out/parted/presets.md"
    assert "| query | lbp@parted |" in page.read_text().replace("  ", " ")
    assert "lbp@parted |" not in tune(2)
    assert "lbp@parted was run with another preset" in caplog.text
    assert run(*given) == 0
    assert "| query | lbp@parted |" in page.read_text().replace("  ", " ")


def test_choices_of_other_training_images_are_told(parted, tuned, caplog):
    assert tuned("--extractor", "lbp", "hsv-histogram", "--dataset", parted, "--quiet") == 0
    assert not caplog.text
    next((parted / "training").rglob("*.png")).unlink()
    assert tuned("--extractor", "lbp", "--dataset", parted, "--quiet") == 0
    assert "hsv-histogram and lbp were tuned on different training images" in caplog.text


def test_ids_never_stand_beside_the_vectors_of_others(tmp_path, monkeypatch):
    path = tmp_path / "v.npy"
    vectors.write_vectors(path, ["a", "b"], np.eye(2, dtype=np.float32))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vectors, "_write_npy", full)
    with pytest.raises(OSError, match="No space"):
        vectors.write_vectors(path, ["a", "c"], 2 * np.eye(2, dtype=np.float32))
    with pytest.raises(InputError):
        vectors.read_vectors(str(path))


@pytest.mark.parametrize("name", ["a\u2028b", "a\x0cb", "a\x85b", "a\rb", "a\nb", " a"])
def test_ids_that_are_two_lines_are_refused(tmp_path, name):
    with pytest.raises(InputError, match="does not stand on a line"):
        vectors.write_vectors(tmp_path / "v.npy", [name], np.eye(1, dtype=np.float32))


def test_seeds_of_an_estimator_of_scikit_learn_have_a_spread(parted, plugin, tmp_path):
    places = ["--out", tmp_path / "out", "--cache", tmp_path / "cache", "--jobs", 1, "--no-plots"]
    given = ["--plugin", plugin, "--extractor", "projected", "--seeds", 2, "--dataset", parted]
    assert seeds.main([str(one) for one in (*given, *places)]) == 0
    assert "projected" in (tmp_path / "out/parted/seeds.csv").read_text()


def test_other_rows_in_the_folder_of_seeds_are_no_seeds(parted, run, tmp_path):
    run("--extractor", "lbp", "--dataset", parted, out="out/seeds")
    assert run("--extractor", "lbp", "--dataset", parted) == 0
    assert (tmp_path / "out/parted/table.md").exists()
    assert not (tmp_path / "out/parted/seeds.md").exists()


@pytest.mark.parametrize("name", ["seeds", "Approximate", "vocabulary-size", "summary.md"])
def test_a_dataset_is_not_called_as_what_lies_beside_it(name):
    with pytest.raises(InputError, match=r"is no name for a dataset: a (page|study) has it"):
        require_dataset_name(name, "write NAME=PATH")


def test_paths_are_those_on_this_machine(monkeypatch, tmp_path, run, parted, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert a_path("~/x") == tmp_path / "x"
    assert run("--extractor", "lbp", "--dataset", parted, out="file:///x") == 0  # below tmp_path
    with pytest.raises(Exception, match="s3://x is an address; give a path on this machine"):
        a_path("s3://x")


def test_a_number_of_workers_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "abc")
    with pytest.raises(InputError, match="LOKY_MAX_CPU_COUNT=abc: no number; unset it"):
        Workforce(None)


def test_a_run_started_from_a_notebook_draws(parted, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    given = ["--extractor", "lbp", "--dataset", parted, "--jobs", "2", "--quiet"]
    places = ["--out", tmp_path / "out", "--cache", tmp_path / "cache"]
    command = [sys.executable, "-m", "benchmarks.run", *map(str, (*given, *places))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out/parted/table.md").exists()


def test_near_duplicates_forget_scores_of_what_is_made_otherwise(parted, run, tmp_path):
    copied = next((parted / "validation/query").rglob("*.png"))
    (parted / "validation/gallery" / copied.parent.name / "copy.png").write_bytes(
        copied.read_bytes()
    )
    names = ["--extractor", "hsv-histogram", "lbp"]
    run(*names, "--dataset", parted)
    places = ["--out", tmp_path / "out", "--cache", tmp_path / "cache", "--jobs", "1"]
    given = [parted, *names, "--embedding", "lab-histogram", *places]
    assert audit([str(one) for one in given]) == 0
    page = tmp_path / "out/parted/leaks.md"
    assert "| lbp " in page.read_text()
    for path in (tmp_path / "out/parted/records").glob("*/lbp.json"):
        edit(path, lambda one: one["card"]["extractor"].update(version="another"))
    assert report(["--out", str(tmp_path / "out"), "--no-plots"]) == 0
    assert "| lbp " not in page.read_text()
    assert "| hsv-histogram " in page.read_text()
