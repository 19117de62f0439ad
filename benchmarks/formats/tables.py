"""Tables in CSV and in Parquet, for which pyarrow has to be installed: it is an extra."""

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks.formats.files import write_whole
from benchmarks.formats.markdown import write_csv
from datasets.errors import InputError

Row = Sequence[str | int | float | None]


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
    """Read a table of pyarrow.

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


def write_rows(path: Path, columns: dict[str, type], batches: Iterable[Sequence[Row]]) -> None:
    """Write a table of any length, a batch of rows at a time, in the form of the file's ending.

    Parameters
    ----------
    path : Path
        Ends in ``.csv`` or ``.parquet``.
    columns : dict of str to type
        Headings, with str, int or float for what stands below them.
    batches : iterable of sequences of rows
        The rows, as many cells in each as there are columns; None is an empty cell.
    """
    write = _write_parquet if path.suffix == ".parquet" else _write_csv
    write_whole(path, lambda part: write(part, columns, batches))


def _write_csv(path: Path, columns: dict[str, type], batches: Iterable[Sequence[Row]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        write_csv(file, columns, chain.from_iterable(batches))


def _write_parquet(path: Path, columns: dict[str, type], batches: Iterable[Sequence[Row]]) -> None:
    pa = arrow(path)
    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in columns.items()])
    with pa.parquet.ParquetWriter(path, schema) as writer:
        for rows in batches:
            cells = [dict(zip(columns, row, strict=True)) for row in rows]
            writer.write_table(pa.Table.from_pylist(cells, schema))
