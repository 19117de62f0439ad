"""Class folders under doubt: parts, views or by-products that could be taken for classes."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from datasets.decoding.formats import ENDINGS
from datasets.folder_names import (
    is_anything,
    is_by_product,
    is_distractor,
    is_no_class,
    sound_like_parts,
    sound_like_views,
)
from datasets.task import Problem
from datasets.walk import File, Listing

_MOST_VIEWS = 6
"""Folders up to which they could be views of the same things."""

_NEARLY_ALL = 0.9

_FEW = 10
"""Files up to which two folders may well hold as many, numbered alike."""

_BY_PRODUCT = re.compile(
    r"(?:(?:mask|thumb|gt)[-_])?(.+?)(?:[-_. ](?:masks?|thumb(?:nail)?s?|gt|groundtruth|"
    r"seg(?:mentation)?|small|resized|\d+x\d+))?",
    re.IGNORECASE,
)
"""Name of a picture with words for what is made of it around."""

_VERSION = re.compile(
    r"(.+?)(?:[-_. ](?:edited|orig(?:inal)?|old|bak|backup|scaled|preview|crop(?:ped)?|bw|"
    r"gr[ae]y(?:scale)?|(?:aug(?:mented)?|flip(?:ped)?|mirror(?:ed)?|rot(?:ated)?|blur(?:red)?)"
    r"[-_ ]?\d*)|@\dx| ?\(\d+\)|(?: - |[-_ ])copy(?: ?\(?\d+\)?)?|"
    r" \([^)]*conflicted copy[^)]*\)|~)",
    re.IGNORECASE,
)
"""The same with what people and programs add to versions and copies of one picture."""

_EXPORTED = re.compile(r"\.rf\.[0-9a-f]{16,}$")
"""What Roboflow adds to each copy that it makes of a picture."""

_KEPT_BESIDE = re.compile(r"(?:_original|~|\.(?:bak|orig|old|tmp))$", re.IGNORECASE)
"""What programs add to the name of a file that they replace."""


def doubts(pictures: Sequence[tuple[str, ...]], unread: str = "") -> tuple[list[str], list[str]]:
    """Tell what speaks against folders as classes.

    Parameters
    ----------
    pictures : sequence of tuple of str
        Names down to each picture below the folder that holds them.
    unread : str
        What else lies there and is not read, in brackets.

    Returns
    -------
    refusals, warnings : list of str
        Reasons why they are hardly classes, and why they may not be.
    """
    inside: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for first, *rest in pictures:
        if rest and not is_distractor(first):
            inside[first].append(tuple(rest))
    names = sorted(inside)
    nested = [name for name in names if _is_nested(inside[name])]
    refusals = []
    if names and nested == names:
        refusals.append(f"{listed(names)} hold folders, not pictures, so classes could be either")
    if general := [name for name in names if is_no_class(name)]:
        refusals.append(f"{listed(general)}: not the name of a class{unread}")
    if parts := sound_like_parts(names):
        refusals.append(f"{listed(parts)} sound like parts, not like classes")
    if views := sound_like_views(names):
        refusals.append(f"{listed(views)} sound like views of the same things")
    if made := {name: of for name in names if (of := _first(name, inside)) != name}:
        originals = [*dict.fromkeys(made.values())]
        refusals.append(f"{listed([*made])} sound like what was made of {listed(originals)}")
    for name in names:
        folders = {rest[0] for rest in inside[name] if len(rest) > 1}
        again = {folder for folder in folders if folder in inside and folder != name}
        if len(again) > 1:
            also = listed(sorted(again))
            refusals.append(f"{name!r} holds folders called like classes beside it ({also})")
    some = nested if nested != names else []
    warnings = [f"class {name!r} holds folders, not pictures" for name in some]
    warnings += [
        f"class {name!r}: if its pictures have nothing in common, call its folder 'distractor'"
        for name in names
        if is_anything(name)
    ]
    if _are_shards(inside):
        warnings.append(
            f"{listed(names)} hold consecutive numbers: portions of one whole rather than classes?"
        )
    what = f"{listed(names)} hold pictures of the same names"
    if (same := _same_names(inside)) == "numbers":
        warnings.append(f"{what}: views of the same things rather than classes?")
    elif same:
        refusals.append(f"{what}, so they could be views of the same things")
    return refusals, warnings


def _is_nested(pictures: Sequence[tuple[str, ...]]) -> bool:
    """Whether nearly all pictures of a folder lie in folders of it; a cover may lie above."""
    return sum(len(rest) > 1 for rest in pictures) > _NEARLY_ALL * len(pictures)


def _are_shards(inside: Mapping[str, Sequence[tuple[str, ...]]]) -> bool:
    """Whether numbered folders hold numbered pictures, those of each after those of the last."""
    names = [*inside, *(_stem(name) for files in inside.values() for *_, name in files)]
    if len(inside) < 2 or not all(name.isdecimal() for name in names):
        return False
    spans = [
        (min(numbers), max(numbers))
        for name in sorted(inside, key=int)
        if (numbers := [int(_stem(file[-1])) for file in inside[name]])
    ]
    return all(before[1] < after[0] for before, after in pairwise(spans))


def _same_names(inside: Mapping[str, Sequence[tuple[str, ...]]]) -> str:
    """Whether folders hold pictures of the same ``names``, or of the same ``numbers``."""
    if not 2 <= len(inside) <= _MOST_VIEWS:
        return ""
    stems = [
        {(*folders, _plain(_stem(name))) for *folders, name in files} for files in inside.values()
    ]
    shared, either = set.intersection(*stems), set.union(*stems)
    if len(shared) < _NEARLY_ALL * len(either) or len(shared) <= len(inside):
        return ""
    if not _are_counted({stem[-1] for stem in shared}):
        return "names"
    return "numbers" if shared == either and len(shared) > _FEW else ""


def _are_counted(stems: Collection[str]) -> bool:
    """Whether nearly all names are one pattern with nearly all combinations of its numbers."""
    patterns = Counter(re.sub(r"\d+", "#", stem) for stem in stems)
    [(pattern, count)] = patterns.most_common(1)
    rows = [
        [int(number) for number in re.findall(r"\d+", stem)]
        for stem in stems
        if re.sub(r"\d+", "#", stem) == pattern
    ]
    expected = 1
    for column in ({*column} for column in zip(*rows, strict=True)):
        steps = [after - before for before, after in pairwise(sorted(column))]
        expected *= 1 + (max(column) - min(column)) // min(steps, default=1)
    return count >= 0.8 * max(len(stems), expected)


def look_inside(listing: Listing) -> tuple[Listing, list[Problem], list[str]]:
    """Look at what lies in class folders: by-products are left out, twins told.

    Parameters
    ----------
    listing : Listing
        Of the folder that holds the class folders.

    Returns
    -------
    listing : Listing
        Without the folders below classes that are called ``thumbs``, ``masks`` and such, unless
        a class has no other pictures.
    problems, warnings : list of Problem, list of str
        What was left out, and pictures that stand twice by their names.
    """
    made = {file: depth for file in listing.files if (depth := _by_product(file))}
    own = {
        file.parts[0] for file in listing.files if made and file not in made and file.is_picture
    }
    left_out = {file: depth for file, depth in made.items() if file.parts[0] in own}
    folders = Counter(_folder(file, depth) for file, depth in left_out.items())
    problems = [
        Problem(folder, "holds no pictures of the class, by its name", f"{n:,} files left out")
        for folder, n in folders.items()
    ]
    warnings = []
    if folders:
        names = sorted({folder.split("/")[-2] for folder in folders})
        warnings.append(f"folders called {listed(names)} in class folders are left out")
    kept = tuple(file for file in listing.files if file not in left_out)
    rows = [*_twins(kept), *_again(kept)]
    warnings += [f"{row.id}: {row.what}" for row in rows[:1]]
    return replace(listing, files=kept), [*problems, *rows], warnings


def _by_product(file: File) -> int:
    """Number of folders down to one that holds by-products; 0 if there is none."""
    first = 1 + is_distractor(file.parts[0])  # distractors may have names one level down
    depths = range(first, len(file.parts) - 1)
    return next((n + 1 for n in depths if is_by_product(file.parts[n])), 0)


def _folder(file: File, depth: int) -> str:
    """Id of a folder on the way to a file."""
    return file.id.removesuffix("/".join(file.parts[depth:]))


def _twins(files: Iterable[File]) -> list[Problem]:
    """A row for each class in which pictures stand twice but for an ending or a word as _mask."""
    stems = {}
    for file in files:
        name = _KEPT_BESIDE.sub("", file.parts[-1])
        if len(file.parts) > 1 and name.rpartition(".")[2].lower() in ENDINGS:
            stems[file] = (*file.parts[:-1], _stem(name))
    there: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for *folders, stem in stems.values():
        there[*folders].add(stem)
    alike: dict[tuple[str, ...], list[File]] = defaultdict(list)
    for file, (*folders, stem) in stems.items():
        alike[*folders, _first(stem, there[*folders])].append(file)
    doubled: dict[str, list[list[File]]] = defaultdict(list)
    for several in alike.values():
        if len(several) > 1:
            doubled[_folder(several[0], 1)].append(several)
    return [
        Problem(
            folder,
            f"{sum(map(len, groups)):,} pictures are called alike but for their ending or a word "
            f"such as _mask, as {listed([file.parts[-1] for file in groups[0]])}; a table with a "
            "column group keeps versions of one together",
            "kept",
        )
        for folder, groups in doubled.items()
    ]


def _again(files: Iterable[File]) -> Iterator[Problem]:
    """A row for each folder in a class whose pictures nearly all have names of the class' own."""
    stems: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for file in files:
        if len(file.parts) > 1 and file.is_picture:
            stems[file.parts[:-1]].add(_stem(file.parts[-1]))
    for folder, names in stems.items():
        above = stems.get(folder[:1], set())
        if len(folder) > 1 and len(names) > 1 and len(names & above) >= _NEARLY_ALL * len(names):
            yield Problem(
                "/".join(folder),
                f"its pictures are called like {len(names & above):,} of {folder[0]!r}, as "
                "versions of them would be",
                "kept",
            )


def _stem(name: str) -> str:
    return _EXPORTED.sub("", name.rpartition(".")[0] or name)


def _plain(stem: str) -> str:
    """A name without words for what is made of a picture."""
    match = _BY_PRODUCT.fullmatch(stem)
    return match[1] if match else stem


def _first(name: str, there: Collection[str]) -> str:
    """The name of what a picture or a folder is made of, if that is there; else its own."""
    version = _VERSION.fullmatch(name)
    edited = re.sub(r"^IMG_E(?=\d)", "IMG_", name)  # by an iPhone
    found = (_plain(name), version[1] if version else name, edited)
    return next((one for one in found if one != name and one in there), name)


def listed(names: Sequence[str], most: int = 4) -> str:
    """Names as a list in words.

    >>> listed(["a", "b", "c"])
    "'a', 'b' and 'c'"
    """
    shown = [repr(name) for name in names[:most]]
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))
