"""Files that are tables, in rows: CSV, TSV and Parquet."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from datasets.errors import InputError
from datasets.text_files import read_text

ENDINGS = (".csv", ".tsv", ".parquet")
"""Endings of their names."""

Rows = Iterator[tuple[int, Mapping[str, Any]]]
"""The number of each line, and its cells by the names of their columns."""

_SEPARATOR = re.compile(r'"?sep=(.)"?\r?\n')
"""A line before the names of columns, which spreadsheets read and write."""


def read_rows(path: Path) -> tuple[list[str], Rows]:
    """Read a table.

    Parameters
    ----------
    path : Path
        CSV (with commas, semicolons or tabs), TSV or Parquet.

    Returns
    -------
    columns : list of str
        Their names.
    rows : Rows
        Its lines, but for empty ones.

    Raises
    ------
    InputError
        If the file is no table; names the line.
    """
    if path.suffix.lower() == ".parquet":
        return _read_parquet(path)
    text = read_text(path)
    said = _SEPARATOR.match(text)
    if said:
        text = text[said.end() :]
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count) if path.suffix.lower() == ".csv" else "\t"
    reader = csv.DictReader(
        io.StringIO(text, newline=""),
        delimiter=said[1] if said else delimiter,
        skipinitialspace=True,
        strict=True,
    )
    try:
        columns = [name or "" for name in reader.fieldnames or ()]
        if not text.strip():
            raise InputError(f"{path}: is empty; write names of columns, and a row a picture")
    except csv.Error as error:
        raise InputError(f"{path}: no table ({error}); save it as CSV") from error
    return columns, _numbered(path, reader, bool(said))


def _numbered(path: Path, reader: "csv.DictReader[str]", before: int) -> Rows:
    try:
        for row in reader:
            line = before + reader.line_num
            if _is_empty(row):
                continue
            if None in row or None in row.values():
                many = "more" if None in row else "fewer"
                raise InputError(f"{path}: line {line}: {many} cells than columns; mend the line")
            yield line, row
    except csv.Error as error:
        line = before + reader.line_num
        raise InputError(f"{path}: line {line}: {error}; mend the line") from error


def _is_empty(row: Mapping[Any, Any]) -> bool:
    """Whether nothing but blanks stands in a row, as at the end of what Excel saves."""
    return not any("".join(cell).strip() for cell in row.values() if cell)


def _read_parquet(path: Path) -> tuple[list[str], Rows]:
    try:
        from pyarrow import ArrowException, parquet  # an extra
    except ModuleNotFoundError as error:
        raise InputError(
            f"{path}: Parquet needs pyarrow: pip install pyarrow, or save it as CSV"
        ) from error
    try:
        table = parquet.read_table(path)
    except (ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path}: no Parquet file ({reason}); make it anew") from error
    rows = (
        dict(zip(table.column_names, values, strict=True))
        for batch in table.to_batches()
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True)
    )
    return list(table.column_names), enumerate(rows, 1)
