"""A gallery searched in parts gives the bytes of a search of the whole, ties among them."""

import numpy as np
import pytest

from retrieval import knn
from retrieval.knn import grid_distances
from retrieval.shards import bounds, grid_distances_in_parts


@pytest.fixture
def vectors():
    """Queries and a gallery of some blocks, a third of which are copies of each other."""
    rng = np.random.default_rng(0)
    gallery = rng.normal(size=(2500, 24)).astype(np.float32)
    gallery[rng.permutation(2500)[:800]] = gallery[3]
    gallery[7::500] = 0
    return np.vstack([rng.normal(size=(20, 24)), gallery[[3, 7]]]).astype(np.float32), gallery


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(knn, "GALLERY_BLOCK", 256)
    monkeypatch.setattr("retrieval.shards.GALLERY_BLOCK", 256)
    monkeypatch.setattr(knn, "_BLOCK_VALUES", 9 * 2500)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_parts_give_the_bytes_of_the_whole(vectors, count):
    queries, gallery = vectors
    places = bounds(len(gallery), count)
    assert len(places) == count
    parts = [gallery[place] for place in places]
    whole = list(grid_distances(queries, gallery))
    made = list(grid_distances_in_parts(queries, parts, len(gallery), map))
    assert [block.start for block in made] == [block.start for block in whole] == [0, 9, 18]
    for one, other in zip(made, whole, strict=True):
        assert one.distances.tobytes() == other.distances.tobytes()


def test_parts_begin_where_blocks_do_and_are_about_equal():
    assert bounds(2500, 3) == [slice(0, 768), slice(768, 1536), slice(1536, 2500)]
    assert bounds(200, 3) == [slice(0, 200)]
    assert bounds(257, 8) == [slice(0, 256), slice(256, 257)]
