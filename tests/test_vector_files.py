"""Files of vectors: forms, ids and columns, and what is wrong with them in one line."""

import os
import sys
from contextlib import suppress
from datetime import date
from zipfile import ZipFile

import numpy as np
import pytest

from benchmarks.formats.vectors import read_vectors, write_vectors
from datasets.errors import InputError


def write(path, ids, matrix):
    write_vectors(path, ids, np.asarray(matrix))
    return path


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
