"""Exact search beside what one would use instead: ten neighbours each, and whole rankings."""

from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from retrieval.knn import nearest
from retrieval.protocol import Judgement, Judgements
from retrieval.ranking import summarise
from retrieval.rows import normalise
from retrieval.search import single

RELEVANT = 100
"""Relevant images of each query, where whole rankings are made."""

FEW = 2
"""Queries of what would take minutes for all; ratios are those of a query."""


def one_batch(queries, gallery):
    """scikit-learn, fitted once, all queries in one call."""
    fitted = NearestNeighbors(n_neighbors=10, algorithm="brute").fit(gallery)
    return fitted.kneighbors(queries, return_distance=False)


def fitted_for_every_query(queries, gallery):
    """scikit-learn as the original project used it, a few queries only."""
    found = [
        NearestNeighbors(n_neighbors=10).fit(gallery).kneighbors(query[None])[1]
        for query in queries[:FEW]
    ]
    return np.concatenate(found)


def flat_index(queries, gallery):
    """faiss, which is no dependency: left out where it is not installed."""
    import faiss

    index = faiss.IndexFlatL2(gallery.shape[1])
    index.add(gallery)
    return index.search(queries, 10)[1]


def partitioned_product(queries, gallery):
    """NumPy in float32: one matrix product, the first ten, ties in any order."""
    far = -(queries @ gallery.T)
    first = np.argpartition(far, 9, axis=1)[:, :10]
    order = np.argsort(np.take_along_axis(far, first, 1), axis=1)
    return np.take_along_axis(first, order, 1)


def sorted_product(queries, gallery):
    """NumPy in float32: one matrix product, everything sorted, ties in any order."""
    return np.argsort(-(queries @ gallery.T), axis=1)


def ranking(queries, gallery):
    """Everything that the metrics need."""
    rng = np.random.default_rng(1)
    none, size = np.empty(0, np.intp), len(gallery)
    of = [Judgement(np.sort(rng.choice(size, RELEVANT, replace=False)), none) for _ in queries]
    judgements = Judgements(tuple(of), size, 0)
    return summarise(single([queries], [gallery], judgements), judgements).neighbours


PEERS = {
    "ours": lambda queries, gallery: nearest(queries, gallery, 10)[0],
    "faiss IndexFlatL2": flat_index,
    "scikit-learn, one batch": one_batch,
    "numpy, float32 product and partition": partitioned_product,
    "scikit-learn, fitted for every query": fitted_for_every_query,
}
HERE = [name for name in PEERS if "faiss" not in name or find_spec("faiss")]
WHOLE = {"ours": ranking, "numpy, float32 product and sort": sorted_product}
SIZES = [
    *((500, 10_000, 256), (500, 10_000, 2048), (500, 100_000, 256), (500, 100_000, 2048)),
    (600, 4800, 100_352),
]


def vectors(rng, size, dims):
    """Random directions in float32, made a few at a time."""
    made = np.empty((size, dims), np.float32)
    for start in range(0, size, 1000):
        part = made[start : start + 1000]
        part[:] = normalise(rng.standard_normal(part.shape, np.float32))
    return made


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: "x".join(map(str, size)))
def searched(request):
    queries, size, dims = request.param
    rng = np.random.default_rng(0)
    return vectors(rng, queries, dims), vectors(rng, size, dims)


def run(benchmark, name, call, searched, what):
    queries, gallery = searched
    size = f"{len(queries)} queries in {len(gallery):,} x {gallery.shape[1]:,}"
    benchmark.group = f"{what}: {size}"
    benchmark.extra_info["peer"] = name
    benchmark.extra_info["queries"] = FEW if call is fitted_for_every_query else len(queries)
    rounds = 5 if gallery.size < 2**27 else 2
    return benchmark.pedantic(partial(call, queries, gallery), rounds=rounds, warmup_rounds=1)


@pytest.mark.parametrize("peer", HERE)
def test_ten_neighbours(benchmark, peer, searched):
    found = run(benchmark, peer, PEERS[peer], searched, "search")
    queries, gallery = searched
    assert (found[:2, 0] == np.argmax(queries[:2] @ gallery.T, axis=1)).all()


@pytest.mark.parametrize("peer", WHOLE)
def test_whole_rankings(benchmark, peer, searched):
    found = run(benchmark, peer, WHOLE[peer], searched, "whole ranking")
    queries, gallery = searched
    assert (found[:2, 0] == np.argmax(queries[:2] @ gallery.T, axis=1)).all()
