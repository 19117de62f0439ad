"""A matrix in a file that is larger than memory may be, with its space on the disk reserved."""

import errno
import math
import mmap
import os
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

_BLOCK = 2**20
"""Bytes written at a time where a system cannot reserve space."""


def open_matrix(path: Path, dtype: DTypeLike, shape: tuple[int, ...]) -> NDArray[Any]:
    """Create an ``.npy`` file of zeros and map it, ready to be filled piece by piece.

    A mapped file without space of its own meets a full disk while it is being filled, and the
    system then ends the process without a word. Here a full disk is an error before that.

    Parameters
    ----------
    path : Path
        The file; one that is there is replaced.
    dtype : dtype
        Type of the numbers.
    shape : tuple of int
        Shape of the matrix.

    Returns
    -------
    memmap
        What is written to it is in the file.

    Raises
    ------
    OSError
        If there is no space for it, naming the file, which is then gone.
    """
    kind = np.dtype(dtype)
    header = np.lib.format.header_data_from_array_1_0(np.empty(0, kind)) | {"shape": shape}
    path.unlink(missing_ok=True)  # never cut under somebody's mapping
    try:
        with path.open("xb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            _reserve(file, math.prod(shape) * kind.itemsize)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    return np.lib.format.open_memmap(path, "r+")


def scratch_matrix(folder: Path, dtype: DTypeLike, shape: tuple[int, ...]) -> NDArray[Any]:
    """Create a matrix of zeros on the disk that is gone with the last use of it.

    Its file has no name, so nothing of it is left, however the process ends.

    Parameters
    ----------
    folder : Path
        Folder on the disk that is to hold it.
    dtype : dtype
        Type of the numbers.
    shape : tuple of int
        Shape of the matrix.

    Raises
    ------
    OSError
        If there is no space for it, naming the folder.
    """
    kind = np.dtype(dtype)
    size = max(1, math.prod(shape) * kind.itemsize)  # nothing cannot be mapped
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            _reserve(file, size)
            return np.ndarray(shape, kind, mmap.mmap(file.fileno(), size))
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from error


def _reserve(file: BinaryIO, size: int) -> None:
    """Have the disk set aside some bytes behind what was written to a file."""
    file.flush()
    if size and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file.fileno(), file.tell(), size)
            return
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
    zeros = bytes(min(size, _BLOCK))
    for start in range(0, size, _BLOCK):
        file.write(zeros[: size - start])
    file.flush()
