"""Matrices in files: their space is reserved, and a full disk is an error."""

import errno
import os

import numpy as np
import pytest

from extractors.matrices import open_matrix, scratch_matrix


@pytest.fixture(params=["reserved", "unsupported", "written"])
def way(request, monkeypatch):
    """A system that reserves space, one whose disk cannot, and one that has no such call."""
    if request.param == "written":
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    if request.param == "unsupported":

        def refuse(*_):
            raise OSError(errno.EOPNOTSUPP, "not supported")

        monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)
    return request.param


@pytest.mark.parametrize("shape", [(3, 2**20 + 1), (5, 7), (4, 2, 3, 1), (6, 0), (0, 4)])
@pytest.mark.parametrize("dtype", [np.float32, np.float16, "uint8"])
def test_a_matrix_is_what_numpy_reads(way, shape, dtype, tmp_path):
    path = tmp_path / "m.npy"
    path.write_bytes(b"something else")
    made = open_matrix(path, dtype, shape)
    assert (made.shape, made.dtype, int(made.sum())) == (shape, np.dtype(dtype), 0)
    made[:] = (np.arange(made.size) % 251).reshape(shape)
    made.flush()
    assert np.array_equal(np.load(path), made)
    np.save(tmp_path / "plain.npy", made)
    assert path.read_bytes() == (tmp_path / "plain.npy").read_bytes()


@pytest.mark.parametrize("shape", [(5, 7), (2, 3, 2**19), (0, 4)])
def test_a_scratch_matrix_has_its_space_and_no_name(way, shape, tmp_path):
    made = scratch_matrix(tmp_path, np.float32, shape)
    assert (made.shape, made.dtype, float(made.sum())) == (shape, np.float32, 0)
    made[:] = np.arange(made.size).reshape(shape)
    assert np.array_equal(made.ravel(), np.arange(made.size))
    assert list(tmp_path.iterdir()) == []


def test_no_space_for_a_scratch_matrix_is_an_error_that_names_the_folder(way, tmp_path):
    resource = pytest.importorskip("resource", reason="limits the size of files")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**21, hard))
    try:
        with pytest.raises(OSError) as caught:  # noqa: PT011
            scratch_matrix(tmp_path, np.float32, (2**20, 4))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.filename == str(tmp_path)
    assert scratch_matrix(tmp_path, np.float32, (2, 4)).shape == (2, 4)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="measured in disk blocks")
def test_its_space_is_taken_before_it_is_filled(way, tmp_path):
    open_matrix(tmp_path / "m.npy", np.uint8, (3, 2**20))
    assert (tmp_path / "m.npy").stat().st_blocks * 512 >= 3 * 2**20


def test_no_space_is_an_error_that_names_the_file_and_leaves_none(way, tmp_path):
    resource = pytest.importorskip("resource", reason="limits the size of files")
    path = tmp_path / "m.npy"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**21, hard))
    try:
        with pytest.raises(OSError) as caught:  # noqa: PT011
            open_matrix(path, np.float32, (2**20, 4))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.filename == str(path)
    assert not path.exists()
    assert open_matrix(path, np.float32, (2, 4)).shape == (2, 4)
