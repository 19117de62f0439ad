"""Generations of an index: begun by one process alone, removed when nobody needs them."""

import logging
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from benchmarks.formats.files import remove_parts, was_left
from benchmarks.search.files import MARKER, About
from datasets.locks import lock

_GENERATION = re.compile(r"[0-9a-f]{8}")
_OURS = re.compile(
    rf"(images|(vectors|lengths)-\d+)\.npy|fusion\.skops|learned-\d+|\..*\.part|{re.escape(MARKER)}"
)

log = logging.getLogger(__name__)


@contextmanager
def new_generation(folder: Path) -> Iterator[Path]:
    """Lend a folder for a new generation, which is removed if the block fails.

    Parameters
    ----------
    folder : Path
        The index's folder.
    """
    place, held = _own_folder(folder)
    try:
        yield place
    except BaseException:
        _remove(place, held)
        raise
    finally:
        if held:
            held.close()


def _own_folder(folder: Path) -> tuple[Path, BinaryIO | None]:
    while True:
        place = folder / secrets.token_hex(4)
        place.mkdir(parents=True)
        try:
            return place, lock(place / MARKER, create=True)
        except BlockingIOError:
            continue  # another process has just taken it for one that was left
        except OSError:  # no locks on this disk
            (place / MARKER).touch()
            return place, None


def is_generation(place: Path) -> bool:
    """Whether a folder is a generation that this suite made, with nothing else in it."""
    own = place.parent.resolve() / place.name
    if not _GENERATION.fullmatch(place.name) or place.resolve() != own or not place.is_dir():
        return False  # what a link leads to is somebody else's
    try:
        names = {path.name for path in place.iterdir()}
    except FileNotFoundError:  # another process has just removed it
        return False
    return MARKER in names and all(map(_OURS.fullmatch, names))


def sweep(folder: Path, replaced: str | None) -> None:
    """Remove generations that are not in use: the replaced one, those of builders that died.

    Parameters
    ----------
    folder : Path
        The index's folder.
    replaced : str or None
        Name of the generation that was in use before.
    """
    remove_parts(folder)
    for place in filter(is_generation, list(folder.iterdir())):
        try:
            held = lock(place / MARKER)
        except BlockingIOError:
            continue  # it is being built
        except OSError:  # no locks on this disk
            held = None
            if place.name != replaced and not was_left(place):
                continue
        # Under the lock, since who built it names it in the index before letting go.
        about = About.read(folder)
        if about and about.generation != place.name:
            _remove(place, held)
        elif held:
            held.close()


def _remove(place: Path, held: BinaryIO | None) -> None:
    """Remove a generation, its marker last, so that half of one is known as well."""
    try:
        for path in place.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != MARKER:
                path.unlink()
        if held:
            held.close()
        (place / MARKER).unlink()
        place.rmdir()
    except FileNotFoundError:
        pass  # another process removes it as well
    except OSError as error:  # Windows keeps what somebody has mapped
        log.warning("%s: not removed (%s); the next build tries again", place, error.strerror)
    finally:
        if held:
            held.close()
