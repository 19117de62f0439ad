"""Files of vectors with the ids of their pictures: NumPy's arrays, CSV, Parquet."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.columns import read_columns, read_csv, require_fractions
from benchmarks.formats.files import write_text, write_whole
from benchmarks.formats.markdown import csv_writer
from benchmarks.formats.tables import arrow, write_parquet
from datasets.errors import InputError, UnreadableImageError
from datasets.names import canonical
from datasets.reading import content_hash

FORMATS = ("npy", "npz", "csv", "parquet")
"""Endings of the files that are read and written."""

_BLOCK_VALUES = 2**22
"""Numbers in memory at a time."""

_LOST = 1e-3
"""Share of their squared differences that vectors may lose in single precision."""

_NOISE = 1e-14
"""Vectors of length 1 that differ by this are equal but for rounding."""

ROUNDED = (
    "vectors differ in digits that single precision (float32) does not hold; subtract their mean, "
    "or scale them to length 1, before"
)
"""Words on vectors that do not survive rounding."""

_FORMS = "write .npz (ids and vectors), .npy (with ids in .txt beside it), .csv or .parquet"


@dataclass(frozen=True)
class VectorTable:
    """Vectors and the ids of their pictures; the matrix may stay on disk.

    Attributes
    ----------
    sha256 : str
        Hash of the content, the table's identity.
    path : Path
        The file, for messages.
    ids : sequence of str
        One per row, each once.
    matrix : ndarray of numbers, shape (n_images, n_dims)
        All finite, also as float32; may be mapped from a file.
    state : tuple of int, optional
        Size and times of the file that was hashed, which rows are still to come from.
    """

    sha256: str
    path: Path = field(compare=False)
    ids: Sequence[str] = field(compare=False, repr=False)
    matrix: NDArray[Any] = field(compare=False, repr=False)
    state: tuple[int, ...] | None = field(default=None, compare=False, repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows and of columns."""
        return self.matrix.shape

    def __getitem__(self, rows: slice | Sequence[int]) -> NDArray[np.float32]:
        """Give some rows as an array of float32; an `InputError` if the file has changed."""
        found = np.asarray(self.matrix[rows], np.float32)
        if self.state and _state(self.path) != self.state:
            raise InputError(f"{self.path}: has changed meanwhile; run again")
        return found

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """All rows in their order, some at a time."""
        return (self[part] for part in _parts(self.matrix))


def _parts(matrix: NDArray[Any]) -> Iterator[slice]:
    """Some rows of a matrix at a time, in their order."""
    step = max(1, _BLOCK_VALUES // matrix.shape[1])
    return (slice(start, start + step) for start in range(0, len(matrix), step))


def read_vectors(text: str) -> VectorTable:
    """Read vectors and ids; a matrix in ``.npy`` is mapped, not read.

    Parameters
    ----------
    text : str
        A file: ``.npz`` with arrays ``ids`` and ``vectors``; ``.npy`` with the ids, a line each,
        in a text file of the same name (``.txt`` or ``.ids``) or in one named behind a comma;
        ``.csv``, ``.tsv`` or ``.parquet``, see `benchmarks.formats.columns`.

    Raises
    ------
    InputError
        If there is no such file, it is no table of finite numbers, or an id stands twice.
    """
    path, ids_path = table_files(text)
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise InputError(f"{path}: vectors in no known form; {_FORMS}")
    try:
        state = _state(path)
        hashes = [content_hash(one) for one in (path, ids_path) if one]
        ids, matrix = read(path, ids_path)
    except UnreadableImageError as error:
        raise InputError(f"{path}: {error}; name a file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    sha256 = hashlib.sha256("".join(hashes).encode()).hexdigest()
    table = replace(vector_table(ids, matrix, path, sha256), state=state)
    table[:1]  # is of the file that was hashed
    return table


def _state(path: Path) -> tuple[int, ...]:
    try:
        state = path.stat()
    except OSError:
        return ()
    return (state.st_size, state.st_mtime_ns, state.st_ino)


def vector_table(ids: Sequence[str], matrix: NDArray[Any], path: Path, sha256: str) -> VectorTable:
    """Make a table of ids and vectors that fit together.

    Parameters
    ----------
    ids, matrix, path, sha256
        Attributes of `VectorTable`.

    Raises
    ------
    InputError
        If they do not fit together, if a number is not finite or an id stands twice.
    """
    matrix = as_rows(matrix)
    require_vectors(matrix, str(path), ids)
    if len(ids) != len(matrix):
        raise InputError(f"{path}: {len(ids):,} ids for {len(matrix):,} vectors; give one each")
    named = [canonical(name) for name in ids]
    require_each_once(named, str(path))
    return VectorTable(sha256, path, named, matrix)


def as_rows(matrix: NDArray[Any]) -> NDArray[Any]:
    """Vectors as rows where each is a column, or has axes of length 1, as pooled maps have."""
    longest = max(matrix.shape[1:], default=0)
    if matrix.ndim > 2 and longest > 1 and matrix.size == longest * len(matrix):
        return matrix.reshape(len(matrix), longest)
    return matrix


def require_each_once(ids: Sequence[str], place: str) -> None:
    """Refuse an id that stands twice; the message begins with `place`."""
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise InputError(f"{place}: id {name!r} stands twice; keep one")
        seen.add(name)


def require_vectors(matrix: NDArray[Any], place: str, ids: Sequence[str] | None = None) -> None:
    """Require a matrix of real numbers that are finite and told apart, also in single precision.

    Parameters
    ----------
    matrix : ndarray
        Looked at some rows at a time.
    place : str
        For the message to begin with.
    ids : sequence of str, optional
        Names of the rows; their numbers from 0 if left out.

    Raises
    ------
    InputError
        If it is anything else; names the first row.
    """
    if matrix.ndim != 2 or not matrix.shape[1] or matrix.dtype.kind not in "fiub":
        shape = " x ".join(map(str, matrix.shape)) or "a single value"
        raise InputError(
            f"{place}: vectors are a matrix of numbers, a row each; this is {shape} of "
            f"{matrix.dtype}"
        )
    if not len(matrix):
        raise InputError(f"{place}: no vectors in it")
    is_zero = True
    for part in _parts(matrix):
        rows = np.asarray(matrix[part])
        with np.errstate(over="ignore"):
            finite = np.isfinite(np.asarray(rows, np.float32)).all(axis=1)
        if not finite.all():
            row = part.start + int(np.argmin(finite))
            named = repr(ids[row]) if ids is not None and row < len(ids) else f"row {row}"
            raise InputError(
                f"{place}: the vector of {named} is not finite (NaN, infinite or beyond float32); "
                "leave it out or mend it"
            )
        is_zero = is_zero and not rows.any()
    if is_zero:
        raise InputError(f"{place}: all vectors are zero; give those of another extractor")
    if not survive_rounding(matrix):
        raise InputError(f"{place}: {ROUNDED}")


def survive_rounding(matrix: NDArray[Any]) -> bool:
    """Whether vectors of length 1 differ in single precision as they do before it.

    Parameters
    ----------
    matrix : ndarray of numbers, shape (n_images, n_dims)
        Looked at some rows at a time.
    """
    if np.can_cast(matrix.dtype, np.float32):
        return True
    first = _unit(np.asarray(matrix[:1]))
    sums, squares, lost = np.zeros(matrix.shape[1]), 0.0, 0.0
    for part in _parts(matrix):
        rows = np.asarray(matrix[part])
        exact = _unit(rows)
        errors = ((exact - _unit(rows.astype(np.float32))) ** 2).sum(axis=1)
        if errors.max() > _LOST:
            return False
        off = exact - first
        sums, squares, lost = sums + off.sum(axis=0), squares + (off**2).sum(), lost + errors.sum()
    spread = squares - (sums**2).sum() / len(matrix)
    return bool(spread <= _NOISE**2 * len(matrix) or lost <= _LOST * spread)


def _unit(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Rows of length 1, whatever their scale; a zero row stays zero."""
    exact = rows.astype(np.float64)
    largest = np.abs(exact).max(axis=1, keepdims=True)
    exact /= np.where(largest > 0, largest, 1)  # so that no square is too small
    length = np.linalg.norm(exact, axis=1, keepdims=True)
    return exact / np.where(length > 0, length, 1)


def write_vectors(path: Path, ids: Sequence[str], matrix: NDArray[np.float32]) -> None:
    """Write vectors in the form that the file's ending says, so that `read_vectors` reads them.

    Parameters
    ----------
    path : Path
        Ends in one of `FORMATS`; of ``.npy`` the ids go into a text file beside it.
    ids : sequence of str
        One per vector.
    matrix : ndarray of float32, shape (n_images, n_dims)
        The vectors.

    Raises
    ------
    InputError
        If an id cannot be written in this form.
    """
    form = path.suffix.lower()
    if form == ".npy":
        broken = next((name for name in ids if name.strip().splitlines() != [name]), None)
        if broken is not None:
            raise InputError(f"{path}: {broken!r} does not stand on a line; choose --format npz")
        path.unlink(missing_ok=True)  # vectors without ids are refused, with those of others not
        write_text(path.with_suffix(".txt"), "".join(f"{name}\n" for name in ids))
        write_whole(path, lambda part: _write_npy(part, matrix))
    elif form == ".npz":
        write_whole(path, lambda part: _write_npz(part, ids, matrix))
    elif form == ".csv":
        write_whole(path, lambda part: _write_csv(part, ids, matrix))
    else:
        pa = arrow(path)
        flat = pa.array(np.ascontiguousarray(matrix).reshape(-1))
        lists = pa.FixedSizeListArray.from_arrays(flat, matrix.shape[1])
        write_parquet(path, pa.table({"id": pa.array(list(ids), pa.string()), "vector": lists}))


def _write_npy(part: Path, matrix: NDArray[np.float32]) -> None:
    with part.open("wb") as file:
        # The file itself would be written to by NumPy, whose error does not name a full disk.
        np.save(SimpleNamespace(write=file.write), matrix)


def _write_npz(part: Path, ids: Sequence[str], matrix: NDArray[np.float32]) -> None:
    with part.open("wb") as file:
        np.savez(file, ids=np.array(ids), vectors=matrix)


def _write_csv(part: Path, ids: Sequence[str], matrix: NDArray[np.float32]) -> None:
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv_writer(file)
        writer.writerow(["id", *range(matrix.shape[1])])
        # The shortest text that gives the same float32 again.
        writer.writerows([name, *map(str, row)] for name, row in zip(ids, matrix, strict=True))


def table_files(text: str) -> tuple[Path, Path | None]:
    """The file, and that of the ids where there are two."""
    path, ids = Path(text).expanduser(), None
    if not path.is_file() and "," in text:
        first, _, second = text.rpartition(",")
        path, ids = Path(first).expanduser(), Path(second).expanduser()
    for one in (path, ids):
        if one is not None and not one.is_file():
            raise InputError(f"{one}: no such file")
    if path.suffix.lower() != ".npy":
        if ids is not None:
            raise InputError(f"{path},{ids}: has ids of its own; name {path} alone")
        return path, None
    beside = [path.with_suffix(".txt"), path.with_suffix(".ids")]
    ids = ids or next((one for one in beside if one.is_file()), None)
    if ids is None:
        raise InputError(
            f"{path}: no ids; write them, a line each, into {beside[0].name} beside it or name "
            f"their file: {path},IDS.txt"
        )
    return path, ids


def _read_npy(path: Path, ids: Path | None) -> tuple[Sequence[str], NDArray[Any]]:
    assert ids is not None, "a matrix alone has no ids"
    try:
        matrix = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # whatever a damaged header makes its readers raise
        raise InputError(f"{path}: no array of numbers ({error}); write it anew") from error
    if not isinstance(matrix, np.ndarray):
        matrix.close()
        raise InputError(f"{path}: an archive of arrays; call it {path.with_suffix('.npz').name}")
    try:
        lines = ids.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{ids}: no UTF-8 ({error.reason}); save it as UTF-8") from error
    require_fractions(path, matrix)
    return [line.strip() for line in lines if line.strip()], matrix


def _read_npz(path: Path, _: Path | None) -> tuple[Sequence[str], NDArray[Any]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            if not {"ids", "vectors"} <= set(stored.files):
                there = ", ".join(stored.files) or "nothing"
                raise InputError(f"{path}: needs arrays called ids and vectors; has {there}")
            ids, matrix = stored["ids"], stored["vectors"]
        text = np.char.decode(ids, "utf-8") if ids.dtype.kind == "S" else ids
    except (InputError, OSError, MemoryError):
        raise
    except Exception as error:  # whatever a damaged archive makes its readers raise
        raise InputError(
            f"{path}: no arrays of numbers and text ({error}); write them anew, ids that are "
            "objects by .astype(str)"
        ) from error
    if ids.ndim != 1 or ids.dtype.kind not in "USiu":
        raise InputError(f"{path}: ids are a list of text; these are {ids.dtype}")
    require_fractions(path, matrix)
    return [str(name) for name in text.tolist()], matrix


_READERS: dict[str, Callable[[Path, Path | None], tuple[Sequence[str], NDArray[Any]]]] = {
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".csv": lambda path, _: read_csv(path),
    ".tsv": lambda path, _: read_csv(path),
    ".parquet": lambda path, _: read_columns(path),
}
