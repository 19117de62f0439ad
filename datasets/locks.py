"""Locks on files, which the system takes back from a process however it ends."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_HELD = "held"
"""File of a workshop that is locked while somebody works there."""


@contextmanager
def workshop(folder: Path, prefix: str) -> Iterator[Path]:
    """Make a temporary folder, and remove those that processes which were killed have left.

    Parameters
    ----------
    folder : Path
        Where it is made.
    prefix : str
        Of its name; nothing else in `folder` may begin so.
    """
    for left in left_workshops(folder, prefix):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=prefix) as made, ExitStack() as held:
        with suppress(OSError):  # no locks on this disk
            held.enter_context(lock(Path(made) / _HELD, create=True))
        yield Path(made)


def left_workshops(folder: Path, prefix: str) -> Iterator[Path]:
    """Find what processes which were killed have left of their `workshop`."""
    for left in folder.glob(f"{prefix}*"):
        with suppress(OSError):  # somebody works there, or has only begun to
            lock(left / _HELD).close()
            yield left


def lock(path: Path, create: bool = False) -> BinaryIO:
    """Lock a file until it is closed.

    Parameters
    ----------
    path : Path
        The file.
    create : bool
        Make it if it is not there.

    Raises
    ------
    BlockingIOError
        If another process, or another part of this one, holds the lock or just removed the file.
    OSError
        If there is no such file, or no locks on this disk.
    """
    file = path.open("ab" if create else "r+b")
    try:
        _lock(file)
        if not os.path.samestat(os.fstat(file.fileno()), path.stat()):
            raise BlockingIOError(f"{path} was removed meanwhile")
    except FileNotFoundError as error:
        file.close()
        raise BlockingIOError(f"{path} was removed meanwhile") from error
    except BaseException:
        file.close()
        raise
    return file


if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(*error.args) from error
else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
