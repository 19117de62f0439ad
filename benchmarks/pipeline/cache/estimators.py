"""What was learned, in files that hold no code: kept, and restored without running anything."""

from pathlib import Path
from typing import Any

from benchmarks.formats.files import write_whole
from benchmarks.pipeline.cache.fingerprint import closure
from datasets.errors import InputError

HEAD = "head.skops"
"""File of an extractor's learned head, beside the vectors that it made."""


def keep(learned: object, path: Path) -> None:
    """Write an estimator with all that it learned."""
    from skops.io import dump  # takes a moment, and most runs keep nothing

    def write(part: Path) -> None:
        with part.open("wb") as file:
            dump(learned, file)

    write_whole(path, write)


def restore(path: Path, kind: type, *parts: type) -> Any:
    """Read what `keep` wrote.

    Parameters
    ----------
    path : Path
    kind : type
        What is expected there.
    *parts : type
        What it is made of, if that is not to be seen from `kind`. The modules of this project
        that kind and parts need are trusted, as are the libraries that skops knows; nothing
        else in the file is.

    Raises
    ------
    InputError
        If the file is damaged or holds something else.
    """
    from skops.io import get_untrusted_types, load

    trusted = {name for one in (kind, *parts) for name in closure(one.__module__)}
    try:
        foreign = get_untrusted_types(file=path)
        bad = [name for name in foreign if name.rpartition(".")[0] not in trusted]
        if bad:
            raise TypeError(f"it holds {', '.join(bad)}")
        found = load(path, trusted=foreign)
    except Exception as error:  # whatever a damaged archive makes its readers raise
        raise InputError(
            f"{path}: cannot be restored ({error}); remove it and run again"
        ) from error
    if not isinstance(found, kind):
        raise InputError(f"{path}: holds no {kind.__name__}; remove it and run again")
    return found
