"""Results folders that are damaged, or a stranger's: one line that names file and place."""

import json
import shutil
from pathlib import Path

import pytest

from benchmarks.pipeline.records.leaks import LEAKS, read_leaks
from benchmarks.pipeline.records.record import Description, read_record
from benchmarks.report.__main__ import main
from datasets.errors import DamagedError

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
        content = change(json.loads(path.read_text()))
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
        content.pop("card")
        assert read_leaks(path.parent) | {"rule": content["rule"]} == content
    assert read_leaks(RESULTS) is None


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_is_one_line_with_its_place(case, report):
    name, change, complaint = DAMAGED[case]
    code, printed, path = report(name, change)
    assert code == 2
    assert printed.startswith(f"error: {path}: ")
    assert complaint in printed
    assert printed.count("\n") == 1


def test_a_whole_folder_is_read_again(report):
    assert report(RECORD, lambda content: content)[0] == 0


def test_a_record_of_no_family_is_of_another(report):
    assert report(RECORD, in_card(extractor={}))[0] == 0


def test_every_record_that_was_published_is_read():
    paths = [p for p in RESULTS.rglob("records/**/*.json") if not p.name.endswith(".costs.json")]
    assert len(paths) > 100
    for path in paths:
        record = read_record(path)
        assert record["method"] == path.stem
        assert record["card"]["extractor"].keys() & {"family", "extractors"}
    for path in RESULTS.glob("*/dataset.json"):
        assert Description.read(path.parent).name == path.parent.name


def test_a_record_that_is_there_and_cannot_be_read_is_not_damaged(tmp_path):
    (tmp_path / "lbp.json").mkdir()
    with pytest.raises(ValueError, match="cannot be read") as raised:
        read_record(tmp_path / "lbp.json")
    assert not isinstance(raised.value, DamagedError)
