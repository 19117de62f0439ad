"""The contract of public sets: a dataset with its facts, and readers of what such sets have."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from datasets.errors import InputError
from datasets.fetching.archive import Archive
from datasets.layout import Collection, Item, classed_items, collection
from datasets.names import canonical
from datasets.source import Source
from datasets.task import Problem
from datasets.walk import File, Listing, walk

_DEEPEST = 4
"""Folders that may lie around a set's own."""


@dataclass(frozen=True)
class About:
    """Facts of a public set.

    Attributes
    ----------
    title : str
        Its name in papers.
    page : str
        Address of its own page, which has the terms.
    reference : str
        The paper, with DOI or address.
    pictures : int
        Number of its pictures that play a part.
    archives : tuple of Archive
        The files that it is made of.
    is_open : bool
        Whether its licence lets everybody use it; other terms have to be accepted.
    by_hand : str
        Reason why it cannot be fetched without more ado, and what to do.
    unverified : str
        Facts that could not be verified, and what is left open.
    """

    title: str
    page: str
    reference: str
    pictures: int
    archives: tuple[Archive, ...] = ()
    is_open: bool = False
    by_hand: str = ""
    unverified: str = ""

    @property
    def size(self) -> int | None:
        """Bytes of all archives, where all are known."""
        sizes = [one.size for one in self.archives]
        return None if None in sizes else sum(size or 0 for size in sizes) or None


class PublicSet(Source):
    """A public set.

    Attributes
    ----------
    about : About
        Its facts.
    signature : tuple of str
        Files by which a folder is known as a copy of the set, whatever it is called.
    """

    about: ClassVar[About]
    signature: ClassVar[tuple[str, ...]] = ()

    def resembles(self, listing: Listing) -> bool:
        """Whether a folder, or one in it, has the files that only this set has."""
        wanted = [tuple(name.split("/")) for name in self.signature]
        return bool(wanted) and all(
            any(file.parts[-len(one) :] == one for file in listing.files if len(file.parts) < 4)
            for one in wanted
        )

    def open(self, root: Path, *markers: str) -> Listing:
        """List the set's folder, wherever below `root` it begins.

        Parameters
        ----------
        root : Path
            The user's copy.
        *markers : str
            Paths of files or folders that it must have; those of `signature` if left out.

        Raises
        ------
        InputError
            If they are nowhere.
        """
        listing = walk(root)
        places = {file.parts for file in listing.files} | set(listing.folders)
        markers = markers or self.signature
        wanted = [tuple(marker.split("/")) for marker in markers]
        first = wanted[0]
        found = sorted(
            (parts[: -len(first)] for parts in places if parts[-len(first) :] == first),
            key=lambda parts: (len(parts), parts),
        )
        for wrapper in found:
            whole = all((*wrapper, *marker) in places for marker in wanted)
            if whole and len(wrapper) <= _DEEPEST:
                for name in wrapper:
                    listing = listing.unwrapped(name)
                return listing
        expected = " and ".join(markers)
        raise InputError(f"{root}: not {self.about.title}; expected {expected} in it")

    def numbered(self, root: Path, pattern: str) -> tuple[Listing, dict[str, int]]:
        """Find the pictures whose names hold a number.

        Parameters
        ----------
        root : Path
            The user's copy.
        pattern : str
            Regular expression of a name without its ending, whose first group is the number.

        Returns
        -------
        listing : Listing
            Of `root`.
        numbers : dict of str to int
            File id to its number.

        Raises
        ------
        InputError
            If there is none, or two have one name.
        """
        listing = walk(root)
        matches = {
            file: match
            for file in listing.files
            if "thumbnails" not in file.parts
            and (match := re.fullmatch(pattern, file.path.stem))
            and file.is_picture
        }
        require_each_once(root, self.about.title, {file: file.path.stem for file in matches})
        numbers = {file.id: int(match[1]) for file, match in matches.items()}
        if not numbers:
            raise InputError(
                f"{root}: not {self.about.title}; expected names like {pattern} of pictures in it"
            )
        return listing, numbers

    def gather(
        self, listing: Listing, entries: Iterable["Entry"], ignored: Sequence[str] = ()
    ) -> Collection:
        """Put the files that a set names into their parts.

        Parameters
        ----------
        listing : Listing
            Of the set's folder.
        entries : iterable of Entry
            Files, and the parts they play.
        ignored : sequence of str
            Folders at the top that are known to play no part.

        Raises
        ------
        InputError
            If none of them is there.
        """
        files = {file.id: file for file in listing.files}
        items, missing = [], []
        for entry in entries:
            file = files.pop(canonical(entry.file), None)
            if file is None:
                missing.append(entry.file)
                continue
            items.append(
                Item(
                    file.id, file.path, entry.part, entry.label, entry.distractor, asks=entry.asks
                )
            )
        if not items:
            raise InputError(f"{listing.root}: not {self.about.title}; its pictures are not there")
        problems = list(listing.problems)
        if missing:
            what = f"{len(missing):,} pictures of the set are not there, such as {missing[0]}"
            problems.append(Problem(self.name, what, "left out"))
        others = [f for f in files.values() if f.is_picture and f.parts[0] not in ignored]
        if others:
            what = f"{len(others):,} pictures play no part in the set, such as {others[0].id}"
            problems.append(Problem(self.name, what, "left out"))
        return collection(listing.root, items, problems)

    def by_domain(self, listing: Listing, parts: Mapping[str, str]) -> Collection:
        """Put pictures in folders of classes, in a folder of each domain, into parts.

        Parameters
        ----------
        listing : Listing
            Of the set's folder.
        parts : mapping of str to str
            Domain to the part of its pictures.
        """
        items: list[Item] = []
        problems = list(listing.problems)
        for domain, part in parts.items():
            found, misplaced = classed_items(listing.inside(domain), part)
            items += found
            problems += misplaced
        return collection(listing.root, items, problems)


class Entry(NamedTuple):
    """A file of a set: its path in the set's folder, and the part that it plays."""

    file: str
    part: str
    label: str | None
    asks: str | None = None
    distractor: str | None = None


def require_each_once(root: Path, title: str, names: Mapping[File, object]) -> None:
    """Refuse a folder in which two pictures have one name of a set, which has it once.

    Parameters
    ----------
    root : Path
        The user's copy.
    title : str
        The set's.
    names : mapping of File to object
        What a file's name says.

    Raises
    ------
    InputError
        If two are called alike.
    """
    seen: dict[object, str] = {}
    for file, name in names.items():
        if (first := seen.setdefault(name, file.id)) != file.id:
            raise InputError(
                f"{root}: not {title}; {first} and {file.id} would be one picture of it; give a "
                "folder with the set alone, or another name by NAME=PATH"
            )


def of_classes(
    listing: Listing, parts: Mapping[str, str], asks: str | None = None, pattern: str = ".+"
) -> list[Entry]:
    """Entries of the files ``FOLDER/<class>/*``.

    Parameters
    ----------
    listing : Listing
        Of the set's folder.
    parts : mapping of str to str
        Folder to the part of its files.
    asks : str, optional
        Query set in which each of them asks.
    pattern : str
        Regular expression of the classes' folders.
    """
    return [
        Entry(file.id, parts[file.parts[0]], file.parts[1], asks)
        for file in listing.files
        if len(file.parts) == 3 and file.parts[0] in parts and re.fullmatch(pattern, file.parts[1])
    ]


def read_rows(path: Path, columns: int, skip: int = 0) -> Iterator[list[str]]:
    """Read a text file of a set: words between blanks, some in every line.

    Parameters
    ----------
    path : Path
        The file.
    columns : int
        Words of a line.
    skip : int
        Lines at its top that are headings.

    Raises
    ------
    InputError
        If it is something else; names the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no UTF-8"
        raise InputError(f"{path}: cannot be read ({reason}); fetch the set anew") from error
    for number, line in islice(enumerate(text.splitlines(), 1), skip, None):
        words = line.split()
        if words and len(words) != columns:
            raise InputError(
                f"{path}: line {number}: {len(words)} words, not {columns}; fetch the set anew"
            )
        if words:
            yield words


def read_matlab(path: Path, *names: str) -> list[Any]:
    """Read variables of a MATLAB file.

    Parameters
    ----------
    path : Path
        The file.
    *names : str
        The variables.

    Raises
    ------
    InputError
        If it is something else, or lacks one.
    """
    from scipy.io import loadmat

    try:
        found = loadmat(path, simplify_cells=True)
        return [found[name] for name in names]
    except Exception as error:  # whatever a damaged file makes its reader raise
        raise InputError(f"{path}: cannot be read ({error}); fetch the set anew") from error


def read_numbers(path: Path, *names: str) -> list[list[int]]:
    """Read rows of whole numbers of a MATLAB file; parameters and errors as of `read_matlab`."""
    rows = read_matlab(path, *names)
    try:
        return [np.ravel(row).astype(np.int64).tolist() for row in rows]
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: holds no numbers ({error}); fetch the set anew") from error
