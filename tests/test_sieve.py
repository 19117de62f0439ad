"""The sieve leaves out nothing that matters: neighbours and rankings equal those by float64."""

from fractions import Fraction

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from retrieval import knn, sieve
from retrieval.knn import GRID, grid_distances, nearest, nearest_on_grid
from retrieval.rows import lengths, normalise


def float64(queries, gallery, k):
    """The k nearest by a plain product in float64, everything sorted."""
    square = 2 - 2 * (normalise(queries) @ normalise(gallery).T)
    cells = np.maximum(np.rint(square / GRID), 0).astype(np.int32)
    order = np.argsort(cells, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(cells, order, axis=1)


def assert_exact(queries, gallery, k):
    indices, distances = nearest(queries, gallery, k)
    expected, cells = float64(queries, gallery, k)
    assert np.array_equal(indices, expected)
    assert np.array_equal(distances, np.sqrt(cells * GRID))


def random_vectors(rng, size, dims):
    """Vectors with ties, zeros, copies of any length, and neighbours that differ in one bit."""
    vectors = rng.normal(size=(size, dims)).astype(np.float32)
    kind = rng.integers(0, 8, size)
    source = rng.integers(0, max(1, size // 4), size)
    vectors[kind == 0] = np.rint(vectors[kind == 0])
    vectors[kind == 1] = np.abs(vectors[kind == 1])
    vectors[kind == 2] = vectors[source[kind == 2]]
    vectors[kind == 3] = vectors[source[kind == 3]] * np.float32(2.0) ** rng.integers(-60, 60)
    one_bit = vectors[source[kind == 4]]
    places = rng.integers(0, dims, len(one_bit))
    rows = np.arange(len(one_bit))
    one_bit[rows, places] = np.nextafter(one_bit[rows, places], np.float32(np.inf))
    vectors[kind == 4] = one_bit
    vectors[kind == 5] = vectors[source[kind == 5]] * np.float32(1.1)
    vectors[(kind == 6) & (rng.random(size) < 0.3)] = 0
    return vectors


@pytest.mark.parametrize("dims", [1, 2, 3, 17, 256, 1024, 1025, 5000])
@pytest.mark.parametrize("seed", range(4))
def test_neighbours_are_those_by_float64(dims, seed):
    rng = np.random.default_rng([dims, seed])
    gallery = random_vectors(rng, int(rng.integers(700, 1500)), dims)
    queries = np.concatenate([random_vectors(rng, 20, dims), gallery[rng.integers(0, 700, 15)]])
    for k in (1, 10):
        assert sieve.is_worthwhile(len(gallery), k)
        assert_exact(queries, gallery, k)


def test_vectors_that_only_float64_tells_apart():
    """Around one vector at distances far below the resolution of float32, in a row of lengths."""
    rng = np.random.default_rng(1)
    query = rng.normal(size=300)
    away = np.linalg.qr(rng.normal(size=(300, 2)) + query[:, None] * 0)[0].T * 17
    steps = rng.permutation(2000)[:, None] * 2e-6
    gallery = query + steps * away[0] + rng.choice([0, 3e-4], (2000, 1)) * away[1]
    gallery = (gallery * np.geomspace(1e-20, 1e20, 2000)[:, None]).astype(np.float32)
    queries = np.stack([query, query + 1e-3 * away[0]]).astype(np.float32)
    for k in (1, 10, 30):
        assert_exact(queries, gallery, k)


@pytest.mark.parametrize("copies", [9, 200, 2000])
def test_ties_at_the_last_place_go_to_the_lower_index(copies):
    rng = np.random.default_rng(2)
    gallery = rng.normal(size=(3000, 40)).astype(np.float32)
    gallery[rng.permutation(3000)[:copies]] = gallery[1234] * np.float32(3)
    assert_exact(gallery[1200:1240], gallery, 10)


def test_a_gallery_in_order_of_similarity_takes_no_harm():
    """Every block then has nearer images than all before."""
    rng = np.random.default_rng(3)
    query = rng.normal(size=64).astype(np.float32)
    gallery = rng.normal(size=(20_000, 64)).astype(np.float32)
    order = np.argsort(normalise(gallery) @ query)
    assert_exact(query[None], gallery[order], 10)


def test_lengths_at_the_ends_of_float32_and_zeros():
    rng = np.random.default_rng(4)
    gallery = rng.normal(size=(1000, 33)).astype(np.float32)
    gallery *= 10.0 ** rng.integers(-40, 37, (1000, 1)).astype(np.float32)
    gallery[::7] = 0
    queries = np.concatenate([gallery[:30], np.full((1, 33), 1e-45, np.float32)])
    assert_exact(queries, gallery, 10)
    for query in queries:
        [indices], [cells] = nearest_on_grid(query[None], gallery, 10, lengths(gallery))
        expected = float64(query[None], gallery, 10)
        assert np.array_equal(indices, expected[0][0])
        assert np.array_equal(cells, expected[1][0])


def test_float16_mapped_from_a_file(tmp_path):
    rng = np.random.default_rng(5)
    np.save(tmp_path / "gallery.npy", rng.normal(size=(5000, 96)).astype(np.float16))
    gallery = np.load(tmp_path / "gallery.npy", mmap_mode="r")
    queries = rng.normal(size=(9, 96)).astype(np.float32)
    assert_exact(queries, gallery, 10)


def test_a_value_that_is_not_finite_is_refused_anywhere():
    rng = np.random.default_rng(6)
    gallery = rng.normal(size=(3000, 8)).astype(np.float32)
    for value in (np.nan, np.inf, -np.inf):
        bad = gallery.copy()
        bad[2999, 7] = value
        with pytest.raises(ValueError, match="finite"):
            nearest(gallery[:3], bad, 10)
        with pytest.raises(ValueError, match="finite"):
            nearest(bad[2990:], gallery, 10)


def test_threads_and_blocks_change_no_bit(monkeypatch):
    rng = np.random.default_rng(7)
    gallery, queries = random_vectors(rng, 9000, 50), random_vectors(rng, 70, 50)

    def found():
        blocks = [block.distances for block in grid_distances(queries, gallery)]
        return [*nearest(queries, gallery, 10), *blocks]

    with threadpool_limits(1):
        alone = found()
    with threadpool_limits(5):
        together = found()
    monkeypatch.setattr(sieve, "_BLOCK", 64)
    monkeypatch.setattr(sieve, "_VALUES", 2**12)
    monkeypatch.setattr(sieve, "_CUT", 7)
    monkeypatch.setattr(knn, "_PAIR_VALUES", 1)
    small = found()
    for one, other, third in zip(alone, together, small, strict=True):
        assert np.array_equal(one, other)
        assert np.array_equal(one, third)


@pytest.mark.parametrize("dims", [1, 5, 300, 1024, 3000])
def test_the_bound_holds_for_exact_cosines(dims):
    """Where all terms have one sign and rounding goes one way, which is as bad as it gets."""
    rng = np.random.default_rng(dims)
    worst = np.full((64, dims), 1 + 2.0**-23, np.float32)
    worst[:, 1:] *= rng.choice([1, 1 - 2.0**-24, 1 + 2.0**-12], (64, dims - 1)).astype(np.float32)
    query = worst[:1]
    cosines = np.empty((64, 1), np.float32)
    sieve._cosines(worst, normalise(query).astype(np.float32), None, cosines)
    for row, cosine in zip(worst[:4], cosines[:4, 0], strict=True):
        x, y = [[Fraction(float(value)) for value in one] for one in (query[0], row)]
        squared = sum(a * b for a, b in zip(x, y, strict=True)) ** 2
        squared /= sum(a * a for a in x) * sum(b * b for b in y)
        exact = float(squared) ** 0.5
        assert abs(float(cosine) - exact) <= sieve.bound(dims)


def test_few_are_compared_exactly(monkeypatch):
    """The sieve is worth its name: little more than the ten neighbours are left in it."""
    rng = np.random.default_rng(8)
    gallery = rng.normal(size=(20_000, 64)).astype(np.float32)
    units = normalise(rng.normal(size=(50, 64))).astype(np.float32)
    found = sieve.sieve(units, gallery, 10)
    assert not found.undecided.any()
    assert 500 <= len(found.query) < 520
