"""A dataset as the user named it, with every file looked at and put into its part."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

import datasets
from benchmarks.formats.files import entries, write_text
from benchmarks.pipeline.cache.fingerprint import digest, module_identity
from benchmarks.pipeline.cache.store import ArrayStore
from benchmarks.pipeline.loading.crops import with_crops
from benchmarks.pipeline.loading.queries import check_queries
from benchmarks.pipeline.workers import Workforce
from datasets import reading
from datasets.assembly import Inspected, assemble
from datasets.errors import (
    InputError,
    NoPictureError,
    OtherFormatError,
    UnopenedError,
    UnreadableImageError,
)
from datasets.file_names import require_file_name
from datasets.layout import HELD_OUT, UNSPLIT, Collection, Item
from datasets.reading import (
    content_hash,
    decode,
    max_pixels,
    require_picture,
)
from datasets.source import Source
from datasets.task import Dataset, ProblemKind
from datasets.walk import CACHE_SIGNATURE, CACHE_TAG

A = TypeVar("A")

CACHED = (
    *("approximate", "audit", "datasets", "features", "files", "hashes", "indexes", "maps"),
    *("networks", "pictures", "readable", "vectors"),
)
"""Folders of a cache."""

_HASH = 32
_TEXT = 224
"""Bytes that are kept of a hash, and of a reason or remarks."""

_DIGEST = 16
"""Hexadecimal digits that are kept of the hash of a picture's pixels."""

_REFUSED = "\t"
"""Begins the reason of a file that cannot be used; the digit of its kind follows."""

_GRAIN = 2e9
"""Nanoseconds; a file written a moment ago could change again within its clock's grain."""


class _File(NamedTuple):
    """A file that was hashed."""

    path: Path
    sha256: str


def load(
    text: str,
    cache: Path,
    workforce: Workforce,
    seed: int = 0,
    layout: Sequence[str] = (),
    leave_one_out: bool = False,
    reread: bool = False,
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
    reread : bool
        Hash every file anew, as if none were as it was.

    Raises
    ------
    InputError
        If there is no such dataset or nothing in it can be used.
    """
    source, found = collect(text, cache, workforce, layout)
    inspected = inspect(found.items, source.name, cache, workforce, reread)
    dataset = assemble(source.name, found, inspected, seed, source.licence, leave_one_out)
    if leave_one_out:
        named = ", ".join(protocol.name for protocol in source.protocols.values())
        warnings = [f"by leave-one-out, not by the protocol {named}"] if named else []
        dataset = replace(dataset, warnings=(*dataset.warnings, *warnings))
    else:
        dataset = replace(dataset, protocols=source.protocols)
    for name in dataset.queries:
        require_file_name(name, "a query set", f"rename its folder in {dataset.root}")
    return check_queries(with_crops(dataset, cache, workforce))


def collect(
    text: str, cache: Path, workforce: Workforce, layout: Sequence[str] = ()
) -> tuple[Source, Collection]:
    """List a dataset's files and say what was understood; parameters as of `load`."""
    mark_as_cache(cache)
    source, root = datasets.resolve(text, layout)
    found = _collected(source, root or cache / "datasets", workforce)
    if root is not None:
        for line in (*found.understood(), *map("warning: {}".format, found.layout.warnings)):
            workforce.log(f"{source.name}: {line}")
    return source, found


def _collected(source: Source, root: Path, workforce: Workforce) -> Collection:
    """A dataset's files; of a plug-in, which may do anything, with its errors in one line."""
    if type(source).__module__.startswith(f"{Source.__module__.partition('.')[0]}."):
        return source.collect(root, workforce.each)
    try:
        found = source.collect(root, workforce.each)
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"dataset {source.name}: cannot list {root} ({type(error).__name__}: {reason})"
        ) from error
    items = found.items if isinstance(found, Collection) else [None]
    if not all(isinstance(item, Item) for item in items):
        raise InputError(
            f"dataset {source.name}: its collect() gives no Collection of Items of datasets.layout"
        )
    for item in found.items:
        if wrong := _wrong(item):
            value = getattr(item, wrong)
            raise InputError(
                f"dataset {source.name}: item {item.id!r} has {wrong}={value!r}; give it one as "
                "Item of datasets.layout says"
            )
    counts = Counter(item.id for item in found.items)
    if twice := next((name for name, count in counts.items() if count > 1), None):
        raise InputError(f"dataset {source.name}: id {twice!r} stands twice; give each its own")
    return replace(found, items=sorted(found.items, key=lambda item: item.id))


def _wrong(item: Item) -> str | None:
    """An attribute of a plug-in's item that is none, if there is one."""

    def asks(part: object) -> bool:
        return isinstance(part, str) and (part == "query" or part.startswith("query-"))

    def text(value: object) -> bool:
        return value is None or isinstance(value, str)

    sound = {
        "id": isinstance(item.id, str) and item.id != "",
        "path": isinstance(item.path, Path),
        "part": item.part in (UNSPLIT, HELD_OUT, "training", "gallery") or asks(item.part),
        "label": text(item.label) and item.label != "",
        "distractor": text(item.distractor),
        "further": isinstance(item.further, tuple) and all(map(text, item.further)),
        "group": text(item.group),
        "asks": item.asks is None or asks(item.asks),
    }
    return next((name for name, is_sound in sound.items() if not is_sound), None)


def mark_as_cache(folder: Path) -> None:
    """Mark a cache, so that pictures in it are never taken for a dataset's.

    Beside files of others its folders are marked, and theirs stay what they are.
    """
    if (folder / CACHE_TAG).exists():
        return
    is_ours = all(one.name in CACHED or one.name.startswith(".") for one in entries(folder))
    for place in [folder] if is_ours else [folder / name for name in CACHED]:
        if place == folder or not entries(place):
            write_text(place / CACHE_TAG, f"{CACHE_SIGNATURE}\n")


def inspect(
    items: Sequence[Item], name: str, cache: Path, workforce: Workforce, reread: bool = False
) -> dict[str, Inspected]:
    """Hash files and find out which of them can be read.

    What was found of a file is remembered, also that it is no picture.

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
    reread : bool
        Hash every file anew.

    Returns
    -------
    dict of str to Inspected
        By item id.
    """
    hashes, refused = file_hashes([item.path for item in items], name, cache, workforce, reread)
    files = {hashes[i.path]: _File(i.path, hashes[i.path]) for i in items if i.path in hashes}
    identity = module_identity(reading) | {"max pixels": max_pixels(), "digest": _DIGEST}
    store = ArrayStore(cache / "readable", "remarks", identity)
    work = partial(_each, _decoded)
    found, broken = store.made(files, work, _inspected, workforce, "reading pictures")
    found |= {sha256: Inspected(sha256, reason) for sha256, reason in broken.items()}
    return {
        item.id: found[hashes[item.path]] if item.path in hashes else refused[item.path]
        for item in items
    }


def file_hashes(
    paths: Sequence[Path], name: str, cache: Path, workforce: Workforce, reread: bool = False
) -> tuple[dict[Path, str], dict[Path, Inspected]]:
    """Hash the bytes of files, or recall the hash of those that are as they were.

    A file is as it was if place, size, inode and both of its times are. Files that are no
    pictures by their first bytes are not hashed: a film has gigabytes.

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
    reread : bool
        Hash every file anew.

    Returns
    -------
    hashes : dict of Path to str
        SHA-256 in hex, of files that may be pictures.
    refused : dict of Path to Inspected
        The others.
    """
    states = {path: _state(path) for path in dict.fromkeys(paths)}
    store = ArrayStore(cache / "files", "sha256", module_identity(reading), forget=reread)
    items = {state: path for path, state in states.items()}
    label = f"hashing {name}"
    found, problems = store.made(
        items, partial(_each, _hashed), _hashed_or_not, workforce.here, label, 256
    )
    refused = {items[state]: Inspected("", problem) for state, problem in problems.items()}
    hashes: dict[Path, str] = {}
    for path, state in states.items():
        known = found.get(state)
        if isinstance(known, str):
            hashes[path] = known
        elif known is not None:
            refused[path] = known
    return hashes, refused


def _hashed_or_not(state: str, row: NDArray[np.uint8]) -> str | Inspected:
    """The hash that is stored of a file, or why it has none."""
    return row[:_HASH].tobytes().hex() if row[:_HASH].any() else _inspected("", row[_HASH:])


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


def _hashed(path: Path) -> NDArray[np.generic]:
    """The hash of a file, or why it is no picture."""
    try:
        require_picture(path)
    except (OtherFormatError, NoPictureError) as error:
        return np.concatenate([np.zeros(_HASH, np.uint8), _refusal(error)])
    found = np.frombuffer(bytes.fromhex(content_hash(path)), np.uint8)
    return np.concatenate([found, _text("")])


def _decoded(file: _File) -> NDArray[np.generic]:
    """The hash of a picture's pixels and remarks on it, or why it cannot be read."""
    try:
        found = decode(file.path, file.sha256)
        pixels = hashlib.sha256(str(found.pixels.shape).encode())
        pixels.update(np.ascontiguousarray(found.pixels).data)
        return _text("\n".join([pixels.hexdigest()[:_DIGEST], *found.remarks]))
    except UnopenedError as error:
        raise InputError(f"{file.path}: {error}; it has changed meanwhile, run again") from error
    except UnreadableImageError as error:
        return _refusal(error)


def _refusal(error: UnreadableImageError) -> NDArray[np.uint8]:
    kind = ProblemKind.BROKEN
    if isinstance(error, OtherFormatError):
        kind = ProblemKind.FORMAT
    elif isinstance(error, NoPictureError):
        kind = ProblemKind.PASSED_OVER
    return _text(f"{_REFUSED}{kind.value}{error}")


def _text(text: str) -> NDArray[np.uint8]:
    """A text as an array of `_TEXT` bytes."""
    return np.frombuffer(text.encode()[:_TEXT].ljust(_TEXT, b"\0"), np.uint8)


def _inspected(sha256: str, row: NDArray[np.uint8]) -> Inspected:
    text = row.tobytes().rstrip(b"\0").decode(errors="ignore")
    if text.startswith(_REFUSED):
        return Inspected(sha256, text[2:], ProblemKind(int(text[1])))
    pixels, *remarks = text.splitlines()
    return Inspected(sha256, remarks=tuple(remarks), pixels=pixels)


def _each(
    look: Callable[[A], NDArray[np.generic]], files: Sequence[A]
) -> list[NDArray[np.generic] | UnreadableImageError]:
    made: list[NDArray[np.generic] | UnreadableImageError] = []
    for file in files:
        try:
            made.append(look(file))
        except UnreadableImageError as error:
            made.append(error)
        except MemoryError:
            made.append(UnreadableImageError("takes more memory than there is"))
    return made
