"""Published results: small, equal byte for byte, and read as a run's own, or one clear line."""

import io
import lzma
import re
import shutil
import tarfile

import msgspec
import numpy as np
import pytest
from pictures import fill
from test_compact import FURTHER, assert_equal

from benchmarks import diff, publish, run
from benchmarks.export import __main__ as export
from benchmarks.pipeline.records import archive
from benchmarks.pipeline.records.archive import ARCHIVE, Archive
from benchmarks.pipeline.records.invariance import (
    Changed,
    Measured,
    Study,
    read_invariance,
    write_measured,
)
from benchmarks.pipeline.records.record import Description, RecordPath, record_paths
from benchmarks.pipeline.records.results import read_results
from benchmarks.report import __main__ as report
from benchmarks.report.tables import task_rows
from datasets.errors import DamagedError, InputError
from retrieval import compact
from retrieval.metrics import METRICS

QUICKLY = ("--no-plots", "--quiet")
METHODS = ("lbp", "hog", "lbp+hog+rrf", "sift-bovw")
"""The last finds nothing to learn from, and is skipped."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Results with distractors and two query sets, and the same published, with a study."""
    root = tmp_path_factory.mktemp("publish")
    for part in ("gallery", "query", "query-sketch"):
        for number, name in enumerate(("apple", "berry")):
            fill(root / "data" / "validation" / part / name, 3, len(part) * 10 + number, number)
    fill(root / "data" / "validation" / "gallery" / "distractor" / "cherry", 11, 50, 2)
    runs = root / "runs"
    given = ["--extractor", *METHODS, "--dataset", str(root / "data"), "--out", str(runs)]
    given += ["--cache", str(root / "cache"), "--jobs", "1", "--quiet", "--no-plots"]
    assert run.main(given) == 0
    shutil.copytree(runs / "data", runs / "study" / "data")
    (runs / "study" / "summary.md").touch()
    (root / "runs" / "notes").mkdir()
    (root / "runs" / "notes" / "notes.md").write_text("Notes.\n")
    assert publish.main([str(runs), "--out", str(root / "lean"), *QUICKLY]) == 0
    return root


@pytest.fixture
def lean(made, tmp_path):
    """A copy of what was published, of which a test may damage the archive."""
    return shutil.copytree(made / "lean", tmp_path / "lean")


def tree(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_everything_is_there_and_nothing_that_is_derived(made):
    names = set(tree(made / "lean"))
    pages = ("table", "gap", "confusion", "classes", "hybrid")
    of_dataset = {"dataset.json", "problems.csv", ARCHIVE, "table.csv"}
    of_dataset |= {f"{page}.md" for page in pages}
    assert names == {
        *(f"{place}data/{name}" for name in of_dataset for place in ("", "study/")),
        *("README.md", "summary.md", "study/summary.md", "notes/notes.md"),
    }


def test_plots_are_those_that_its_pages_show(made, tmp_path):
    given = [str(made / "runs" / "study"), "--out", str(tmp_path), "--quiet"]
    assert publish.main(given) == 0
    text = (tmp_path / "data" / "plots.md").read_text()
    shown = {path.name for path in (tmp_path / "data" / "plots").iterdir()}
    assert shown == set(re.findall(r'src="plots/([^"]+)"', text)) != set()


def test_every_number_of_the_archive_is_that_of_the_run(made):
    full, lean = (read_results(made / out / "data") for out in ("runs", "lean"))
    assert full.about == lean.about
    assert full.gallery == lean.gallery
    for name, task in full.tasks.items():
        other = lean.tasks[name]
        assert task.queries == other.queries
        assert set(task.rankings) == {"lbp", "hog", "lbp+hog+rrf"}
        assert [without_hash(record) for record in task.records] == [
            without_hash(record) for record in other.records
        ]
        metrics = {**METRICS, **FURTHER}
        tables = [task_rows(one.records, one.rankings, metrics) for one in (task, other)]
        assert tables[0] == tables[1]
        for method, ranking in task.rankings.items():
            shorter = ranking.neighbours[:, : compact.NEIGHBOURS]
            np.testing.assert_array_equal(shorter, other.rankings[method].neighbours)


def without_hash(record):
    return {key: value for key, value in record.items() if key != "ranking sha256"}


def test_reports_from_it_are_what_was_published(made, lean):
    before = tree(lean)
    assert report.main(["--out", str(lean), "--no-plots"]) == 0
    after = tree(lean)
    assert {name: after[name] for name in before if "study" not in name} == {
        name: content for name, content in before.items() if "study" not in name
    }
    assert {name for name in after.keys() - before.keys() if "study" not in name} == {
        f"data/{name}" for name in publish.DERIVED if name != "invariance.csv"
    }


def test_what_a_killed_publishing_took_away_is_put_back(made, lean, capsys):
    before = {path: path.read_bytes() for path in lean.rglob("*") if path.is_file()}
    left = lean / ".publishing-left"
    (left / "old").mkdir(parents=True)
    (left / "held").touch()
    (lean / "data").rename(left / "old" / "data")
    assert publish.main([str(lean), "--out", str(lean), "--dataset", "no-such"]) == 2
    assert "no results of no-such" in capsys.readouterr().err
    found = {path: path.read_bytes() for path in lean.rglob("*") if path.is_file()}
    assert found == before | {left / "held": b""}
    assert publish.main([str(made / "runs"), "--out", str(lean), *QUICKLY]) == 0
    assert not left.exists()


def test_publishing_again_gives_the_same_bytes(made, lean, tmp_path):
    before = tree(lean)
    for source in (made / "runs", lean):
        assert publish.main([str(source), "--out", str(lean), *QUICKLY]) == 0
        assert tree(lean) == before
    only = tmp_path / "only"
    named = ["--dataset", "data", *QUICKLY]
    assert publish.main([str(made / "runs"), "--out", str(only), *named]) == 0
    assert tree(only)[f"data/{ARCHIVE}"] == before[f"data/{ARCHIVE}"]
    assert not (only / "notes").exists()


def test_unpacked_it_is_a_results_folder(lean):
    folder = lean / "data"
    packed = read_results(folder)
    with tarfile.open(folder / ARCHIVE) as file:
        assert {(one.mtime, one.uid, one.mode) for one in file} == {(0, 0, 0o644)}
        file.extractall(folder, filter="data")
    (folder / ARCHIVE).unlink()
    there = read_results(folder)
    assert there.tasks["query"].records == packed.tasks["query"].records
    for method, ranking in there.tasks["query"].rankings.items():
        assert_equal(ranking, packed.tasks["query"].rankings[method])


def test_a_run_adds_to_what_was_published(lean, made, tmp_path):
    given = ["--extractor", "lbp", "gist", "--dataset", str(made / "data"), "--out", str(lean)]
    given += ["--cache", str(made / "cache"), "--jobs", "1", "--quiet", "--no-plots"]
    assert run.main(given) == 0
    folder = lean / "data" / "records" / "query"
    assert sorted(path.name for path in folder.glob("*.npz")) == ["gist.npz"]  # lbp was there
    methods = {record["method"] for record in read_results(lean / "data").tasks["query"].records}
    assert methods == {*METHODS, "gist"}
    assert publish.main([str(lean), "--out", str(tmp_path / "again"), *QUICKLY]) == 0
    again = read_results(tmp_path / "again" / "data").tasks["query"]
    assert {record["method"] for record in again.records} == methods


def test_other_commands_read_it(made, lean, tmp_path, capsys):
    records = [made / "runs", lean]
    paths = [str(out / "data" / "records" / "query" / "hog.json") for out in records]
    assert diff.main(paths) == 0
    assert "The protocol cards are equal." in capsys.readouterr().out
    for out, name in zip(records, ("full", "packed"), strict=True):
        given = ["table", "--results", str(out), "--out", str(tmp_path / name), "--quiet"]
        assert export.main(given) == 0
    assert tree(tmp_path / "full") == tree(tmp_path / "packed") != {}


def test_ten_neighbours_are_read_in_two_lines(made):
    with tarfile.open(made / "lean" / "data" / ARCHIVE) as file:
        found = np.load(file.extractfile("records/query/hog.npz"))["neighbours"]
    assert found.shape == (6, 10)
    assert found.dtype.itemsize == 1


def rewritten(path, change):
    """Write an archive anew with its members changed."""
    members = dict(Archive(path, path.read_bytes()).members)
    change(members)
    archive.write_archive(path.parent, members)


def with_strange(path, *members):
    """Add members of 2 bytes to an archive."""
    with lzma.open(path) as file:
        content = io.BytesIO(file.read())
    with tarfile.open(fileobj=content, mode="a") as file:
        for info in members:
            info.size = 2 if info.isreg() else 0
            file.addfile(info, io.BytesIO(b"{}"))
    path.write_bytes(lzma.compress(content.getvalue()))


def member(name, **attributes):
    info = tarfile.TarInfo(name)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info


HOLES = {"GNU.sparse.map": "0,1,9,1", "GNU.sparse.size": "10"}
STRANGE = {
    "outside": [member("../hog.json")],
    "absolute": [member("/records/query/hog.json")],
    "in another folder": [member("records/../query/hog.json")],
    "deeper": [member("records/query/more/hog.json")],
    "a device's name": [member("records/query/nul.json")],
    "of another kind": [member("records/query/hog.pkl")],
    "a folder": [member("records/query", type=tarfile.DIRTYPE)],
    "a link": [member("records/query/x.json", type=tarfile.SYMTYPE, linkname="hog.json")],
    "a hard link": [member("records/query/x.json", type=tarfile.LNKTYPE, linkname="images.csv")],
    "a device": [member("records/query/x.json", type=tarfile.CHRTYPE)],
    "with holes": [member("records/query/x.json", pax_headers=HOLES)],
    "with a control character": [member("records/query/a\x1b[2Jb.json")],
    "twice": [member("records/query/x.json"), member("records/query/x.json")],
}


@pytest.mark.parametrize("case", STRANGE)
def test_a_strange_member_is_one_line_and_code_2(case, lean, capsys):
    path = lean / "data" / ARCHIVE
    with_strange(path, *STRANGE[case])
    assert report.main(["--out", str(lean), "--no-plots"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {path}: ")
    assert said.count("\n") == 1
    assert "\x1b" not in said


DAMAGED = {
    "empty": lambda content: b"",
    "cut after its head": lambda content: content[:30],
    "without its last byte": lambda content: content[:-1],
    "with bytes behind": lambda content: content + b"more",
    "with a byte that changed": lambda content: content[:999] + b"?" + content[1000:],
    "not compressed": lzma.decompress,
    "compressed, and no archive": lambda content: lzma.compress(b"words"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_archive_is_one_line_and_code_2(case, lean, capsys):
    path = lean / "data" / ARCHIVE
    path.write_bytes(content := DAMAGED[case](path.read_bytes()))
    assert report.main(["--out", str(lean), "--no-plots"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {path}: ")
    assert said.count("\n") == 1
    assert publish.main([str(lean), "--out", str(lean), *QUICKLY]) == 2
    assert path.read_bytes() == content  # what cannot be published changes nothing


@pytest.mark.parametrize("name", ["records/query/hog.json", "records/query/hog.npz"])
def test_a_member_of_another_record_counts_as_absent(name, lean, caplog):
    def swap(members):
        members[name] = members[name.replace("hog", "lbp")]

    rewritten(lean / "data" / ARCHIVE, swap)
    task = read_results(lean / "data").tasks["query"]
    assert "hog" not in task.rankings
    assert "lbp" in task.rankings
    assert "hog" in caplog.text


def test_an_archive_does_not_swell(lean, monkeypatch):
    path = lean / "data" / ARCHIVE
    monkeypatch.setattr(archive, "_MOST_BYTES", 2**20)
    with pytest.raises(DamagedError, match="unpacks to more than 1 MiB"):
        Archive(path, lzma.compress(bytes(2**22)))
    with pytest.raises(InputError, match="take more than 1 MiB"):
        archive.write_archive(path.parent, {"records/query/hog.npz": bytes(2**22)})


def test_what_cannot_be_published_is_one_line(tmp_path, made, capsys):
    for given, words in (
        ([tmp_path, "--out", tmp_path / "x"], "holds no results; make some"),
        ([made / "runs", "--out", tmp_path / "x", "--dataset", "other"], "no results of other"),
        ([made / "runs", "--out", tmp_path / "x", "--dataset", "o.csv"], "no results of o.csv"),
        ([made / "runs", "--out", made / "runs"], "choose another --out"),
    ):
        assert publish.main([str(one) for one in given]) == 2
        assert words in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_records_are_listed_wherever_they_are(lean):
    folder = lean / "data"
    assert {path.method for path in record_paths(folder, "query")} == set(METHODS)
    assert RecordPath(folder / "records" / "query", "hog").read()["method"] == "hog"
    assert record_paths(folder, "query-edges") == []


def test_other_seeds_and_transformed_queries_are_published_too(made, tmp_path):
    runs, out = shutil.copytree(made / "runs", tmp_path / "runs"), tmp_path / "lean"
    again = shutil.copytree(runs / "data", runs / "seeds" / "data")
    shutil.rmtree(again / "records")
    for query_set in ("query", "query-sketch"):
        own = RecordPath(runs / "data" / "records" / query_set, "lbp")
        record = own.read()
        other = RecordPath(again / "records" / query_set, "lbp-seed-1")
        other.write(record | {"method": other.method}, own.read_ranking(record), own.read_costs())
    scores = np.random.default_rng(0).random((1, 2, 3)).astype(np.float32)
    change = Changed("blur", "quality", [1.0, 2.0], "pixels", "")
    split = Description.read(runs / "data").split_hash
    study = Study(split, ["a", "b", "c"], [0.1, 0.1, 0.1], 0, "1", [change])
    study.write(runs / "data")
    write_measured(runs / "data", study, "lbp", Measured("key", scores[0, 0], scores))
    assert publish.main([str(runs), "--out", str(out), *QUICKLY]) == 0
    assert set(tree(out / "seeds")) == {
        "data/dataset.json",
        "data/problems.csv",
        f"data/{ARCHIVE}",
    }
    again, measured = read_invariance(out / "data")
    assert (again, list(measured)) == (study, ["lbp"])
    np.testing.assert_array_equal(measured["lbp"].scores, scores)
    names = ("seeds.md", "seeds.csv", "invariance.md", ARCHIVE)
    pages = [(out / "data" / name).read_bytes() for name in names]
    assert report.main(["--out", str(out), *QUICKLY[:1]]) == 0
    assert publish.main([str(out), "--out", str(out), *QUICKLY]) == 0
    assert [(out / "data" / name).read_bytes() for name in names] == pages
    msgspec.structs.replace(study, left_out={"lbp": "failed: anew"}).write(out / "data")
    assert read_invariance(out / "data") is None  # what failed later has no numbers of before


FOREIGN = {
    "pictures of the user": (["apple/1.png"], "apple/1.png: is none of the published"),
    "a note beside results": (["dataset.json", "notes.md"], "notes.md: is none of the published"),
    "results of a run that was killed": (["table.md"], "holds no published results"),
    "records in full": (["dataset.json", "records/query/hog.json"], "holds rankings of a run"),
    "a file": ([""], "holds no published results"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_what_was_not_published_is_never_replaced(case, made, tmp_path, capsys):
    names, message = FOREIGN[case]
    for name in names:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    before = tree(tmp_path)
    assert publish.main([str(made / "runs"), "--out", str(tmp_path), *QUICKLY]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "--out" in said
    assert said.count("\n") == 1
    assert tree(tmp_path) == before


def test_a_dataset_is_called_as_for_a_run(made, tmp_path):
    for number, text in enumerate((str(made / "data"), f"data={tmp_path}")):
        out = tmp_path / str(number)
        given = [str(made / "runs"), "--out", str(out), "--dataset", text]
        assert publish.main([*given, *QUICKLY]) == 0
        assert (out / "data" / "dataset.json").exists()


def test_runs_that_are_not_published_stay_apart_however_their_folder_is_called(
    made, tmp_path, monkeypatch
):
    for name in ("data", "local/data", "local/notes"):
        shutil.copytree(made / "runs" / name.removeprefix("local/"), tmp_path / "runs" / name)
    monkeypatch.setattr(publish, "LOCAL", tmp_path / "runs" / "local")
    monkeypatch.chdir(tmp_path)
    assert publish.main(["runs", "--out", "out", *QUICKLY]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["data"]


def test_rows_that_are_no_longer_published_are_named(made, lean, caplog):
    (lean / "data" / "leaks.json").write_text("{}")
    shutil.rmtree(lean / "study")
    few = shutil.copytree(made / "runs", lean.parent / "few")
    for path in (few / "data" / "records").glob("*/hog.*"):
        path.unlink()
    assert publish.main([str(few), "--out", str(lean), *QUICKLY]) == 0
    assert "leaks.json, query-sketch/hog, query/hog were there" in caplog.text
    assert publish.main([str(few), "--out", str(lean), *QUICKLY]) == 0
    assert caplog.text.count("were there") == 1


def test_a_publication_does_not_lie_in_what_is_published(made, capsys):
    assert publish.main([str(made / "runs"), "--out", str(made / "runs" / "lean"), *QUICKLY]) == 2
    assert "and would join what is read there" in capsys.readouterr().err
