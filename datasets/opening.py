"""Opening of files, also by a process that has their contents sent or must see the same ones."""

import errno
import io
import socket
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from datasets.errors import InputError

Given = bytes | int | OSError | ValueError
"""Content or size of a file where it is at home, or the error of opening it there."""


BinaryFile = io.BufferedReader | io.BytesIO
"""A file that is open, or its content."""


class NotRegularError(OSError):
    """A folder, a pipe or a device: opening it could wait for ever."""


class DanglingError(FileNotFoundError):
    """A link to a file that is not there; its reason says how to get that, where it is known."""


class NotSharedError(InputError):
    """A process does not see a file as the command sees it for which it works."""


class _Elsewhere:
    """The files of a piece of work that is done away from their home."""

    def __init__(self, files: Mapping[Path, Given]) -> None:
        self.files = files
        self.error: NotSharedError | None = None

    def open(self, path: Path) -> BinaryFile:
        given = self.files.get(path)
        if isinstance(given, Exception):
            raise given
        if isinstance(given, bytes):
            return io.BytesIO(given)
        try:
            data = _open(path).read()
        except OSError as error:
            raise self._refuse(path, error.strerror or "cannot be read") from error
        if given is not None and len(data) != given:
            raise self._refuse(path, f"has {len(data):,} bytes there and {given:,} here")
        return io.BytesIO(data)

    def _refuse(self, path: Path, reason: str) -> NotSharedError:
        self.error = NotSharedError(
            f"{path}: the worker on {socket.gethostname()} does not see it as it is here "
            f"({reason}); share the folder under the same path, or give --send-pictures"
        )
        return self.error


_elsewhere: ContextVar[_Elsewhere | None] = ContextVar("elsewhere", default=None)


@contextmanager
def elsewhere(files: Mapping[Path, Given]) -> Iterator[None]:
    """Open files as they are at home, in work that is done on another machine.

    Parameters
    ----------
    files : mapping of Path
        What `content_of` or `size_of` gave at home.

    Raises
    ------
    NotSharedError
        If a file is not seen, or not as it is at home, whatever the work made of that.
    """
    here = _Elsewhere(files)
    token = _elsewhere.set(here)
    try:
        yield
    finally:
        _elsewhere.reset(token)
        if here.error:
            raise here.error


def is_at_home() -> bool:
    """Tell whether this process works on its own files, and may remove damaged ones."""
    return _elsewhere.get() is None


def open_file(path: Path) -> BinaryFile:
    """Open a file to be read.

    Raises
    ------
    OSError
        If it cannot be opened; a `NotRegularError` if it is no regular file.
    ValueError
        If there can be no such path.
    NotSharedError
        If it is at home elsewhere and not seen here.
    """
    known = _elsewhere.get()
    return known.open(path) if known else _open(path)


def content_of(path: Path) -> Given:
    """Read a file for work that is done elsewhere; gives an error in place of raising it."""
    try:
        with open_file(path) as file:
            return file.read()
    except (OSError, ValueError) as error:
        return error


def size_of(path: Path) -> Given:
    """Give the bytes of a file that can be opened, or the error of opening it."""
    try:
        with open_file(path) as file:
            return file.seek(0, io.SEEK_END)
    except (OSError, ValueError) as error:
        return error


def _open(path: Path) -> BinaryFile:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        if reason := dangling(path):
            raise DanglingError(errno.ENOENT, reason, str(path)) from error
        raise
    if not stat.S_ISREG(mode):
        number = errno.EISDIR if stat.S_ISDIR(mode) else errno.ENXIO
        raise NotRegularError(number, "not a regular file", str(path))
    return path.open("rb")


def dangling(path: Path) -> str:
    """Tell of a link that leads to no file; empty where it is no such link."""
    if path.exists() or not path.is_symlink():
        return ""
    if "/annex/objects/" in path.readlink().as_posix():
        return "its content is not here; get its content by: git annex get"
    return "a link to a file that is not there"
