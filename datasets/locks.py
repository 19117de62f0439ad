"""Locks on files, which the system takes back from a process however it ends."""

import os
import sys
from pathlib import Path
from typing import BinaryIO


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
