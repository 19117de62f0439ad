"""Results folders that are damaged, or a stranger's: one line that names file and place."""

import csv
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks import LOCAL
from benchmarks.formats.files import CHECKSUM
from benchmarks.pipeline.records import card
from benchmarks.pipeline.records.images import hash_of_list
from benchmarks.pipeline.records.leaks import LEAKS, read_leaks
from benchmarks.pipeline.records.record import (
    DESCRIPTION,
    IMAGES,
    Description,
    read_record,
    record_paths,
)
from benchmarks.pipeline.records.results import read_results
from benchmarks.report.__main__ import main
from datasets.errors import DamagedError, InputError

RESULTS = Path(__file__).resolve().parents[1] / "results"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A results folder with a method, a fusion and a skipped method."""
    from pictures import fill

    from benchmarks.run import main as run

    root = tmp_path_factory.mktemp("results")
    for part in ("gallery", "query"):
        for number, name in enumerate(("apple", "berry")):
            fill(root / "data" / "validation" / part / name, 3, len(part) * 10 + number, number)
    methods = ("--extractor", "lbp", "lbp+hog+rrf", "sift-bovw")
    folders = ("--out", str(root / "out"), "--cache", str(root / "cache"))
    assert run([*methods, "--dataset", str(root / "data"), *folders, "--no-plots", "--quiet"]) == 0
    return root / "out"


@pytest.fixture
def report(made, tmp_path, capsys):
    """Change one of the files and write the report; returns the exit code and what was said."""

    def write(name, change):
        out = shutil.copytree(made, tmp_path / "out")
        path = out / "data" / name
        content = json.loads(path.read_text())
        content.pop(CHECKSUM, None)  # as files are that were published before there were any
        content = change(content)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        code = main(["--out", str(out), "--no-plots"])
        return code, capsys.readouterr().err, path

    return write


def changed(**changes):
    return lambda content: content | changes


def without(*keys):
    return lambda content: {key: value for key, value in content.items() if key not in keys}


def in_card(**changes):
    return lambda content: content | {"card": content["card"] | changes}


RECORD = "records/query/lbp.json"
DAMAGED = {
    "cut": (RECORD, lambda _: "{", "no valid JSON"),
    "deep": (RECORD, lambda _: "[" * 10**6, "nested deeper than"),
    "a list": (RECORD, lambda _: [], "expected `object`, got `array`"),
    "no method": (RECORD, without("method"), "missing required field `method`"),
    "method elsewhere": (RECORD, changed(method="../lbp"), "- at `$.method`"),
    "method absolute": (RECORD, changed(method="/lbp"), "- at `$.method`"),
    "method of another type": (RECORD, changed(method=["lbp"]), "- at `$.method`"),
    "no status": (RECORD, without("status"), "missing required field `status`"),
    "unknown status": (RECORD, changed(status="good"), "invalid value 'good' - at `$.status`"),
    "failed without a reason": (
        RECORD,
        changed(status="failed"),
        "required field `reason`",
    ),
    "no card": (RECORD, without("card"), "missing required field `card`"),
    "card": (RECORD, changed(card=[]), "got `array` - at `$.card`"),
    "split": (RECORD, in_card(**{"split hash": 1}), "got `int` - at `$.card.split hash`"),
    "extractor": (RECORD, in_card(extractor="x"), "got `str` - at `$.card.extractor`"),
    "head": (RECORD, in_card(extractor={"head": 1}), "- at `$.card.extractor.head`"),
    "family": (RECORD, in_card(extractor={"family": []}), "- at `$.card.extractor.family`"),
    "machine": (RECORD, in_card(machine={}), "- at `$.card.machine`"),
    "scores": (RECORD, changed(scores={"map": "1"}), "got `str` - at `$.scores[...]`"),
    "counts": (RECORD, changed(counts={}), "- at `$.counts`"),
    "NaN": (RECORD, changed(dimensions=float("nan")), "no valid JSON"),
    "costs": ("records/query/lbp.costs.json", changed(search_ms="1"), "expected `float | null`"),
    "description": ("dataset.json", changed(labelled=1), "got `int` - at `$.labelled`"),
    "description, unknown": ("dataset.json", changed(more=1), "unknown field `more`"),
    "description, incomplete": (
        "dataset.json",
        without("split"),
        "required field `split`",
    ),
    "query set elsewhere": ("dataset.json", changed(query_sets=[".."]), "- at `$.query_sets[0]`"),
    "problems": ("dataset.json", changed(problems=[["a", "b"]]), "- at `$.problems[0]`"),
}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda _: "[]", "got `array`"),
        (without("rule"), "missing required field `rule`"),
        (changed(images="9"), "got `str` - at `$.images`"),
        (changed(rule={"tiers": [[64]]}), "- at `$.rule.tiers[0]`"),
        (changed(counts={"gallery – query": None}), "- at `$.counts[...]`"),
        (changed(pairs=[{}]), "- at `$.pairs[0]`"),
        (changed(scores={"query": {"hog": {"map": {}}}}), "- at `$.scores[...][...]"),
    ],
)
def test_damaged_near_duplicates_are_one_line_with_their_place(change, complaint, tmp_path):
    content = change(json.loads((RESULTS / "animals" / LEAKS).read_text()))
    path = tmp_path / LEAKS
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(DamagedError) as raised:
        read_leaks(tmp_path)
    assert str(raised.value).startswith(f"{path}: ")
    assert str(raised.value).endswith("; damaged: remove it and audit again")
    assert complaint in str(raised.value)


def test_near_duplicates_that_were_published_are_read_as_they_are():
    for path in RESULTS.glob(f"*/{LEAKS}"):
        content = json.loads(path.read_text())
        assert read_leaks(path.parent) | {"rule": content["rule"]} == content
    assert read_leaks(RESULTS) is None


def methods(out):
    """Methods in the table of a results folder."""
    with (out / "data" / "table.csv").open(newline="") as file:
        return {row["method"] for row in csv.DictReader(file)}


@pytest.mark.parametrize("case", [case for case in DAMAGED if DAMAGED[case][0] == "dataset.json"])
def test_a_damaged_description_is_one_line_with_its_place(case, report):
    name, change, complaint = DAMAGED[case]
    code, printed, path = report(name, change)
    assert code == 2
    assert printed.startswith(f"error: {path}: ")
    assert complaint in printed
    assert printed.count("\n") == 1


@pytest.mark.parametrize("case", [case for case in DAMAGED if DAMAGED[case][0] != "dataset.json"])
def test_a_damaged_record_is_one_line_with_its_place_and_counts_as_absent(
    case, report, tmp_path, caplog
):
    name, change, complaint = DAMAGED[case]
    code, _, path = report(name, change)
    assert code == 0
    [line] = caplog.messages
    assert line.startswith(f"{path}: ")
    assert complaint in line
    assert {"lbp", "lbp+hog+rrf"} - methods(tmp_path / "out") == ({"lbp"} & {path.stem})


@pytest.mark.parametrize(
    ("name", "change", "lost"),
    [
        (RECORD, lambda text: text.replace(b'"gallery images": 6', b'"gallery images": 7'), True),
        (RECORD.replace("json", "npz"), lambda whole: whole[:-9] + b"\x01" + whole[-8:], True),
        (RECORD.replace("json", "npz"), lambda _: None, True),
        ("records/query/lbp.costs.json", lambda text: text.replace(b": 0.", b": 1."), False),
    ],
)
def test_a_bit_that_flips_in_a_record_is_seen(name, change, lost, made, tmp_path, caplog):
    out = shutil.copytree(made, tmp_path / "out")
    path = out / "data" / name
    before = path.read_bytes()
    after = change(before)
    assert after != before
    path.unlink() if after is None else path.write_bytes(after)
    assert main(["--out", str(out), "--no-plots"]) == 0
    assert str(path) in caplog.text
    assert ("lbp" in methods(out)) != lost


def test_a_record_under_another_methods_name_is_damaged(made, tmp_path, caplog):
    out = shutil.copytree(made, tmp_path / "out")
    folder = out / "data" / "records" / "query"
    for ending in (".json", ".npz", ".costs.json"):
        shutil.copy(folder / f"lbp{ending}", folder / f"hog{ending}")
    assert main(["--out", str(out), "--no-plots"]) == 0
    assert f"{folder / 'hog.json'}: is the record of lbp" in caplog.text
    assert "hog" not in methods(out)


def test_a_record_of_another_query_set_is_damaged(made, tmp_path, caplog):
    out = shutil.copytree(made, tmp_path / "out")
    about = json.loads((out / "data" / DESCRIPTION).read_text())
    about["query_sets"].append("query-edges")
    with (out / "data" / IMAGES).open() as file:
        lines = file.read()
    queries = [line for line in lines.splitlines() if line.startswith("query,")]
    more = [line.replace("query", "query-edges", 1) for line in queries]
    listed = lines + "\n".join([*more, ""])
    (out / "data" / IMAGES).write_text(listed)
    about["images_hash"] = hash_of_list(listed.encode())
    (out / "data" / DESCRIPTION).write_text(json.dumps(about))
    shutil.copytree(out / "data" / "records" / "query", out / "data" / "records" / "query-edges")
    results = read_results(out / "data")
    assert set(results.tasks["query"].rankings) == {"lbp", "lbp+hog+rrf"}
    assert results.tasks["query-edges"].records == []
    assert "lbp.json: is a record of the query set query" in caplog.text


def test_scores_of_a_record_without_checksums_agree_with_its_ranking(report, tmp_path, caplog):
    def older(content):
        return {k: v for k, v in content.items() if k != "ranking sha256"}

    assert report(RECORD, lambda content: older(content))[0] == 0
    assert "lbp" in methods(tmp_path / "out")
    shutil.rmtree(tmp_path / "out")
    better = {"scores": {"map": 0.9999}}
    for known in (older, dict):
        assert report(RECORD, lambda content, known=known: known(content) | better)[0] == 0
        assert "is not the ranking of its record" in caplog.text
        assert "lbp" not in methods(tmp_path / "out")
        shutil.rmtree(tmp_path / "out")


def test_a_whole_folder_is_read_again(report):
    assert report(RECORD, lambda content: content)[0] == 0


def test_names_may_hold_a_return(parted, run, tmp_path):
    for path in sorted((parted / "validation/gallery").glob("*/00.png")):
        path.rename(f"{path}\r")  # as scripts do that read a list from Windows
    assert run("--extractor", "lbp", "--dataset", parted) == 0
    ids = [image.id for image in read_results(tmp_path / "out" / "parted").gallery]
    assert sum(name.endswith("\r") for name in ids) == 2


def test_a_record_of_no_family_is_of_another(report):
    assert report(RECORD, in_card(extractor={}))[0] == 0


def test_every_record_that_was_published_is_read():
    folders = [path.parent for path in RESULTS.rglob(DESCRIPTION) if LOCAL not in path.parents]
    paths = [
        path
        for folder in folders
        for query_set in Description.read(folder).query_sets
        for path in record_paths(folder, query_set)
    ]
    assert len(paths) > 100
    for path in paths:
        record = read_record(path.file(".json"))
        assert record["method"] == path.method
        assert record["card"]["extractor"].keys() & {"family", "extractors"}
    for path in RESULTS.glob("*/dataset.json"):
        assert Description.read(path.parent).name == path.parent.name


def test_a_record_that_is_there_and_cannot_be_read_is_not_damaged(tmp_path):
    (tmp_path / "lbp.json").mkdir()
    with pytest.raises(ValueError, match="cannot be read") as raised:
        read_record(tmp_path / "lbp.json")
    assert not isinstance(raised.value, DamagedError)


def test_a_folder_that_cannot_be_read_is_not_empty(made, monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)
    with pytest.raises(InputError, match=r"query: cannot be read \(Permission denied\); make it"):
        record_paths(made / "data", "query")


def test_the_commit_is_the_checkouts_own(tmp_path, monkeypatch):
    def repository(folder):
        folder.mkdir()
        (folder / "datasets").mkdir()
        (folder / "datasets" / "text").write_text(folder.name)
        named = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
        for words in (["init", "-q"], ["add", "."], [*named, "commit", "-q", "-m", "first"]):
            subprocess.run(["git", *words], cwd=folder, check=True)
        words = ["git", "rev-parse", "--short=12", "HEAD"]
        return subprocess.run(words, cwd=folder, capture_output=True, text=True).stdout.strip()

    own, other = repository(tmp_path / "own"), repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))  # as its hooks have it
    monkeypatch.setattr(card, "CHECKOUT", tmp_path / "own")
    assert card.commit.__wrapped__() == own != other
    (tmp_path / "own" / "datasets" / "new.py").touch()
    assert card.commit.__wrapped__() == f"{own} with changes"
    monkeypatch.setattr(card, "CHECKOUT", tmp_path / "other" / "datasets")  # unpacked in there
    assert card.commit.__wrapped__() == "unknown (not a git checkout)"
