"""The contract of datasets in the menu: a name, terms, and a way to collect their files."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, TypeVar
from typing import Protocol as Interface

from datasets.errors import InputError
from datasets.file_names import require_file_name
from datasets.layout import Collection
from datasets.protocols import Protocol
from datasets.recognition import read_layout
from datasets.table import read_table
from datasets.table_files import ENDINGS
from datasets.walk import Listing, walk

_LONGEST = 100
"""Bytes of a dataset's name, which becomes part of other names."""

_TAKEN = {
    **dict.fromkeys(("readme.md", "summary.md"), "a page"),
    **dict.fromkeys(("seeds", "approximate", "vocabulary-size"), "a study"),
}
"""Names in a results folder beside the folders of the datasets."""

A = TypeVar("A")
B = TypeVar("B")


def require_dataset_name(name: object, remedy: str) -> None:
    """Refuse a name that a dataset's folder of results cannot have.

    Parameters
    ----------
    name : str
        The name.
    remedy : str
        What to do, to end the message with.

    Raises
    ------
    InputError
        If it is none.
    """
    if not isinstance(name, str):
        raise InputError(f"{name!r} is no name for a dataset, which is text; {remedy}")
    require_file_name(name, "a dataset", remedy, _LONGEST)
    if name.casefold() in _TAKEN:
        what = _TAKEN[name.casefold()]
        raise InputError(f"{name!r} is no name for a dataset: {what} has it; {remedy}")


class Each(Interface):
    """Applies a function to every item, in order; the caller decides how many work at it."""

    def __call__(self, function: Callable[[A], B], items: Sequence[A], label: str) -> Iterator[B]:
        """Give the results in the items' order."""
        ...


def serially(function: Callable[[A], B], items: Sequence[A], label: str) -> Iterator[B]:
    """The plainest `Each`: one after the other."""
    return map(function, items)


class Source(ABC):
    """A named dataset.

    Attributes
    ----------
    name : str
        What the user types.
    summary, licence : str
        One line each, for ``--list`` and for every page that shows the pictures.
    embedded : bool
        True if it makes its own pictures; otherwise the user gives its folder.
    protocols : mapping of str to Protocol
        Query set to the published protocol that it follows, where there is one.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    licence: ClassVar[str]
    embedded: ClassVar[bool] = False
    protocols: ClassVar[Mapping[str, Protocol]] = {}

    @abstractmethod
    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List the dataset's files below `root`.

        Parameters
        ----------
        root : Path
            The user's copy; for an embedded dataset the cache folder that it may write to.
        each : Each
            How to go about many items.

        Raises
        ------
        InputError
            If the folder is not what this dataset looks like.
        """

    def resembles(self, listing: Listing) -> bool:
        """Whether a folder that nobody called by this name is a copy of the dataset."""
        return False


class Folder(Source):
    """Any folder in one of the layout's forms, or a table, under a name of the user's choice.

    Parameters
    ----------
    name : str
        Its name in tables and file names.
    layout : sequence of str
        The form, if the user names it; see `datasets.recognition.by_hand`.
    known : sequence of Source
        Datasets that the folder must not be a copy of: their own rules would be better.
    """

    summary = "your own pictures in the folder layout"
    licence = "the owner's"

    def __init__(
        self, name: str, layout: Sequence[str] = (), known: Sequence[Source] = ()
    ) -> None:
        require_dataset_name(name, "write NAME=PATH with another")
        self.name = name  # type: ignore[misc]
        self.layout = layout
        self.known = known

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List the folder, or the files that the table names."""
        if root.suffix.lower() in ENDINGS and root.is_file():
            if self.layout:
                raise InputError(
                    f"--layout: {root} is a table, which says it itself; leave it out"
                )
            return read_table(root)
        if root.is_file():
            raise InputError(
                f"{root}: neither a folder nor a table ({', '.join(ENDINGS)}); give one of these"
            )
        listing = walk(root)
        _require_no_hub_cache(listing)
        for source in self.known:
            if not self.layout and source.resembles(listing):
                raise InputError(
                    f"{root}: looks like {source.name}, whose classes this would not tell; if it "
                    f"is, write {source.name}={root}, else say its form by --layout"
                )
        return read_layout(listing, self.layout)


def _require_no_hub_cache(listing: Listing) -> None:
    """Refuse a cache of the Hugging Face Hub, which holds every file under two names."""
    folders = {*listing.folders}
    for *above, name in listing.folders:
        beside = {(*above, other) for other in ("blobs", "refs")}
        snapshots = listing.below((*above, name)).names if name == "snapshots" else []
        if beside <= folders and snapshots:
            place = listing.root.joinpath(*above, name, snapshots[-1])
            raise InputError(
                f"{listing.root}: a cache of the Hugging Face Hub, whose blobs/ are the files "
                f"that snapshots/ links to; give {place}"
            )
