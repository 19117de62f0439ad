"""Vectors that were made elsewhere: files in every form, ids, and a row like any other."""

import json
import os
import sys
from contextlib import suppress
from datetime import date
from zipfile import ZipFile

import numpy as np
import pytest

from benchmarks.formats.vectors import FORMATS, read_vectors, write_vectors
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


def write(path, ids, matrix):
    write_vectors(path, ids, np.asarray(matrix))
    return path


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


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
@pytest.mark.parametrize("form", ["npy", "npz"])
def test_a_full_disk_names_the_file(form, tmp_path):
    import resource

    path, (soft, hard) = tmp_path / f"v.{form}", resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OSError, match="File too large") as raised:
            write_vectors(path, ["a"], np.zeros((1, 99_999), np.float32))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert raised.value.filename == str(path)


def test_they_are_fused_and_reranked_like_any_other(data, parted, run, tmp_path):
    file = write(tmp_path / "mine.npz", *described(data))
    names = ["+lbp", "+lbp+rrf", "+alpha-qe", "+lbp+concat-whitened"]
    arguments = ["--extractor", *("rgb-histogram" + name for name in names)]
    arguments += [*("mine" + name for name in names), "--vectors", f"mine={file}"]
    assert run(*arguments, "--dataset", parted) == 0
    for name in names:
        assert bytes_of(tmp_path, f"mine{name}") == bytes_of(tmp_path, f"rgb-histogram{name}")


def test_half_precision_is_read_and_a_large_matrix_stays_on_disk(tmp_path):
    file = write(tmp_path / "v.npy", ["a", "b"], np.array([[1, 2], [3, 4]], np.float16))
    table = read_vectors(str(file))
    assert isinstance(table.matrix, np.memmap)
    assert table[[1, 0]].dtype == np.float32
    assert table[[1, 0]].tolist() == [[3, 4], [1, 2]]


def test_pooled_maps_are_vectors_where_one_axis_has_numbers(tmp_path):
    maps = np.arange(6, dtype=np.float32).reshape(2, 3, 1, 1)
    for name in ("v.npy", "v.npz"):
        table = read_vectors(str(write(tmp_path / name, ["a", "b"], maps)))
        assert table[[1, 0]].tolist() == [[3, 4, 5], [0, 1, 2]]
    with pytest.raises(InputError, match="this is 2 x 3 x 2 of float32"):
        read_vectors(str(write(tmp_path / "v.npy", ["a", "b"], np.repeat(maps[..., 0], 2, 2))))


def test_a_matrix_that_is_another_by_now_is_not_read_on(tmp_path):
    file = write(tmp_path / "v.npy", ["a", "b"], np.eye(2, dtype=np.float32))
    table = read_vectors(str(file))
    assert table[[1]].tolist() == [[0, 1]]
    np.save(file, np.full((2, 2), 0.5, np.float32))
    os.utime(file, ns=(1, 1))
    with pytest.raises(InputError, match=r"v.npy: has changed meanwhile; run again"):
        table[[1]]


def test_ids_stand_beside_a_matrix_or_are_named(tmp_path):
    file = write(tmp_path / "v.npy", ["a b", "ü,c"], np.eye(2, dtype=np.float32))
    assert read_vectors(str(file)).ids == ["a b", "ü,c"]
    moved = (tmp_path / "v.txt").rename(tmp_path / "names.txt")
    with pytest.raises(InputError, match=r"no ids; write them, a line each, into v\.txt"):
        read_vectors(str(file))
    assert read_vectors(f"{file},{moved}").ids == ["a b", "ü,c"]


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


def test_whatever_a_damaged_archive_makes_its_readers_raise_is_one_line(tmp_path):
    path, ids = tmp_path / "mine.npz", tmp_path / "mine.txt"
    ids.write_text("a\nb\n")
    header = b"\x93NUMPY\x01\0\x0e\0{'descr': (((\n"  # no end, in the words of a tokenizer
    (tmp_path / "mine.npy").write_bytes(header)
    with pytest.raises(InputError, match=r"mine\.npy: no array of numbers"):
        read_vectors(str(tmp_path / "mine.npy"))
    with ZipFile(path, "w") as archive:
        archive.writestr("ids.npy", header)
        archive.writestr("vectors.npy", header)
    with pytest.raises(InputError, match=r"mine\.npz: no arrays of numbers and text"):
        read_vectors(str(path))
    with (tmp_path / "mine.npy").open("wb") as file:
        np.savez(file, vectors=np.eye(2))
    with pytest.raises(InputError, match=r"mine\.npy: an archive of arrays; call it mine\.npz"):
        read_vectors(str(tmp_path / "mine.npy"))
    np.savez(path, ids=np.array([b"\xff", b"b"]), vectors=np.zeros((2, 3)))
    with pytest.raises(InputError, match="no arrays of numbers and text"):
        read_vectors(str(path))
    whole = path.read_bytes()
    for bit in np.random.default_rng(0).permutation(8 * len(whole))[:800].tolist():
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        with suppress(InputError):
            read_vectors(str(path))


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


def test_csv_is_read_as_people_write_it(tmp_path):
    path = tmp_path / "v.csv"
    for text in (
        "a;1;2\nb;3;4\n",
        "﻿id\t0\t1\na\t1\t2\nb\t3\t4\n",
        'image,x,y\n"a",1,2\n"b",3,4',
        "sep=,\na,1,2\nb,3,4",
        '"sep=|"\r\nid|0|1\na|1|2\nb|3|4',
    ):
        path.write_text(text, encoding="utf-8")
        table = read_vectors(str(path))
        assert table.ids == ["a", "b"]
        assert table[:].tolist() == [[1, 2], [3, 4]]
    path.write_text("a,1,2\nb,3,4\n", encoding="utf-16")
    assert read_vectors(str(path)).ids == ["a", "b"]
    assert read_vectors(str(path.rename(tmp_path / "v.TSV"))).ids == ["a", "b"]


def test_an_index_of_a_data_frame_is_found_behind_its_columns(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "v.parquet"
    pq.write_table(pa.table({"0": [1.0, 2.0], "1": [3, 4], "index": ["a", "b"]}), path)
    table = read_vectors(str(path))
    assert table.ids == ["a", "b"]
    assert table[:].tolist() == [[1, 3], [2, 4]]
    pq.write_table(pa.table({"id": ["a", "b"], "v": [[1.0, 2.0], [3.0]]}), path)
    with pytest.raises(InputError, match="vectors of different lengths"):
        read_vectors(str(path))
    path.write_text("no table")
    with pytest.raises(InputError, match="no Parquet file"):
        read_vectors(str(path))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"label": [0, 100]}, "column 'label' tells of pictures by its name"),
        ({"label": [0.0, 100.0]}, "column 'label' tells of pictures by its name"),
        ({"class_label": [0.0, 100.0]}, "column 'class_label' tells of pictures by its name"),
        ({"__index_level_0__": [4, 7]}, "column '__index_level_0__' tells of pictures"),
        ({"cluster of mine": [4, 7]}, "column 'cluster of mine' holds whole numbers"),
        ({"is_good": [True, False]}, "column 'is_good' is true or false"),
        ({"taken": [np.datetime64("2020-01-01", "s")] * 2}, "column 'taken' is of type timestamp"),
        ({"when": [date(2020, 1, 1)] * 2}, "column 'when' is of type date32"),
        ({"long": [np.timedelta64(3, "s")] * 2}, "column 'long' is of type duration"),
        ({"more": ["x", "y"]}, "column 'more' is of type string"),
        ({"vector": [[1.0], [2.0]]}, "column 'f0' stands beside the vectors in 'vector'"),
        ({"f2": [1, 2], "id": ["a", None]}, "some ids or vectors are missing"),
        ({"id": []}, "no vectors in it; it has no rows"),
    ],
)
def test_a_column_that_is_no_feature_is_no_dimension(tmp_path, columns, message):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    features = {"id": ["a", "b"], "f0": [0.5, 2.0], "f1": [3.0, 4.0]}
    rows = len(columns.get("id", "ab"))
    given = {name: values[:rows] for name, values in (features | columns).items()}
    pq.write_table(pa.table(given), tmp_path / "v.parquet")
    with pytest.raises(InputError, match=message):
        read_vectors(str(tmp_path / "v.parquet"))


@pytest.mark.parametrize(
    "text",
    [
        "id,f0,f1\na,1,.5\nb,0,.25\n",  # a whole number is a number
        "id,red,green\na,0,.5\nb,0,.25\n",
        "id,w0,w1,norm\na,3,1,.5\nb,2,5,.25\n",
        "V1,V2\na,1,.5\nb,0,.25\n",  # as R writes it
        "id,0,1,2,3,4,5,6,7,mean,std,skew\na,0,1,2,3,4,5,6,7,.8,.5,.1\nb,1,.5,3,2,2,1,9,8,.7,.5,0\n",
    ],
)
def test_whole_numbers_may_be_features(tmp_path, text):
    (tmp_path / "v.csv").write_text(text)
    assert read_vectors(str(tmp_path / "v.csv")).ids == ["a", "b"]


def test_small_and_shifted_vectors_are_taken_as_far_as_they_differ(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(50, 8))
    same = vectors[:1].repeat(50, axis=0)
    for given in (vectors * 1e-30, vectors + 1e4, same + 1e9, same * (1 + 1e-15 * vectors)):
        np.savez(tmp_path / "v.npz", ids=np.arange(50), vectors=given)
        assert read_vectors(str(tmp_path / "v.npz")).shape == (50, 8)
    for given in (vectors * 1e-60, vectors + 1e9, (vectors * 9).astype(np.int64) + 2**40):
        np.savez(tmp_path / "v.npz", ids=np.arange(50), vectors=given)
        with pytest.raises(InputError, match="digits that single precision"):
            read_vectors(str(tmp_path / "v.npz"))


def test_parquet_without_its_library_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "v.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match="Parquet needs pyarrow: pip install pyarrow"):
        read_vectors(str(tmp_path / "v.parquet"))


def test_ids_are_not_given_twice(tmp_path):
    file = write(tmp_path / "v.npz", ["a"], np.ones((1, 2), np.float32))
    (tmp_path / "i.txt").write_text("b\n")
    with pytest.raises(InputError, match="has ids of its own"):
        read_vectors(f"{file},{tmp_path / 'i.txt'}")


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
