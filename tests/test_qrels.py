"""Judgements as trec_eval has them: read into the same judgements, or refused by line."""

import json

import pytest
import pytrec_eval

from datasets.errors import InputError
from datasets.qrels import read_qrels
from datasets.relevance import Place, read_relevance
from datasets.task import Relevance

PLACES = {
    "g/a b%.png": Place(frozenset({"gallery"})),
    "g/0": Place(frozenset({"gallery"})),
    "g/1%20": Place(frozenset({"gallery"})),
    "q/0": Place(frozenset({"query"})),
}


@pytest.fixture
def read(tmp_path):
    def read_lines(*lines):
        (tmp_path / "qrels.txt").write_text("\n".join(lines))
        return read_relevance(tmp_path, PLACES)

    return read_lines


def test_grades_blanks_and_what_is_not_relevant(read):
    judged, problems = read("q/0 0 g/a%20b%25.png 3", "", "q/0\t0\tg/0\t-2", "q/0 0 g/1%20 1")
    assert judged == {
        "q/0": Relevance(frozenset({"g/a b%.png", "g/1%20"}), frozenset(), {"g/a b%.png": 3})
    }
    assert problems == []


def test_a_query_of_irrelevant_images_only_is_a_row(read):
    judged, [problem] = read("q/0 0 g/0 0")
    assert judged["q/0"].positive == frozenset()
    assert (problem.id, problem.what) == ("q/0", "qrels.txt names no relevant image")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["q/0 g/0 1"], "line 1: 3 columns instead of 4; write: query-id 0 gallery-id grade"),
        (["q/0 0 g/a b%.png 1"], "line 1: 5 columns instead of 4"),
        (["", "q/0 0 g/0 high"], "line 2: grade 'high' is no number"),
        (["q/0 0 g/0 1", "q/0 0 g/0 2"], "line 2: 'q/0' and 'g/0' stand twice"),
        (["q/0 0 g/0 nan"], "qrels.txt: 'q/0'"),
        (["q/0 0 g/0 1e300"], "qrels.txt: 'q/0'"),
        (["q/0 0 G/0 1"], "'G/0' is not in the dataset; did you mean 'g/0'?"),
        (["q/1 0 g/0 1"], "query 'q/1' is not in the dataset"),
        (["q/0 0 q/0 1"], "'q/0' lies in query, not in gallery"),
    ],
)
def test_bad_lines_are_named(read, lines, message):
    with pytest.raises(InputError) as raised:
        read(*lines)
    assert message in str(raised.value)


def test_two_files_of_judgements_are_one_too_many(read, tmp_path):
    (tmp_path / "relevance.json").write_text("{}")
    with pytest.raises(InputError, match=r"relevance\.json and qrels\.txt both judge"):
        read("q/0 0 g/0 1")


def test_as_trec_eval_reads_them(tmp_path):
    path = tmp_path / "qrels.txt"
    path.write_text("q1 0 d1 2\nq1 0 d2 0\nq2 Q0 d1 1\n")
    with path.open() as file:
        theirs = pytrec_eval.parse_qrel(file)
    ours = read_qrels(path, {"q1", "q2", "d1", "d2"})
    assert ours == {
        query: {"positive": {image: grade for image, grade in images.items() if grade > 0}}
        for query, images in theirs.items()
    }


def test_exported_judgements_read_back_score_the_same(parted, run, tmp_path):
    from benchmarks.export.__main__ import main

    gallery = parted / "validation" / "gallery" / "apple"
    (gallery / "00.png").rename(gallery / "a\u2003b%.png")
    queries = sorted((parted / "validation" / "query" / "apple").iterdir())
    one, other = sorted(gallery.iterdir())[-2:]
    ids = [path.relative_to(parted).as_posix() for path in (*queries, one, other)]
    *asked, one, other = ids
    judged = {query: {"positive": {one: 2, other: 1}} for query in asked}
    (parted / "relevance.json").write_text(json.dumps(judged))
    ranking = tmp_path / "out" / "parted" / "records" / "query" / "lbp.npz"
    assert run("--extractor", "lbp", "--dataset", parted) == 0
    before = ranking.read_bytes()
    folders = ["--out", tmp_path / "taken", "--results", tmp_path / "out"]
    folders += ["--cache", tmp_path / "cache"]
    assert main([str(one) for one in ("trec", "--dataset", parted, *folders)]) == 0
    (parted / "relevance.json").unlink()
    taken = tmp_path / "taken" / "parted" / "query" / "qrels.txt"
    (parted / "qrels.txt").write_text(taken.read_text(), "utf-8")
    assert run("--extractor", "lbp", "--dataset", parted) == 0
    assert ranking.read_bytes() == before
