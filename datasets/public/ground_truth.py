"""Ground truth of revisited Oxford and Paris, read from a pickle that cannot run anything."""

import io
import pickle
import pickletools
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec

from datasets.errors import InputError
from datasets.task import Box

_MOST_BYTES = 8 * 2**20
_MOST_NUMBERS = 5_000_000

_PLAIN = {
    *("PROTO", "FRAME", "STOP", "MARK", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"),
    *("GET", "BINGET", "LONG_BINGET", "EMPTY_DICT", "EMPTY_LIST", "DICT", "LIST"),
    *("SETITEM", "SETITEMS", "APPEND", "APPENDS", "BINUNICODE", "SHORT_BINUNICODE", "UNICODE"),
    *("INT", "BININT", "BININT1", "BININT2", "LONG1", "FLOAT", "BINFLOAT"),
    *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
}
"""Instructions of a pickle that make dictionaries, lists, texts and numbers, and do nothing."""

_Index = Annotated[int, msgspec.Meta(ge=0)]


class Judged(msgspec.Struct):
    """A query: its box (left, top, right, bottom) and indices of gallery images."""

    bbx: tuple[float, float, float, float]
    easy: list[_Index]
    hard: list[_Index]
    junk: list[_Index]


class GroundTruth(msgspec.Struct):
    """Names of the gallery and of the queries, without endings, and what is relevant."""

    imlist: list[str]
    qimlist: list[str]
    gnd: list[Judged]


class _PlainUnpickler(pickle.Unpickler):
    """Makes no object of any class."""

    def find_class(self, module: str, name: str) -> NoReturn:
        """Refuse."""
        raise pickle.UnpicklingError(f"it names the class {module}.{name}")


def read_ground_truth(path: Path) -> GroundTruth:
    """Read ``gnd_roxford5k.pkl`` or ``gnd_rparis6k.pkl``.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    InputError
        If it is something else, such as a pickle that would make objects or run code.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError("it is far too large")
        data = path.read_bytes()
        _require_plain(data)
        content = _PlainUnpickler(io.BytesIO(data)).load()
        _require_small(content)
        found = msgspec.convert(content, GroundTruth, strict=True)
        _require_consistent(found)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); fetch it anew") from error
    except Exception as error:  # whatever a damaged pickle makes its reader raise
        raise InputError(f"{path}: no ground truth ({error}); fetch it anew") from error
    return found


def _require_plain(data: bytes) -> None:
    count = 0
    for count, (code, argument, _) in enumerate(pickletools.genops(data), 1):
        if code.name not in _PLAIN:
            raise ValueError(f"it holds the instruction {code.name}, which is more than data")
        # Numbers of memories count up; a large one only asks for memory.
        if code.name in ("PUT", "LONG_BINPUT") and int(str(argument)) > count:
            raise ValueError("it asks for memory that it does not use")


def _require_small(content: object) -> None:
    """Bound what lists that hold one list many times would unfold to."""
    rows = content.get("gnd") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it lacks the list 'gnd'")
    parts = [part for row in rows[:10_000] for part in row.values() if isinstance(part, list)]
    if len(rows) > 10_000 or sum(map(len, parts)) > _MOST_NUMBERS:
        raise ValueError("it is far too large")


def _require_consistent(found: GroundTruth) -> None:
    if len(found.gnd) != len(found.qimlist):
        raise ValueError(f"{len(found.gnd)} judgements of {len(found.qimlist)} queries")
    for name, judged in zip(found.qimlist, found.gnd, strict=True):
        if Box.of(judged.bbx) is None:
            sides = ", ".join(map(str, judged.bbx))
            raise ValueError(f"{name} has no box left, top, right, bottom in pixels: {sides}")
        named = [*judged.easy, *judged.hard, *judged.junk]
        if max(named, default=0) >= len(found.imlist):
            raise ValueError(f"{name} names an image that is not in its list")
        if len(set(named)) < len(named):
            raise ValueError(f"{name} judges an image twice")
