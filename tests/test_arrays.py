"""Evaluation of vectors in arrays, of whatever library: understood, or refused in one line."""

from decimal import Decimal

import numpy as np
import pytest
import scipy.sparse
from pictures import fill
from rankings import same

from benchmarks import evaluate, evaluate_vectors
from datasets.errors import InputError
from retrieval.knn import nearest

QUERIES, GALLERY = np.eye(2, 3), np.array([[2, 0.5, 0], [0.25, 1.5, 1], [0, 3, 0]])
CLASSES = ("ab", "abb")


@pytest.mark.parametrize("kind", [scipy.sparse.csr_matrix, scipy.sparse.coo_array])
def test_sparse_vectors_are_those_of_their_numbers(kind):
    made = evaluate_vectors(kind(QUERIES), kind(GALLERY), *CLASSES)
    assert made.scores == evaluate_vectors(QUERIES, GALLERY, *CLASSES).scores


class Unsupported:
    """A tensor of a type that NumPy does not know."""

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Got unsupported ScalarType BFloat16")


class Frame(dict):
    """Columns by name, as data frames have them."""

    columns = property(list)
    dtypes = property(lambda self: [column.dtype for column in self.values()])

    def __array__(self, dtype=None, copy=None):
        return np.stack(list(self.values()), axis=1)


def frame(vectors, **more):
    return Frame({f"f{n}": column for n, column in enumerate(vectors.T)} | more)


def test_a_data_frame_of_features_is_a_matrix():
    made = evaluate_vectors(frame(QUERIES), frame(GALLERY), *CLASSES)
    assert made.scores == evaluate_vectors(QUERIES, GALLERY, *CLASSES).scores


def column_of(rows):
    """Rows as a column of a data frame holds them."""
    made = np.empty(len(rows), object)
    made[:] = list(rows)
    return made


@pytest.mark.parametrize(
    "held",
    [
        column_of,
        lambda rows: column_of(rows.tolist()),
        lambda rows: rows.astype(object),
        lambda rows: Frame(vector=column_of(rows)),
        lambda rows: frame(rows.astype(object)),
    ],
)
def test_numbers_that_are_held_as_objects_are_numbers(held):
    made = evaluate_vectors(held(QUERIES), held(GALLERY), *CLASSES)
    assert made.scores == evaluate_vectors(QUERIES, GALLERY, *CLASSES).scores


class Lines:
    """Is told in two lines."""

    def __repr__(self):
        return "of two\n  lines"


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.where(QUERIES > 0, None, QUERIES), "None is no number; give numbers, and leave rows"),
        (column_of([{"a": 1}, {}]), "{'a': 1} is no number"),
        (column_of([Lines(), 1]), "of two lines is no number"),
        (column_of([[1, 2], [3]]), "rows of different lengths"),
        (QUERIES.astype(str).astype(object), "a matrix of numbers, .* of <U3"),
        (QUERIES.astype("V4"), r"numbers of .V4; give .astype\('float32'\)"),
        (Frame(v=column_of(QUERIES), w=column_of(QUERIES)), "column 'v' is of lists"),
        (Frame(who=np.array(["a", "b"]), v=column_of(QUERIES)), "column 'who' is of <U1"),
    ],
)
def test_objects_that_are_no_numbers_are_told(vectors, message):
    with pytest.raises(InputError, match=f"query_vectors: .*{message}"):
        evaluate_vectors(vectors, GALLERY, *CLASSES)


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


def by_hand(queries, gallery, query_labels, gallery_labels, itself):
    """Average precision of each query, without ties."""
    order, _ = nearest(queries, gallery, len(gallery))
    values = []
    for row, found in enumerate(order):
        kept = [index for index in found if not (itself and index == row)]
        hits = np.array([gallery_labels[index] == query_labels[row] for index in kept])
        precisions = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        values.append(precisions[hits].mean() if hits.any() else np.nan)
    return np.array(values)


@pytest.mark.parametrize("itself", [True, False])
def test_arrays_are_scored_as_by_hand(itself):
    rng = np.random.default_rng(0)
    gallery, labels = rng.normal(size=(40, 5)).astype(np.float32), rng.integers(0, 4, 40)
    asked = gallery if itself else rng.normal(size=(12, 5)).astype(np.float32)
    asked_labels = labels if itself else rng.integers(0, 4, 12)
    result = evaluate_vectors(asked, gallery, asked_labels, labels, leave_one_out=itself)
    expected = by_hand(asked, gallery, asked_labels, labels, itself)
    assert result.values["map"] == pytest.approx(expected)
    assert result.counts["queries found in gallery"] == (40 if itself else 0)
    assert result.chance["map"] is not None


def test_ids_leave_the_query_itself_out():
    vectors = np.random.default_rng(1).normal(size=(9, 4))
    labels = list("aabbccabc")
    ids = [f"{number}.jpg" for number in range(9)]
    whole = evaluate_vectors(vectors, vectors, labels, labels, leave_one_out=True)
    by_id = evaluate_vectors(vectors, vectors, labels, labels, query_ids=ids, gallery_ids=ids)
    some = evaluate_vectors(
        vectors[3:5], vectors, labels[3:5], labels, query_ids=ids[3:5], gallery_ids=ids
    )
    assert same(whole, by_id)
    assert some.values["map"].tolist() == whole.values["map"][3:5].tolist()
    assert some.to_rows()[0]["query"] == "3.jpg"


def test_several_labels_and_none():
    gallery = [[1, 0], [0.9, 0.1], [0, 1]]
    result = evaluate_vectors([[1, 0.05]], gallery, [{"cat", "dog"}], ["cat", None, ["dog", "x"]])
    assert result.ranking.relevant.tolist() == [2]
    mixed = evaluate_vectors([[1, 0.05]], gallery, np.array([1]), [1, np.int64(1), "2"])
    assert mixed.ranking.relevant.tolist() == [2]
    assert result.scores["map"] == pytest.approx((1 + 2 / 3) / 2)
    nan = evaluate_vectors([[1, 0.05]], gallery, ["cat"], ["cat", float("nan"), "dog"])
    assert nan.ranking.relevant.tolist() == [1]


class OfALibrary:
    """A tensor, as far as it shows."""

    def __init__(self, value):
        self.value = value

    def __array__(self, dtype=None, copy=None):
        return np.array(self.value)


def test_labels_and_ids_are_equal_however_they_are_held():
    vectors = np.random.default_rng(1).normal(size=(6, 4))
    wanted = evaluate_vectors(vectors, vectors, "112233", "112233", leave_one_out=True)
    for labels in ([1, 1.0, 2, "2", b"3", np.float32(3)], list(map(OfALibrary, "112233"))):
        ids = {"query_ids": np.arange(6), "gallery_ids": np.arange(6.0)}
        assert same(evaluate_vectors(vectors, vectors, labels, [1, 1, 2, 2, 3, 3], **ids), wanted)


def test_what_is_searched_without_a_label_is_a_distractor():
    made = evaluate_vectors(QUERIES, GALLERY, "ab", ["a", "b", None])
    assert made.record["counts"]["distractors"] == 1


def test_labels_that_are_missing_are_none():
    class Missing:  # as NA of pandas
        def __ne__(self, other):
            return self

        def __bool__(self):
            raise TypeError("boolean value of NA is ambiguous")

    gallery = [[1, 0], [0.9, 0.1], [0, 1]]
    masked = np.ma.masked_equal([1, 2, 3], 2)
    for labels in (
        ["1", Missing(), "3"],
        ["1", "", "3"],
        masked,
        [[1.0, np.nan], [np.nan, np.nan], [3, 2]],
    ):
        label = [1.0] if isinstance(labels[0], list) else [1]
        result = evaluate_vectors([[1, 0.05]], gallery, label, labels)
        assert result.ranking.relevant.tolist() == [1]


def test_vectors_of_two_encoders_of_the_same_images_go_with_ids():
    vectors, labels = np.random.default_rng(1).normal(size=(9, 4)), list("aabbccabc")
    ids = {"query_ids": range(9), "gallery_ids": range(9)}
    result = evaluate_vectors(vectors + 0.5, vectors, labels, labels, leave_one_out=True, **ids)
    assert result.counts["queries found in gallery"] == 9
    rounded = vectors.astype(np.float16)
    assert evaluate_vectors(rounded, vectors, labels, labels, leave_one_out=True).scores["map"]


def test_a_query_that_its_id_leaves_out_does_not_find_itself():
    gallery = np.eye(3)[[0, 0, 1, 1, 2, 2]]
    ids = {"query_ids": [0, 2], "gallery_ids": range(6)}
    result = evaluate_vectors(gallery[[0, 2]], gallery, "ab", "aabbcc", **ids)
    assert (result.scores["map"], result.counts["queries found in gallery"]) == (1, 2)
    with pytest.raises(InputError, match="2 of 2 queries have the vector of one image"):
        evaluate_vectors(np.eye(3)[:2], np.eye(3), "ab", "abc")


def test_mapped_and_half_precision_arrays_are_taken(tmp_path):
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(30, 6)).astype(np.float16)
    np.save(tmp_path / "v.npy", vectors)
    mapped = np.load(tmp_path / "v.npy", mmap_mode="r")
    labels = [number % 3 for number in range(30)]
    given = [
        evaluate_vectors(one, one, labels, labels, leave_one_out=True)
        for one in (
            mapped,
            vectors.astype(np.float32),
            vectors.astype(np.float64).tolist(),
            mapped.astype(np.float32),
            mapped[:, :, None, None],
        )
    ]
    assert same(given[0], given[1])
    assert same(given[0], given[2])
    assert same(given[0], given[3])
    assert same(given[0], given[4])


def test_results_with_other_right_answers_are_not_compared(classes, tmp_path):
    vectors = np.random.default_rng(4).normal(size=(8, 4))
    queries, gallery = vectors[:4], vectors[4:]
    one = evaluate_vectors(queries, gallery, "abab", "aabb", name="one")
    assert one.compare(evaluate_vectors(-queries, gallery, "abab", "aabb", name="two"))
    for number, labels in enumerate((("baba", "aabb"), ("abab", "bbaa"))):
        with pytest.raises(InputError, match="other right answers"):
            one.compare(evaluate_vectors(queries, gallery, *labels, name=f"other-{number}"))
    other = tmp_path / "again" / "classes"
    for number, name in enumerate(("apple", "berry", "cherry")):
        fill(other / name, 10, 90 + number, number)
    with pytest.raises(InputError, match="other right answers"):
        evaluate("lbp", classes).compare(evaluate("hog", other))


TWO, LABELS = np.eye(2), ["a", "b"]
MANY = np.random.default_rng(3).normal(size=(4, 40))


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((TWO, np.eye(3), LABELS, "abc"), {}, "have 2 dimensions, gallery_vectors 3"),
        ((TWO, TWO + 1, LABELS, "a"), {}, "gallery_labels: 1 for 2 vectors"),
        ((TWO, TWO + 1, "abc", LABELS), {}, "query_labels: 3 for 2 vectors"),
        (
            (TWO, np.full((2, 2), np.nan), LABELS, LABELS),
            {},
            "gallery_vectors: .*row 0 is not finite",
        ),
        ((np.full((2, 2), np.inf), TWO, LABELS, LABELS), {}, "query_vectors: .*is not finite"),
        ((np.empty((0, 2)), TWO, [], LABELS), {}, "query_vectors: no vectors in it"),
        ((TWO, [], LABELS, []), {}, "gallery_vectors: vectors are a matrix"),
        ((TWO[0], TWO, LABELS, LABELS), {}, "query_vectors: vectors are a matrix"),
        (([[1], [1, 2]], TWO, LABELS, LABELS), {}, "rows of different lengths"),
        (([["a", "b"]], TWO, "a", LABELS), {}, "vectors are a matrix of numbers"),
        ((TWO, TWO, LABELS, LABELS), {}, "the same vectors; leave_one_out=True"),
        ((TWO, np.eye(2)[:1], LABELS, "a"), {"leave_one_out": True}, "are not the 1 gallery"),
        ((TWO, TWO + 1, LABELS, "cd"), {}, "no query has a label of the gallery"),
        ((TWO, TWO + 1, LABELS, LABELS), {"gallery_ids": "xx"}, "gallery_ids: id 'x' stands tw"),
        ((TWO, TWO + 1, LABELS, LABELS), {"query_ids": "x"}, "query_ids: 1 for 2 vectors"),
        ((TWO, TWO + 1, LABELS, LABELS), {"name": "lbp"}, "'lbp' is in the menu already"),
        ((TWO, TWO + 1, LABELS, LABELS), {"name": "a/b"}, "is no name for a method"),
        ((TWO, TWO + 1, LABELS, LABELS), {"name": 5}, "5 is no name for a method"),
        ((TWO, TWO + 1, LABELS, LABELS), {"name": "Chance"}, "stands for a random order"),
        *(
            ((TWO, TWO + 1, LABELS, LABELS), {"query_ids": ["x", missing]}, message)
            for missing, message in (
                (None, "query_ids: row 1 has none"),
                (float("nan"), "query_ids: row 1 has none"),
                (np.ma.masked, "query_ids: row 1 has none"),
                (" ", "query_ids: ' ' in row 1 is no name"),
            )
        ),
        (
            (Unsupported(), TWO, LABELS, LABELS),
            {},
            "query_vectors: .*BFloat16.* give one of float32",
        ),
        ((TWO, TWO + 1, ["a", Decimal("Infinity")], LABELS), {}, "is neither text nor a number"),
        (
            (frame(TWO), Frame({"f1": TWO[0], "f0": TWO[1]}), LABELS, LABELS),
            {},
            "the same columns in other places",
        ),
        (
            (frame(TWO), Frame({"f1": TWO[0], "f2": TWO[1]}), LABELS, LABELS),
            {},
            "have other columns, of which 'f0' stands in one alone",
        ),
        *(
            ((TWO, TWO + 1, LABELS, LABELS), {"dataset": name}, "is no name for a dataset")
            for name in ("../up", "/up", "", "README.md", "a\0b", "a" * 300, "\ud800", 5)
        ),
        ((TWO, TWO + 1, np.eye(2), np.eye(2)), {}, r"query_labels: .*argmax\(axis=1\)"),
        ((TWO, TWO + 1, LABELS, np.eye(2, dtype=bool)), {}, "gallery_labels: a row of 0 and 1"),
        (
            (TWO, TWO + 1, LABELS, [[0.25, 0.75], [1.0, 0.0]]),
            {},
            "a row of 0 and 1, of counts or of shares",
        ),
        (
            (TWO, TWO + 1, LABELS, [[1, -1], [-1, 1]]),
            {},
            "a row of 0 and 1, of counts or of shares",
        ),
        ((TWO, TWO + 1, dict(zip(LABELS, "xy", strict=True)), LABELS), {}, "a dict has no order"),
        ((TWO, TWO + 1, ["a", "\udcff"], LABELS), {}, "query_labels: .* cannot be written"),
        ((TWO, TWO + 1, LABELS, LABELS), {"query_ids": ["\udcff", "b"]}, "query_ids: .* cannot"),
        ((TWO, np.ma.masked_equal(TWO, 0), LABELS, LABELS), {}, "gallery_vectors: .* masked"),
        ((TWO, np.zeros((2, 2)), LABELS, LABELS), {}, "gallery_vectors: all vectors are zero"),
        ((TWO, np.eye(2) + 1e9, LABELS, LABELS), {}, "gallery_vectors: vectors differ in digits"),
        ((TWO, np.eye(2) + 1e4, LABELS, LABELS), {}, "gallery_vectors: .* all but point in one"),
        ((TWO[::-1], TWO, LABELS, LABELS), {"leave_one_out": True}, "row 0 of query_vectors is"),
        ((TWO[::-1], TWO, LABELS, LABELS), {}, "2 of 2 queries have the vector of one image"),
        ((TWO[:1], TWO, "a", LABELS), {}, "1 of 1 queries have the vector of one image"),
        (
            (MANY.astype(np.float16), MANY, "aabb", "aabb"),
            {"query_ids": range(4), "gallery_ids": range(4, 8)},
            "4 of 4 queries",
        ),
        (
            (TWO, TWO + 1, LABELS, LABELS),
            {"leave_one_out": False, "query_ids": "xy", "gallery_ids": "zx"},
            "leave_one_out=False lets .* 'x' stands in query_ids and gallery_ids",
        ),
        ((TWO, TWO + 1, LABELS, [1, 2]), {}, "query_labels are 'a', 'b', gallery_labels '1', '2'"),
        ((TWO, TWO + 1, None, LABELS), {}, "query_labels: NoneType is no list"),
        ((TWO, TWO + 1, LABELS, 7), {}, "gallery_labels: int is no list"),
        ((TWO, TWO + 1, LABELS, LABELS), {"query_ids": 7}, "query_ids: int is no list"),
        ((TWO, TWO + 1, [b"\xff", "a"], LABELS), {}, "query_labels: .* is neither text nor"),
        ((TWO, TWO, "ba", "ab"), {"leave_one_out": True}, "'0' has other labels as a query than"),
        (
            (TWO, TWO, LABELS, LABELS),
            {"leave_one_out": True, "query_ids": "xy", "gallery_ids": "yx"},
            "query_ids are not gallery_ids row by row",
        ),
        (
            (TWO, TWO + 1, LABELS, "ba"),
            {"query_ids": "xy", "gallery_ids": "xy"},
            "'x' has other labels as a query",
        ),
    ],
)
def test_bad_arrays_are_one_line(arguments, options, message):
    with pytest.raises(InputError, match=message) as error:
        evaluate_vectors(*arguments, **options)
    assert "\n" not in str(error.value)
