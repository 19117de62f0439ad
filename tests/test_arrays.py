"""Vectors in arrays of other libraries: understood, or refused in a line that names the column."""

import numpy as np
import pytest
import scipy.sparse

from benchmarks import evaluate_vectors
from datasets.errors import InputError

QUERIES, GALLERY = np.eye(2, 3), np.array([[2, 0.5, 0], [0.25, 1.5, 1], [0, 3, 0]])
LABELS = ("ab", "abb")


@pytest.mark.parametrize("kind", [scipy.sparse.csr_matrix, scipy.sparse.coo_array])
def test_sparse_vectors_are_those_of_their_numbers(kind):
    made = evaluate_vectors(kind(QUERIES), kind(GALLERY), *LABELS)
    assert made.scores == evaluate_vectors(QUERIES, GALLERY, *LABELS).scores


class Frame(dict):
    """Columns by name, as data frames have them."""

    columns = property(list)
    dtypes = property(lambda self: [column.dtype for column in self.values()])

    def __array__(self, dtype=None, copy=None):
        return np.stack(list(self.values()), axis=1)


def frame(vectors, **more):
    return Frame({f"f{n}": column for n, column in enumerate(vectors.T)} | more)


def test_a_data_frame_of_features_is_a_matrix():
    made = evaluate_vectors(frame(QUERIES), frame(GALLERY), *LABELS)
    assert made.scores == evaluate_vectors(QUERIES, GALLERY, *LABELS).scores


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"label": np.array([0.0, 1.0])}, "column 'label' tells of pictures by its name"),
        ({"number": np.array([3, 4])}, "column 'number' holds whole numbers beside fractions"),
        ({"name": np.array(["a", "b"])}, "column 'name' is of <U1"),
    ],
)
def test_a_column_that_is_no_feature_is_no_dimension(column, message):
    with pytest.raises(InputError, match=f"query_vectors: {message}.*query_ids"):
        evaluate_vectors(frame(QUERIES, **column), GALLERY, *LABELS)
