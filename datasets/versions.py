"""Versions and views of one picture among those of a class, by their names."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from datasets.decoding.formats import ENDINGS
from datasets.folder_names import is_by_product, is_distractor, listed
from datasets.task import Problem
from datasets.walk import File, Listing

_NEARLY_ALL = 0.9
_MOST_EDITED = 0.5
"""Share of the things of a class: with the same views, and with one more beside the original."""

_MOST_WORDS = 5
"""Views that each thing of a class may have."""

_LAST_WORD = re.compile(r"(.+?)[-_. ]+([A-Za-z]+)")
"""Name of a picture with a last word that may say which view of a thing it is."""

_BY_PRODUCT = re.compile(
    r"(?:(?:mask|thumb|gt)[-_])?(.+?)(?:[-_. ](?:masks?|thumb(?:nail)?s?|gt|groundtruth|"
    r"seg(?:mentation)?|small|resized|\d+x\d+))?",
    re.IGNORECASE,
)
"""Name of a picture with words for what is made of it around."""

_VERSION = re.compile(
    r"(.+?)(?:[-_. ](?:edited|bearbeitet|orig(?:inal)?|old|bak|backup|scaled|preview|"
    r"crop(?:ped)?|bw|gr[ae]y(?:scale)?|(?:aug(?:mented)?|flip(?:ped)?|mirror(?:ed)?|rot(?:ated)?|blur(?:red)?)"
    r"[-_ ]?\d*)|@\dx| ?\(\d+\)|(?: - |[-_ ])(?:copy|kopie)(?: ?\(?\d+\)?)?|"
    r" \([^)]*conflicted copy[^)]*\)|\.sync-conflict-[-\w]+|~\d*)",
    re.IGNORECASE,
)
"""The same with what people and programs add to versions and copies of one picture."""

_EXPORTED = re.compile(
    r"\.rf\.[0-9a-f]{16,}$|[-_.]BURST\d{1,3}(?:[-_.]COVER)?$|"
    r"\.(?:PORTRAIT|MOTION|NIGHT|RAW)-\d+(?:\.[A-Z]+)?$"
)
"""What Roboflow adds to each copy that it makes of a picture, and phones to each of a series."""

_KEPT_BESIDE = re.compile(r"(?:_original|~|\.(?:bak|orig|old|tmp))$", re.IGNORECASE)
"""What programs add to the name of a file that they replace."""


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
    twins = _twins(kept)
    rows = [*twins, *_views(kept, {row.id for row in twins}), *_again(kept)]
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
            stems[file] = (*file.parts[:-1], stem_of(name))
    there: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for *folders, stem in stems.values():
        there[*folders].add(stem)
    alike: dict[tuple[str, ...], list[File]] = defaultdict(list)
    for file, (*folders, stem) in stems.items():
        alike[*folders, first_of(stem, there[*folders])].append(file)
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


def _views(files: Iterable[File], told: Collection[str]) -> Iterator[Problem]:
    """A row for each class of which nearly each thing is there with the same few last words."""
    stems: dict[str, dict[tuple[str, ...], File]] = defaultdict(dict)
    for file in files:
        if len(file.parts) > 1 and file.is_picture and not is_distractor(file.parts[0]):
            stems[_folder(file, 1)][*file.parts[:-1], stem_of(file.parts[-1])] = file
    for folder, there in stems.items():
        if folder in told:
            continue
        things: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for *above, stem in there:
            match = _LAST_WORD.fullmatch(stem)
            things[*above, match[1] if match else stem].append(match[2] if match else "")
        [(words, count)] = Counter(frozenset(several) for several in things.values()).most_common(
            1
        )
        most = _MOST_EDITED if "" in words else _NEARLY_ALL
        if 2 <= len(words) <= _MOST_WORDS and count > 2 and count >= most * len(things):
            shown = listed(sorted(filter(None, words)))
            yield Problem(
                folder,
                f"{count * len(words):,} pictures are called alike but for their last word "
                f"({shown}); a table with a column group keeps views of one together",
                "kept",
            )


def _again(files: Iterable[File]) -> Iterator[Problem]:
    """A row for each folder in a class whose pictures nearly all have names of the class' own."""
    stems: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for file in files:
        if len(file.parts) > 1 and file.is_picture:
            stems[file.parts[:-1]].add(stem_of(file.parts[-1]))
    for folder, names in stems.items():
        above = stems.get(folder[:1], set())
        if len(folder) > 1 and len(names) > 1 and len(names & above) >= _NEARLY_ALL * len(names):
            yield Problem(
                "/".join(folder),
                f"its pictures are called like {len(names & above):,} of {folder[0]!r}, as "
                "versions of them would be",
                "kept",
            )


def stem_of(name: str) -> str:
    """A picture's name without its ending and without its number in a series."""
    return _EXPORTED.sub("", name.rpartition(".")[0] or name)


def plain(stem: str) -> str:
    """A name without words for what is made of a picture."""
    match = _BY_PRODUCT.fullmatch(stem)
    return match[1] if match else stem


def first_of(name: str, there: Collection[str]) -> str:
    """The name of what a picture or a folder is made of, if that is there; else its own."""
    version = _VERSION.fullmatch(name)
    edited = re.sub(r"^IMG_E(?=\d)", "IMG_", name)  # by an iPhone
    found = (plain(name), version[1] if version else name, edited)
    return next((one for one in found if one != name and one in there), name)
