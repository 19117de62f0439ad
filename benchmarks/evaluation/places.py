"""Places of results and vectors given from Python: apart from pictures, with own names."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datasets
from benchmarks.cli.outputs import require_apart, require_own_pages, require_results_apart
from benchmarks.evaluation.foreign import name_of
from benchmarks.formats.files import require_writable
from datasets.errors import InputError
from datasets.task import Dataset


@contextmanager
def folders(cache: Path | None, out: Path | None) -> Iterator[tuple[Path, Path, Path]]:
    """Cache and results folder, temporary where none is given, and a temporary one."""
    with tempfile.TemporaryDirectory(
        prefix="evaluate-",
        ignore_cleanup_errors=True,  # Windows keeps what is still mapped
    ) as name:
        temporary = Path(name)
        for option, folder in (("cache=", cache), ("out=", out)):
            if folder is not None:
                require_writable(folder, option)
        yield cache or temporary / "cache", out or temporary / "out", temporary


def require_places(
    dataset: str | Path | Dataset, layout: Sequence[str], cache: Path | None, out: Path | None
) -> None:
    """Refuse to write into the folder of a dataset, or over its pictures.

    Parameters
    ----------
    dataset, layout
        As of `benchmarks.evaluate`.
    cache, out : Path or None
        Where vectors and results are to be kept.

    Raises
    ------
    InputError
        Naming the argument.
    """
    if out is not None:
        require_own_pages(out, "out=")
    name, root = "", None
    if isinstance(dataset, Dataset):
        root = None if dataset.root == Path() else dataset.root  # arrays have none
    else:
        source, root = datasets.resolve(str(dataset), layout)
        name = source.name
    for option, folder in (("cache=", cache), ("out=", out)):
        if folder is not None:
            require_apart(folder, option, root)
    if out is not None and name:
        require_results_apart(out, "out=", [name], [root])


def require_named(extractor: Any, name: str | None, out: Path | None) -> None:
    """Require name= where results are kept and an extractor has none of its own.

    Raises
    ------
    InputError
        If an extractor without a name of its own is given none.
    """
    if out is None or name is not None or isinstance(extractor, str):
        return
    if (called := name_of(extractor)) in ("lambda", "partial", "mine"):
        raise InputError(f"out= keeps results by name, and this is a {called}; give it by name=")
