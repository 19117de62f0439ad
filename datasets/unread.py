"""Files beside class folders that may hold labels, and files in place of pictures."""

from datasets.folder_names import listed
from datasets.table_files import ENDINGS
from datasets.walk import Listing

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
