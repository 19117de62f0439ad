"""Fitted estimators in files that hold no code."""

import io
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.formats.files import write_whole
from benchmarks.pipeline.cache.fingerprint import imported_modules
from datasets.errors import DamagedError, InputError


def save(estimator: object, path: Path) -> None:
    """Write an estimator with all that it learned, whole or not at all."""
    from skops.io import dump  # takes a moment, and most runs save nothing

    write_whole(path, partial(dump, estimator))


def load(path: Path, kind: type, *parts: type) -> Any:
    """Read an estimator that `save` wrote, without running anything in the file.

    Parameters
    ----------
    path : Path
        The file.
    kind : type
        Class that is expected there.
    *parts : type
        Classes of its parts, where `kind` does not tell. The modules of this project that all
        these need are trusted, as are the libraries that skops knows; nothing else is.

    Raises
    ------
    DamagedError
        If the file is damaged or holds something else.
    InputError
        If it cannot be read.
    """
    from skops.io import get_untrusted_types, loads

    trusted = {name for one in (kind, *parts) for name in imported_modules(one.__module__)}
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); make it readable") from error
    try:
        if bad := zipfile.ZipFile(io.BytesIO(content)).testzip():
            raise zipfile.BadZipFile(f"bad checksum of {bad}")
        foreign = get_untrusted_types(data=content)
        bad_types = [name for name in foreign if name.rpartition(".")[0] not in trusted]
        if bad_types:
            raise TypeError(f"it holds {', '.join(bad_types)}")
        found = loads(content, trusted=foreign)
        if not isinstance(found, kind):
            raise TypeError(f"it holds no {kind.__name__}")
    except Exception as error:  # whatever a damaged archive makes its readers raise
        raise DamagedError(f"{path}: damaged ({error}); remove it and run again") from error
    return found
