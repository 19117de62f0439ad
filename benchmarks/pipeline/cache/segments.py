"""Segments of stores: arrays in an archive whose members have checksums, verified in reading."""

import errno
import hashlib
import io
import json
import logging
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets.errors import DamagedError, InputError
from datasets.opening import NotSharedError, is_at_home, open_file

_CONTENTS = (
    {"rows"},
    {"maps"},
    {"ends", "points", "descriptors", "frames", "binary"},
)
"""Arrays of a segment of each kind, beside its keys and seconds."""

_NUMBERS = "biuf"
"""Kinds of arrays that hold numbers."""

_NO_SUCH_PLACE = (None, errno.EINVAL)
"""Numbers of the errors that a damaged archive makes its reader raise, and no disk does."""

log = logging.getLogger(__name__)


def segment_name(parts: Sequence[str]) -> str:
    """Name a segment by its store and the keys in it."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def read_segment(path: Path) -> dict[str, NDArray[Any]]:
    """Read a segment of a store, all of it.

    Raises
    ------
    DamagedError
        If it is damaged or gone. It is then removed, with all of its folder that are damaged,
        so that whoever makes the values anew finds the rest whole; but a worker on another
        machine removes nothing.
    InputError
        If it cannot be read.
    """
    try:
        return _whole(path)
    except DamagedError as found:
        if not is_at_home():
            raise
        for beside in path.parent.glob("*.npz"):
            try:
                _whole(beside)
            except DamagedError as error:
                log.warning("%s; it is removed and made again", error)
                beside.unlink(missing_ok=True)
        raise DamagedError(f"{found}; run again") from found


def _whole(path: Path) -> dict[str, NDArray[Any]]:
    segment = read_arrays(path)
    if segment.keys() - {"keys", "seconds"} not in _CONTENTS:
        raise DamagedError(f"{path}: damaged (it holds {', '.join(segment)})")
    for name, array in segment.items():
        if name != "keys" and array.dtype.kind not in _NUMBERS:
            raise DamagedError(f"{path}: damaged ({name} are no numbers)")
    return segment


def read_arrays(path: Path, *names: str) -> dict[str, NDArray[Any]]:
    """Read arrays of an ``.npz`` file, each member whole: only then is its checksum compared.

    Parameters
    ----------
    path : Path
        The file.
    *names : str
        Which arrays; all if none is named.

    Raises
    ------
    DamagedError
        If the file is damaged, or gone.
    InputError
        If it cannot be read, which says nothing about what it holds.
    """
    try:
        with open_file(path) as file, zipfile.ZipFile(file) as archive:
            wanted = [f"{name}.npy" for name in names] or archive.namelist()
            return {name.removesuffix(".npy"): _array(archive.read(name)) for name in wanted}
    except FileNotFoundError as error:
        raise DamagedError(f"{path}: gone") from error
    except (MemoryError, NotSharedError):
        raise
    except Exception as error:  # whatever a damaged archive makes its readers raise
        if isinstance(error, OSError) and error.errno not in _NO_SUCH_PLACE:
            raise InputError(
                f"{path}: cannot be read ({error.strerror}); make it readable or name another "
                "--cache"
            ) from error
        raise DamagedError(f"{path}: damaged ({error})") from error


def _array(member: bytes) -> NDArray[Any]:
    array: NDArray[Any] = np.load(io.BytesIO(member), allow_pickle=False)
    return array
