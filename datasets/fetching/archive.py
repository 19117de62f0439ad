"""A file that a public set is made of: its addresses, its size and its sums."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Archive:
    """A file to be downloaded.

    Attributes
    ----------
    file : str
        Its name.
    addresses : tuple of str
        Where it is, tried in order; empty if it can only be had by hand.
    size : int or None
        Bytes, where they are known.
    sha256, md5 : str
        Its published sums in hex; empty where none was found.
    into : str
        Folder of the set that it is unpacked into; empty for the set's own.
    inner : tuple of str
        Archives in it that are unpacked as well, into the same folder.
    is_packed : bool
        Whether it is an archive at all; lists are files by themselves.
    """

    file: str
    addresses: tuple[str, ...] = ()
    size: int | None = None
    sha256: str = ""
    md5: str = ""
    into: str = ""
    inner: tuple[str, ...] = ()
    is_packed: bool = True

    @property
    def has_sum(self) -> bool:
        """Whether its content can be checked."""
        return bool(self.sha256 or self.md5)

    def differences(self, path: Path) -> Iterator[str]:
        """Tell in which of the known facts a file differs from this one.

        Parameters
        ----------
        path : Path
            The file.

        Yields
        ------
        str
            A few words for each.
        """
        size = path.stat().st_size
        if self.size is not None and size != self.size:
            yield f"{size:,} bytes, not {self.size:,}"
            return
        for kind, known in (("sha256", self.sha256), ("md5", self.md5)):
            if known and (found := file_sum(path, kind)) != known:
                yield f"{kind} {found}, not {known}"
                return


def file_sum(path: Path, kind: str = "sha256") -> str:
    """Hash the content of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()
