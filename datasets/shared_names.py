"""Names of pictures that tell what their folders are: shards, views, or several at once."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from math import gcd
from pathlib import Path

from datasets.versions import count_to_last, first_of, plain, stem_of

Inside = Mapping[str, Sequence[tuple[str, ...]]]
"""Folder to the names down to each picture in it."""

_MOST_VIEWS = 6
"""Folders up to which they could be views of the same things if names are but numbers."""

_MOST_PLACES = 3
"""Folders in which a name may stand that tells something about them."""

_NEARLY_ALL = 0.9
_MOST = 0.8

_FEW = 10
"""Files up to which two folders may well hold as many, numbered alike."""

_RARELY = 10
"""Numbers from the first to the last for each that is there, below which they count pictures."""

_ENOUGH = 6
"""Files whose names tell that they are those of other folders."""

_HASH = re.compile(r"[0-9a-f]{6,}", re.IGNORECASE)
_LONG_HASH = 11
"""Digits of what is hardly a word or number, and may differ in length."""

_BY_CAMERA = re.compile(
    r"(?:IMG|_?DSC[NF]?|_MG|PXL|P|MVI|VID|DJI|SAM|GOPR|WP|Screenshot)[-_]?\d{3,}.*|"
    r"(?:19|20)\d{6}[-_ ]?\d{6}.*",
    re.IGNORECASE,
)
"""Names that cameras and phones give."""

_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01])")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_MONTH = re.compile(r"0?[1-9]|1[0-2]")
_MONTH_OR_DAY = re.compile(r"[1-9]\d{3}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])?")
"""Folders of cameras that are called after the day, ``10040512``, and months, ``202305``."""


def are_portions(inside: Inside) -> bool:
    """Whether numbered folders hold numbered pictures, those of each after those of the last."""
    names = [*inside, *_stems(inside)]
    if len(inside) < 2 or not all(name.isdecimal() for name in names):
        return False
    spans = [
        (min(numbers), max(numbers))
        for name in sorted(inside, key=int)
        if (numbers := [int(stem_of(file[-1])) for file in inside[name]])
    ]
    return all(before[1] < after[0] for before, after in pairwise(spans))


def are_shards(inside: Inside) -> bool:
    """Whether folders are called like an end or a remainder of what their pictures are called.

    That is a hash, a number or a word; ``A/A1`` and ``07/0712`` are rather named after the class.
    """
    if len(inside) < 2 or len({*map(len, inside)}) > 1 or len(next(iter(inside))) > 4:
        return False
    pairs = [(name, _id_in(file[-1])) for name, files in inside.items() for file in files]
    stems = {stem for _, stem in pairs}
    most = _NEARLY_ALL * len(pairs)
    if all(name.isalpha() and len(name) == 1 for name in inside):
        return sum(_is_initial(*pair) for pair in pairs) >= most and _are_words(stems)
    [(length, of_one_length)] = Counter(map(len, stems)).most_common(1)
    lengths = {length} if of_one_length >= _NEARLY_ALL * len(stems) else set()
    hashes = [
        stem
        for stem in stems
        if _HASH.fullmatch(stem) and (len(stem) in lengths or len(stem) >= _LONG_HASH)
    ]
    if len(hashes) >= _NEARLY_ALL * len(stems) and (
        any(re.search("[a-f]", stem, re.IGNORECASE) for stem in hashes)
    ):
        ends = sum(
            stem.lower().startswith(name.lower()) or stem.lower().endswith(name.lower())
            for name, stem in pairs
        )
        return ends >= most
    if not all(name.isdecimal() for name in (*inside, *stems)):
        return False
    modulus = gcd(*(int(stem) - int(name) for name, stem in pairs))
    return modulus > max(map(int, inside)) and len(pairs) > _FEW


def _id_in(name: str) -> str:
    """First part of a picture's name; of a number without the letters before it."""
    first = re.split("[-_]", stem_of(name))[0]
    return re.sub(r"^[A-Za-z]+(?=\d+$)", "", first)


def _is_initial(name: str, stem: str) -> bool:
    return stem[:1].lower() == name.lower() and stem[1:2].isalpha()


def _are_words(stems: Collection[str]) -> bool:
    """Whether names are of many words, not of one for each letter."""
    words = {re.sub(r"[\W\d_].*", "", stem).lower() for stem in stems}
    return len(words) > 1.5 * len({word[:1] for word in words})


def times(inside: Inside, above: str) -> str:
    """Tell whether folders hold the pictures ``taken`` in a year or month, or ``maybe`` do.

    Parameters
    ----------
    inside : mapping of str to sequence of tuple of str
        Folder to the names down to each picture in it.
    above : str
        Name of the folder that holds them; it may be the year of months.
    """
    if len(inside) < 2:
        return ""
    patterns = {name: _YEAR.sub("#", name, count=1) for name in inside if _YEAR.search(name)}
    [(pattern, number), *_] = Counter(patterns.values()).most_common(1) or [("", 0)]
    are_years = number > 1 and 2 * number >= len(inside)
    if are_years:  # beside albums, where a store of photographs keeps copies
        inside = {name: files for name, files in inside.items() if patterns.get(name) == pattern}
    are_months = all(map(_MONTH.fullmatch, inside))
    stems = _stems(inside)
    by_camera = sum(_BY_CAMERA.fullmatch(stem) is not None for stem in stems)
    are_by_camera = by_camera >= _NEARLY_ALL * len(stems)
    if all(map(_MONTH_OR_DAY.fullmatch, inside)):
        return "taken" if are_by_camera else ""
    if not (are_years or are_months):
        return ""
    taken = sum(
        _is_taken_in(name, stem_of(file[-1]), are_years)
        for name, files in inside.items()
        for file in files
    )
    if taken >= _NEARLY_ALL * len(stems):
        return "taken"
    is_told = are_years or _YEAR.fullmatch(above)
    return "maybe" if is_told and are_by_camera else ""


def _is_taken_in(folder: str, stem: str, is_year: bool) -> bool:
    day = _DAY.search(stem)
    if day is None:
        return False
    return day[1] in folder if is_year else int(day[2]) == int(folder)


def same_names(inside: Inside) -> str:
    """Whether folders hold pictures of the same ``names``, or of names as good as ``numbers``."""
    if len(inside) < 2:
        return ""
    shared, either = _shared(inside)
    if len(shared) < _NEARLY_ALL * len(either) or len(shared) <= len(inside):
        return ""
    names = {stem[-1] for stem in shared}
    if not _are_counted(names):
        # Many things may each have been photographed from the front, the back and so on.
        is_wide = len(inside) > _MOST_VIEWS
        return "numbers" if is_wide and all(name.isalpha() for name in names) else "names"
    if len(inside) > _MOST_VIEWS or shared != either or len(shared) <= _FEW:
        return ""
    return "" if _are_numbered_each(names) and not _are_numbered(inside) else "numbers"


def _shared(inside: Inside) -> tuple[set[tuple[str, ...]], set[tuple[str, ...]]]:
    """Names that all folders have, and names that any has, up to where they differ too much."""
    shared: set[tuple[str, ...]] = set()
    either: set[tuple[str, ...]] = set()
    for files in inside.values():
        stems = {stem_of(file[-1]) for file in files}
        names = {(*folders, first_of(plain(stem_of(name)), stems)) for *folders, name in files}
        shared = shared & names if either else names
        either |= names
        if len(shared) < _NEARLY_ALL * len(either):
            break
    return shared, either


def _patterns(stems: Collection[str]) -> dict[str, list[list[int]]]:
    """Names without their numbers, to the numbers of each name that is one of them."""
    rows: dict[str, list[list[int]]] = defaultdict(list)
    for stem in stems:
        rows[re.sub(r"\d+", "#", stem)].append([*map(int, re.findall(r"\d+", stem))])
    return rows


def _are_counted(stems: Collection[str]) -> bool:
    """Whether nearly all names are of patterns with nearly all combinations of their numbers."""
    counted = 0
    for rows in _patterns(stems).values():
        expected = 1
        for column in ({*column} for column in zip(*rows, strict=True)):
            expected *= count_to_last(column)
        counted += len(rows) if len(rows) > 2 and len(rows) >= _MOST * expected else 0
    return counted >= _MOST * len(stems)


def _are_numbered_each(stems: Collection[str]) -> bool:
    """Whether names are one pattern with numbers from 0 or 1 on, as scrapers count them.

    Of several numbers some may stand still, as that of a document of one page.
    """
    [rows, *others] = _patterns(stems).values()
    if others:
        return False
    columns = [sorted({*column}) for column in zip(*rows, strict=True)]
    return all(
        len(column) == 1 or column in ([*range(len(column))], [*range(1, len(column) + 1)])
        for column in columns
    )


def _are_numbered(names: Collection[str]) -> bool:
    """Whether folders are called alike but for a number or are letters: ``cam1``, ``A``."""
    patterns = {re.sub(r"\d+", "#", name) for name in names}
    return (patterns not in ({"#"}, {*names}) and len(patterns) == 1) or all(
        len(name) == 1 and name.isalpha() for name in names
    )


def gathered(inside: Inside) -> Iterator[tuple[str, list[str]]]:
    """Folders of which nearly all pictures are called like those of others, and the others."""
    stems = {name: {stem_of(file[-1]) for file in files} for name, files in inside.items()}
    places: dict[str, list[str]] = defaultdict(list)
    for name, there in stems.items():
        for stem in there:
            places[stem].append(name)
    for name, there in stems.items():
        own = [places[stem] for stem in there if len(places[stem]) <= _MOST_PLACES]
        again = Counter(other for several in own for other in several if other != name)
        others = [other for other, count in again.items() if count > 1]
        found = {stem for other in others for stem in there & stems[other]}
        if len(others) < 2 or len(there) < _ENOUGH or len(found) < _NEARLY_ALL * len(there):
            continue
        whole = set.union(*(stems[other] for other in others))
        apart = sum(len(places[stem]) == 2 for stem in found)
        is_whole = min(len(found), apart) >= _NEARLY_ALL * len(whole)
        # Pictures that every class counts anew are called alike by chance.
        if is_whole or not (_are_counted(there) or _are_counted(whole)):
            yield name, sorted(others)


def versions_among(
    asked: Mapping[str, Mapping[str, Path]], there: Mapping[str, Mapping[str, Path]]
) -> list[tuple[str, str]]:
    """Names of pictures that are called like versions of others of their class, or like others.

    Parameters
    ----------
    asked, there : mapping of str to mapping of str to Path
        Class to its pictures by their names, in one part and in another.

    Returns
    -------
    list of tuple of str
        A name in the first part, and one in the other.
    """
    return [
        (name, other)
        for label in asked.keys() & there.keys()
        for name, other in _versions_in_class(asked[label], there[label])
        if name != other or _size(asked[label][name]) != _size(there[label][other])
    ]


def _size(path: Path) -> int:
    """Bytes of a file; copies are told by their bytes, not by their names."""
    return path.stat().st_size if path.exists() else 0


def _versions_in_class(
    asked: Collection[str], there: Collection[str]
) -> Iterator[tuple[str, str]]:
    own = {stem_of(name) for name in asked}
    others = {stem_of(name): name for name in sorted(there)}
    whole = {name.rpartition(".")[0]: name for name in there}
    made = {first_of(stem, others): name for stem, name in others.items()}
    made |= {first_of(stem, own): name for stem, name in others.items() if stem not in own}
    numbers = [int(found[-1]) for stem in others if (found := re.findall(r"\d+", stem))]
    is_counted = bool(numbers) and _RARELY * len(numbers) > max(numbers) - min(numbers)
    for name in sorted(asked):
        stem = stem_of(name)
        same = whole.get(name.rpartition(".")[0])
        if same:
            # Many things may each have been photographed from the front.
            if not is_counted and (numbers or same.lower() != name.lower()):
                yield name, same
        elif stem in others:
            yield name, others[stem]
        elif first_of(stem, own) == stem and (other := made.get(first_of(stem, others))):
            yield name, other


def _stems(inside: Inside) -> list[str]:
    return [stem_of(file[-1]) for files in inside.values() for file in files]
