"""Outputs of commands, kept apart from what is read and from what others wrote."""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from pathlib import Path

from benchmarks.formats.files import remove_parts, require_writable
from datasets.errors import InputError

_FRONTS = {"README.md": "# Results", "summary.md": "# All datasets"}
"""Pages beside the datasets' folders, and how they begin."""


def require_apart(place: Path, option: str, *inputs: Path | None) -> None:
    """Refuse to write to one of the files that are read, or into one of the folders.

    Parameters
    ----------
    place : Path
        A file or folder to write.
    option : str
        Names it.
    *inputs : Path or None
        Files and folders that the command reads; None stands for none.

    Raises
    ------
    InputError
        Naming the option.
    """
    for one in inputs:
        if one is None:
            continue
        if not one.is_dir() and _is_same(place, one):
            raise InputError(f"{option} {place}: is read, and would be lost; name another file")
        if _real(place).is_relative_to(_real(one)):
            raise InputError(
                f"{option} {place}: lies in {one}, and would join what is read there; choose a "
                "place elsewhere"
            )


def require_output_file(
    path: Path,
    option: str,
    inputs: Iterable[Path | None],
    kind: str,
    is_of_kind: Callable[[Path], bool],
) -> None:
    """Refuse a file to write that would take the place of something else.

    What a process that was killed had half written beside it is removed.

    Parameters
    ----------
    path : Path
        The file.
    option : str
        Names it.
    inputs : iterable of Path or None
        Files and folders that the command reads.
    kind : str
        What is written, in words.
    is_of_kind : callable
        Whether a file that is there is of that kind, so that it may be replaced.

    Raises
    ------
    InputError
        Naming the option.
    """
    require_apart(path, option, *inputs)
    if path.is_dir():
        raise InputError(f"{option} {path}: is a folder; name a file")
    require_writable(path.parent, option)
    if path.exists() and not (path.is_file() and (_is_empty(path) or is_of_kind(path))):
        raise InputError(f"{option} {path}: is there already, and is no {kind}; name another file")
    remove_parts(path.parent)


def require_results_apart(
    out: Path, option: str, names: Iterable[str], roots: Sequence[Path | None]
) -> None:
    """Refuse a results folder where folders of results would lie among pictures, or around them.

    Parameters
    ----------
    out : Path
        The results folder.
    option : str
        Names it.
    names : iterable of str
        Folders in it that are written to: every dataset has one of its name.
    roots : sequence of Path or None
        Folders of pictures, and tables, which lie beside theirs.

    Raises
    ------
    InputError
        Naming the option.
    """
    for name, root in product(names, roots):
        if root is None:
            continue
        place, home = _real(out / name), _real(root if root.is_dir() else root.parent)
        if place.is_relative_to(_real(root)) or home.is_relative_to(place):
            raise InputError(
                f"{option} {out}: the results of {name} would lie in {place}, as do the pictures "
                f"of {root}; choose another folder, or another name by NAME=PATH"
            )


def require_own_pages(out: Path, option: str) -> None:
    """Refuse a results folder whose first pages somebody else wrote.

    Raises
    ------
    InputError
        Naming the option.
    """
    for name, begin in _FRONTS.items():
        path = out / name
        if path.is_file() and not _is_empty(path) and not _begins(path, begin.encode()):
            raise InputError(
                f"{option} {out}: results would replace {name} there, which is none of theirs; "
                "choose another folder"
            )


def others_in(folder: Path, known: Iterable[Path]) -> list[Path]:
    """Files below a folder that are none of those known, in order."""
    there = {path for path in folder.rglob("*") if not path.is_dir()}
    # What a system leaves in every folder, such as .DS_Store, is nobody's.
    return sorted(path for path in there.difference(known) if not path.name.startswith("."))


def has_json(is_of_kind: Callable[[object], bool]) -> Callable[[Path], bool]:
    """Tell files by the JSON that they hold."""

    def has(path: Path) -> bool:
        try:
            return is_of_kind(json.loads(path.read_bytes()))
        except (OSError, ValueError, RecursionError):
            return False

    return has


def begins(*beginnings: str) -> Callable[[Path], bool]:
    """Tell files by one of the texts that they begin with."""
    return lambda path: any(_begins(path, text.encode()) for text in beginnings)


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):  # one of them is not there
        return _real(one) == _real(other)


def _real(path: Path) -> Path:
    """The place that a path leads to; links that lead nowhere stay."""
    return Path(os.path.realpath(path))


def _is_empty(path: Path) -> bool:
    return path.stat().st_size == 0


def _begins(path: Path, begin: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(begin)) == begin
