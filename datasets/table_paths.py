"""Files that a table names: where they are, and where they may be if they are not there."""

import glob
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from datasets.decoding.formats import ENDINGS
from datasets.names import ends
from datasets.opening import dangling

_MOST_NAMED = 3


def file_at(root: Path, name: str) -> Path:
    """The file of a name, also where a system wrote it down in another Unicode form."""
    forms = [name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD"))]
    return next((root / form for form in forms if (root / form).exists()), root / name)


def whereabouts(root: Path, name: str) -> str:
    """Suggest the files that may be meant by a name that is not there, to end a message with.

    Parameters
    ----------
    root : Path
        Folder that names are relative to.
    name : str
        As the table writes it.
    """
    if reason := dangling(file_at(root, name)):
        return f"; {reason}"
    near = next(filter(None, (_near(root, end) for end in _ends(root, name))), [])
    return f"; did you mean {' or '.join(map(repr, near[:_MOST_NAMED]))}?" if near else ""


def _ends(root: Path, name: str) -> Iterator[str]:
    """A name, and what it may be below the folder: another system's, or one told from above."""
    below = re.sub(r"^(?:[A-Za-z]:)?/+", "", name)
    yield below
    for end in ends(below):
        if "/" in end or below != name or f"/{below}".endswith(f"/{root.name}/{end}"):
            yield end


def _near(root: Path, name: str) -> list[str]:
    """Files of a name, or of nearly that name, in the folder or in a folder of it."""
    *above, wanted = name.split("/")
    pattern = "/".join(["*", *map(glob.escape, above)])
    folders = [root.joinpath(*above), *sorted(root.glob(pattern))]
    there = [one for folder in folders if folder.is_dir() for one in sorted(folder.iterdir())]
    plain = {wanted.casefold(), unquote(wanted).casefold()}
    found = [one for one in there if one.name == wanted] or [
        one
        for one in there
        if one.suffix[1:].lower() in ENDINGS and plain & {one.name.casefold(), one.stem.casefold()}
    ]
    return [one.relative_to(root).as_posix() for one in found if one.is_file()]
