"""Files that are written whole or not at all, and read with one clear error."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from datasets.errors import InputError
from datasets.json_files import read_json_as

Json = dict[str, Any]
"""A JSON object."""

DAMAGED = "damaged: remove it and run again"
"""Remedy for a file that this suite wrote."""


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    os.close(handle)
    try:
        write(Path(name))
        # mkstemp makes private files; results are for everybody whom the folder admits.
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(path)
    except OSError as error:
        if error.errno and error.filename is None:  # a full disk names no file
            error.filename = str(path)
        raise
    finally:
        Path(name).unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file, UTF-8 with Unix line ends, whole or not at all."""
    write_whole(path, lambda part: part.write_bytes(text.encode("utf-8")))


def write_json(path: Path, content: object) -> None:
    """Write JSON that a person can read; equal content gives equal bytes."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, sort_keys=True)
    write_text(path, text + "\n")


def read_json(path: Path) -> Json | None:
    """Read a JSON object that this suite wrote, or None if there is no such file.

    Raises
    ------
    DamagedError
        If the file holds something else.
    InputError
        If it cannot be read.
    """
    return read_json_as(path, Json, DAMAGED)


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
