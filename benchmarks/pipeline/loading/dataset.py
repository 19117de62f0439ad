"""A dataset as the user named it, with every file looked at and put into its part."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import datasets
from benchmarks.formats.files import write_text
from benchmarks.pipeline.cache.fingerprint import digest, module_identity
from benchmarks.pipeline.cache.store import ArrayStore
from benchmarks.pipeline.loading.crops import with_crops
from benchmarks.pipeline.workers import Workforce
from datasets import reading
from datasets.assembly import Inspected, assemble
from datasets.errors import InputError, UnreadableImageError
from datasets.layout import Collection, Item
from datasets.reading import Pixels, content_hash, read_image
from datasets.source import Source
from datasets.task import Dataset
from datasets.walk import CACHE_SIGNATURE, CACHE_TAG

_GRAIN = 2e9
"""Nanoseconds; a file written a moment ago could change again within its clock's grain."""


def load(
    text: str,
    cache: Path,
    workforce: Workforce,
    seed: int = 0,
    layout: Sequence[str] = (),
    leave_one_out: bool = False,
) -> Dataset:
    """Load a dataset by name, path or both.

    Every file is hashed, unless it is as it was when it was hashed before; files whose bytes
    were never seen before are decoded once to see whether they can be, so that all extractors
    work on the same images.

    Parameters
    ----------
    text : str
        Name, path or NAME=PATH, see `datasets.resolve`.
    cache : Path
        Folder of rendered datasets, and of what is known of files.
    workforce : Workforce
        The workers.
    seed : int
        Seed of the split, where the folders give none.
    layout : sequence of str
        Form of the folder, if the user names it; see `datasets.recognition.by_hand`.
    leave_one_out : bool
        Let every gallery image ask all others, see `datasets.assembly.assemble`.

    Raises
    ------
    InputError
        If there is no such dataset or nothing in it can be used.
    """
    source, found = collect(text, cache, workforce, layout)
    inspected = inspect(found.items, source.name, cache, workforce)
    dataset = assemble(source.name, found, inspected, seed, source.licence, leave_one_out)
    return with_crops(dataset, cache, workforce)


def collect(
    text: str, cache: Path, workforce: Workforce, layout: Sequence[str] = ()
) -> tuple[Source, Collection]:
    """List a dataset's files and say what was understood; parameters as of `load`."""
    mark_as_cache(cache)
    source, root = datasets.resolve(text, layout)
    found = source.collect(root or cache / "datasets", workforce.each)
    if root is not None:
        for line in (*found.understood(), *map("warning: {}".format, found.layout.warnings)):
            workforce.log(f"{source.name}: {line}")
    return source, found


def mark_as_cache(folder: Path) -> None:
    """Mark a folder, so that pictures in it are never taken for a dataset's."""
    if not (folder / CACHE_TAG).exists():
        write_text(folder / CACHE_TAG, f"{CACHE_SIGNATURE}\n")


def inspect(
    items: Sequence[Item], name: str, cache: Path, workforce: Workforce
) -> dict[str, Inspected]:
    """Hash files and find out which of them can be read.

    Parameters
    ----------
    items : sequence of Item
        The files.
    name : str
        What they belong to, for the progress bar.
    cache : Path
        Folder of what is known of files.
    workforce : Workforce
        The workers.

    Returns
    -------
    dict of str to Inspected
        By item id.
    """
    hashes, unopened = file_hashes([item.path for item in items], name, cache, workforce)
    paths = {hashes[item.path]: item.path for item in items if item.path in hashes}
    store = ArrayStore(cache / "readable", "size", module_identity(reading))
    broken = store.fill(paths, partial(_each, _size), workforce, "reading pictures")
    return {
        item.id: Inspected(sha256, broken.get(sha256))
        if (sha256 := hashes.get(item.path))
        else Inspected("", unopened[item.path])
        for item in items
    }


def file_hashes(
    paths: Sequence[Path], name: str, cache: Path, workforce: Workforce
) -> tuple[dict[Path, str], dict[Path, str]]:
    """Hash the bytes of files, or recall the hash of those that are as they were.

    A file is as it was if place, size, inode and both of its times are.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    name : str
        What they belong to, for the progress bar.
    cache : Path
        Folder of what is known of files.
    workforce : Workforce
        The workers.

    Returns
    -------
    hashes : dict of Path to str
        SHA-256 in hex, of files that can be opened.
    problems : dict of Path to str
        Why the others cannot.
    """
    states = {path: _state(path) for path in dict.fromkeys(paths)}
    store = ArrayStore(cache / "files", "sha256", {"version": 1})
    items = {state: path for path, state in states.items()}
    problems = store.fill(items, partial(_each, _hash), workforce, f"hashing {name}", chunk=256)
    good = [path for path, state in states.items() if state not in problems]
    blocks = store.blocks([states[path] for path in good])
    found = [row.tobytes().hex() for block in blocks for row in block]
    return dict(zip(good, found, strict=True)), {
        items[state]: problem for state, problem in problems.items()
    }


def read_listed(path: Path) -> Pixels:
    """Read a picture that could be read when its dataset was listed.

    Raises
    ------
    InputError
        If it has gone or changed meanwhile.
    """
    try:
        return read_image(path)
    except UnreadableImageError as error:
        raise InputError(f"{path}: {error}; it has changed meanwhile, run again") from error


def _state(path: Path) -> str:
    """A key that changes whenever the file may have."""
    try:
        state = path.stat()
    except OSError:
        return digest(str(path))  # opening it will say why
    times = (state.st_mtime_ns, state.st_ctime_ns)
    now = time.time_ns()
    parts = [str(path.absolute()), state.st_size, state.st_ino, *times]
    return digest([*parts, now] if now - max(times) < _GRAIN else parts)


def _hash(path: Path) -> NDArray[np.generic]:
    return np.frombuffer(bytes.fromhex(content_hash(path)), np.uint8)


def _size(path: Path) -> NDArray[np.generic]:
    return np.array(read_image(path).shape[:2], np.int32)


def _each(
    look: Callable[[Path], NDArray[np.generic]], paths: Sequence[Path]
) -> list[NDArray[np.generic] | UnreadableImageError]:
    made: list[NDArray[np.generic] | UnreadableImageError] = []
    for path in paths:
        try:
            made.append(look(path))
        except UnreadableImageError as error:
            made.append(error)
    return made
