"""Searching an index approximately: true distances, and nothing of faiss from elsewhere."""

import re
import shutil

import numpy as np
import pytest
from pictures import picture

from benchmarks.pipeline.workers import Workforce
from benchmarks.search import open_index, search
from benchmarks.search.__main__ import main
from benchmarks.search.approximate import KINDS, ApproximateSearch
from datasets.errors import InputError
from retrieval import approximate
from retrieval.knn import GRID, nearest, nearest_among

faiss = pytest.importorskip("faiss", reason="faiss is an extra")

QUIET = Workforce(quiet=True)


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(40, 20))
    made = centres[rng.integers(0, 40, 1500)] + 0.4 * rng.normal(size=(1500, 20))
    made[7] = 0
    return made.astype(np.float32)


@pytest.fixture
def many(tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(60):
        picture(number, hue=number).save(folder / f"{number:02}.png")
    return folder


def test_the_nearest_among_some_are_those_of_the_exact_search(vectors):
    query, gallery = vectors[:1], vectors[1:]
    [indices], [distances] = nearest(query, gallery, 300)
    some, squares = nearest_among(query, gallery, indices[::-1], 300)
    assert some.tolist() == indices.tolist()
    np.testing.assert_array_equal(np.sqrt(squares * GRID), distances)
    fewer, _ = nearest_among(query, gallery, indices[5:50:3], 4)
    assert fewer.tolist() == indices[5:50:3][:4].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_most_are_found_at_their_exact_distances(kind, vectors, tmp_path):
    queries, gallery = vectors[:40], vectors
    exact, distances = nearest(queries, gallery, 10)
    opened = ApproximateSearch(gallery, kind, tmp_path, QUIET)
    shares = []
    for query, true, far in zip(queries, exact, distances, strict=True):
        found, squares = opened.nearest(query[None], 10)
        expected = dict(zip(true.tolist(), far.tolist(), strict=True))
        for image, square in zip(found.tolist(), squares.tolist(), strict=True):
            if image in expected:
                assert np.sqrt(square * GRID) == expected[image]
        assert (np.diff(squares) >= 0).all()
        shares.append(np.isin(true, found).mean())
    assert np.mean(shares) > 0.95


def test_it_is_built_once_and_again_when_it_is_damaged_or_the_vectors_are_others(
    vectors, tmp_path, monkeypatch
):
    built = []
    original = approximate.Hnsw.build

    def build(*arguments):
        built.append(1)
        return original(*arguments)

    monkeypatch.setattr(approximate.Hnsw, "build", build)
    for _ in range(2):
        ApproximateSearch(vectors, "hnsw", tmp_path, QUIET)
    assert len(built) == 1
    [path] = tmp_path.glob("approximate/hnsw-*/index.faiss")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    ApproximateSearch(vectors, "hnsw", tmp_path, QUIET)
    assert len(built) == 2
    (path.parent / "sum.json").write_text("{}")
    ApproximateSearch(vectors, "hnsw", tmp_path, QUIET)
    assert len(built) == 3
    ApproximateSearch(vectors * np.float32(1.5), "hnsw", tmp_path, QUIET)
    assert len(built) == 4


def test_the_command_says_that_it_is_approximate(many, ask, tmp_path, capsys):
    index = tmp_path / "index"
    words = (many / "07.png", "--pictures", many, "--extractor", "lbp", "--index", index)
    code, exact = ask(*words, "--leave-out-query")
    assert (code, exact["approximate"]) == (0, None)
    code, answer = ask(*words, "--leave-out-query", "--approximate", "hnsw")
    assert (code, answer["approximate"]) == (0, "hnsw")
    assert answer["neighbours"] == exact["neighbours"]  # in so small a gallery
    # Nothing of faiss lies where others look.
    assert not list(index.rglob("*faiss*"))
    assert len(list((tmp_path / "cache").rglob("index.faiss"))) == 1
    capsys.readouterr()
    place = ["--index", str(index), "--cache", str(tmp_path / "cache")]
    assert main([str(many / "07.png"), *place, "--approximate", "hnsw"]) == 0
    assert "approximate (hnsw): nearer pictures may be missing" in capsys.readouterr().out


def test_from_python(many, tmp_path):
    where = {"index": tmp_path / "index", "cache": tmp_path / "cache"}
    asked = many / "07.png"
    exact = search(asked, pictures=many, extractor="lbp", **where)
    found = search(asked, pictures=many, extractor="lbp", approximate="hnsw", **where)
    assert found.neighbours == exact.neighbours
    opened = open_index(where["index"], "hnsw", where["cache"])
    assert opened.approximation == "hnsw"
    assert opened.search(asked) == exact.neighbours
    with pytest.raises(InputError, match="tree: no such index; it is one of hnsw, ivf-pq"):
        open_index(where["index"], "tree")


def test_a_file_of_faiss_in_an_index_from_elsewhere_is_not_read(many, ask, tmp_path, monkeypatch):
    index = tmp_path / "index"
    words = (many / "07.png", "--index", index, "--approximate", "hnsw")
    assert ask("--pictures", many, "--extractor", "lbp", *words)[0] == 0
    kept = next((tmp_path / "cache" / "approximate").iterdir())
    for place in (index, *index.iterdir()):
        if place.is_dir():
            shutil.copytree(kept, place / "approximate" / kept.name)
    shutil.rmtree(kept)

    def load(*_):
        raise AssertionError("read")

    monkeypatch.setattr(approximate.Hnsw, "load", load)
    assert ask(*words)[0] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--extractor", "lbp", "--approximate", "ivf-pq"], "256 codewords .* there are 60"),
        (["--extractor", "lbp+hog+rrf", "--approximate", "hnsw"], "is fused or re-ranked"),
        (["--approximate", "tree"], "invalid choice"),
    ],
)
def test_what_cannot_be_searched_so_is_one_line(words, message, many, ask):
    code, printed = ask(many / "07.png", "--pictures", many, *words)
    assert code == 2
    assert re.search(message, printed)


def test_a_query_of_a_dataset_ranks_everything(parted, ask):
    words = ("--query-id", "apple/00.png", "--dataset", parted, "--extractor", "lbp")
    code, printed = ask(*words, "--approximate", "hnsw")
    assert code == 2
    assert "--approximate goes without --query-id" in printed


def test_without_faiss_the_remedy_is_told(many, ask, monkeypatch):
    def missing():
        raise approximate.NoFaissError("needs faiss: pip install faiss-cpu (the extra faiss)")

    monkeypatch.setattr(approximate, "_faiss", missing)
    words = (many / "07.png", "--pictures", many, "--extractor", "lbp")
    code, printed = ask(*words, "--approximate", "hnsw")
    assert code == 2
    assert "--approximate hnsw: needs faiss: pip install faiss-cpu" in printed
