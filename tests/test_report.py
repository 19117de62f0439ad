"""Tables come from records and rankings alone, and the committed ones are up to date."""

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.formats.markdown import DIGITS, to_csv
from benchmarks.pipeline.records.record import RecordPath
from benchmarks.pipeline.records.seeds import FOLDER as SEEDS
from benchmarks.report.__main__ import main
from benchmarks.report.format import shorten
from retrieval.metrics import METRICS, mean_scores
from retrieval.ranking import Ranking

ROOT = Path(__file__).resolve().parents[1]
STUDIES = ("leave-one-out", "original-protocol", "ways-of-fusing")
TABLES = ("table.md", "table.csv", "table.json")
WRITTEN = {
    *("table.json", "table.csv", "gap.csv", "confusion.csv", "hybrid.csv", "classes.csv"),
    "invariance.csv",
    "mistakes.csv",
}
"""The tables that the report writes for machines."""


@pytest.fixture
def results(parted, run, tmp_path):
    run("--extractor", "rgb-histogram", "lbp", "gist", "hog", "--dataset", parted)
    return tmp_path / "out"


def test_what_a_single_query_does_not_tell_is_left_out(parted, run, tmp_path):
    for path in sorted((parted / "validation").glob("query*/*/*"))[1:]:
        path.unlink()
    assert run("--extractor", "lbp", "hog", "--dataset", parted) == 0
    page = (tmp_path / "out" / "parted" / "table.md").read_text()
    assert "| hog | " in page
    assert "80 % power" not in page


def test_a_damaged_list_of_images_is_one_line(results, capsys):
    images = results / "parted" / "images.csv"
    whole = images.read_bytes()
    for content in (whole[:-90], whole.replace(b",yes,", b",yes,,,,,,,", 1), b"", bytes(99)):
        images.write_bytes(content)
        capsys.readouterr()
        assert main(["--out", str(results), "--no-plots"]) == 2, content[-90:]
        said = capsys.readouterr().err
        assert said.startswith(f"error: {images}: ")
        assert said.endswith("; run again\n")
        assert said.count("\n") == 1


@pytest.mark.parametrize("content", ["{", None])
def test_a_dataset_without_a_whole_record_is_one_line(parted, run, tmp_path, content, capsys):
    assert run("--extractor", "lbp", "--dataset", parted, "--quiet") == 0
    for path in (tmp_path / "out" / "parted" / "records").glob("*/lbp.json"):
        path.write_text(content) if content else path.unlink()
    folder = tmp_path / "out" / "parted"
    pages = sorted(folder.iterdir())
    assert main(["--out", str(tmp_path / "out"), "--no-plots"]) == 2
    *warnings, error = capsys.readouterr().err.splitlines()
    assert all(line.startswith("WARNING: ") for line in warnings)
    assert (
        error == f"error: {tmp_path / 'out' / 'parted'}: holds no record that is whole; run again"
    )
    assert sorted((tmp_path / "out" / "parted").iterdir()) == pages
    other = f"other={parted}"
    assert run("--extractor", "lbp", "--dataset", other, "--quiet") == 0
    assert run("--extractor", "lbp", "--dataset", parted, "--quiet") == 0
    assert main(["--out", str(tmp_path / "out"), "--no-plots"]) == 0


def test_an_edited_list_of_images_is_not_believed(results, capsys):
    images = results / "parted" / "images.csv"
    whole = images.read_bytes()
    mistakes = (results / "parted" / "mistakes.csv").read_bytes()
    images.write_bytes(whole.replace(b",apple,", b",berry,", 1))
    assert main(["--out", str(results), "--no-plots"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {images}: differs from the list that was written")
    assert said.count("\n") == 1
    images.write_bytes(whole.replace(b"\n", b"\r\n"))  # as some programs store lines
    assert main(["--out", str(results), "--no-plots"]) == 0
    assert (results / "parted" / "mistakes.csv").read_bytes() == mistakes
    description = results / "parted" / "dataset.json"
    former = json.loads(description.read_text())
    del former["images_hash"]
    description.write_text(json.dumps(former))
    assert main(["--out", str(results), "--no-plots"]) == 0


def test_the_report_needs_nothing_but_the_results(results, tmp_path, parted):
    shutil.rmtree(parted)
    shutil.rmtree(tmp_path / "cache")
    before = {name: (results / "parted" / name).read_bytes() for name in TABLES}
    summary = (results / "summary.md").read_bytes()
    for name in TABLES:
        (results / "parted" / name).unlink()
    assert main(["--out", str(results), "--no-plots"]) == 0
    assert {name: (results / "parted" / name).read_bytes() for name in TABLES} == before
    assert (results / "summary.md").read_bytes() == summary


def test_the_report_loads_no_network_and_no_pictures(results):
    code = (
        "import sys; from benchmarks.report.__main__ import main; "
        f"assert main(['--out', {str(results)!r}, '--no-plots']) == 0; "
        "print([name for name in ('tensorflow', 'keras', 'torch', 'jax') if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_scores_come_from_the_rankings(results):
    place = RecordPath(results / "parted" / "records" / "query", "lbp")
    ranking = Ranking.load(place.file(".npz"))
    rows = json.loads((results / "parted" / "table.json").read_text())["query"]
    row = next(row for row in rows if row["method"] == "lbp")
    assert {name: row[name] for name in METRICS} == pytest.approx(mean_scores(ranking))
    record = place.read()
    assert record["scores"] == pytest.approx(mean_scores(ranking))


def test_every_accuracy_cell_has_an_interval_and_letters(results):
    for rows in json.loads((results / "parted" / "table.json").read_text()).values():
        for row in rows[1:]:
            for name in METRICS:
                assert 0 <= row[f"{name}_low"] <= row[name] <= row[f"{name}_high"] <= 1 + 1e-9
                assert row[f"{name}_letters"]
        for name in METRICS:
            best = max(rows[1:], key=lambda row: row[name])
            assert "a" in best[f"{name}_letters"]
    page = (results / "parted" / "table.md").read_text()
    assert "| method | mAP | top-1 | bytes/image | ms/image |" in page
    best = page.partition("| chance |")[2].splitlines()[1]  # behind chance
    score = r"[01]\.\d{3} \([01]\.\d{3}–[01]\.\d{3}\)"
    assert re.fullmatch(rf"\| [a-z-]+ \| {score} ≈ \| {score} ≈ \| [\d,]+ \| \d+\.\d\d \|", best)
    assert "≈: not significantly worse than the best of its column" in page
    assert "Smallest difference between two methods that this many queries would usually" in page
    assert "Holm" in page


@pytest.mark.parametrize(
    ("letters", "written"),
    [("a", "a"), ("ab", "ab"), ("abc", "a–c"), ("abdefgk", "abd–gk"), ("xyz[aa][ab]", "x–[ab]")],
)
def test_letters_in_a_row_are_written_as_a_range(letters, written):
    assert shorten(letters) == written


def test_a_copied_folder_of_results_counts_once(results, caplog):
    front = [(results / name).read_text() for name in ("README.md", "summary.md")]
    copy = shutil.copytree(results / "parted", results / "parted-old")
    assert main(["--out", str(results), "--no-plots"]) == 0
    assert [(results / name).read_text() for name in ("README.md", "summary.md")] == front
    assert f"{copy}: left out, holds results of parted; call it so" in caplog.text


def test_no_results_is_one_line_and_code_2(tmp_path, capsys):
    assert main(["--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: --out {tmp_path}: holds no results")


@pytest.mark.parametrize("name", ["presets/lbp.json", "leaks.json", "training/lbp.csv"])
def test_what_lies_beside_damaged_is_left_out_with_a_line(name, results, caplog):
    (folder,) = (path.parent for path in results.glob("*/dataset.json"))
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("epoch,loss\n1" if name.endswith("csv") else "{")
    assert main(["--out", str(results), "--no-plots"]) == 0
    assert f"{folder / name}: " in caplog.text


def test_a_damaged_ranking_is_one_line_and_its_record_counts_as_absent(results, caplog):
    path = results / "parted" / "records" / "query" / "lbp.npz"
    path.write_bytes(path.read_bytes()[:50])
    assert main(["--out", str(results), "--no-plots"]) == 0
    [line] = caplog.messages
    assert str(path) in line
    assert "the next run of the method makes it anew" in line
    np.savez(path, other=np.zeros(3))
    assert main(["--out", str(results), "--no-plots"]) == 0
    rows = json.loads((results / "parted" / "table.json").read_text())
    assert "lbp" not in {row["method"] for row in rows["query"]}
    assert "lbp" in {row["method"] for row in rows["query-sketch"]}


def cells(path):
    """A table's cells below its headings, numbers as numbers."""
    with path.open(newline="", encoding="utf-8") as file:
        _, *lines = csv.reader(file)
    return [[parsed(cell) for cell in line] for line in lines]


def parsed(cell):
    try:
        return float(cell)
    except ValueError:
        return cell


def test_committed_tables_are_what_their_records_say(tmp_path):
    committed, copy = ROOT / "results", tmp_path / "results"
    shutil.copytree(committed, copy, ignore=shutil.ignore_patterns("*.png", "local"))
    before = {path.relative_to(copy) for path in copy.rglob("*")}
    tables = [path for path in committed.rglob("*") if path.name in WRITTEN]
    described = [path.parent for path in committed.rglob("dataset.json")]
    folders = [path for path in described if path.parent.name != SEEDS]  # told on the first's page
    assert {path.parent for path in tables if path.name == "table.csv"} == set(folders)
    for path in tables:
        (copy / path.relative_to(committed)).unlink()
    for out in (copy, *(copy / name for name in STUDIES)):
        assert main(["--out", str(out), "--no-plots"]) == 0
    after = {path.relative_to(copy) for path in copy.rglob("*")}
    assert {path.name for path in after - before} <= WRITTEN
    assert not {path for path in before - after if path.name != "plots.md"}  # no plots, no page
    for path in tables:
        made = copy / path.relative_to(committed)
        assert cells(made) == cells(path), made


def test_no_number_has_digits_that_processors_disagree_on(results):
    assert to_csv(["a", "b"], [[0.1 + 0.2, "x"], [1, None]]) == "a,b\n0.3,x\n1,\n"
    assert to_csv(["a"], [["x\ry"], ["x\nz"], ['"']]) == 'a\n"x\ry"\n"x\nz"\n""""\n'
    rows = json.loads((results / "parted" / "table.json").read_text())["query"]
    floats = [value for row in rows[1:] for value in row.values() if isinstance(value, float)]
    assert floats == [round(value, DIGITS) for value in floats]
