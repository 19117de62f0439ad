"""Exact search beside what one would use instead: 200 queries, 10 neighbours each."""

from functools import partial

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from retrieval.knn import nearest, normalise


def one_batch(queries, gallery):
    """scikit-learn, fitted once, all queries in one call."""
    fitted = NearestNeighbors(n_neighbors=10, algorithm="brute").fit(gallery)
    return fitted.kneighbors(queries, return_distance=False)


def one_query_a_call(queries, gallery):
    """scikit-learn, fitted once, one query a call."""
    fitted = NearestNeighbors(n_neighbors=10, algorithm="brute").fit(gallery)
    found = [fitted.kneighbors(query[None], return_distance=False) for query in queries]
    return np.concatenate(found)


def matrix_product(queries, gallery):
    """NumPy in float32: one matrix product, everything sorted, ties in any order."""
    return np.argsort(-(queries @ gallery.T), axis=1)[:, :10]


PEERS = {
    "ours": lambda queries, gallery: nearest(queries, gallery, 10)[0],
    "scikit-learn, one batch": one_batch,
    "scikit-learn, one query a call": one_query_a_call,
    "numpy, float32 product and sort": matrix_product,
}


@pytest.mark.parametrize("dims", [256, 2048])
@pytest.mark.parametrize("peer", PEERS)
def test_search(benchmark, peer, dims):
    rng = np.random.default_rng(0)
    gallery = normalise(rng.normal(size=(10_000, dims))).astype(np.float32)
    queries = normalise(rng.normal(size=(200, dims))).astype(np.float32)
    benchmark.group = f"search: 200 queries in 10,000 x {dims:,}"
    benchmark.extra_info["peer"] = peer
    search = partial(PEERS[peer], queries, gallery)
    found = benchmark.pedantic(search, rounds=5, warmup_rounds=1)
    assert (found[:, 0] == one_batch(queries, gallery)[:, 0]).all()
