"""Published results: the records of a dataset and their images in one file, ``records.tar.xz``.

Its members are called as the files would be in the dataset's folder, ``images.csv``,
``records/<query set>/<method>.json``, ``.npz`` and ``.costs.json``, and
``invariance/<method>.npz``, so that unpacking it there gives a results folder like any other.
Rankings are compact, see `retrieval.compact`; what is alike lies together, and is compressed as
one. A file in the folder stands for the member of its name, so that a run may add to what was
published.

An archive may be a stranger's: it is read in memory, nothing is extracted, only members that this
suite would write are read, and it unpacks to no more than it may.
"""

import io
import lzma
import re
import stat
import tarfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from benchmarks.formats.files import write_whole
from datasets.errors import DamagedError, InputError
from datasets.file_names import require_file_name

ARCHIVE = "records.tar.xz"

_FILTERS = [
    {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 2, "lp": 1, "pb": 1}
]
"""Compression for what are mostly numbers of two bytes."""

_MEMBER = re.compile(
    r"images\.csv|(?:records/([^/]+)|invariance)/([^/]+?)(\.costs\.json|\.json|\.npz)"
)

_MOST_BYTES = 512 * 2**20
"""Of an archive, and of all that it holds."""

_MOST_MEMORY = 128 * 2**20
"""For decompressing, which takes 65 MiB of what is written here."""

_DAMAGED = "damaged: fetch it again, or publish it anew"


class Archive:
    """The members of an archive.

    Parameters
    ----------
    path : Path
        Its file, for messages.
    content : bytes
        What is in the file.

    Attributes
    ----------
    members : dict of str to bytes
        Name to content.

    Raises
    ------
    DamagedError
        If it is no such archive.
    """

    def __init__(self, path: Path, content: bytes) -> None:
        self.path = path
        self.members: dict[str, bytes] = {}
        try:
            with tarfile.open(fileobj=io.BytesIO(_decompressed(content)), mode="r:") as archive:
                for member in archive:
                    self._add(member, archive)
        except InputError as error:
            raise DamagedError(f"{path}: {error}; {_DAMAGED}") from error
        except Exception as error:  # whatever damage makes the reader raise
            raise DamagedError(f"{path}: no archive of records ({error}); {_DAMAGED}") from error

    def _add(self, member: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
        """Add a member, unless this suite would not write it."""
        parts, shown = _MEMBER.fullmatch(member.name), f"{member.name!r:.80}"
        file = archive.extractfile(member) if member.type == tarfile.REGTYPE else None
        if parts is None or file is None or member.sparse is not None:
            raise InputError(f"{shown} is no record, ranking or list of images")
        for part in parts.groups()[:2]:
            if part is not None:
                require_file_name(part, f"a record of {shown}", "publish it anew")
        if member.name in self.members:
            raise InputError(f"{shown} stands twice in it")
        self.members[member.name] = file.read()


def _decompressed(content: bytes) -> bytes:
    reader = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY)
    made = reader.decompress(content, _MOST_BYTES + 1)
    if len(made) > _MOST_BYTES:
        raise InputError(f"unpacks to more than {_MOST_BYTES // 2**20} MiB")
    if not reader.eof or reader.unused_data:
        raise InputError("does not end where it should")
    return made


def open_archive(folder: Path) -> Archive | None:
    """Open the archive of a dataset's results folder, or None if there is none.

    Raises
    ------
    DamagedError
        If it is damaged.
    """
    path = folder / ARCHIVE
    try:
        found = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES:
        raise DamagedError(f"{path}: no file of at most {_MOST_BYTES // 2**20} MiB; {_DAMAGED}")
    return _opened(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=2)
def _opened(path: Path, changed: int, size: int) -> Archive:
    return Archive(path, path.read_bytes())


class Packed(NamedTuple):
    """A member of an archive: its content, and where it is, for messages."""

    content: bytes
    place: str


def read_packed(folder: Path, name: str) -> Packed | None:
    """Read what the archive of a results folder has for a file, or None if it has nothing.

    Parameters
    ----------
    folder : Path
        ``<out>/<dataset>``.
    name : str
        Path of the file seen from there, with slashes.

    Raises
    ------
    DamagedError
        If the archive is damaged.
    """
    archive = open_archive(folder)
    if archive is None or name not in archive.members:
        return None
    return Packed(archive.members[name], f"{archive.path}: {name}")


def packed_names(folder: Path, within: str) -> list[str]:
    """Names of the files that the archive of a results folder has for one of its folders."""
    archive = open_archive(folder)
    places = (name.rpartition("/") for name in (archive.members if archive else ()))
    return sorted(name for place, _, name in places if place == within)


def write_archive(folder: Path, members: Mapping[str, bytes]) -> None:
    """Write the archive of a results folder; equal members give equal bytes.

    Parameters
    ----------
    folder : Path
        ``<out>/<dataset>``.
    members : mapping of str to bytes
        Name to content.

    Raises
    ------
    InputError
        If it would be larger than what is read again.
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in sorted(members, key=_place):
            member = tarfile.TarInfo(name)  # of 1970, whenever it is written
            member.size = len(members[name])
            archive.addfile(member, io.BytesIO(members[name]))
    if packed.tell() > _MOST_BYTES:
        raise InputError(
            f"{folder}: its records take more than {_MOST_BYTES // 2**20} MiB; publish a folder "
            "with fewer methods"
        )
    content = lzma.compress(packed.getvalue(), lzma.FORMAT_XZ, filters=_FILTERS)
    write_whole(folder / ARCHIVE, lambda path: path.write_bytes(content))


def _place(name: str) -> tuple[str, str]:
    """Order of a member: beside those of its kind."""
    parts = _MEMBER.fullmatch(name)
    return (parts and parts[3]) or "", name
