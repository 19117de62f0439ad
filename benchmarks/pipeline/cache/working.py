"""Folders that one process makes alone, that appear whole, and that another goes on with."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO

from benchmarks.formats.files import sync, was_left
from datasets.locks import lock

_GONE = ".gone"


@contextmanager
def working_folder(final: Path, anew: bool = False) -> Iterator[Path]:
    """Lend a folder in which no other process works; it becomes `final` when the block ends.

    What a process that ended before had done there is still there. Who comes while another
    works gets a folder beside; who is first to end gives the final one.

    Parameters
    ----------
    final : Path
        The folder that is made; it appears whole, by one rename.
    anew : bool
        Begin with an empty folder.
    """
    work, held = _own_folder(final)
    try:
        if anew and work.exists():
            shutil.rmtree(work)
        work.mkdir(exist_ok=True)
        yield work
        for path in work.rglob("*"):
            if path.is_file():
                sync(path)
        try:
            work.rename(final)
        except OSError:
            if not final.is_dir():
                raise
            shutil.rmtree(work)  # another process was first
    finally:
        _let_go(work, held)


def _own_folder(final: Path) -> tuple[Path, BinaryIO | None]:
    """The first of the working folders that no living process holds, and its lock."""
    final.parent.mkdir(parents=True, exist_ok=True)
    for number in count():
        work = final.with_name(f".{final.name}-{number}")
        try:
            return work, lock(_lock_of(work), create=True)
        except BlockingIOError:
            continue
        except OSError:  # no locks on this disk: nobody can know who has ended
            break
    return final.with_name(f".{final.name}-{secrets.token_hex(4)}"), None


def _let_go(work: Path, held: BinaryIO | None) -> None:
    if held:
        # Under the lock, so that who opened the file meanwhile finds that it is another's.
        with suppress(PermissionError):  # Windows removes no file that is open
            _lock_of(work).unlink(missing_ok=True)
        held.close()


def _lock_of(work: Path) -> Path:
    return work.with_name(f"{work.name}.lock")


def remove_folder(folder: Path) -> None:
    """Remove a folder, which is gone at once for everybody else; nothing if there is none."""
    gone = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}{_GONE}")
    try:
        folder.rename(gone)
    except FileNotFoundError:
        return
    shutil.rmtree(gone)


def clear(cache: Path) -> None:
    """Remove what processes that were killed have left in a cache and nobody can use.

    A training that was stopped is no such thing: the next run goes on with it.

    Parameters
    ----------
    cache : Path
        The cache folder.
    """
    # The former name of matrices on disk, which now have none.
    left = [path for path in cache.glob(".search-*") if was_left(path)]
    left += (cache / "networks").glob(f".*{_GONE}")
    for folder in left:
        shutil.rmtree(folder, onerror=_unless_gone)


def _unless_gone(_: object, path: str, error: tuple[type, BaseException, object]) -> None:
    if not isinstance(error[1], FileNotFoundError):  # another process removes it as well
        raise error[1]
