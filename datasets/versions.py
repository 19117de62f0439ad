"""Versions and views of one picture among those of a class, by their names."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

from datasets.decoding.formats import ENDINGS
from datasets.folder_names import is_by_product, is_distractor, listed
from datasets.task import Problem
from datasets.walk import File, Listing

_NEARLY_ALL = 0.9
_MOST_EDITED = 0.5
"""Share of the things of a class: with the same views, and with one more beside the original."""

_MOST = 0.8
"""Share of the numbers from the first to the last of a series that are there."""

_MOST_WORDS = 5
"""Views that each thing of a class may have."""

_LAST_WORD = re.compile(r"(.+?)[-_. ]+((?:EV[-+])?[^-_. ]+)[-_. ]*")
"""Name of a picture with a last word that may say which view of a thing it is."""

_TWO_NUMBERS = re.compile(r"(.*\d)(\D+)(\d+)")
"""Name of a picture whose last number may count those of a series."""

_FEWEST_OF_SERIES = 4

_DAY = re.compile(r"(?:.*\D)?(?:19|20)\d\d(?:[-_.]?\d\d[-_.]?\d\d)?")
"""What ends in a year or a day, on which pictures of many things may have been taken."""

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
    r"\.rf\.[0-9a-f]{16,}$|[-_.](?i:BURST)\d+(?:[-_.]COVER)?$|"
    r"^\d{5}(?:IMG|PORTRAIT\w*)_\d{5}_(?=BURST)|(?<=BURST\d{17})_COVER$|"
    r"\.(?:PORTRAIT|MOTION|NIGHT|RAW)-\d+(?:\.[A-Z]+)?$|"
    rf"\.(?i:{'|'.join(sorted(ENDINGS))}|pdf|mp4|mov|avi|mkv)[-_ ].+$"
)
"""What Roboflow adds to each copy that it makes of a picture, phones to each of a series, and
others behind the name of the file that they made several of."""

_COPY_OF = re.compile(r"^(?:copy of|kopie von|copie de|copia de) ", re.IGNORECASE)
"""What stores put before the name of a copy."""

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
    """A row for each class whose pictures are nearly all views, or frames, of a few things."""
    stems: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for file in files:
        if len(file.parts) > 1 and file.is_picture and not is_distractor(file.parts[0]):
            stems[_folder(file, 1)].add((*file.parts[:-1], stem_of(file.parts[-1])))
    for folder, there in stems.items():
        what = None if folder in told else _alike_but_last(there) or _in_series(there)
        if what:
            yield Problem(
                folder, f"{what}; a table with a column group keeps those of one together", "kept"
            )


def _alike_but_last(there: Collection[tuple[str, ...]]) -> str | None:
    """Whether nearly each thing is there with the same few last words; tells how many are."""
    split = {name: _last_word(name[-1]) for name in there}
    heads = {(*name[:-1], head) for name, (head, word) in split.items() if word}
    things: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, (head, word) in split.items():
        thing, view = (name, "") if name in heads else ((*name[:-1], head), word)
        things[thing].append(view)
    [(words, count)] = Counter(frozenset(several) for several in things.values()).most_common(1)
    most = _MOST_EDITED if "" in words else _NEARLY_ALL
    if not (2 <= len(words) <= _MOST_WORDS and count > 2 and count >= most * len(things)):
        return None
    shown = listed(sorted(filter(None, words)))
    return f"{count * len(words):,} pictures are called alike but for their last word ({shown})"


def _last_word(stem: str) -> tuple[str, str]:
    match = _LAST_WORD.fullmatch(stem)
    if match is None or (match[2][-1:].isdecimal() and _DAY.fullmatch(match[1])):
        return stem, ""
    return match[1], match[2]


def _in_series(there: Collection[tuple[str, ...]]) -> str | None:
    """Whether nearly all are numbered within series that are numbered; tells how many are."""
    series: dict[tuple[str, ...], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for *folders, stem in there:
        match = _TWO_NUMBERS.fullmatch(stem)
        if match and not _DAY.fullmatch(match[1]):
            pattern = (*folders, re.sub(r"[A-Za-z]*\d[A-Za-z\d]*", "#", match[1]), match[2])
            series[pattern][match[1]].add(int(match[3]))
    long = [
        (head, numbers)
        for heads in series.values()
        if len(heads) > 1
        for head, numbers in heads.items()
        if len(numbers) >= _FEWEST_OF_SERIES and (_are_even(numbers) or _are_counted(heads))
    ]
    total = sum(len(numbers) for _, numbers in long)
    if total < max(1, _NEARLY_ALL * len(there)):
        return None
    return f"{total:,} pictures are of {len(long):,} series, such as {min(long)[0]!r}"


def count_to_last(numbers: Collection[int]) -> int:
    """Number of numbers from the first to the last, in steps as the smallest between two."""
    steps = [after - before for before, after in pairwise(sorted(numbers))]
    return 1 + (max(numbers) - min(numbers)) // min(steps, default=1)


def _are_even(numbers: Collection[int]) -> bool:
    return len(numbers) >= _MOST * count_to_last(numbers)


def _are_counted(heads: Collection[str]) -> bool:
    """Whether names differ in one number, and have nearly all of them."""
    rows = [[*map(int, re.findall(r"\d+", head))] for head in heads]
    varied = [{*column} for column in zip(*rows, strict=True) if len({*column}) > 1]
    return len(varied) == 1 and _are_even(varied[0])


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
    found = (plain(name), version[1] if version else name, edited, _COPY_OF.sub("", name))
    return next((one for one in found if one != name and one in there), name)
