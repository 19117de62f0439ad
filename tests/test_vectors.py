"""Vectors that were made elsewhere: files in every form, ids, and a row like any other."""

import json

import numpy as np
import pytest
from test_vector_files import write

from benchmarks.formats.vectors import FORMATS, read_vectors
from benchmarks.pipeline.methods.names import parse_method
from benchmarks.pipeline.methods.vectors import GivenVectors
from benchmarks.pipeline.records.record import record_paths
from benchmarks.pipeline.records.results import read_results
from benchmarks.publish import main as publish
from datasets.errors import InputError
from retrieval.ranking import Ranking


@pytest.fixture
def data(parted, load_dataset):
    return load_dataset(parted)


def described(dataset, name="rgb-histogram"):
    """Ids and vectors of all images by an extractor of the menu that learns nothing."""
    from datasets.reading import read_image

    [steps] = parse_method(name).extractors
    images = [image for _, image in dataset.images]
    return [i.id for i in images], steps.head.transform([read_image(i.path) for i in images])


def bytes_of(tmp_path, method, query_set="query", dataset="parted"):
    return (tmp_path / "out" / dataset / "records" / query_set / f"{method}.npz").read_bytes()


def record_of(tmp_path, method, query_set="query", dataset="parted"):
    folder = tmp_path / "out" / dataset / "records" / query_set
    return json.loads((folder / f"{method}.json").read_text())


def error_of(capsys, code):
    printed = capsys.readouterr().err
    assert code == 2
    (line,) = (one for one in printed.splitlines() if one.startswith("error: "))
    assert printed.endswith(f"{line}\n")
    return line


@pytest.mark.parametrize("form", FORMATS)
def test_vectors_are_a_row_with_the_ranking_of_their_extractor(data, parted, run, tmp_path, form):
    if form == "parquet":
        pytest.importorskip("pyarrow")
    file = write(tmp_path / f"mine.{form}", *described(data))
    arguments = ("--vectors", f"mine={file}", "--extractor", "rgb-histogram", "--dataset", parted)
    assert run(*arguments) == 0
    for query_set in ("query", "query-sketch"):
        mine, own = (bytes_of(tmp_path, name, query_set) for name in ("mine", "rgb-histogram"))
        assert mine == own
    record = record_of(tmp_path, "mine")
    assert record["card"]["extractor"]["family"] == "other"
    assert set(record["card"]["extractor"]["head"]) == {"version", "sha256"}
    assert record["scores"] == record_of(tmp_path, "rgb-histogram")["scores"]


def test_they_are_fused_and_reranked_like_any_other(data, parted, run, tmp_path):
    file = write(tmp_path / "mine.npz", *described(data))
    names = ["+lbp", "+lbp+rrf", "+alpha-qe", "+lbp+concat-whitened"]
    arguments = ["--extractor", *("rgb-histogram" + name for name in names)]
    arguments += [*("mine" + name for name in names), "--vectors", f"mine={file}"]
    assert run(*arguments, "--dataset", parted) == 0
    for name in names:
        assert bytes_of(tmp_path, f"mine{name}") == bytes_of(tmp_path, f"rgb-histogram{name}")


def test_the_same_vectors_are_the_same_record_and_others_are_another(data, parted, run, tmp_path):
    ids, matrix = described(data)
    file = write(tmp_path / "mine.npz", ids, matrix)
    run("--vectors", f"mine={file}", "--dataset", parted)
    first = record_of(tmp_path, "mine")["key"]
    run("--vectors", f"mine={file.rename(tmp_path / 'moved.npz')}", "--dataset", parted)
    assert record_of(tmp_path, "mine")["key"] == first
    write(file, ids, matrix[::-1])
    run("--vectors", f"mine={file}", "--dataset", parted)
    assert record_of(tmp_path, "mine")["key"] != first


def test_ends_of_paths_are_ids_if_they_are_clear(data, parted, run, tmp_path, capsys):
    ids, matrix = described(data)
    ends = [name.removeprefix("validation/") for name in ids]
    assert ends != ids
    file = write(tmp_path / "mine.csv", ends, matrix)
    longer = write(tmp_path / "longer.csv", [f"/home/me/{name}" for name in ids], matrix)
    code = run("--vectors", f"mine={file}", f"longer={longer}", "--dataset", parted)
    assert code == 0
    run("--extractor", "rgb-histogram", "--dataset", parted)
    assert bytes_of(tmp_path, "mine") == bytes_of(tmp_path, "rgb-histogram")
    assert bytes_of(tmp_path, "longer") == bytes_of(tmp_path, "rgb-histogram")
    capsys.readouterr()
    unclear = write(tmp_path / "u.csv", ["apple/00.png"], matrix[:1])
    printed = error_of(capsys, run("--vectors", f"u={unclear}", "--dataset", parted))
    assert "'apple/00.png' may be 'training/apple/00.png' or 'validation/gallery" in printed
    assert printed.endswith("write more of the path")


def test_missing_ids_are_counted_and_surplus_ids_told(data, parted, run, tmp_path, capsys):
    ids, matrix = described(data)
    file = write(tmp_path / "mine.npz", ids[:-3], matrix[:-3])
    printed = error_of(capsys, run("--vectors", f"mine={file}", "--dataset", parted))
    assert (
        f"no vectors of 3 of 23 gallery and query images of parted, first {ids[-3]!r}" in printed
    )
    more = write(tmp_path / "more.npz", [*ids, "else/1.png"], np.r_[matrix, matrix[:1]])
    assert run("--vectors", f"mine={more}", "--dataset", parted) == 0
    printed = capsys.readouterr().err
    assert "1 of 32 ids are of no image of parted, first 'else/1.png'" in printed


def test_training_images_are_needed_only_where_something_learns(data, parted, run, tmp_path):
    ids, matrix = described(data)
    kept = [row for row, name in enumerate(ids) if not name.startswith("training/")]
    file = write(tmp_path / "mine.npz", [ids[row] for row in kept], matrix[kept])
    methods = ("mine+lbp", "mine+lbp+rrf", "mine+colour-moments+rrf")
    arguments = ("--vectors", f"mine={file}", "--extractor", *methods, "--dataset", parted)
    assert run(*arguments) == 0
    for name in ("mine", *methods[1:]):
        assert record_of(tmp_path, name)["status"] == "ok"
    learned = record_of(tmp_path, "mine+lbp")
    assert learned["status"] == "skipped"
    assert "mine.npz has no vectors of 8 of 8 of them, first training/" in learned["reason"]


def test_one_picture_has_one_vector(data, parted, run, tmp_path, capsys):
    gallery = parted / "validation" / "gallery" / "apple"
    (gallery / "copy.png").write_bytes((gallery / "00.png").read_bytes())
    ids, matrix = described(data)
    copied = "validation/gallery/apple/copy.png"
    original = ids.index("validation/gallery/apple/00.png")
    # A copy needs no vector of its own; another one's is refused.
    file = write(tmp_path / "mine.npz", ids, matrix)
    assert run("--vectors", f"mine={file}", "--dataset", parted) == 0
    other = np.r_[matrix, 1 - matrix[[original]]]
    file = write(tmp_path / "mine.npz", [*ids, copied], other)
    printed = error_of(capsys, run("--vectors", f"mine={file}", "--dataset", parted))
    assert "are the same picture, byte for byte, with different vectors" in printed


BAD = {
    "nan.npz": ({"ids": ["a", "b"], "vectors": [[1.0], [np.nan]]}, "the vector of 'b' is not fin"),
    "large.npz": ({"ids": ["a"], "vectors": [[1e300]]}, "the vector of 'a' is not finite"),
    "infinite.npz": (
        {"ids": [*"abcdefgh"], "vectors": np.c_[[np.inf, *[0] * 7], np.eye(8, 4) + 0.5]},
        "the vector of 'a' is not finite",
    ),
    "flat.npz": ({"ids": ["a", "b"], "vectors": [1.0, 2.0]}, "this is 2 of float64"),
    "text.npz": ({"ids": ["a"], "vectors": [["x"]]}, "this is 1 x 1 of <U1"),
    "few.npz": ({"ids": ["a"], "vectors": [[1.0], [2.0]]}, "1 ids for 2 vectors"),
    "twice.npz": ({"ids": ["a", "a"], "vectors": [[1.0], [2.0]]}, "id 'a' stands twice"),
    "none.npz": ({"ids": np.array([], "U1"), "vectors": np.empty((0, 3))}, "no vectors in it"),
    "names.npz": ({"x": [1.0]}, "needs arrays called ids and vectors; has x"),
    "pickled.npz": (
        {"ids": np.array(["a"], object), "vectors": [[1.0]]},
        "that are objects by .astype",
    ),
    "cells.csv": ("a,1,2\nb,1\n", "line 2: 1 numbers, where others have 2"),
    "word.csv": ("a,1,2\nb,1,x\n", "line 2: 'x' is no number"),
    "nan.csv": ("id,0,1\na,1,2\nb,1,nan\n", "the vector of 'b' is not finite"),
    "empty.csv": ("", "no vectors in it"),
    "broken.npy": ("no array", "no array of numbers"),
    "broken.npz": ("no archive", "no arrays of numbers and text"),
    "label.csv": ("id,label,f0\na,100,.5\nb,200,.25\n", "column 'label' tells of pictures"),
    "class.csv": ("id,f0,Class_ID\na,.5,1\nb,.25,0\n", "column 'Class_ID' tells of pictures"),
    "index.csv": (",Unnamed: 0,f0\na,0,.5\nb,1,.25\n", "column 'Unnamed: 0' tells of pic"),
    "age.csv": ("id,f0,f1,age\na,.5,1,3\nb,.25,2,4\n", "column 'age' holds whole numbers beside"),
    "place.csv": (
        "id,f0,f1,f2,f3,f4,f5,f6,f7,north\na,.1,.2,.3,.4,.5,.6,.7,.8,47.5\n",
        "column 'north' lacks the number that makes 'f0' and 7 more dimensions",
    ),
    "bare.csv": ("a,0,.5,.1\nb,1,.25,.2\n", "column number 2 holds whole numbers beside"),
    "head.csv": ("id,0,1,2\na,1,2\n", "4 headings for 3 columns"),
    "rows.csv": ("id,0,1\n", "no vectors in it; it has no rows"),
    "tiny.csv": ("a,1e-60,2e-60\nb,2e-60,1e-60\n", "digits that single precision"),
    "zero.npz": ({"ids": ["a", "b"], "vectors": np.zeros((2, 3))}, "all vectors are zero"),
    "far.npz": (
        {"ids": [*"abcd"], "vectors": np.eye(4) + 1e9},
        "digits that single precision (float32) does not hold; subtract their mean",
    ),
    "blanks.csv": ("0.5 0.25\n1.5 0.75\n", "has one column; write commas between all"),
    "pipes.csv": ("a|0.5\nb|0.25\n", "has one column; write commas between all"),
    "said.csv": ("sep=|\nid|0\na|x\n", "line 3: 'x' is no number"),
    "vectors.mat": ("?", "vectors in no known form; write .npz"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_one_line(name, run, classes, tmp_path, capsys):
    content, message = BAD[name]
    path = tmp_path / name
    if isinstance(content, str):
        path.write_text(content)
        path.with_suffix(".txt").write_text("a\n")
    else:
        with path.open("wb") as file:
            np.savez(file, **content)
    printed = error_of(capsys, run("--vectors", f"mine={path}", "--dataset", classes))
    assert printed.startswith(f"error: --vectors mine={path}: ")
    assert message in printed


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("vectors.npz", "write NAME=FILE"),
        ("mine=", "write NAME=FILE"),
        ("mine=gone.npz", "gone.npz: no such file"),
        ("lbp=gone.npz", "'lbp' is in the menu already"),
        ("rrf=gone.npz", "'rrf' is in the menu already"),
        ("a+b=gone.npz", "'a+b' is no name for a method"),
        ("../up=gone.npz", "'../up' is no name for a method"),
    ],
)
def test_bad_pairs_are_one_line(pair, message, run, classes, capsys):
    assert message in error_of(capsys, run("--vectors", pair, "--dataset", classes))


@pytest.mark.parametrize(
    "spelled", [lambda name: f"./{name}", lambda name: name.replace("/", "\\")]
)
def test_an_id_in_two_spellings_stands_twice(spelled, data, tmp_path):
    ids, matrix = described(data)
    file = write(tmp_path / "mine.npz", [*ids, spelled(ids[0])], np.r_[matrix, matrix[:1] + 1])
    with pytest.raises(InputError, match=f"mine.npz: id '{ids[0]}' stands twice; keep one"):
        GivenVectors(read_vectors(str(file))).store(data)


def test_costs_leave_out_what_they_cannot_make_again(data, parted, run, tmp_path):
    from benchmarks.costs import main

    file = write(tmp_path / "mine.npz", *described(data))
    run("--vectors", f"mine={file}", "--extractor", "lbp", "--dataset", parted)
    folders = ["--out", tmp_path / "out", "--cache", tmp_path / "cache", "--quiet"]
    assert main([str(one) for one in ("--dataset", parted, *folders)]) == 0


def test_pixels_do_not_tell_a_given_vector(tmp_path):
    table = read_vectors(str(write(tmp_path / "v.npz", ["a"], np.ones((1, 2), np.float32))))
    with pytest.raises(InputError, match="only of its own ids"):
        GivenVectors(table).transform([])


def test_the_ranking_is_whole(data, parted, run, tmp_path):
    file = write(tmp_path / "mine.npz", *described(data))
    run("--vectors", f"mine={file}", "--dataset", parted)
    ranking = Ranking.load(tmp_path / "out" / "parted" / "records" / "query" / "mine.npz")
    assert ranking.n_queries == 6
    assert (ranking.candidates == 13).all()


@pytest.mark.parametrize("first", [("mine", "mine+lbp+rrf"), ("mine+lbp+rrf",)])
def test_rows_of_one_table_are_made_of_the_same_things(first, data, parted, run, tmp_path, caplog):
    ids, matrix = described(data)
    names = ("mine+alpha-qe", "mine+int8", *first)
    mine = f"mine={write(tmp_path / 'mine.npz', ids, matrix)}"
    assert run("--vectors", mine, "--extractor", *names, "--dataset", parted) == 0
    assert {"mine", *names} == rows_of(tmp_path)
    assert not caplog.text
    other = f"mine={write(tmp_path / 'other.npz', ids, matrix[::-1])}"
    assert run("--vectors", other, "--dataset", parted) == 0
    assert rows_of(tmp_path) == {"mine"}
    assert "left out, is made of another mine than other rows are" in caplog.text
    folders = [str(tmp_path / name) for name in ("out", "published")]
    assert publish([folders[0], "--out", folders[1], "--no-plots"]) == 0
    assert {path.method for path in record_paths(tmp_path / "published/parted", "query")} == {
        "mine"
    }


def test_numbers_of_other_vectors_do_not_outlive_a_skip(data, parted, run, tmp_path):
    ids, matrix = described(data)
    words = ("--extractor", "mine+lbp", "--dataset", parted)
    assert run("--vectors", f"mine={write(tmp_path / 'mine.npz', ids, matrix)}", *words) == 0
    some = [name for name in ids if "training" not in name]
    few = write(tmp_path / "few.npz", some, matrix[[ids.index(name) for name in some]] + 1)
    run("--vectors", f"mine={few}", *words)
    assert record_of(tmp_path, "mine+lbp")["status"] == "skipped"
    assert rows_of(tmp_path) == {"mine", "mine+lbp"}


def rows_of(tmp_path):
    return {one["method"] for one in read_results(tmp_path / "out/parted").tasks["query"].records}
