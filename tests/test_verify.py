"""A run's numbers beside others of the same pictures and protocol."""

import json
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from paged import fill_parted

from benchmarks import LOCAL, PUBLISHED
from benchmarks.cli import options as shared_options
from benchmarks.formats.files import write_checked
from benchmarks.pipeline.records.differences import reasons
from benchmarks.pipeline.records.record import RecordPath, read_record
from benchmarks.pipeline.records.results import dataset_folders
from benchmarks.publish import main as publish
from benchmarks.report import __main__ as report
from benchmarks.run import _parser as run_parser
from benchmarks.run import main as benchmark
from benchmarks.verify import verdict
from benchmarks.verify.__main__ import _parser, main
from benchmarks.verify.tolerances import KINDS, kind_of
from retrieval.metrics import mean_scores

TRAINED, LEARNED, NETWORK, ARITHMETIC = KINDS


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with pictures, and the results of two methods on them."""
    root = tmp_path_factory.mktemp("made")
    fill_parted(root / "parted")
    folders = ["--out", root / "out", "--cache", root / "cache", "--jobs", 1, "--no-plots"]
    chosen = ["--extractor", "lbp", "rgb-histogram", "--dataset", root / "parted", "--quiet"]
    assert benchmark([str(word) for word in (*chosen, *folders)]) == 0
    return root


@pytest.fixture
def two(made, tmp_path):
    """Two copies of the results: ours, and the published ones."""
    for name in ("out", "published"):
        shutil.copytree(made / "out", tmp_path / name)
    return tmp_path / "out", tmp_path / "published"


@pytest.fixture
def run(made, tmp_path):
    """Run methods again, with what is in the cache; returns the exit code."""

    def command(*arguments, out="out", dataset=made / "parted"):
        folders = ["--out", tmp_path / out, "--cache", made / "cache", "--jobs", 1, "--no-plots"]
        return benchmark([str(a) for a in (*arguments, "--dataset", dataset, *folders)])

    return command


@pytest.fixture
def verify(two, capsys):
    """Verify the two folders; returns the exit code and what was said."""

    def command(*more):
        capsys.readouterr()
        code = main([str(two[0]), "--against", str(two[1]), *map(str, more)])
        said = capsys.readouterr()
        return code, said.out or said.err

    return command


@pytest.fixture
def scores_as_written(monkeypatch):
    """Let records have scores that are not those of their rankings."""
    monkeypatch.setattr("benchmarks.pipeline.records.record.mean_scores", lambda _: {})


def record_path(results, method="lbp", query_set="query"):
    return RecordPath(results / "parted" / "records" / query_set, method)


def change(path, ranking=None, **fields):
    """Write a record anew with other fields, and another ranking."""
    record = path.read()
    kept = ranking or path.read_ranking(record)
    path.write(record | fields, kept, path.read_costs())


def test_equal_folders_are_equal_though_one_keeps_fewer_neighbours(two, verify):
    for method in ("lbp", "rgb-histogram"):
        path = record_path(two[1], method)
        ranking = path.read_ranking(path.read())
        change(path, replace(ranking, neighbours=ranking.neighbours[:, :10].copy()))
    assert path.file(".npz").read_bytes() != record_path(two[0], method).file(".npz").read_bytes()
    code, said = verify("--list")
    assert code == 0
    assert said.splitlines()[-2:] == ["parted: 4 of 4 rows equal", "in all: 4 of 4 rows equal"]
    assert "  parted/query-sketch/lbp: equal\n" in said


def test_rows_of_former_pictures_are_no_rows(two, verify):
    path = record_path(two[0])
    others = dict.fromkeys(("split hash", "task hash"), "of former pictures")
    change(path, card=path.read()["card"] | others)
    assert "parted: 3 of 3 rows equal; not compared: 1 only in" in verify()[1]


def test_a_published_folder_is_compared_in_what_it_keeps(two, verify, tmp_path):
    runs, published = two
    packed = tmp_path / "packed"
    assert publish([str(runs), "--out", str(packed), "--no-plots", "--quiet"]) == 0
    shutil.rmtree(published)
    packed.rename(published)
    assert not (published / "parted" / "records").exists()
    code, said = verify()
    assert code == 0
    assert "parted: 4 of 4 rows equal" in said
    path = record_path(runs)
    ranking = path.read_ranking(path.read())
    change(path, replace(ranking, neighbours=np.roll(ranking.neighbours, 1, axis=1)))
    code, said = verify("--list")
    assert "parted/query/lbp: equal" not in said
    assert "3 of 4 rows equal" in said


def test_another_ranking_is_a_difference_with_its_reason(two, verify, tmp_path):
    path, other = record_path(two[0]), record_path(two[0], "rgb-histogram")
    ranking = other.read_ranking(other.read())
    before, after = path.read()["scores"]["map"], mean_scores(ranking)["map"]
    machine = {"processor": "Another", "cores": 2, "system": "Linux"}
    card = path.read()["card"] | {"machine": machine}
    change(path, ranking, scores=mean_scores(ranking), card=card)
    code, said = verify("--json", tmp_path / "rows.json")
    assert code == 1
    assert said.startswith("parted: 3 of 4 rows equal, 1 differs: lbp on query ")
    assert "(the machines differ, which may show in the last digits, and in costs)\n" in said
    [row] = [r for r in json.loads((tmp_path / "rows.json").read_text())["parted"] if r["words"]]
    assert (row["method"], row["query set"], row["outcome"]) == ("lbp", "query", "differs")
    assert before != after


@pytest.mark.parametrize(
    ("by", "code", "words"),
    [(0.4, 0, "within tolerance"), (1.5, 1, "1 differs: lbp on query mAP ")],
)
@pytest.mark.usefixtures("scores_as_written")
def test_how_far_a_row_may_be_from_the_published_one(two, verify, by, code, words):
    path = record_path(two[0])
    record = path.read()
    scores = record["scores"] | {"map": record["scores"]["map"] + by * ARITHMETIC.map}
    change(path, scores=scores)
    found, said = verify()
    assert found == code
    assert words in said


@pytest.mark.usefixtures("scores_as_written")
def test_a_training_of_another_recipe_is_other_work_however_near(two, verify):
    for results, epochs in zip(two, (1, 120), strict=True):
        path = record_path(results)
        record = path.read()
        recipe = {"version": "recipe 1", "epochs": epochs, "seed": epochs}
        card = record["card"] | {"extractor": {"head": {"params": {"recipe": recipe}}}}
        near = record["scores"] | {"map": 0.5 + epochs / 10_000}
        change(path, card=card, scores=near)
    code, said = verify()
    assert code == 1
    assert "1 differs: lbp on query mAP 0.512 -> 0.500 (the parameters differ" in said


@pytest.mark.parametrize(
    ("extractor", "kind"),
    [
        ({"head": {"params": {"bins": 8}}}, ARITHMETIC),
        ({"head": {"identity": "somebody's"}}, ARITHMETIC),
        ({"head": {"params": {"backbone": {"seed": 0}}}, "network": {}}, NETWORK),
        ({"head": {"params": {"words": 9, "seed": 0}}, "detector": {}}, LEARNED),
        ({"head": {"params": {"recipe": {"seed": 1}}}, "network": {}}, TRAINED),
    ],
)
def test_kinds_of_methods_are_told_from_their_cards(extractor, kind):
    assert kind_of(extractor) is kind
    plain = {"head": {"params": {}}}
    assert kind_of({"extractors": {"a": plain, "b": extractor}, "steps": []}) is kind


def test_the_kinds_of_published_methods():
    folder = PUBLISHED / "openmoji" / "records" / "query"
    for name, kind in {
        "hog": ARITHMETIC,
        "colour-moments": ARITHMETIC,
        "efficientnet-lite0+alpha-qe": NETWORK,
        "sift-fisher+zernike-moments": LEARNED,
        "orb-bovw+geometry": LEARNED,
        "cnn-plain": TRAINED,
        "efficientnet-lite0+densenet169-finetuned+combsum-zscore": TRAINED,
    }.items():
        assert kind_of(read_record(folder / f"{name}.json")["card"]["extractor"]) is kind, name


def test_cards_of_another_age_are_no_reason_beside_another_machine():
    old, new = (
        {"extractor": {"head": {"class": "x.Hog", "code": "abc"}}, "machine": {"cores": 2}},
        {"extractor": {"head": {"version": "hog 1"}}, "machine": {"cores": 8}},
    )
    machines = "the machines differ, which may show in the last digits, and in costs"
    assert reasons({"card": old}, {"card": new}) == [machines]
    assert len(reasons({"card": old}, {"card": new | {"machine": {"cores": 2}}})) == 3


def test_the_tolerances_are_told():
    page = (PUBLISHED.parent / "benchmarks" / "README.md").read_text(encoding="utf-8")
    for kind in KINDS:
        assert f"| {kind.name} | {kind.map:g} | {kind.top:g} | {kind.measured} |" in page


def test_rows_that_cannot_be_compared_are_counted_and_named(two, verify):
    for ending in (".json", ".npz", ".costs.json"):
        record_path(two[1]).file(ending).unlink()
    path = record_path(two[0], "rgb-histogram")
    record = path.read()
    write_checked(path.file(".json"), record | {"card": record["card"] | {"seed": 7}})
    about = shutil.copytree(two[1] / "parted", two[1] / "elsewhere") / "dataset.json"
    about.write_text(about.read_text().replace('"name": "parted"', '"name": "elsewhere"'))
    code, said = verify()
    assert code == 0
    first, last = said.splitlines()
    assert first == (
        "parted: 2 of 2 rows equal; not compared: 1 of another seed (rgb-histogram), "
        f"1 only in {two[0]} (lbp)"
    )
    assert last.endswith(f"; datasets only in {two[1]}: elsewhere")


def test_other_pictures_are_never_called_equal(two, verify, run, tmp_path):
    fill_parted(tmp_path / "parted", seed=1)
    run("--extractor", "lbp", "rgb-histogram", "--quiet", dataset=tmp_path / "parted")
    code, said = verify()
    assert code == 2
    assert said.startswith("error: ")
    assert "nothing to compare; not compared: 4 of other pictures, labels or parts" in said
    assert said.count("\n") == 1


def test_further_query_sets_make_no_difference_to_a_query_set(two, verify, run, made, tmp_path):
    shutil.copytree(made / "parted", tmp_path / "parted")
    shutil.rmtree(tmp_path / "parted" / "validation" / "query-sketch")
    run("--extractor", "lbp", "rgb-histogram", "--quiet", out="alone", dataset=tmp_path / "parted")
    shutil.rmtree(two[0])
    (tmp_path / "alone").rename(two[0])
    code, said = verify()
    assert code == 0
    assert said.startswith("parted: 2 of 2 rows equal; not compared: 2 only in ")
    records = [record_path(folder).read() for folder in two]
    assert records[0]["card"]["split hash"] != records[1]["card"]["split hash"]
    assert reasons(*records) == []


def test_a_folder_without_results_is_one_line(two, verify, tmp_path, capsys):
    shutil.rmtree(two[0])
    code, said = verify()
    assert (code, said) == (
        2,
        f"error: {two[0]}: holds no results; make some with benchmarks.run\n",
    )


@pytest.mark.parametrize(
    ("side", "ending"), [(0, ".json"), (1, ".json"), (0, ".npz"), (1, ".npz")]
)
def test_damage_is_named_and_never_called_equal(two, verify, side, ending):
    file = record_path(two[side]).file(ending)
    file.write_bytes(file.read_bytes()[:-30])
    code, said = verify()
    assert code == 2
    assert f"parted: 3 of 3 rows equal; not compared: 1 damaged ({file})" in said


def test_a_run_ends_with_its_verdict(two, run, capsys, monkeypatch):
    monkeypatch.setattr(verdict, "PUBLISHED", two[1])
    arguments = ("--extractor", "lbp")
    capsys.readouterr()
    assert run(*arguments, out="fresh") == 0
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "Beside what is published, parted: 2 of 2 rows equal"
    assert run(*arguments, "--quiet") == 0
    assert capsys.readouterr().err == ""
    assert run(*arguments, out="published") == 0  # the project publishes
    assert "Beside" not in capsys.readouterr().err
    (two[1] / "parted" / "dataset.json").write_text("{")
    assert run(*arguments) == 0
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("Not compared with what is published of parted: ")
    assert str(two[1] / "parted" / "dataset.json") in said
    shutil.rmtree(two[1] / "parted")
    assert run(*arguments) == 0
    assert "published" not in capsys.readouterr().err


def test_results_go_beside_the_published_ones(two, monkeypatch, made, run, capsys):
    assert run_parser().parse_args([]).out == LOCAL == PUBLISHED / "local"
    assert report._parser().parse_args([]).out == LOCAL
    options = _parser().parse_args([])
    assert (options.folder, options.against) == (LOCAL, PUBLISHED)
    ignored = subprocess.run(
        ["git", "check-ignore", "-q", LOCAL / "x"], cwd=PUBLISHED, check=False
    )
    assert ignored.returncode in (0, 128)  # 128: not a git checkout
    shutil.copytree(two[0] / "parted", two[1] / "local" / "mine")
    assert [folder.name for folder in dataset_folders(two[1])] == ["parted"]
    monkeypatch.setattr(shared_options, "LOCAL", two[1] / "local")
    assert run("--extractor", "lbp", dataset=f"local={made / 'parted'}", out="published") == 2
    assert "stands for runs that are not published" in capsys.readouterr().err


def test_a_damaged_table_of_seeds_is_named(two, verify):
    (two[1] / "parted" / "seeds.csv").write_text("query_set,method,metric\na,b,map\n")
    code, said = verify()
    assert code == 2
    assert said.startswith(f"error: {two[1] / 'parted' / 'seeds.csv'}: no table of seeds; ")
