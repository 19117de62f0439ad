"""Approximate search beside the exact one."""

import csv

import numpy as np
import pytest
from pictures import fill

from benchmarks.approximate import main
from retrieval import approximate
from retrieval.approximate import APPROXIMATIONS, Hnsw, IvfPq, TooFewError
from retrieval.knn import nearest

faiss = pytest.importorskip("faiss", reason="faiss is an extra")


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(40, 20))
    made = centres[rng.integers(0, 40, 1500)] + 0.4 * rng.normal(size=(1500, 20))
    made[7] = 0
    return made.astype(np.float32)


def found(index, queries, effort, exact):
    indices, _ = index.nearest(queries, effort, exact.shape[1])
    return np.mean([np.isin(true, row).mean() for true, row in zip(exact, indices, strict=True)])


@pytest.mark.parametrize("kind", APPROXIMATIONS, ids=lambda kind: kind.name)
def test_more_effort_finds_more_of_the_nearest_and_an_index_is_the_same_each_time(kind, vectors):
    queries, gallery, training = vectors[:60], vectors[100:], vectors[:700]
    exact, _ = nearest(queries, gallery, 10)
    index = kind.build(gallery, training)
    shares = [found(index, queries, effort, exact) for effort in kind.efforts]
    assert shares[0] < shares[-1]
    again = kind.build(gallery, training)
    for effort in kind.efforts:
        one, other = (made.nearest(queries, effort, 10)[0] for made in (index, again))
        np.testing.assert_array_equal(one, other)


def test_a_graph_finds_nearly_all_with_the_exact_distances(vectors):
    queries, gallery = vectors[:60], vectors[100:]
    exact, lengths = nearest(queries, gallery, 10)
    indices, distances = Hnsw().build(gallery, gallery[:0]).nearest(queries, 256, 10)
    equal = indices == exact
    assert equal.mean() > 0.95
    np.testing.assert_allclose(distances[equal], lengths[equal], atol=1e-3)


def test_a_zero_vector_lies_at_right_angles_to_all(vectors):
    _, distances = Hnsw().build(vectors[100:], vectors[:0]).nearest(vectors[7:8], 64, 3)
    np.testing.assert_allclose(distances, 2**0.5)


def test_codes_take_few_bytes_and_are_learned_from_training_images_alone(vectors):
    gallery, training = vectors[100:], vectors[:700]
    index = IvfPq().build(gallery, training)
    assert index.n_bytes < gallery.nbytes
    other = IvfPq().build(vectors[100:900], training)
    books = [faiss.vector_to_array(made._built.pq.centroids) for made in (index, other)]
    np.testing.assert_array_equal(*books)
    with pytest.raises(TooFewError, match=r"256 codewords .* there are 255"):
        IvfPq().build(gallery, training[:255])


@pytest.fixture
def measure(tmp_path):
    def run_command(*words):
        folders = ["--out", tmp_path / "measured", "--cache", tmp_path / "cache"]
        return main([str(word) for word in (*words, *folders, "--quiet")])

    return run_command


def test_the_command_measures_every_query_set(parted, run, measure, tmp_path):
    assert run("--extractor", "rgb-histogram", "--dataset", parted) == 0
    assert measure("--extractor", "rgb-histogram+int8", "--dataset", parted) == 0
    folder = tmp_path / "measured" / "approximate" / "parted"
    with (folder / "approximate.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["query_set"] for row in rows} == {"query", "query-sketch"}
    exact = [row for row in rows if row["index"] == "exact"]
    assert all(float(row["recall"]) == 1 for row in exact)
    assert all(int(row["bytes_per_image"]) == 512 for row in exact)
    [most] = [r for r in rows if r["setting"] == "efSearch 256" and r["query_set"] == "query"]
    assert float(most["recall"]) == 1
    assert most["top1"] == exact[0]["top1"]
    absent = [row for row in rows if row["index"] == "ivf-pq"]
    assert all(not row["recall"] and "256 codewords" in row["setting"] for row in absent)
    page = (folder / "approximate.md").read_text()
    assert "plots/rgb-histogram%2Bint8-query.png" in page
    assert (folder / "plots" / "rgb-histogram+int8-query.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "nothing to search with"),
        (("--extractor", "rgb-histogram+lbp"), "an index holds one vector of each image"),
        (("--extractor", "gist"), "gist was not run on parted with this --cache"),
    ],
)
def test_what_cannot_be_measured_is_one_line(parted, measure, capsys, words, message):
    assert measure("--dataset", parted, *words) == 2
    assert message in capsys.readouterr().err


def test_without_faiss_the_remedy_is_told(parted, run, measure, capsys, monkeypatch):
    assert run("--extractor", "rgb-histogram", "--dataset", parted) == 0

    def missing():
        raise approximate.NoFaissError("needs faiss: pip install faiss-cpu (the extra faiss)")

    monkeypatch.setattr(approximate, "_faiss", missing)
    capsys.readouterr()
    assert measure("--extractor", "rgb-histogram", "--dataset", parted) == 2
    assert "pip install faiss-cpu" in capsys.readouterr().err


def test_the_query_itself_is_left_out(tmp_path, run, measure):
    root = tmp_path / "twice"
    for number, name in enumerate(("apple", "berry")):
        fill(root / "training" / name, 3, 10 + number, number)
        fill(root / "gallery" / name, 4, 20 + number, number)
        fill(root / "query" / name, 4, 20 + number, number)
    assert run("--extractor", "rgb-histogram", "--dataset", root) == 0
    assert measure("--extractor", "rgb-histogram", "--dataset", root) == 0
    path = tmp_path / "measured" / "approximate" / "twice" / "approximate.csv"
    with path.open() as file:
        assert all(float(r["recall"]) <= 1 for r in csv.DictReader(file) if r["recall"])
