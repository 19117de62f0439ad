"""Exact neighbours: right, deterministic to the tie, whatever the blocks and the order."""

import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from retrieval import knn, ranking
from retrieval.knn import Block, grid_distances, nearest
from retrieval.protocol import Judgement, Judgements
from retrieval.ranking import summarise
from retrieval.rows import normalise

ROOT = Path(__file__).parents[1]


@pytest.fixture
def vectors():
    rng = np.random.default_rng(0)
    return (
        rng.normal(size=(30, 16)).astype(np.float32),
        rng.normal(size=(300, 16)).astype(np.float32),
    )


def test_same_neighbours_and_distances_as_scikit_learn(vectors):
    queries, gallery = vectors
    peer = NearestNeighbors(algorithm="brute").fit(normalise(gallery))
    distances, indices = peer.kneighbors(normalise(queries), 10)
    ours = nearest(queries, gallery, 10)
    assert np.array_equal(ours[0], indices)
    assert np.allclose(ours[1], distances, atol=1e-7)


def test_threads_have_no_influence_on_rankings(monkeypatch):
    rng = np.random.default_rng(3)
    distances = rng.integers(0, 9, (40, 90)).astype(np.int32)  # mostly tied
    of = [Judgement(np.sort(rng.choice(60, 5, replace=False)), np.array([61])) for _ in distances]
    judgements = Judgements(tuple(of), 90, 0, (np.arange(70, 90),))
    blocks = [Block(0, distances[:25]), Block(25, distances[25:])]
    alone = summarise(blocks, judgements)
    monkeypatch.setattr(ranking, "_MANY", 1)
    monkeypatch.setattr(ranking, "_PORTION", 3 * 90)
    shared = summarise(blocks, judgements)
    for field in fields(alone):
        assert np.array_equal(getattr(alone, field.name), getattr(shared, field.name))
    assert (
        alone.neighbours[30].tolist()
        == summarise([Block(0, distances[30:31])], replace(judgements, of=(of[30],)))
        .neighbours[0]
        .tolist()
    )


def test_blocks_have_no_influence(vectors, monkeypatch):
    queries, gallery = vectors
    [whole] = grid_distances(queries, gallery)
    monkeypatch.setattr(knn, "_BLOCK_VALUES", 7 * len(gallery))
    monkeypatch.setattr(knn, "GALLERY_BLOCK", 11)
    parts = list(grid_distances(queries, gallery))
    assert [block.start for block in parts] == [0, 7, 14, 21, 28]
    assert np.array_equal(np.concatenate([block.distances for block in parts]), whole.distances)


def test_ties_go_to_the_lower_index():
    gallery = np.array([[0, 1], [1, 0], [2, 0], [0.5, 0]], np.float32)
    indices, distances = nearest(np.array([[1, 0]], np.float32), gallery, 4)
    assert indices.tolist() == [[1, 2, 3, 0]]
    assert distances[0, :3].tolist() == [0, 0, 0]


def test_equal_vectors_tie_wherever_they_stand():
    rng = np.random.default_rng(1)
    gallery = rng.normal(size=(500, 129)).astype(np.float32)
    copies = [3, 77, 250, 499]
    gallery[copies] = gallery[3]
    for query in rng.normal(size=(20, 129)).astype(np.float32):
        [block] = grid_distances(query[None], gallery)
        assert len(set(block.distances[0][copies])) == 1
        indices, _ = nearest(query[None], gallery, 500)
        assert [index for index in indices[0] if index in copies] == copies


def test_k_larger_than_the_gallery_and_empty_queries(vectors):
    queries, gallery = vectors
    assert nearest(queries, gallery[:3], 10)[0].shape == (30, 3)
    assert nearest(queries[:0], gallery, 10)[0].shape == (0, 10)


def test_zero_vectors_have_nothing_in_common_with_anything():
    """At their Euclidean distance, 1, they would be near neighbours of all sparse vectors."""
    gallery = np.array([[0, 0], [0, 3], [3, 4]], np.float32)
    indices, distances = nearest(np.array([[0, 0], [5, 0]], np.float32), gallery, 3)
    assert indices.tolist() == [[0, 1, 2], [2, 0, 1]]
    root = np.sqrt(2)
    assert distances == pytest.approx(np.array([[root, root, root], [np.sqrt(0.8), root, root]]))


def test_length_of_a_vector_has_no_influence(vectors):
    queries, gallery = vectors
    scaled = gallery * np.float32(1e-30)
    assert np.array_equal(nearest(queries, scaled, 300)[0], nearest(queries, gallery, 300)[0])


def test_bad_vectors_are_refused(vectors):
    queries, gallery = vectors
    with pytest.raises(ValueError, match="16 dimensions, the gallery has 15"):
        nearest(queries, gallery[:, :15], 3)
    gallery[5, 5] = np.nan
    with pytest.raises(ValueError, match="finite"):
        nearest(queries, gallery, 3)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_gallery_on_disk_is_searched_without_staying_in_memory(tmp_path, dtype):
    path = tmp_path / "gallery.npy"
    rng = np.random.default_rng(0)
    gallery = np.lib.format.open_memmap(path, "w+", dtype, (40_000, 256))
    gallery[:] = rng.normal(size=gallery.shape)
    queries = np.asarray(gallery[:3], np.float32)
    inside = np.asarray(gallery, np.float32)
    expected = nearest(queries, inside, 5), [b.distances for b in grid_distances(queries, inside)]
    del gallery
    code = f"""
import numpy as np
from retrieval.knn import nearest, grid_distances
def own():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssFile"))
gallery = np.load({str(path)!r}, mmap_mode="r")
queries = np.asarray(gallery[:3], np.float32)
before = own()
found, _ = nearest(queries, gallery, 5)
every = [block.distances for block in grid_distances(queries, gallery)]
np.savez({str(tmp_path / "found.npz")!r}, found=found, every=every)
print(own() - before)
"""
    if not Path("/proc/self/status").exists():
        pytest.skip("the system does not tell what is resident")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < path.stat().st_size / 1024 / 2
    with np.load(tmp_path / "found.npz") as made:
        np.testing.assert_array_equal(made["found"], expected[0][0])
        np.testing.assert_array_equal(made["every"], expected[1])
