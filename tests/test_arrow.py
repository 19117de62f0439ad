"""Arrays and tables of Arrow: taken for what is in them, or refused in one line."""

from decimal import Decimal

import numpy as np
import pytest

from benchmarks import evaluate_vectors
from benchmarks.formats.vectors import read_vectors
from datasets.errors import InputError

pa = pytest.importorskip("pyarrow")

QUERIES, GALLERY = np.eye(2, 3), np.array([[2, 0.5, 0], [0.25, 1.5, 1], [0, 3, 0]])


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        (pa.array(["a", "b", None]), ["a", "b", None]),
        (pa.chunked_array([pa.array([1.0, 2.0]), pa.array([2.5])]), [1, 2, 2.5]),
        (pa.array([b"a", b"b", b"a"]), "aba"),
        (pa.array([["a", "b"], ["b"], []]), [["a", "b"], ["b"], None]),
        (["a", Decimal("sNaN"), "b"], ["a", None, "b"]),
    ],
)
def test_labels_of_arrow_are_those_in_it(given, plain):
    asked = ["a", 1]
    made = evaluate_vectors(QUERIES, GALLERY, asked, given)
    assert made.scores == evaluate_vectors(QUERIES, GALLERY, asked, plain).scores


@pytest.mark.parametrize(
    "held",
    [
        pa.array,
        lambda rows: pa.chunked_array([rows[:1], rows[1:]]),
        lambda rows: pa.table({"vector": rows}),
    ],
)
def test_lists_of_arrow_are_vectors(held):
    made = evaluate_vectors(held(QUERIES.tolist()), held(GALLERY.tolist()), "ab", "abb")
    assert made.scores == evaluate_vectors(QUERIES, GALLERY, "ab", "abb").scores


def test_a_label_in_a_table_is_no_dimension():
    table = pa.table({"x": [1.0, 2.0], "y": [0.5, 1.0], "label": [0, 9]})
    for given in (table, table.to_batches()[0]):
        with pytest.raises(InputError, match="query_vectors: column 'label' tells"):
            evaluate_vectors(given, GALLERY, "ab", "abb")


def test_an_id_that_is_missing_is_refused():
    ids = pa.array(["x", None])
    with pytest.raises(InputError, match="query_ids: row 1 has none"):
        evaluate_vectors(QUERIES, GALLERY, "ab", "abb", query_ids=ids)


def test_structures_with_lists_are_no_vectors(tmp_path):
    from pyarrow import parquet

    rows = pa.array([{"x": [1.0, 2.0]}, {"x": [2.0, 3.0]}])
    parquet.write_table(pa.table({"id": ["a", "b"], "v": rows}), tmp_path / "f.parquet")
    with pytest.raises(InputError, match="column 'v' is of type struct"):
        read_vectors(str(tmp_path / "f.parquet"))
