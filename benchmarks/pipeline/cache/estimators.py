"""Fitted estimators in files that hold no code."""

from pathlib import Path
from typing import Any

from benchmarks.formats.files import write_whole
from benchmarks.pipeline.cache.fingerprint import imported_modules
from datasets.errors import InputError


def save(estimator: object, path: Path) -> None:
    """Write an estimator with all that it learned."""
    from skops.io import dump  # takes a moment, and most runs save nothing

    def write(part: Path) -> None:
        with part.open("wb") as file:
            dump(estimator, file)

    write_whole(path, write)


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
    InputError
        If the file is damaged or holds something else.
    """
    from skops.io import get_untrusted_types
    from skops.io import load as load_trusted

    trusted = {name for one in (kind, *parts) for name in imported_modules(one.__module__)}
    try:
        foreign = get_untrusted_types(file=path)
        bad = [name for name in foreign if name.rpartition(".")[0] not in trusted]
        if bad:
            raise TypeError(f"it holds {', '.join(bad)}")
        found = load_trusted(path, trusted=foreign)
    except Exception as error:  # whatever a damaged archive makes its readers raise
        raise InputError(f"{path}: cannot be read ({error}); remove it and run again") from error
    if not isinstance(found, kind):
        raise InputError(f"{path}: holds no {kind.__name__}; remove it and run again")
    return found
