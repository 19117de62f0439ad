"""Folders in the roles that a user gives them, ``--layout ROLE=FOLDER …``."""

import os
import re
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

from datasets.errors import InputError
from datasets.layout import HELD_OUT, Part
from datasets.names import canonical
from datasets.walk import Listing

ROLES = ("training", "gallery", "query", "query-NAME", "held-out")
"""Roles that a folder can be given by hand."""


def read_roles(listing: Listing, words: Sequence[str], wrappers: tuple[str, ...]) -> list[Part]:
    """Read the folder of each role.

    Parameters
    ----------
    listing : Listing
        All files of the dataset's folder.
    words : sequence of str
        Pairs ``ROLE=FOLDER``, the folder as a path from the dataset's folder on or from here.
    wrappers : tuple of str
        Names down to the one folder that all pictures lie in, from which paths may go on as well.

    Raises
    ------
    InputError
        If one is no such pair, or if a folder is not there, lies elsewhere, or in another's.
    """
    folders: dict[str, tuple[str, ...]] = {}
    for word in words:
        role, folder = _pair(word)
        if role in folders:
            raise InputError(f"--layout {word}: {role} is given twice; give it once")
        folders[role] = _names(listing, folder, word, wrappers)
    if not ({"gallery", "query"} <= folders.keys() or folders.keys() - {"training"} == {HELD_OUT}):
        raise InputError("--layout: name a folder for gallery and query, or one that is held-out")
    places: dict[str, Path] = {}
    for role, names in folders.items():
        inside = listing.below(names)
        if not inside.files:
            raise InputError(
                f"--layout {_word(role)}: no file in {inside.root}; name another folder"
            )
        places[role] = inside.root.resolve()
    for inner, outer in permutations(places, 2):
        if places[outer] in places[inner].parents:
            raise InputError(
                f"--layout {_word(inner)}: {places[inner]} lies in the folder of {_word(outer)}, "
                "so its pictures would play both parts; name folders of which none lies in another"
            )
    return [Part(role, folder, role in ("training", HELD_OUT)) for role, folder in folders.items()]


def _word(role: str) -> str:
    return role.replace(" ", "-")


def _names(listing: Listing, folder: str, word: str, wrappers: tuple[str, ...]) -> tuple[str, ...]:
    """Names down to a folder, which is given from the dataset's folder on or from here."""
    root, given = listing.root.absolute(), Path(folder)
    below = [
        tuple(map(canonical, path.relative_to(base).parts))
        for path in (_plain(root / given), _plain(given.absolute()))
        for base in (_plain(root), root.resolve())
        if path.is_relative_to(base)
    ]
    if not below:
        raise InputError(
            f"--layout {word}: lies outside of {listing.root}, the dataset's folder; name a "
            "folder in it, or as the dataset one that holds both"
        )
    there = {(), *listing.folders}
    places = (*below, *((*wrappers, *names) for names in below))
    names = next((names for names in places if names in there), given.parts)
    while names and (inside := listing.below(names)).names == [names[-1]] and not inside.loose:
        names = (*names, names[-1])  # as programs unpack train.zip into train/train
    return names


def _pair(word: str) -> tuple[str, str]:
    role, equals, folder = word.partition("=")
    known = role in ROLES or re.fullmatch(r"query-[^/]+", role)
    if not (equals and known and folder.strip("/")):
        raise InputError(
            f"--layout {word}: write classes, flat, or ROLE=FOLDER, the role one of "
            f"{', '.join(ROLES)}"
        )
    return HELD_OUT if role == "held-out" else role, folder


def _plain(path: Path) -> Path:
    """A path without detours; links in it stay, for names in a dataset are theirs."""
    return Path(os.path.normpath(path))
