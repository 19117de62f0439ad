"""Reading of JSON files that anybody may have written: bounded, strict, one clear error."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from datasets.errors import DamagedError, InputError
from datasets.text_files import require_regular

T = TypeVar("T")

MAX_BYTES = 64 * 2**20
"""Size of the largest file that is read."""

MAX_DEPTH = 64
"""Deepest nesting of objects and arrays: whatever walks through them has stack enough."""

_TOO_DEEP = f"nested deeper than {MAX_DEPTH}"


def read_json_as(path: Path, kind: type[T], remedy: str) -> T | None:
    """Read a JSON file, UTF-8, or UTF-16 as PowerShell writes it, with or without a mark.

    Parameters
    ----------
    path : Path
        The file.
    kind : type
        What it must hold, as `msgspec.convert` understands it.
    remedy : str
        What to do about damage, to end the message with.

    Returns
    -------
    object of type `kind`, or None
        None if there is no such file.

    Raises
    ------
    DamagedError
        If the file holds something else, at which place, or is no strict JSON: larger than
        `MAX_BYTES`, deeper than `MAX_DEPTH`, with a key twice, with NaN or infinity.
    InputError
        If it cannot be read, which says nothing about what it holds.
    """
    try:
        require_regular(path)
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); make it readable or name another"
        ) from error
    return parse_json_as(data, kind, str(path), remedy)


def parse_json_as(data: bytes, kind: type[T], place: str, remedy: str) -> T:
    """Read the content of a JSON file; place is its name, for the rest see `read_json_as`.

    Raises
    ------
    DamagedError
        If it holds something else.
    """
    try:
        content = _strict(data)
    except (ValueError, RecursionError) as error:
        reason = _TOO_DEEP if isinstance(error, RecursionError) else error
        raise DamagedError(f"{place}: no valid JSON ({reason}); {remedy}") from error
    return check_json(content, kind, place, remedy)


def check_json(content: object, kind: type[T], place: str, remedy: str) -> T:
    """Convert what was read from JSON into what it must be, nothing coerced.

    Parameters
    ----------
    content : object
        Of dictionaries, lists, strings, numbers, booleans and None.
    kind : type
        What it must be, as `msgspec.convert` understands it.
    place : str
        File, or place in it, for messages to begin with.
    remedy : str
        For messages to end with.

    Raises
    ------
    DamagedError
        If it is something else; names the place, such as ``$.images[2]``.
    """
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        reason = str(error)
        raise DamagedError(f"{place}: {reason[0].lower()}{reason[1:]}; {remedy}") from error


def _strict(data: bytes) -> object:
    if len(data) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES // 2**20} MiB")
    text = data.decode(json.detect_encoding(data))
    content = json.loads(text, object_pairs_hook=_without_repetition)
    if _depth(content) > MAX_DEPTH:
        raise ValueError(_TOO_DEEP)
    # Nothing is read that could not be written again: NaN, infinity, half of a surrogate pair.
    json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    return content


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        [(key, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"{key!r} stands twice")
    return content


def _depth(content: object) -> int:
    inner = list(content.values()) if isinstance(content, dict) else content
    return 1 + max(map(_depth, inner), default=0) if isinstance(inner, list) else 0
