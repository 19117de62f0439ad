"""The one folder layout: which files a dataset has, and what part each one plays.

::

    <root>/training/<class>/*              the only images that fit() may see
    <root>/validation/gallery/<class>/*    `distractor/` holds distractors,
                                           `distractor/<name>/` keeps their class's name
    <root>/validation/query/<class>/*      the main query set
    <root>/validation/query-<name>/<class>/*   further query sets on the same gallery
    <root>/gallery/*  <root>/query/*       flat and unlabelled: the challenge
    <root>/<class>/*                       classes only: split by content
    <root>/relevance.json                  optional judgements, see `datasets.relevance`
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from datasets.errors import InputError
from datasets.task import Problem

DISTRACTOR = "distractor"
UNSPLIT = ""
"""Part of an image whose part is not yet decided: `datasets.split` deals these out."""


@dataclass(frozen=True)
class Item:
    """A file that has a place in the layout, not yet known to be a readable picture."""

    id: str
    path: Path
    part: str
    label: str | None = None
    distractor: str | None = None


@dataclass(frozen=True)
class Collection:
    """Content of a folder: items in order of id, and files that have no place in it."""

    root: Path
    items: Sequence[Item]
    problems: Sequence[Problem] = field(default=())


def read_layout(root: Path) -> Collection:
    """List a folder in any of the layout's forms.

    Raises
    ------
    InputError
        If the folder is missing, empty, or in none of the forms.
    """
    require_folder(root)
    if (root / "validation").is_dir():
        return _parted(root)
    if (root / "gallery").is_dir() and (root / "query").is_dir():
        return _flat(root)
    if (root / "training").is_dir():
        raise InputError(
            f"{root}: 'training' stands without 'validation'; "
            "add validation/gallery/<class> and validation/query/<class>"
        )
    return _classes_only(root)


def require_folder(root: Path) -> None:
    """Raise one clear `InputError` unless `root` is a readable folder with something in it."""
    try:
        if next(root.iterdir(), None) is None:
            raise InputError(f"{root}: the folder is empty; put pictures in <class>/ folders")
    except FileNotFoundError:
        raise InputError(f"{root}: no such folder; give the dataset's root folder") from None
    except NotADirectoryError:
        raise InputError(f"{root}: not a folder; give the dataset's root folder") from None
    except PermissionError:
        raise InputError(f"{root}: no permission to read this folder") from None


def image_id(path: Path, root: Path) -> str:
    """POSIX path relative to the root; bytes that are no UTF-8 are written as escapes."""
    relative = path.relative_to(root).as_posix()
    return os.fsencode(relative).decode("utf-8", "backslashreplace")


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder, at any depth, in order; links are followed, loops are not."""
    seen: set[Path] = set()
    for current, folders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        real = Path(current).resolve()
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        for name in sorted(names):
            yield Path(current, name)


def _refuse(error: OSError) -> None:
    """Stop where a folder cannot be listed, rather than drop what is in it."""
    raise InputError(
        f"{error.filename}: cannot be listed ({error.strerror}); mend its permissions"
    )


def classed_items(folder: Path, root: Path, part: str) -> tuple[list[Item], list[Problem]]:
    """Items of ``<folder>/<class>/*``, with ``distractor[/<name>]`` understood."""
    items, problems = [], []
    for path in files_below(folder):
        name = image_id(path, root)
        inner = image_id(path, folder).split("/")
        if len(inner) == 1:
            problems.append(Problem(name, "lies in no class folder", "left out"))
        elif inner[0] == DISTRACTOR:
            kind = inner[1] if len(inner) > 2 else ""
            items.append(Item(name, path, part, distractor=kind))
        else:
            items.append(Item(name, path, part, label=inner[0]))
    return items, problems


def _parted(root: Path) -> Collection:
    validation = root / "validation"
    parts = {}
    for folder in sorted(validation.iterdir()):
        if folder.name in ("gallery", "query") or folder.name.startswith("query-"):
            parts[folder.name] = folder
        elif folder.is_dir():
            raise InputError(
                f"{folder}: unknown part; validation/ holds 'gallery', 'query' and 'query-<name>'"
            )
    for needed in ("gallery", "query"):
        if needed not in parts:
            raise InputError(f"{root}: validation/{needed} is missing; add it with class folders")
    if (root / "training").is_dir():
        parts["training"] = root / "training"
    items: list[Item] = []
    problems: list[Problem] = []
    for part, folder in parts.items():
        found, misplaced = classed_items(folder, root, part)
        items += found
        problems += misplaced
    return collection(root, items, problems)


def _flat(root: Path) -> Collection:
    items = []
    for part in ("gallery", "query"):
        for path in files_below(root / part):
            items.append(Item(image_id(path, root), path, part))
    problems: list[Problem] = []
    if (root / "training").is_dir():
        found, problems = classed_items(root / "training", root, "training")
        items += found
    return collection(root, items, problems)


def _classes_only(root: Path) -> Collection:
    items, problems = classed_items(root, root, UNSPLIT)
    problems = [problem for problem in problems if problem.id != "relevance.json"]
    items = [
        item
        if item.distractor is None
        else Item(item.id, item.path, "gallery", None, item.distractor)
        for item in items
    ]
    if not items:
        raise InputError(
            f"{root}: no class folders in it; put the pictures in <class>/ folders, "
            "or in gallery/ and query/ if they have no classes"
        )
    return collection(root, items, problems)


def collection(root: Path, items: Sequence[Item], problems: Sequence[Problem]) -> Collection:
    """A collection in order of id."""
    return Collection(
        root,
        sorted(items, key=lambda item: item.id),
        sorted(problems, key=lambda problem: problem.id),
    )
