"""Metrics that are asked for: in tables, from rankings that are there, with grades."""

import csv
import hashlib
import json

import numpy as np
import pytest

from benchmarks.pipeline.records.record import RecordPath
from benchmarks.report.__main__ import main
from benchmarks.run import listing
from datasets.task import Dataset, Relevance
from retrieval.metrics import METRICS, chance, find_metrics, mean_scores
from retrieval.protocol import judge
from retrieval.ranking import Ranking

METHODS = ("--extractor", "rgb-histogram", "lbp", "hog")
ASKED = ("recall@2", "N-S", "nDCG@5", "mAP@R")
KEYS = [*find_metrics(ASKED)]


@pytest.fixture
def results(parted, run, tmp_path):
    assert run(*METHODS, "--dataset", parted) == 0
    return tmp_path / "out"


def table(folder):
    """Columns and rows of the first table of scores of a page."""
    page = (folder / "parted" / "table.md").read_text(encoding="utf-8")
    lines = page[page.index("| method") :].partition("\n\n")[0].splitlines()
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return head, rows, page


def test_tables_show_what_is_asked_for_without_a_new_run(results, load_dataset, parted):
    records = {path: path.read_bytes() for path in results.rglob("records/**/*") if path.is_file()}
    before = json.loads((results / "parted" / "table.json").read_text())
    assert main(["--out", str(results), "--no-plots", "--metrics", *ASKED]) == 0
    assert {path: path.read_bytes() for path in records} == records
    head, rows, page = table(results)
    assert head == ["method", "recall@2", "N-S", "nDCG@5", "mAP@R", "bytes/image", "ms/image"]
    means = [float(row[1].split(" ")[0]) for row in rows[1:]]
    assert means == sorted(means, reverse=True)
    assert "metric learning's Recall@k is top-k" in page
    assert "Methods are in order of recall@2" in page

    after = json.loads((results / "parted" / "table.json").read_text())
    data = load_dataset(parted)
    for query_set, lines in after.items():
        by_chance, *others = lines
        judgements = judge(data.queries[query_set], data.gallery, data.relevance)
        exact = chance(judgements, find_metrics(ASKED))
        assert {key: by_chance[key] for key in KEYS} == pytest.approx(exact)
        for row, known in zip(lines, before[query_set], strict=True):
            assert {key: row[key] for key in known} == known  # what was there is as it was
        for row in others:
            ranking = Ranking.load(
                RecordPath(results / "parted" / "records" / query_set, row["method"]).file(".npz")
            )
            scores = mean_scores(ranking, find_metrics(ASKED))
            assert {key: row[key] for key in KEYS} == pytest.approx(scores, abs=1e-5)
            assert all(row[f"{key}_low"] <= row[key] <= row[f"{key}_high"] for key in KEYS)
    with (results / "parted" / "table.csv").open() as file:
        assert {*KEYS, *METRICS} <= set(next(csv.reader(file)))


def test_run_prints_and_writes_what_is_asked_for(results, parted, run, capsys):
    usual = {path: path.read_bytes() for path in sorted((results / "parted").glob("table.*"))}
    assert run(*METHODS, "--dataset", parted, "--metrics", *ASKED) == 0
    printed = capsys.readouterr().out
    assert "nDCG@5" in printed
    assert "top-10" not in printed
    assert table(results)[0][1:5] == ["recall@2", "N-S", "nDCG@5", "mAP@R"]
    assert run(*METHODS, "--dataset", parted) == 0
    assert {path: path.read_bytes() for path in usual} == usual


def test_an_unknown_metric_is_one_line_with_those_that_there_are(results, capsys):
    assert main(["--out", str(results), "--metrics", "mAP", "accuracy"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--metrics: no metric 'accuracy'; it is one of topK, pK, mpK, recallK" in error


def test_the_page_to_look_through_has_what_is_asked_for(results):
    assert main(["--out", str(results), "--no-plots", "--html", "--metrics", *ASKED]) == 0
    index = (results / "page" / "data" / "index.js").read_text(encoding="utf-8")
    assert '{"key":"ndcg5","heading":"nDCG@5","isCost":false,"isShown":true}' in index
    assert '{"key":"top1","heading":"top-1","isCost":false,"isShown":false}' in index


def test_curves_are_written_if_asked_and_go_again(results):
    file = results / "parted" / "precision-recall.csv"
    assert not file.exists()
    assert main(["--out", str(results), "--precision-recall"]) == 0
    with file.open() as opened:
        lines = list(csv.DictReader(opened))
    assert len(lines) == 2 * 4 * 11
    assert {line["method"] for line in lines} == {"chance", "rgb-histogram", "lbp", "hog"}
    of_chance = {float(one["precision"]) for one in lines if one["method"] == "chance"}
    assert of_chance == {round(5 / 13, 9)}
    for method in ("lbp", "hog"):
        curve = [float(one["precision"]) for one in lines if one["method"] == method][:11]
        assert curve == sorted(curve, reverse=True)
    assert (results / "parted" / "plots" / "precision-recall-query.png").exists()
    assert main(["--out", str(results)]) == 0
    assert not file.exists()
    assert not (results / "parted" / "plots" / "precision-recall-query.png").exists()


def test_the_menu_lists_every_metric_with_its_chance():
    listed = listing()
    assert "recallK         0 to 1, chance 0.100  share of the relevant images" in listed
    assert "ns              0 to 4, chance 0.200" in listed
    assert "metric learning's Recall@k is top-k" in listed
    for name in ("mapK", "mapr", "maptrapezoidal", "ndcgK", "mrr", "rprec"):
        assert f"\n  {name} " in listed


def test_grades_reach_tables_and_ungraded_sets_keep_their_bytes(parted, run, tmp_path):
    run("--extractor", "lbp", "--dataset", parted)
    query = next(iter(sorted((parted / "validation" / "query" / "apple").iterdir())))
    gallery = sorted((parted / "validation" / "gallery" / "apple").iterdir())
    ids = [path.relative_to(parted).as_posix() for path in gallery]
    place = RecordPath(tmp_path / "out" / "parted" / "records" / "query", "lbp")

    def judged(positive):
        name = query.relative_to(parted).as_posix()
        (parted / "relevance.json").write_text(json.dumps({name: {"positive": positive}}))
        assert run("--extractor", "lbp", "--dataset", parted, "--metrics", "nDCG", "mAP") == 0
        [row] = json.loads((tmp_path / "out" / "parted" / "table.json").read_text())["query"][1:]
        return place.read()["key"], place.file(".npz").read_bytes(), row["ndcg"], row["map"]

    listed, ones = judged(ids), judged(dict.fromkeys(ids, 1))
    assert listed == ones
    graded = judged({name: 1 + 3 * place for place, name in enumerate(ids)})
    assert graded[0] != listed[0]
    assert graded[2] != listed[2]
    assert graded[3] == listed[3]
    ranking = Ranking.load(place.file(".npz"))
    assert sorted(ranking.grades[:5]) == [1, 4, 7, 10, 13]


def test_fingerprints_of_ungraded_sets_are_what_they_were(tmp_path):
    judged = {"q": Relevance(frozenset({"b", "a"}), frozenset({"c"}))}
    data = Dataset("one", tmp_path, (), (), {}, judged)
    rows = [("q", ["a", "b"], ["c"])]
    assert data.fingerprint == hashlib.sha256(json.dumps(rows).encode()).hexdigest()
    graded = {"q": Relevance(frozenset({"b", "a"}), frozenset({"c"}), {"a": 2.0})}
    other = Dataset("one", tmp_path, (), (), {}, graded)
    assert other.fingerprint != data.fingerprint


def test_a_drawing_of_a_graded_query_has_its_grades(parted, run, tmp_path):
    query = next(iter(sorted((parted / "validation" / "query" / "apple").iterdir())))
    image = next(iter(sorted((parted / "validation" / "gallery" / "apple").iterdir())))
    names = [path.relative_to(parted).as_posix() for path in (query, image)]
    (parted / "relevance.json").write_text(json.dumps({names[0]: {"positive": {names[1]: 3}}}))
    (image.parent / "itself.png").write_bytes(query.read_bytes())  # so that it becomes junk
    assert run("--extractor", "lbp", "--edges", "--dataset", parted) == 0
    records = tmp_path / "out" / "parted" / "records"
    for query_set in ("query", "query-edges"):
        ranking = Ranking.load(RecordPath(records / query_set, "lbp").file(".npz"))
        assert ranking.relevant[0] == 1
        assert np.isin(3, ranking.grades)
