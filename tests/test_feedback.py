"""Relevance feedback moves a query's vectors, in each space by itself."""

import numpy as np
import pytest

from retrieval.feedback import AWAY, TOWARDS, rocchio


def test_a_query_moves_towards_the_right_and_away_from_the_wrong():
    gallery = np.eye(4, dtype=np.float32) * 3
    [moved] = rocchio([np.float32([[2, 0, 0, 0]])], [gallery], [1, 2], [3])
    assert moved[0] == pytest.approx([1, TOWARDS / 2, TOWARDS / 2, -AWAY])


def test_each_space_moves_by_itself_and_nothing_said_moves_nothing():
    query = [np.float32([[0, 5]]), np.float32([[0, 0, 1]])]
    gallery = [np.float32([[1, 0]]), np.float32([[0, 2, 0]])]
    first, second = rocchio(query, gallery, [0], [])
    assert first[0] == pytest.approx([TOWARDS, 1])
    assert second[0] == pytest.approx([0, TOWARDS, 1])
    assert [one[0].tolist() for one in rocchio(query, gallery, [], [])] == [[0, 1], [0, 0, 1]]
