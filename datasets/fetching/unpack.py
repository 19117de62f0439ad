"""Unpacking of archives from elsewhere: every member is looked at, and none leaves the folder."""

import bz2
import gzip
import lzma
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from datasets.errors import InputError

GROWTH = 20
"""Times that the content of an archive may be larger than the archive: pictures hardly shrink."""

ROOM = 100 * 2**20
"""Bytes that any archive may unpack to."""

MOST_MEMBERS = 2_000_000
_DEEPEST = 32
_LONGEST = 255
_PIECE = 2**20
_LARGEST_READ = 64 * 2**20
"""Bytes that a reader of tar files asks for at once: headers are small."""

_PACKERS: dict[bytes, Callable[[Path, str], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
"""First bytes of packed files, and what opens them."""

_SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c"

_DAMAGES = (
    *(tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, lzma.LZMAError),
    *(EOFError, NotImplementedError, UnicodeError),
)


@dataclass(frozen=True)
class _Member:
    """A file in an archive."""

    name: str
    open: Callable[[], Any]


class _RefusedError(ValueError):
    """An archive holds what no honest one does."""


@dataclass
class _Limited:
    """A file that is read up to a number of bytes, and never much at once.

    Attributes
    ----------
    file : file object
        Is read.
    left : int
        Bytes that may still be.
    """

    file: Any
    left: int

    def read(self, size: int = -1) -> bytes:
        """Read some bytes."""
        if not 0 <= size <= _LARGEST_READ:
            raise _RefusedError("it has a header of an unlikely size")
        data: bytes = self.file.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise _RefusedError("it unpacks to far more than it is")
        return data

    def tell(self) -> int:
        """Place in the file."""
        return int(self.file.tell())

    def seek(self, place: int, whence: int = 0) -> int:
        """Go to another place; what lies in between of a packed file is unpacked as well."""
        if whence == 0:
            self.left -= max(0, place - self.tell())
            if self.left < 0:
                raise _RefusedError("it unpacks to far more than it is")
        return int(self.file.seek(place, whence))


def unpack(path: Path, folder: Path, inner: tuple[str, ...] = ()) -> int:
    """Unpack a zip file, or a tar file packed in any way or none.

    Nothing but files and folders is taken: an archive with links, devices, names that lead out
    of the folder or stand twice, or one that grows beyond all measure, is refused as a whole.

    Parameters
    ----------
    path : Path
        The archive; its first bytes tell what it is, not its name.
    folder : Path
        Gets the content; made if it is not there. After an error it holds a part.
    inner : tuple of str
        Archives in it that are unpacked as well, and removed.

    Returns
    -------
    int
        Number of files.

    Raises
    ------
    InputError
        If it is no whole archive, or is refused; names the member.
    """
    return _unpack(path, folder, inner, ROOM + GROWTH * path.stat().st_size)


def _unpack(path: Path, folder: Path, inner: tuple[str, ...], room: int) -> int:
    written = count = 0
    try:
        with _members(path, room) as members:
            for count, member in enumerate(members, 1):
                if count > MOST_MEMBERS:
                    raise _RefusedError(f"it has more than {MOST_MEMBERS:,} files")
                written += _write(member, folder, room - written)
    except _RefusedError as error:
        raise InputError(f"{path}: refused, for {error}; remove it") from error
    except _DAMAGES as error:
        reason = str(error) or type(error).__name__
        raise InputError(f"{path}: no whole archive ({reason}); remove it") from error
    for name in inner:
        packed = folder / name
        if not packed.is_file():
            raise InputError(f"{path}: {name} is not in it, so it is another version; remove it")
        count += _unpack(packed, folder, (), room - written) - 1
        packed.unlink()
    return count


@contextmanager
def _members(path: Path, room: int) -> Iterator[Iterator[_Member]]:
    if zipfile.is_zipfile(path) and not _starts_like_tar(path):
        with zipfile.ZipFile(path) as archive:
            yield _in_zip(archive)
        return
    with path.open("rb") as file:
        if file.read(len(_SEVEN_ZIP)) == _SEVEN_ZIP:
            raise InputError(
                f"{path}: a 7z archive, which is not unpacked here; unpack it with 7-Zip, and "
                "give the folder by --dataset NAME=PATH"
            )
    with _decompressed(path) as content:
        limited: Any = _Limited(content, room + ROOM)
        with tarfile.open(fileobj=limited, mode="r:") as archive:
            yield _in_tar(archive)


def _starts_like_tar(path: Path) -> bool:
    """Whether a file that ends like a zip file is a tar file, whose last member is one."""
    with path.open("rb") as file:
        return file.read(512)[257:262] == b"ustar"


def _decompressed(path: Path) -> Any:
    with path.open("rb") as file:
        head = file.read(6)
    opened = (opener for magic, opener in _PACKERS.items() if head.startswith(magic))
    return next(opened, Path.open)(path, "rb")


def _in_zip(archive: zipfile.ZipFile) -> Iterator[_Member]:
    for info in archive.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _RefusedError(f"{info.filename!r} is a link or a device")
        if info.flag_bits & 1:
            raise _RefusedError(f"{info.filename!r} needs a password")
        if not info.is_dir():
            # The name as it is in the file: zipfile cuts it at a NUL, and turns \ on Windows.
            yield _Member(info.orig_filename, lambda info=info: archive.open(info))  # type: ignore[misc]


def _in_tar(archive: tarfile.TarFile) -> Iterator[_Member]:
    for info in archive:
        if not (info.isreg() or info.isdir()):
            raise _RefusedError(f"{info.name!r} is a link or a device")
        if info.isreg():
            yield _Member(info.name, lambda info=info: archive.extractfile(info))  # type: ignore[misc]
        archive.members = []  # type: ignore[attr-defined]  # or it would remember them all


def _write(member: _Member, folder: Path, room: int) -> int:
    """Write a member below a folder; gives its size."""
    place = folder.joinpath(*_parts(member.name))
    size = 0
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with member.open() as source, place.open("xb") as file:
            while piece := source.read(_PIECE):
                size += len(piece)
                if size > room:
                    raise _RefusedError("it unpacks to far more than it is")
                file.write(piece)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise _RefusedError(f"{member.name!r} stands twice in it") from None
    return size


def _parts(name: str) -> tuple[str, ...]:
    """Folders and name of a member, which must stay below the folder on every system."""
    if re.search(r"[\x00-\x1f\x7f\\]", name) or re.match(r"[A-Za-z]:", name):
        raise _RefusedError(f"{name!r} is no name for a file")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise _RefusedError(f"{name!r} leads out of the folder")
    if not path.parts or len(path.parts) > _DEEPEST or len(max(path.parts, key=len)) > _LONGEST:
        raise _RefusedError(f"{name[:80]!r} is no name for a file")
    return path.parts


def merge(source: Path, target: Path) -> None:
    """Move a folder's files into another, in place of files that have their names.

    Parameters
    ----------
    source : Path
        The folder; it is empty, or gone, afterwards.
    target : Path
        The other, on the same disk.
    """
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
        return
    for entry in list(source.iterdir()):
        if entry.is_dir():
            merge(entry, target / entry.name)
        else:
            entry.replace(target / entry.name)
    shutil.rmtree(source, ignore_errors=True)
