"""Archives of arrays, of which every member has a checksum that is verified when it is read."""

import errno
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets.errors import DamagedError, InputError

_NO_SUCH_PLACE = (None, errno.EINVAL)
"""Numbers of the errors that a damaged archive makes its reader raise, and no disk does."""


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
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            wanted = [f"{name}.npy" for name in names] or archive.namelist()
            return {name.removesuffix(".npy"): _array(archive.read(name)) for name in wanted}
    except FileNotFoundError as error:
        raise DamagedError(f"{path}: gone") from error
    except MemoryError:
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
