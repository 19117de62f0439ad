"""A set fetched whole: all of its archives, unpacked beside each other, or nothing."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from datasets.errors import InputError
from datasets.fetching.archive import Archive, file_sum
from datasets.fetching.download import bytes_there, download
from datasets.fetching.progress import Reporter, megabytes
from datasets.fetching.unpack import merge, unpack
from datasets.json_files import read_json_as
from datasets.locks import lock

_SPACE = 2.2
"""Times the size of the archives that a set needs while it is unpacked."""

Receipt = dict[str, str | int | bool]
"""What was noted of an archive."""


class _Noted(msgspec.Struct):
    """Content of ``NAME.fetched.json``."""

    fetched: str
    archives: dict[str, Receipt]


def fetch(
    name: str, archives: Sequence[Archive], to: Path, reporter: Reporter, keep: bool = False
) -> Path:
    """Fetch a set into a folder of its own, which appears when all of it is there.

    Work that was interrupted is gone on with. Beside the folder, ``NAME.fetched.json`` notes the
    sums of all archives: one without a published sum has to be the same the next time.

    Parameters
    ----------
    name : str
        The set's name, and its folder's.
    archives : sequence of Archive
        Files that it is made of.
    to : Path
        The folder that gets it.
    reporter : Reporter
        Shows how far it is.
    keep : bool
        Keep the archives, in ``NAME.archives``.

    Returns
    -------
    Path
        The set's folder.

    Raises
    ------
    InputError
        If it is there already, is being fetched, has no room, cannot be had or is damaged.
    """
    root, work, noted = to / name, to / f".{name}.fetching", to / f"{name}.fetched.json"
    require_new(root)
    work.mkdir(parents=True, exist_ok=True)
    try:
        held = lock(work / "lock", create=True)
    except BlockingIOError as error:
        raise InputError(f"{work}: {name} is being fetched by another process") from error
    with held:
        archives = _pinned(archives, noted, reporter)
        receipts = {one.file: _taken(one, archives, work, reporter, keep) for one in archives}
        (work / "whole").replace(root)
        fetched = datetime.now(UTC).date().isoformat()
        text = json.dumps({"fetched": fetched, "archives": receipts}, indent=1)
        noted.write_text(f"{text}\n", encoding="utf-8")
        if keep:
            merge(work / "archives", to / f"{name}.archives")
    shutil.rmtree(work, ignore_errors=True)
    return root


def require_new(root: Path) -> None:
    """Refuse to fetch a set into a folder that is there.

    Raises
    ------
    InputError
        If it is.
    """
    if root.exists():
        raise InputError(f"{root}: is there already; remove it, or fetch --to another folder")


def _pinned(archives: Sequence[Archive], noted: Path, reporter: Reporter) -> list[Archive]:
    """The archives, those without a published sum with the one of the first time."""
    first = read_json_as(noted, _Noted, "remove it")
    if first is None:
        return list(archives)
    reporter.log(f"archives have to be those of {first.fetched}; remove {noted} to take others")
    known = {file: str(receipt["sha256"]) for file, receipt in first.archives.items()}
    return [
        one if one.has_sum else replace(one, sha256=known.get(one.file, "")) for one in archives
    ]


def _taken(
    archive: Archive, archives: Sequence[Archive], work: Path, reporter: Reporter, keep: bool
) -> Receipt:
    """Download and unpack an archive, unless an earlier attempt did."""
    note = work / f"{archive.file}.taken.json"
    known = read_json_as(note, Receipt, "remove it")
    if known is not None:
        return known
    _require_room(archives, work)
    path = download(archive, work, reporter)
    reporter.log(f"unpacking {archive.file}" if archive.is_packed else f"got {archive.file}")
    fresh = work / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    if archive.is_packed:
        files = unpack(path, fresh, archive.inner)
    else:
        files = 1
        shutil.copyfile(path, fresh / archive.file)
    made: Receipt = {
        "size": path.stat().st_size,
        "sha256": archive.sha256 or file_sum(path),
        "checked": archive.has_sum,
        "files": files,
    }
    merge(fresh, work / "whole" / archive.into)
    if keep:
        (work / "archives").mkdir(exist_ok=True)
        path.replace(work / "archives" / archive.file)
    # Noted before it is removed: an interrupt in between costs nothing but a file.
    half = note.with_suffix(".half")
    half.write_text(json.dumps(made), encoding="utf-8")
    half.replace(note)
    path.unlink(missing_ok=True)
    return made


def _require_room(archives: Sequence[Archive], work: Path) -> None:
    todo = [one for one in archives if not (work / f"{one.file}.taken.json").exists()]
    needed = _SPACE * sum(one.size or 0 for one in todo)
    there = sum(bytes_there(work / f"{one.file}.part") for one in todo)
    free = shutil.disk_usage(work).free
    if free < needed - there:
        raise InputError(
            f"{work.parent}: {megabytes(free)} are free, about {megabytes(int(needed - there))} "
            "are needed; make room, or fetch --to another disk"
        )
