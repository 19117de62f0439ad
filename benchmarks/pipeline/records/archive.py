"""Published results: the records of a dataset and their images in one file, ``records.zip``.

Its members are called as the files would be in the dataset's folder, ``images.csv`` and
``records/<query set>/<method>.json``, ``.npz`` and ``.costs.json``, so that unzipping it there
gives a results folder like any other. Rankings are compact, see `retrieval.compact`. A file in
the folder stands for the member of its name, so that a run may add to what was published.

An archive may be a stranger's: it is read in memory, nothing is extracted, only members that this
suite would write are read, and none is larger than it may be.
"""

import io
import re
import stat
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from zipfile import ZIP_LZMA, ZipFile, ZipInfo

from benchmarks.formats.files import write_whole
from datasets.errors import DamagedError, InputError
from datasets.file_names import require_file_name
from datasets.json_files import MAX_BYTES

ARCHIVE = "records.zip"

_MEMBER = re.compile(r"images\.csv|records/([^/]+)/([^/]+?)(\.costs\.json|\.json|\.npz)")
_MOST_BYTES = 512 * 2**20
"""Of an archive, and of all that it holds."""

_PIECE = 4096
"""Bytes that are decompressed at once: few, since nobody knows how many they become."""

_DAMAGED = "damaged: fetch it again, or publish it anew"


class Archive:
    """The members of an archive.

    Parameters
    ----------
    path : Path
        Its file.
    content : bytes
        What is in the file.

    Attributes
    ----------
    names : frozenset of str
        Of the members.

    Raises
    ------
    DamagedError
        If it is no such archive.
    """

    def __init__(self, path: Path, content: bytes) -> None:
        self.path = path
        try:
            self._zip = ZipFile(io.BytesIO(content))
            members = self._zip.infolist()
        except Exception as error:  # whatever damage makes the reader raise
            raise DamagedError(f"{path}: no zip archive ({error}); {_DAMAGED}") from error
        for member in members:
            self._require_plain(member)
        self.names = frozenset(member.filename for member in members)
        if len(self.names) < len(members):
            raise DamagedError(f"{path}: holds two members of one name; {_DAMAGED}")
        if sum(member.file_size for member in members) > _MOST_BYTES:
            raise DamagedError(f"{path}: more than {_MOST_BYTES // 2**20} MiB; {_DAMAGED}")

    def read(self, name: str) -> bytes:
        """The content of a member, which has the length and the CRC that the archive says.

        Raises
        ------
        DamagedError
            If it has not.
        """
        try:
            with self._zip.open(name) as member:
                return b"".join(iter(lambda: member.read(_PIECE), b""))
        except Exception as error:  # whatever damage makes the reader raise
            place = f"{self.path}: {name}"
            raise DamagedError(f"{place} cannot be unpacked ({error}); {_DAMAGED}") from error

    def _require_plain(self, member: ZipInfo) -> None:
        """Refuse a member that this suite would not write."""
        parts = _MEMBER.fullmatch(member.filename)
        kind = stat.S_IFMT(member.external_attr >> 16)
        try:
            if parts is None or kind not in (0, stat.S_IFREG) or member.flag_bits & 1:
                raise InputError("is no record, ranking or list of images")
            for part in parts.groups()[:2]:
                if part is not None:
                    require_file_name(part, "a record", "publish it anew")
            if member.file_size > MAX_BYTES:
                raise InputError(f"is larger than {MAX_BYTES // 2**20} MiB")
        except InputError as error:
            shown = f"{member.filename!r:.80}"
            raise DamagedError(f"{self.path}: {shown} {error}; {_DAMAGED}") from error


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
        raise DamagedError(f"{path}: no zip archive of at most 512 MiB; {_DAMAGED}")
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
        If the archive, or the member, is damaged.
    """
    archive = open_archive(folder)
    if archive is None or name not in archive.names:
        return None
    return Packed(archive.read(name), f"{archive.path}: {name}")


def packed_names(folder: Path, within: str) -> list[str]:
    """Names of the files that the archive of a results folder has for one of its folders."""
    archive = open_archive(folder)
    places = (name.rpartition("/") for name in (archive.names if archive else ()))
    return sorted(name for place, _, name in places if place == within)


def write_archive(folder: Path, members: Mapping[str, bytes]) -> None:
    """Write the archive of a results folder; equal members give equal bytes.

    Parameters
    ----------
    folder : Path
        ``<out>/<dataset>``.
    members : mapping of str to bytes
        Name to content.
    """

    def write(path: Path) -> None:
        with ZipFile(path, "w", ZIP_LZMA) as archive:
            for name in sorted(members):
                member = ZipInfo(name)  # of 1980, whenever it is written
                member.compress_type, member.external_attr = ZIP_LZMA, 0o644 << 16
                archive.writestr(member, members[name])

    write_whole(folder / ARCHIVE, write)
