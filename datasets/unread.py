"""Files that nothing reads, as they lie beside what is read: labels, judgements, pictures."""

from collections.abc import Iterator

from datasets.errors import InputError
from datasets.folder_names import is_distractor, listed
from datasets.layout import HELD_OUT, Layout
from datasets.table_files import ENDINGS
from datasets.walk import QRELS, RELEVANCE, Listing

_PACKED = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar", ".zst")
_TABLES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".parquet", ".xlsx", ".mat", ".xml")
"""Endings of files that may hold labels."""


def unread_beside(listing: Listing) -> str:
    """Files that may hold labels, and tables a folder below, in brackets.

    Parameters
    ----------
    listing : Listing
        All files of the folder.
    """
    found = [file for file in listing.loose if file.id.lower().endswith(_TABLES)]
    found += [
        file
        for file in listing.files
        if len(file.parts) == 2 and file.id.lower().endswith((*ENDINGS, ".jsonl"))
    ]
    if not found:
        return _in_place_of_pictures(listing)
    tables = [
        file.path
        for file in found
        if file.id.lower().endswith(ENDINGS) and "submission" not in file.id.lower()
    ]
    remedy = f", or give a table of files and classes, NAME={tables[0]}" if tables else ""
    return f" ({listed([file.id for file in found])} not read: classes are folders{remedy})"


def _in_place_of_pictures(listing: Listing) -> str:
    files = [file for file in listing.files if not file.is_about]
    others = [file.id for file in files]
    if not others or any(file.is_picture for file in listing.files):
        return ""
    packed = [name for name in others if name.lower().endswith(_PACKED)]
    if packed:
        return f" ({listed(packed)}: archives are not opened, unpack them first)"
    remedy = f": {files[0].remedy}".removesuffix(": ")
    return f" (no picture among {len(others):,} files, such as {others[0]!r}{remedy})"


def pictures_beside(listing: Listing, layout: Layout) -> Iterator[str]:
    """Warn of pictures beside the parts; distractors there are refused, since they are meant.

    Parameters
    ----------
    listing : Listing
        All files of the folder.
    layout : Layout
        Its form.

    Yields
    ------
    str
        A warning.

    Raises
    ------
    InputError
        If distractors lie where nothing is searched.
    """
    parts = {part.folder[:1] for part in layout.parts}
    names = {file.parts[0] for file in listing.files if file.is_picture and len(file.parts) > 1}
    left_out = [name for name in sorted(names) if not {(), (name,)} & parts]
    if distractors := list(filter(is_distractor, left_out)):
        [searched, *_] = [p for p in layout.parts if p.role in ("gallery", HELD_OUT)]
        raise InputError(
            f"{listing.root}: {distractors[0]!r} lies beside the parts, where nothing is "
            f"searched; move it into {'/'.join(searched.folder)}/"
        )
    if left_out:
        yield f"pictures in {listed(left_out)} play no part and are left out"


def require_judgements_at_the_top(listing: Listing) -> None:
    """Refuse judgements that nothing would read.

    Parameters
    ----------
    listing : Listing
        All files of the folder.

    Raises
    ------
    InputError
        Naming the file, and where judgements are read.
    """
    for file in listing.files:
        if file.sounds_like_judgements and file.parts not in ((RELEVANCE,), (QRELS,)):
            raise InputError(
                f"{file.path}: judgements are read from {listing.root / RELEVANCE} or {QRELS} "
                "beside it only, their ids relative to that folder; rename, move or remove it"
            )
