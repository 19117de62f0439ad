"""Wang's Corel-1000: the classic of content-based retrieval, class in the file name."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from datasets.errors import InputError
from datasets.fetching.archive import Archive
from datasets.layout import UNSPLIT, Collection, Item, Layout, collection
from datasets.public.public_set import About, PublicSet, require_each_once
from datasets.source import Each, serially
from datasets.task import Problem
from datasets.walk import File, Listing, walk

# The order of the original archive, whose files are 0.jpg … 999.jpg, a hundred a class.
_CLASSES = (
    *("Africa", "Beach", "Buildings", "Buses", "Dinosaurs"),
    *("Elephants", "Flowers", "Horses", "Mountains", "Food"),
)

_MANY = 100
"""Files from which on a folder is taken for this set by their names."""


class Corel1000(PublicSet):
    """Ten classes of a hundred photographs, 384 x 256.

    Read from ``Africa1.jpg`` … ``Mountains100.jpg`` or from the original ``0.jpg`` …
    ``999.jpg``; split by content.

    References
    ----------
    J. Z. Wang, J. Li, G. Wiederhold (2001), SIMPLIcity: Semantics-sensitive integrated
    matching for picture libraries, IEEE TPAMI 23(9), doi:10.1109/34.955109
    """

    name = "corel1000"
    summary = "10 classes x 100 photographs, class in the file name"
    licence = "Corel photographs, research use; not redistributed here"
    about = About(
        "Wang's Corel-1000",
        "http://wang.ist.psu.edu/docs/related/",
        "Wang, Li and Wiederhold 2001, doi:10.1109/34.955109",
        1_000,
        (Archive("test1.zip", ("http://wang.ist.psu.edu/~jwang/test1.zip",)),),
        unverified="Neither size nor sum was found, nor whether the server is still there. "
        "Protocols vary by paper: this suite splits by content, and --leave-one-out lets every "
        "picture ask all others.",
    )

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List the folder; files whose name tells no class become problems."""
        listing = walk(root)
        self._require_ours(root, [file for file in listing.files if file.is_picture])
        items, problems = [], list(listing.problems)
        for file in listing.files:
            label = _label(file.path.stem)
            if label is not None:
                items.append(Item(file.id, file.path, UNSPLIT, label))
            elif not file.is_about:
                problems.append(Problem(file.id, "file name tells no class", "left out"))
        layout = Layout("own", (), warnings=tuple(_missing([item.path.stem for item in items])))
        return collection(root, items, problems, layout)

    def _require_ours(self, root: Path, files: Sequence[File]) -> None:
        """Refuse other pictures, of which the names would tell wrong classes."""
        classed = {file: label for file in files if (label := _label(file.path.stem))}
        if 2 * len(classed) <= len(files):
            raise InputError(f"{root}: not Corel-1000; expected Africa1.jpg … or 0.jpg … 999.jpg")
        require_each_once(root, "Corel-1000", {file: _read(file.path.stem) for file in classed})
        # Some copies have a folder for each class; others must not be taken for these.
        places = {(file.parts[-2:-1], label) for file, label in classed.items()}
        folders, classes = (len({place[side] for place in places}) for side in (0, 1))
        if folders > 1 and not folders == classes == len(places):
            raise InputError(
                f"{root}: not Corel-1000; its folders are other classes than its names tell; give "
                "it another name by NAME=PATH"
            )

    def resembles(self, listing: Listing) -> bool:
        """Whether nearly all files are called like this set's: ``Africa1.jpg`` or ``0.jpg`` ….

        Many are called by a number alone: only those that have nearly all numbers of the set.
        """
        stems = [file.path.stem for file in listing.loose if file.is_picture]
        ours = [stem for stem in stems if _label(stem) is not None]
        bare = {int(stem) for stem in ours if stem.isdecimal()}
        many = len(ours) - len(bare) > _MANY or len(bare) > 0.9 * self.about.pictures
        return many and len(ours) > 0.9 * len(stems)


def _missing(stems: Sequence[str]) -> Iterator[str]:
    """A warning if the set is not whole."""
    there = {_read(stem) for stem in stems}
    if len(there) < Corel1000.about.pictures:
        yield (
            f"{Corel1000.about.pictures - len(there):,} of {Corel1000.about.pictures:,} pictures "
            "of Corel-1000 are not there"
        )


def _read(stem: str) -> tuple[str, int] | None:
    """Word and number of a name."""
    match = re.fullmatch(r"([A-Za-z]*)(\d{1,4})", stem)
    return (match[1].capitalize(), int(match[2])) if match else None


def _label(stem: str) -> str | None:
    word, number = _read(stem) or ("", 1000)
    if word:
        return word if word in _CLASSES else None
    return _CLASSES[number // 100] if number < 1000 else None
