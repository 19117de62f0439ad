"""Files that are written whole or not at all, and read with one clear error."""

import errno
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from datasets.errors import DamagedError, InputError
from datasets.json_files import check_json, read_json_as
from datasets.locks import lock

T = TypeVar("T")

Json = dict[str, Any]
"""A JSON object."""

DAMAGED = "damaged: remove it and run again"
"""Remedy for a file that this suite wrote."""

CHECKSUM = "checksum"

_PART = ".half-written-"
_DAY = 24 * 60 * 60


def write_whole(path: Path, write: Callable[[Path], object], lasting: bool = False) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it.

    Parameters
    ----------
    path : Path
        The file.
    write : callable
        Fills the file that it is given.
    lasting : bool
        Wait until the disk has it, so that a power cut leaves the old content or the new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part, held = _own_part(path.parent)
    try:
        write(part)
        if lasting:
            sync(part)
        # mkstemp makes private files; results are for everybody whom the folder admits.
        umask = os.umask(0)
        os.umask(umask)
        part.chmod(0o666 & ~umask)
        part.replace(path)
    except OSError as error:
        if error.errno and error.filename is None:  # a full disk names no file
            error.filename = str(path)
        raise
    finally:
        part.unlink(missing_ok=True)
        if held:
            held.close()


def _own_part(folder: Path) -> tuple[Path, BinaryIO | None]:
    """A new file that nobody takes for one that was left, since this process holds its lock."""
    while True:
        handle, name = tempfile.mkstemp(dir=folder, prefix=_PART, suffix=".part")
        os.close(handle)
        if sys.platform == "win32":  # renames no file that is open
            return Path(name), None
        try:
            return Path(name), lock(Path(name))
        except BlockingIOError:
            continue  # somebody took it for one that was left
        except OSError:  # no locks on this disk
            return Path(name), None


def remove_parts(folder: Path) -> None:
    """Remove files that processes which ended have left half written in a folder."""
    for part in folder.glob(f"{_PART}*.part"):
        with suppress(OSError):  # somebody is writing it, or it is another user's
            if was_left(part):
                part.unlink(missing_ok=True)
            elif sys.platform != "win32":
                with lock(part):
                    part.unlink(missing_ok=True)


def entries(folder: Path, pattern: str = "*") -> list[Path]:
    """List what lies in a folder, by name; nothing where there is no such folder.

    Parameters
    ----------
    folder : Path
        The folder.
    pattern : str
        Of the names, as ``*.json``.

    Raises
    ------
    InputError
        If it cannot be read; ``Path.glob`` would find nothing there.
    """
    try:
        found = sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be read ({error.strerror}); make it readable"
        ) from error
    return [path for path in found if fnmatch(path.name, pattern)]


def was_left(path: Path) -> bool:
    """Whether a temporary file or folder is older than a day, so that nobody works on it."""
    try:
        return time.time() - path.stat().st_mtime > _DAY
    except FileNotFoundError:
        return False


def is_disk_full(error: BaseException) -> bool:
    """Whether an error is that of a disk without space, or of a limit on files or their sizes."""
    full = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return isinstance(error, OSError) and error.errno in full


def sync(path: Path) -> None:
    """Wait until the disk has a file."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def write_text(path: Path, text: str, lasting: bool = False) -> None:
    """Write a text file, UTF-8 with Unix line ends, whole or not at all; see `write_whole`."""
    write_whole(path, lambda part: part.write_bytes(text.encode("utf-8")), lasting)


def write_json(path: Path, content: object, lasting: bool = False) -> None:
    """Write JSON that a person can read; equal content gives equal bytes; see `write_whole`."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, sort_keys=True)
    write_text(path, text + "\n", lasting)


def with_checksum(content: Json) -> Json:
    """A JSON object with its checksum, as `without_checksum` wants it."""
    return content | {CHECKSUM: _checksum(content)}


def write_checked(path: Path, content: Json) -> None:
    """Write a JSON object with its checksum, as `read_checked` reads it, and have it last."""
    write_json(path, with_checksum(content), lasting=True)


def read_checked(path: Path, kind: type[T], remedy: str = DAMAGED) -> T | None:
    """Read a JSON object without its checksum, or None if there is no such file.

    A file that was written before there were checksums is taken as it is.

    Parameters
    ----------
    path : Path
        The file.
    kind : type
        What it must hold, as `msgspec.convert` understands it.
    remedy : str
        What to do about damage, to end the message with.

    Raises
    ------
    DamagedError
        If the file holds something else, or something that differs from its checksum.
    InputError
        If it cannot be read.
    """
    content = read_json_as(path, Json, remedy)
    return None if content is None else without_checksum(content, kind, str(path), remedy)


def without_checksum(content: Json, kind: type[T], place: str, remedy: str) -> T:
    """Compare a JSON object with the checksum in it, and leave that out; see `read_checked`.

    Raises
    ------
    DamagedError
        If it is something else, or differs from its checksum.
    """
    noted = content.pop(CHECKSUM, None)
    checked = check_json(content, kind, place, remedy)
    if noted not in (None, _checksum(content)):
        raise DamagedError(f"{place}: its checksum differs; {remedy}")
    return checked


def _checksum(content: Json) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def require_writable(folder: Path, option: str) -> None:
    """Make a folder and try it.

    Raises
    ------
    InputError
        Naming the option if nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"{option} {folder}: cannot write there ({error.strerror}); choose another folder"
        ) from error
