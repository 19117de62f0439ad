"""Files that a table names: where they are, and where they may be if they are not there."""

import glob
import unicodedata
from pathlib import Path
from urllib.parse import unquote

from datasets.opening import dangling


def file_at(root: Path, name: str) -> Path:
    """The file of a name, also where a system wrote it down in another Unicode form."""
    forms = [name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD"))]
    return next((root / form for form in forms if (root / form).exists()), root / name)


def whereabouts(root: Path, name: str) -> str:
    """Suggest the file that is meant by a name that is not there, to end a message with.

    Parameters
    ----------
    root : Path
        Folder that names are relative to.
    name : str
        As the table writes it.
    """
    below = name.lstrip("/")
    places = [root / below, *sorted(root.glob(f"*/{glob.escape(below)}"))] if below else []
    near = (one.relative_to(root).as_posix() for one in places if one.exists())
    elsewhere = next((f"; did you mean {one!r}?" for one in near), "")
    return elsewhere or _near_name(file_at(root, name))


def _near_name(path: Path) -> str:
    """Whether it is a link, or the file that is called so but for its case or ending, if any."""
    if reason := dangling(path):
        return f"; {reason}"
    wanted = path.name.casefold()
    there = sorted(one.name for one in path.parent.glob("*"))
    plain = {wanted, unquote(wanted)}
    near = (one for one in there if plain & {one.casefold(), Path(one).stem.casefold()})
    return next((f"; did you mean {one!r}?" for one in near), "")
