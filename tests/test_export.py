"""Results taken away: vectors and back, neighbours, TREC runs, the tidy table, LaTeX."""

import csv
import json
import os
import shutil

import numpy as np
import pytest
import pytrec_eval
from pictures import scene
from PIL import Image

from benchmarks.export.__main__ import main
from benchmarks.formats import vectors
from benchmarks.formats.vectors import FORMATS, read_vectors
from benchmarks.pipeline.records.results import read_results
from retrieval.metrics import find_metrics, score

METHODS = ("rgb-histogram", "colour-moments", "rgb-histogram+lbp", "lbp+alpha-qe")


@pytest.fixture
def done(parted, run):
    """A dataset on which some methods were run."""
    assert run("--extractor", *METHODS, "--dataset", parted) == 0
    return parted


@pytest.fixture
def export(tmp_path):
    """Run the command with folders of the test's own; returns the exit code."""

    def run_command(*arguments):
        folders = ["--out", tmp_path / "taken", "--results", tmp_path / "out"]
        folders += ["--cache", tmp_path / "cache", "--jobs", "1"]
        return main([str(one) for one in (*arguments, *folders)])

    return run_command


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("form", FORMATS)
def test_vectors_read_back_give_the_ranking_to_the_byte(done, run, export, tmp_path, form):
    if form == "parquet":
        pytest.importorskip("pyarrow")
    assert export("vectors", "--dataset", done, "--format", form) == 0
    folder = tmp_path / "taken" / "parted" / "vectors"
    found = {path.stem for path in folder.glob(f"*.{form}")}
    assert found == {"rgb-histogram", "colour-moments"}
    names = {"mine": "rgb-histogram", "learned": "colour-moments"}
    pairs = [f"{mine}={folder / name}.{form}" for mine, name in names.items()]
    assert run("--vectors", *pairs, "--extractor", "mine+lbp", "--dataset", done) == 0
    for mine, name in (*names.items(), ("mine+lbp", "rgb-histogram+lbp")):
        for query_set in ("query", "query-sketch"):
            place = tmp_path / "out" / "parted" / "records" / query_set
            assert (place / f"{mine}.npz").read_bytes() == (place / f"{name}.npz").read_bytes()
    table = read_vectors(f"{folder / 'rgb-histogram'}.{form}")
    assert len(table.ids) == 31


@pytest.mark.skipif(os.sep == "\\", reason="a backslash ends a folder's name there")
def test_vectors_of_names_with_backslashes_are_read_back(parted, run, export, tmp_path):
    (picture,) = list((parted / "validation" / "query").rglob("*.png"))[:1]
    picture.rename(picture.parent / "as\\on\\Windows.png")  # as some programs unpack a ZIP
    assert run("--extractor", "rgb-histogram", "--dataset", parted) == 0
    assert export("vectors", "--dataset", parted, "--format", "csv") == 0
    taken = tmp_path / "taken" / "parted" / "vectors" / "rgb-histogram.csv"
    assert run("--vectors", f"mine={taken}", "--dataset", parted) == 0


def test_what_has_no_vectors_says_so(done, export, capsys):
    for name in ("rgb-histogram+lbp", "lbp+alpha-qe"):
        assert export("vectors", "--dataset", done, "--extractor", name) == 2
        assert f"--extractor {name}: has no vectors of its own" in capsys.readouterr().err


def test_what_cannot_learn_says_so(parted, run, export, capsys):
    for name in ("apple", "berry"):
        for path in sorted((parted / "training" / name).iterdir())[1:]:
            path.unlink()
    assert run("--extractor", "rgb-histogram", "lbp", "--dataset", parted) == 0
    assert export("neighbours", "--dataset", parted, "--extractor", "rgb-histogram+lbp") == 2
    said = "--extractor rgb-histogram+lbp: weights are learned from classes of at least two"
    assert said in capsys.readouterr().err


def test_neighbours_are_those_of_the_record(done, export, tmp_path):
    assert export("neighbours", "--dataset", done, "--k", 4) == 0
    results = read_results(tmp_path / "out" / "parted")
    names = [image.id for image in results.gallery]
    for method in METHODS:
        rows = rows_of(tmp_path / "taken" / "parted" / "query" / f"{method}.neighbours.csv")
        ranking = results.tasks["query"].rankings[method]
        expected = [names[index] for one in ranking.neighbours[:, :4] for index in one]
        assert [row["image"] for row in rows] == expected
        assert [row["rank"] for row in rows[:5]] == ["1", "2", "3", "4", "1"]


def test_distances_reach_the_whole_gallery(done, export, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    arguments = ("--dataset", done, "--extractor", "rgb-histogram")
    assert export("distances", *arguments, "--format", "parquet") == 0
    folder = tmp_path / "taken" / "parted" / "query"
    rows = parquet.read_table(folder / "rgb-histogram.distances.parquet").to_pylist()
    assert len(rows) == 6 * 13
    assert export("vectors", *arguments, "--format", "npz") == 0
    table = read_vectors(str(tmp_path / "taken/parted/vectors/rgb-histogram.npz"))
    vectors = dict(zip(table.ids, table[:].astype(float), strict=True))
    for row in rows[::7]:
        one, other = (vectors[row[name]] for name in ("query", "image"))
        apart = np.linalg.norm(one / np.linalg.norm(one) - other / np.linalg.norm(other))
        assert row["distance"] == pytest.approx(apart, abs=1e-3)


def test_verified_images_have_distances_as_well(run, export, tmp_path):
    root = tmp_path / "scenes"
    for number, name in enumerate(("training/a", "training/b", "gallery/a", "gallery/b")):
        (root / name).mkdir(parents=True)
        Image.fromarray(scene(number)).save(root / name / "1.png")
    for name in "ab":
        (root / "query" / name).mkdir(parents=True)
        with Image.open(root / "gallery" / name / "1.png") as picture:
            picture.resize((300, 300)).save(root / "query" / name / "1.png")
    assert run("--extractor", "orb-bovw", "orb-bovw+geometry", "--dataset", root) == 0
    assert export("neighbours", "--dataset", root, "--extractor", "orb-bovw+geometry") == 0
    rows = rows_of(tmp_path / "taken/scenes/query/orb-bovw+geometry.neighbours.csv")
    assert [float(row["distance"]) >= 0 for row in rows] == [True] * 4
    assert any(float(row["distance"]) == 0 for row in rows)  # the first that is verified


def test_trec_eval_finds_our_map_in_the_runs(done, export, tmp_path, capsys):
    assert export("trec", "--dataset", done) == 0
    folder = tmp_path / "taken" / "parted" / "query"
    assert capsys.readouterr().err.replace("\n", "").count(str(folder / "qrels.txt")) == 1
    with (folder / "qrels.txt").open() as file:
        qrels = pytrec_eval.parse_qrel(file)
    task = read_results(tmp_path / "out" / "parted").tasks["query"]
    for method in ("rgb-histogram", "colour-moments"):
        with (folder / f"{method}.run").open() as file:
            run = pytrec_eval.parse_run(file)
        found = pytrec_eval.RelevanceEvaluator(qrels, {"map"}).evaluate(run)
        ours = score(task.rankings[method])["map"]
        for query, value in zip(task.queries, ours, strict=True):
            assert found[query.id]["map"] == pytest.approx(value, abs=1e-6)


def test_grades_are_in_the_qrels_if_trec_eval_can_read_them(parted, run, export, tmp_path, capsys):
    query = sorted((parted / "validation" / "query" / "apple").iterdir())[0]
    gallery = sorted((parted / "validation" / "gallery" / "apple").iterdir())[:2]
    query, one, other = (path.relative_to(parted).as_posix() for path in (query, *gallery))
    file = parted / "relevance.json"
    file.write_text(json.dumps({query: {"positive": {one: 3, other: 1}}}))
    assert run("--extractor", "lbp", "--dataset", parted) == 0
    assert export("trec", "--dataset", parted) == 0
    folder = tmp_path / "taken" / "parted" / "query"
    with (folder / "qrels.txt").open() as opened:
        qrels = pytrec_eval.parse_qrel(opened)
    assert qrels[query] == {one: 3, other: 1}
    with (folder / "lbp.run").open() as opened:
        evaluator = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg"})
        found = evaluator.evaluate(pytrec_eval.parse_run(opened))
    ranking = read_results(tmp_path / "out" / "parted").tasks["query"].rankings["lbp"]
    ours = score(ranking, find_metrics(["ndcg"]))["ndcg"]
    assert found[query]["ndcg"] == pytest.approx(ours[0], abs=1e-6)
    file.write_text(json.dumps({query: {"positive": {one: 2.5, other: 1}}}))
    assert run("--extractor", "lbp", "--dataset", parted) == 0
    capsys.readouterr()
    assert export("trec", "--dataset", parted) == 2
    assert "has grade 2.5, and trec_eval reads whole numbers" in capsys.readouterr().err


def test_names_with_blanks_are_words_of_a_run(parted, run, export, tmp_path):
    gallery = parted / "validation" / "gallery" / "apple"
    (gallery / "00.png").rename(gallery / "a b%.png")
    run("--extractor", "rgb-histogram", "--dataset", parted)
    assert export("trec", "--dataset", parted) == 0
    text = (tmp_path / "taken" / "parted" / "query" / "rgb-histogram.run").read_text()
    assert "validation/gallery/apple/a%20b%25.png" in text
    assert {len(line.split()) for line in text.splitlines()} == {6}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_one_tidy_table_has_every_number(done, classes, run, export, tmp_path, form):
    run("--extractor", "lbp", "--dataset", classes)
    if form == "parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
    assert export("table", "--format", form) == 0
    path = tmp_path / "taken" / f"results.{form}"
    rows = rows_of(path) if form == "csv" else parquet.read_table(path).to_pylist()
    assert {row["dataset"] for row in rows} == {"parted", "classes"}
    assert {row["method"] for row in rows} == {"chance", "lbp", *METHODS}
    task = read_results(tmp_path / "out" / "parted").tasks["query-sketch"]
    [row] = [
        row
        for row in rows
        if (row["method"], row["query_set"]) == ("rgb-histogram", "query-sketch")
        and row["measure"] == "map"
    ]
    record = next(one for one in task.records if one["method"] == "rgb-histogram")
    assert float(row["value"]) == pytest.approx(record["scores"]["map"])
    assert float(row["low"]) <= float(row["value"]) <= float(row["high"])
    assert row["letters"]


@pytest.mark.parametrize("text", ["{}/", ".", "parted={}", "list=list.csv", "list.csv"])
def test_a_dataset_is_called_as_for_a_run(text, done, run, export, tmp_path, monkeypatch):
    paths = sorted(done.rglob("gallery/*/*.png"))
    lines = [f"{path},{path.parent.name}" for path in paths]
    (done / "list.csv").write_text("\n".join(["path,label", *lines, ""]))
    monkeypatch.chdir(done)
    if "list" in text:
        assert run("--extractor", "lbp", "--dataset", "list.csv") == 0
    assert export("table", "--dataset", text.format(done)) == 0
    names = {row["dataset"] for row in rows_of(tmp_path / "taken" / "results.csv")}
    assert names == {"list" if "list" in text else "parted"}


def test_latex_has_a_row_for_each_method_and_the_best_in_bold(done, export, tmp_path):
    assert export("latex", "--dataset", f"parted={done}") == 0
    text = (tmp_path / "taken" / "parted" / "query.tex").read_text()
    assert text.count(r"\\") == 1 + 1 + len(METHODS)
    assert r"\textbf{" in text
    assert "method & mAP & top-1 & " in text


def test_metrics_are_chosen(done, export, tmp_path):
    chosen = ("--metrics", "recall@3", "mAP@R")
    assert export("latex", *chosen) == 0
    text = (tmp_path / "taken" / "parted" / "query.tex").read_text()
    assert r"method & recall@3 & mAP@R \\" in text
    assert export("table", *chosen, "--extractor", "lbp") == 2
    assert export("table", *chosen, "--extractor", "rgb-histogram") == 0
    rows = rows_of(tmp_path / "taken" / "results.csv")
    assert {"recall3", "mapr", "map"} <= {row["measure"] for row in rows}
    assert all(row["low"] for row in rows if row["measure"] == "recall3" and row["letters"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("vectors",), "vectors needs a dataset"),
        (("vectors", "--extractor", "gist"), "gist was not run on parted with this --cache"),
        (("vectors", "--k", 3), "--k 3: goes with neighbours and trec"),
        (("neighbours", "--format", "npy"), "neighbours is written as one of csv, parquet"),
        (("trec", "--format", "csv"), "trec is written as a form of its own"),
        (("table", "--extractor", "gist"), "--extractor gist: was not run on parted"),
        (("table", "--dataset", "pacs"), "pacs was not run there; it has parted"),
        (("latex", "--vectors", "a=b.npz"), "latex is made of results"),
        (("table", "--leave-one-out"), "--leave-one-out: table is made of results"),
        (("table", "--seed", 7), "--seed: table is made of results"),
        (("latex", "--layout", "flat"), "--layout: latex is made of results"),
        (("trec", "--metrics", "mAP"), "--metrics: goes with table and latex"),
        (("table", "--metrics", "speed"), "--metrics: "),
    ],
)
def test_what_cannot_be_exported_is_one_line(done, export, capsys, arguments, message):
    dataset = [] if "table" in arguments or arguments == ("vectors",) else ["--dataset", done]
    assert export(*arguments, *dataset) == 2
    assert message in capsys.readouterr().err


def test_vectors_that_a_cache_has_lost_are_back_by_the_run_that_is_told(
    done, run, export, capsys, tmp_path
):
    shutil.rmtree(tmp_path / "cache")
    assert export("vectors", "--extractor", "rgb-histogram", "--dataset", done) == 2
    told = capsys.readouterr().err.partition("run python -m benchmarks.run ")[2].partition(",")[0]
    assert run(*told.split(), "--dataset", done) == 0
    assert export("vectors", "--extractor", "rgb-histogram", "--dataset", done) == 0


def test_nothing_run_is_one_line(classes, export, capsys):
    assert export("neighbours", "--dataset", classes) == 2
    assert "no records of classes as it is now; run it" in capsys.readouterr().err
    assert export("table") == 2
    assert "holds no results; make some" in capsys.readouterr().err


def test_nothing_exported_stays_beside_what_is_of_other_pictures(
    done, run, export, tmp_path, capsys
):
    chosen = ("trec", "--dataset", done)
    assert export(*chosen) == 0
    folder = tmp_path / "taken" / "parted"
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    (done / "validation" / "query" / "apple" / "00.png").unlink()
    assert export(*chosen) == 2
    assert "no records of parted as it is now; run it" in capsys.readouterr().err
    assert run("--extractor", "lbp", "gist", "--dataset", done) == 0
    capsys.readouterr()
    assert export(*chosen) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(f"error: --out {tmp_path / 'taken'}: {folder}")
    assert "colour-moments.run is of other pictures, which parted had before" in said
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before
    assert export(*chosen, "--extractor", *METHODS, "no-such") == 2
    assert export(*chosen, "--extractor", "lbp", "hog") == 2  # which was not run
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before
    assert run("--extractor", *METHODS, "--dataset", done) == 0
    assert export(*chosen, "--extractor", *METHODS) == 0  # all that is there
    assert export(*chosen, "--extractor", "lbp") == 0


def test_a_query_set_that_went_stays_beside_no_other_pictures(done, run, export, capsys):
    chosen = ("neighbours", "--dataset", done)
    assert export(*chosen) == 0
    shutil.rmtree(done / "validation" / "query-sketch")
    (done / "validation" / "gallery" / "apple" / "00.png").unlink()
    assert run("--extractor", *METHODS, "--dataset", done) == 0
    assert export(*chosen) == 2
    assert "query-sketch" in capsys.readouterr().err


def test_an_export_that_failed_has_noted_its_pictures(done, run, export, monkeypatch, tmp_path):
    chosen = ("vectors", "--dataset", done)
    monkeypatch.setattr(vectors, "write_text", lambda *_: exec("raise OSError(28, 'full')"))
    assert export(*chosen) == 2
    monkeypatch.undo()
    folder = tmp_path / "taken" / "parted"
    assert (folder / "exported.json").exists()
    (done / "validation" / "gallery" / "apple" / "00.png").unlink()
    (folder / "vectors").mkdir()
    (folder / "vectors" / "lbp.npy").write_text("of the pictures before")
    assert export(*chosen, "--extractor", "gist") == 2
    (folder / "exported.json").unlink()
    assert export(*chosen, "--extractor", "lbp") == 2  # and nobody knows of which pictures


def test_efficientnet_comes_back_to_the_byte(shared, run, export, tmp_path):
    data = ("--dataset", f"corel1000={shared / 'corel1000'}")
    names = ("efficientnet-lite0", "hsv-histogram")
    assert run("--extractor", *names, *data) == 0
    assert export("vectors", *data) == 0
    folder = tmp_path / "taken" / "corel1000" / "vectors"
    pairs = [f"mine{number}={folder / name}.npy" for number, name in enumerate(names)]
    assert run("--vectors", *pairs, *data) == 0
    place = tmp_path / "out" / "corel1000" / "records" / "query"
    for number, name in enumerate(names):
        back = (place / f"mine{number}.npz").read_bytes()
        assert back == (place / f"{name}.npz").read_bytes()


def test_where_nobody_knows_what_is_relevant_nothing_is_said_of_it(parted, run, export, tmp_path):
    plain = tmp_path / "plain"
    shutil.copytree(parted / "validation" / "gallery" / "apple", plain / "gallery")
    shutil.copytree(parted / "validation" / "query" / "apple", plain / "query")
    assert run("--extractor", "lbp", "--dataset", plain) == 0
    assert export("neighbours", "--dataset", plain, "--extractor", "lbp") == 0
    assert export("trec", "--dataset", plain, "--extractor", "lbp") == 0
    folder = tmp_path / "taken" / "plain" / "query"
    assert {row["relevant"] for row in rows_of(folder / "lbp.neighbours.csv")} == {""}
    assert not (folder / "qrels.txt").exists()
