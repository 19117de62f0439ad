"""Labels, ids and columns of arrays that only seem to fit are refused, and never scored."""

import numpy as np
import pytest

from benchmarks import evaluate_vectors
from benchmarks.formats.vectors import read_vectors
from datasets.errors import InputError

RNG = np.random.default_rng(0)
CLASSES = np.arange(30) % 3
CLUSTERED = np.eye(3)[CLASSES].repeat(3, axis=1) + RNG.normal(0, 0.4, (30, 9))
NAMES = np.array(["cat", "dog", "owl"])[CLASSES]
TWO, LABELS = np.eye(2), ["a", "b"]
NEAR = TWO + np.array([0.1, 0.0])


class Rows:
    """A column or a table of pandas, as far as its index goes."""

    iloc = None

    def __init__(self, values, index):
        self.values, self.index = np.asarray(values), list(index)

    def __array__(self, dtype=None, copy=None):
        return self.values if dtype is None else self.values.astype(dtype)

    def __iter__(self):
        return iter(self.values)


@pytest.mark.parametrize(
    ("labels", "others", "message"),
    [
        (NAMES, np.where(NAMES == "owl", "Owl", NAMES), "'owl' and 'Owl' differ in case or form"),
        (CLASSES, [*map(str, CLASSES[:-1]), "2.0"], "'2.0' and '2' differ in case or form only"),
        (np.eye(3)[CLASSES] * 100, NAMES, "a row of 0 and 1, of counts"),
        (np.eye(2)[CLASSES % 2] * 255, NAMES, "a row of 0 and 1, of counts"),
        ([None, *np.eye(3, dtype=int)[CLASSES[1:]].tolist()], NAMES, "a row of 0 and 1, of cou"),
        (Rows(NAMES, range(30)[::-1]), NAMES, "query_labels: its index is that of the vectors in"),
    ],
)
def test_labels_that_only_seem_to_fit_are_refused(labels, others, message):
    vectors = Rows(CLUSTERED, range(30))
    with pytest.raises(InputError, match=message):
        evaluate_vectors(vectors, CLUSTERED + 0.01 * RNG.normal(size=(30, 9)), labels, others)


def test_a_set_of_two_classes_for_each_is_no_matrix_of_counts():
    sets = [[int(one), 3 + number % 4] for number, one in enumerate(CLASSES)]
    other = CLUSTERED + RNG.normal(size=CLUSTERED.shape)
    assert evaluate_vectors(CLUSTERED, other, sets, sets).counts["queries scored"] == 30


def test_tuples_of_levels_are_not_taken_for_several_labels():
    levels = [("animal" if name == "cat" else "other", name) for name in NAMES.tolist()]
    near = CLUSTERED + RNG.normal(0, 0.4, CLUSTERED.shape)
    with pytest.raises(
        InputError, match=r"query_labels: tuples such as .'animal', 'cat'. have le"
    ):
        evaluate_vectors(near, CLUSTERED, levels, levels)
    scores = [
        evaluate_vectors(near, CLUSTERED, given, given).scores["map"]
        for given in (list(map(set, levels)), list(map(list, levels)))
    ]
    assert scores[0] == scores[1]
    for sets in ([("cat", "dog"), ("dog", "owl"), ("fox", "elk")], [("cat",), ("dog",)] * 2):
        several = [sets[one] for one in CLASSES]
        assert evaluate_vectors(near[:9], CLUSTERED[9:], several[:9], several[9:]).scores["map"]
    assert evaluate_vectors(near[:1], CLUSTERED, [("cat", "dog")], NAMES).scores["map"]


@pytest.mark.parametrize("column", [5 * CLASSES, np.arange(30)])
def test_a_column_of_whole_numbers_beside_fractions_is_no_feature(tmp_path, column):
    vectors = np.c_[CLUSTERED, column]
    with pytest.raises(InputError, match=r"column 9 \(from 0\) holds whole numbers beside frac"):
        evaluate_vectors(vectors, vectors + 1e-3, NAMES, NAMES)
    np.savez(tmp_path / "v.npz", ids=np.arange(30).astype(str), vectors=vectors.astype("f4"))
    rows = [",".join([str(n), *map(str, row)]) for n, row in enumerate(vectors.tolist())]
    (tmp_path / "v.csv").write_text("\n".join(rows))
    for name in ("v.npz", "v.csv"):
        with pytest.raises(InputError, match="holds whole numbers beside fractions"):
            read_vectors(str(tmp_path / name))


@pytest.mark.parametrize(
    ("names", "odd"),
    [
        ([*map(str, range(8)), "north"], "north"),
        ([f"pca_{n} " for n in range(8)] + ["y"], "y"),
        ([f"pca_{n}" for n in range(8)] + ["hog_0"], None),
        (["x0", "y0", "x1", "y1", "x2", "y2", "x3", "y3", "angle"], None),
        (list("abcdefghi"), None),
    ],
)
def test_a_name_without_a_number_is_odd_beside_many_of_one_stem(names, odd):
    pa = pytest.importorskip("pyarrow")
    near = CLUSTERED + RNG.normal(0, 0.4, CLUSTERED.shape)
    tables = [pa.table(dict(zip(names, one.T, strict=True))) for one in (near, CLUSTERED)]
    if odd is None:
        assert evaluate_vectors(*tables, NAMES, NAMES).counts["queries scored"] == 30
    else:
        with pytest.raises(InputError, match=f"column '{odd}' lacks the number that makes"):
            evaluate_vectors(*tables, NAMES, NAMES)


def test_queries_that_stand_in_the_gallery_by_another_spelling_are_refused():
    other = RNG.normal(size=(30, 9))
    asked = np.concatenate([CLUSTERED[:5], other[5:]])
    ids = [f"{number}.jpg" for number in range(30)]
    upper = [f"{number}.JPG" for number in range(5)] + [f"q{number}.jpg" for number in range(25)]
    with pytest.raises(InputError, match=r"'0.JPG' has the vector of '0.jpg' of gallery_ids"):
        evaluate_vectors(asked, CLUSTERED, NAMES, NAMES, query_ids=upper, gallery_ids=ids)
    [warning] = evaluate_vectors(asked, CLUSTERED, NAMES, NAMES).warnings
    assert warning == "5 queries have the vector of one image of the gallery"


@pytest.mark.parametrize("value", ["no", "False", 1, 0.0])
def test_leave_one_out_is_said_by_true_or_false(value):
    with pytest.raises(InputError, match="is neither True nor False"):
        evaluate_vectors(CLUSTERED, CLUSTERED + 1, NAMES, NAMES, leave_one_out=value)


def test_letters_and_numbers_with_separators_are_classes_of_their_own():
    labels = ["a", "A", "1_11", "11_1"]
    result = evaluate_vectors(np.eye(4), np.eye(4) + 0.1, labels, labels)
    assert result.scores["map"] == 1.0


def test_numbers_of_any_width_are_the_same_labels():
    narrow, wide = np.array([0.1, 0.2], np.float32), np.array([0.1, 0.2])
    result = evaluate_vectors(TWO, NEAR, narrow, wide, leave_one_out=False)
    assert result.counts["queries scored"] == 2
    with pytest.raises(InputError, match=r"query_labels: 9.*has lost digits"):
        evaluate_vectors(TWO, TWO + 1, [2.0**53, 1], [2**53, 1])


def test_what_a_folder_is_warned_of_arrays_are_warned_of_too():
    gallery, labels = RNG.normal(size=(6, 4)), ["a", "b", "nan"] * 2
    result = evaluate_vectors(gallery[:3] + 0.5, gallery, labels[:3], labels)
    assert any("3 queries are too few" in one for one in result.warnings)
    assert any("labels 'nan' are a class like any other" in one for one in result.warnings)
    with pytest.raises(InputError, match="every picture of the gallery is a right answer"):
        evaluate_vectors(gallery[:3] + 0.5, gallery, "aaa", "aaaaaa")


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("a|b", "'a.b' is no single class .in arrays a set is several labels"),
        ("distractor", "'distractor' is no single class .*, and None is a distractor"),
        ("distractor/sky", "'distractor/sky' is no single class"),
        ("['a', 'b']", "looks like a list; .*in arrays a set is several"),
        ("n/a", "'n/a' as label may be a missing value"),
        ("-", "'-' as label may be a missing value"),
        ("#REF!", "'#REF!' as label is an error of a spreadsheet"),
    ],
)
def test_labels_that_a_table_may_not_have_arrays_may_not_have_either(label, message):
    labels = [label if one == "owl" else one for one in NAMES.tolist()]
    near = CLUSTERED + RNG.normal(0, 0.4, CLUSTERED.shape)
    with pytest.raises(InputError, match=message):
        evaluate_vectors(near, CLUSTERED, NAMES, labels)
    with pytest.raises(InputError, match=message):
        evaluate_vectors(near, CLUSTERED, labels, labels)


@pytest.mark.parametrize(
    ("names", "warning"),
    [
        (["cat", "dog", "cat,dog"], "label 'cat,dog' is one class; several have"),
        (["cat", "dog", "unknown"], "label 'unknown': if its pictures have nothing in common"),
        (["train", "test", "val"], "labels 'test', 'train', 'val' sound like parts"),
        (["-1", "0", "1"], "label '-1': if it hides the class"),
        (["+", "-", "?"], ""),
        (["polar bear", "bear", "cat"], ""),
        ([-2, -1, 0], ""),
        ([0.5, 1.5, 1e10], ""),
    ],
)
def test_labels_that_a_table_is_warned_of_arrays_are_warned_of_too(names, warning):
    labels = [names[one] for one in CLASSES]
    near = CLUSTERED + RNG.normal(0, 0.4, CLUSTERED.shape)
    found = evaluate_vectors(near, CLUSTERED, labels, labels).warnings
    assert len(found) == bool(warning)
    assert all(warning in one for one in found)


def test_ids_in_another_spelling_and_images_left_out_are_told():
    gallery, labels = RNG.normal(size=(6, 4)), list("ababab")
    other = gallery + RNG.normal(size=(6, 4)) / 20
    names = [f"img{number}" for number in range(6)]
    given = {"query_ids": [name.upper() for name in names], "gallery_ids": names}
    result = evaluate_vectors(other, gallery, labels, labels, **given)
    assert any("gallery_ids in another spelling" in one for one in result.warnings)
    same = evaluate_vectors(other, gallery, labels, labels, query_ids=names, gallery_ids=names)
    assert not any("spelling" in one for one in same.warnings)
    assert "6 queries stand in the gallery, and were left out there" in repr(same)


@pytest.mark.parametrize("place", [False, True, 0, b"results"])
def test_what_is_no_path_is_no_folder(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="is no folder; give its path, or None"):
        evaluate_vectors(TWO, NEAR, LABELS, LABELS, leave_one_out=False, out=place)
    assert not any(tmp_path.iterdir())


class SameNames:
    """A table of pandas whose columns have one name."""

    columns, dtypes = ("f", "f"), (float, float)

    def __init__(self, values):
        self.values = values

    def __getitem__(self, name):
        return self.values

    def __array__(self, dtype=None, copy=None):
        return self.values


def test_columns_of_one_name_may_stand_where_they_stand():
    frames = [SameNames(one) for one in (TWO, NEAR)]
    assert evaluate_vectors(*frames, LABELS, LABELS, leave_one_out=False).scores["map"] == 1.0
