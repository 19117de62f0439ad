"""Vectors in the columns of a table, CSV or Parquet; one that is plainly no feature is refused."""

import codecs
import csv
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.tables import arrow, read_parquet
from datasets.errors import InputError

_CSV_ROWS = 4096
"""Rows of CSV turned into numbers at a time."""

_ID_HEADINGS = {"", "id", "ids", "image", "images", "file", "filename", "path", "name", "key"}
"""Names of a first column in CSV; numbers may be the names of the others."""

_SEPARATOR = re.compile(r'"?sep=(.)"?')
"""A first line, which spreadsheets read and write."""

_WHOLE = re.compile(r"\s*[+-]?[0-9]+(?:\.0*)?\s*")

_WIDTH, _ROWS, _MOST = 4, 8, 4096
"""Dimensions and vectors from which a few columns of whole numbers are odd; rows looked at."""

_NUMBERED = 8
"""Columns of one name with numbers from which a few without a number are odd."""

_OTHERS = (
    "label|class|category|target|split|subset|part|set|fold|group|scene|cluster|index|idx|row|id|"
    "image|img|picture|photo|file|path|key|name|query|distractor"
)
_NO_FEATURE = re.compile(
    rf"unnamed: \d+|__index_level_\d+__|(?:(?:true|{_OTHERS})[ _])?(?:{_OTHERS})"
    "(?:e?s|_?(?:ids?|idx|index|names?|path|no))?|categories|queries|indices"
)
"""Names of columns that tell of a picture, or that data frames give their index."""


def read_csv(path: Path) -> tuple[list[str], NDArray[np.float64]]:
    """Read ids from the first column of a CSV table, and vectors from all others.

    Parameters
    ----------
    path : Path
        With or without headings; with commas, semicolons or tabs; UTF-8 or, with a byte order
        mark, UTF-16.

    Returns
    -------
    ids : list of str
    vectors : ndarray of float64, shape (n_images, n_dims)

    Raises
    ------
    InputError
        If it is no table of numbers, with the line; if a column is plainly no feature.
    """
    ids: list[str] = []
    blocks: list[NDArray[np.float64]] = []
    whole: set[int] = set()
    try:
        with path.open(newline="", encoding=_encoding(path)) as file:
            header, lines = _open_csv(file)
            names: list[str] = []
            while batch := list(islice(lines, _CSV_ROWS)):
                if not blocks:
                    width = len(batch[0][1]) - 1
                    if not width:
                        raise InputError(f"{path}: has one column; write commas between all")
                    names, whole = _headings(path, header, width), {*range(width)}
                    require_features(path, names, ["float"] * width)
                blocks.append(_numbers(path, batch, width))
                whole = {n for n in whole if all(_WHOLE.fullmatch(row[n + 1]) for _, row in batch)}
                ids += [row[0] for _, row in batch]
    except (csv.Error, UnicodeError) as error:
        raise InputError(f"{path}: no table ({error}); save it as CSV in UTF-8") from error
    if not blocks:
        raise InputError(f"{path}: no vectors in it; it has no rows of numbers")
    matrix = np.concatenate(blocks)
    kinds = [kind_of(column, n in whole) for n, column in enumerate(matrix.T)]
    require_features(path, names, kinds)
    return ids, matrix


def read_columns(path: Path) -> tuple[list[str], NDArray[Any]]:
    """Read ids and vectors from a Parquet table.

    Parameters
    ----------
    path : Path
        Has ids in its first column, or in the only one of text (data frames write their index
        last), and behind them one of lists, or one for each dimension.

    Returns
    -------
    ids : list of str
    vectors : ndarray, shape (n_images, n_dims)

    Raises
    ------
    InputError
        If it is no table of numbers, or if a column is plainly no feature.
    """
    table = read_parquet(path)
    if table.num_columns < 2:
        raise InputError(f"{path}: ids stand in the first column, and vectors behind")
    if not table.num_rows:
        raise InputError(f"{path}: no vectors in it; it has no rows")
    texts = [
        n for n, kind in enumerate(table.schema.types) if re.search("string|binary", str(kind))
    ]
    place = texts[0] if len(texts) == 1 else 0
    try:
        ids = [
            name.decode() if isinstance(name, bytes) else str(name)
            for name in table.column(place).to_pylist()
        ]
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: ids are no text ({error}); write them as text") from error
    vectors = table.remove_column(place)
    columns = [one.combine_chunks() for one in vectors.columns]
    lists = [n for n, one in zip(vectors.column_names, columns, strict=True) if _is_list(one)]
    others = [name for name in vectors.column_names if name not in lists[:1]]
    if not lists:
        require_features(path, others, [_arrow_kind(arrow(path), one) for one in columns])
    elif others:
        raise InputError(
            f"{path}: column {others[0]!r} stands beside the vectors in {lists[0]!r}; remove it"
        )
    if table.column(place).null_count or any(one.null_count for one in columns):
        raise InputError(f"{path}: some ids or vectors are missing (null); leave their rows out")
    if lists:
        values = columns[0].flatten().to_numpy(zero_copy_only=False)
        if len(values) % len(ids) or len(set(_list_lengths(columns[0]))) > 1:
            raise InputError(f"{path}: vectors of different lengths; give all the same")
        return ids, values.reshape(len(ids), -1)
    return ids, np.stack([one.to_numpy(zero_copy_only=False) for one in columns], axis=1)


def require_features(
    place: Path | str, names: Sequence[str], kinds: Sequence[str], ids: str = "stand in one column"
) -> None:
    """Refuse a table with a column that would be a dimension and is plainly none.

    Parameters
    ----------
    place : Path or str
        The table, for the message.
    names : sequence of str
        Headings of the columns behind the ids; empty where there are none.
    kinds : sequence of str
        Of each column: ``float``, ``int``, ``bool`` or another type, which is no number.
    ids : str
        What becomes of ids, in words.

    Raises
    ------
    InputError
        Names the column.
    """
    columns = [*zip(names, kinds, strict=True)]
    floats = {_stem(name) for name, kind in columns if kind == "float"}
    whole = [kind == "int" and (not name or _stem(name) not in floats) for name, kind in columns]
    # Counts may stand beside a fraction or two, but not the other way round.
    is_odd = "float" in kinds and 2 * sum(whole) <= len(columns)
    numbered, unnumbered = _numbered([name for name in names if name])
    for number, (name, kind) in enumerate(columns):
        reason = ""
        if kind not in ("float", "int", "bool"):
            reason = f"is of {kind}"
        elif _NO_FEATURE.fullmatch(name.strip().lower()):
            reason = "tells of pictures by its name"
        elif kind == "bool" and {*kinds} != {"bool"}:
            reason = "is true or false beside numbers"
        elif is_odd and whole[number]:
            reason = "holds whole numbers beside fractions"
        elif name in unnumbered:
            more = f"{numbered[0]!r} and {len(numbered) - 1:,} more"
            reason = f"lacks the number that makes {more} dimensions"
        if reason:
            called = repr(name) if name else f"number {number + 2}"
            raise InputError(
                f"{place}: column {called} {reason}, so it is no feature; remove it (ids {ids}, "
                "and all others are the vector)"
            )


def require_fractions(place: Path | str, matrix: NDArray[Any]) -> None:
    """Refuse a matrix without headings in which a column or two are whole beside fractions.

    Parameters
    ----------
    place : Path or str
        The matrix, for the message.
    matrix : ndarray, shape (n_images, n_dims)
        Its first rows are looked at.

    Raises
    ------
    InputError
        Names the column, which may be a class, or an index.
    """
    rows = np.asarray(matrix[:_MOST])
    if rows.ndim != 2 or rows.dtype.kind != "f" or len(rows) < _ROWS or rows.shape[1] < _WIDTH:
        return
    is_whole = (np.isfinite(rows) & (rows == np.rint(rows))).all(axis=0)
    with np.errstate(invalid="ignore"):  # infinity is told of as such
        whole = np.flatnonzero(is_whole & (np.ptp(rows, axis=0) > 1))  # not yes and no
    if 0 < len(whole) <= 2 <= rows.shape[1] - len(whole):
        raise InputError(
            f"{place}: column {whole[0]} (from 0) holds whole numbers beside fractions, as if it "
            "were a class or an index, so it is no feature; leave it out"
        )


def _numbered(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names with numbers, and those without one where they are few beside many of one stem."""
    numbered = [name for name in names if name.strip()[-1:].isdecimal()]
    others = [name for name in names if not name.strip()[-1:].isdecimal()]
    many = max(Counter(map(_stem, numbered)).values(), default=0)
    return numbered, others if many >= max(_NUMBERED, 4 * len(others)) else []


def _stem(name: str) -> str:
    """A numbered name without its number; any other as it is."""
    return name.strip().rstrip("0123456789")


def _encoding(path: Path) -> str:
    with path.open("rb") as raw:
        start = raw.read(2)
    return "utf-16" if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _open_csv(file: TextIO) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The headings, none if the first line is a picture's, and the lines with their numbers."""
    first = file.readline()
    said = _SEPARATOR.fullmatch(first.strip())
    if not said:
        file.seek(0)
        if re.search(r"\d,\d+;.*\d,\d", first):
            raise InputError(f"{file.name}: has decimal commas; write numbers with points, as 0.5")
    delimiter = said[1] if said else max(",;\t", key=first.count)
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    lines = ((reader.line_num + bool(said), row) for row in reader if row)
    header = next(lines, None)
    if header is None or _is_header(header[1]):
        return header[1] if header else [], lines
    return [], chain([header], lines)


def _headings(path: Path, header: Sequence[str], width: int) -> list[str]:
    """Names of the columns behind the ids; R leaves out the first heading."""
    if header and len(header) not in (width, width + 1):
        raise InputError(f"{path}: {len(header)} headings for {width + 1} columns; give one each")
    return [*header[-width:]] if header else [""] * width


def kind_of(column: NDArray[Any], whole: bool) -> str:
    """Type of a column of numbers; a constant one, which does no harm, is like any other."""
    return "int" if whole and (column != column[:1]).any() else "float"


def _arrow_kind(pa: Any, column: Any) -> str:
    """Type of a column of Parquet, in words where it is no number."""
    kind = column.type
    if pa.types.is_boolean(kind):
        return "bool"
    if pa.types.is_floating(kind):
        return "float"
    if pa.types.is_integer(kind):
        return kind_of(column.drop_null().to_numpy(), whole=True)
    return f"type {kind}"


def _is_list(column: Any) -> bool:
    from pyarrow import types

    kinds = (types.is_list, types.is_large_list, types.is_fixed_size_list)
    return any(is_kind(column.type) for is_kind in kinds)


def _is_header(row: Sequence[str]) -> bool:
    return row[0].strip().lower() in _ID_HEADINGS or any(_number(cell) is None for cell in row[1:])


def _numbers(
    path: Path, batch: Sequence[tuple[int, list[str]]], width: int
) -> NDArray[np.float64]:
    for line, row in batch:
        if len(row) - 1 != width:
            raise InputError(
                f"{path}: line {line}: {len(row) - 1} numbers, where others have {width}; mend it"
            )
    cells = chain.from_iterable(row[1:] for _, row in batch)
    try:
        made = np.fromiter(map(_float, cells), np.float64, len(batch) * width)
        return made.reshape(len(batch), width)
    except ValueError as error:
        line, cell = next(
            (line, cell) for line, row in batch for cell in row[1:] if _number(cell) is None
        )
        has_comma = re.fullmatch(r"\s*[-+]?\d+,\d+\s*", cell)
        remedy = "write points, not commas" if has_comma else "mend it"
        raise InputError(f"{path}: line {line}: {cell[:60]!r} is no number; {remedy}") from error


def _float(cell: str) -> float:
    """Read a number, without the underscores that Python allows in one."""
    if "_" in cell:
        raise ValueError(cell)
    return float(cell)


def _number(cell: str) -> float | None:
    try:
        return _float(cell)
    except ValueError:
        return math.nan if cell.strip().lower() == "nan" else None


def _list_lengths(column: Any) -> list[int]:
    from pyarrow import compute

    return compute.unique(compute.list_value_length(column)).to_pylist()
