"""Parquet, where pyarrow is installed: it is an extra."""

from pathlib import Path
from typing import Any

from benchmarks.formats.files import write_whole
from datasets.errors import InputError


def arrow(path: Path) -> Any:
    """The library, needed for a file.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise InputError(
            f"{path}: Parquet needs pyarrow: pip install pyarrow, or choose CSV"
        ) from error
    return pyarrow


def read_parquet(path: Path) -> Any:
    """Read a table.

    Raises
    ------
    InputError
        If it is no Parquet file.
    """
    pa = arrow(path)
    try:
        return pa.parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path}: no Parquet file ({reason}); make it anew") from error


def write_parquet(path: Path, table: Any) -> None:
    """Write a table of pyarrow, whole or not at all."""
    write_whole(path, lambda part: arrow(path).parquet.write_table(table, part))
