"""Labels and groups in a table: several in a cell, words for none, words that are hardly names."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from reprlib import Repr

from datasets.errors import InputError
from datasets.folder_names import (
    is_anything,
    is_distractor,
    joined,
    role_of,
    sound_like_parts,
    words_in,
)
from datasets.layout import Item, groups_in_words
from datasets.names import canonical, near_misses

_SEPARATOR = "|"
"""Stands between the labels of a picture."""

_MISSING = {
    *("nan", "-nan", "<na>", "n/a", "n.a.", "n.a", "#n/a", "not available", "null", "nil", "\\n"),
    *("undefined", "tbd", "todo"),
}
_MISSING_AS_WRITTEN = {"NA", "NaT", "None"}
"""Words that programs write into cells without a value; they could be names as well."""

_MAY_BE_MISSING = "may be a missing value; leave the cell empty, or choose another name"

_BELOW = re.compile(r"-(?:1|9{2,})(?:\.0*)?")
_WHOLE = re.compile(r"([0-9]+)(?:\.0*)?")
"""Numbers of which one stands for a class that is not told, and those of classes beside it."""

_BROKEN = re.compile(r"#[A-Z0-9/]+[?!]")
_ROUNDED = re.compile(r"-?\d[.,]\d+E\+\d+")
"""Errors of a spreadsheet, such as #REF!, and long numbers of which it keeps a few digits."""

_LIST = re.compile(
    r"""[\[{(](?:\s*|\s*['"].*|.*,.*)[\])}]|[\[{][-+.\d\s]+[\]}]""",
    re.DOTALL,
)
"""Lists as Python, NumPy and JSON write them: ['a', 'b'], ('a',), {1, 2}, [1 2], []."""

_NEARLY_ALL = 0.9

_SHORT = Repr()
_SHORT.maxstring = 100
shown = _SHORT.repr
"""A cell as text, cut where it is long."""

Labelled = tuple[int, Sequence[str]]
"""A line of the table, and the labels in it."""


def word_of(value: object) -> str:
    """A cell's word in composed Unicode; none where a data frame says so by NaN."""
    # What is not equal to itself is NaN.
    return "" if value is None or value != value else canonical(str(value).strip())


def labels_of(value: object) -> list[str]:
    """The words of a cell of labels."""
    several = map(word_of, value) if isinstance(value, list) else word_of(value).split(_SEPARATOR)
    return [word for word in map(str.strip, several) if word]  # Parquet has lists


def require_told(place: str, cell: Mapping[str, object]) -> None:
    """Refuse words of which nobody knows whether they are a name, and lists that are none here.

    Parameters
    ----------
    place : str
        The table and its line, for the message to begin with.
    cell : mapping of str to object
        Column to the line's cell.

    Raises
    ------
    InputError
        Naming the word.
    """
    for column in cell.keys() & {"label", "group"}:
        for word in labels_of(cell[column]):
            if word.lower() in _MISSING or word in _MISSING_AS_WRITTEN:
                raise InputError(f"{place}: {shown(word)} as {column} {_MAY_BE_MISSING}")
            if _BROKEN.fullmatch(word):
                raise InputError(
                    f"{place}: {shown(word)} as {column} is an error of a spreadsheet; mend the "
                    "cell"
                )
            if _ROUNDED.fullmatch(word):
                raise InputError(
                    f"{place}: {shown(word)} as {column} is a number that a spreadsheet has "
                    "rounded; save the column as text, with all digits"
                )
            if column == "label" and _LIST.fullmatch(word):
                raise InputError(
                    f"{place}: {shown(word)} looks like a list; write labels with {_SEPARATOR} "
                    f"between them: a{_SEPARATOR}b"
                )


def doubts_about_labels(path: Path, rows: Sequence[Labelled]) -> list[str]:
    """Warnings about labels that are hardly the names of classes.

    Parameters
    ----------
    path : Path
        The table, for the message.
    rows : sequence of tuple of int and sequence of str
        Line of a picture, and its labels.

    Raises
    ------
    InputError
        If a picture is a distractor and of a class, or of one that stands for none.
    """
    for line, labels in rows:
        if len({is_distractor(label.partition("/")[0]) for label in labels}) > 1:
            raise InputError(
                f"{path}: line {line}: a distractor is of no class, and this has the labels "
                f"{shown(_SEPARATOR.join(labels))}; keep the one or the other"
            )
    names = sorted({label for _, labels in rows for label in labels})
    warnings = [
        f"label {shown(name)}: if its pictures have nothing in common, call it distractor"
        for name in names
        if is_anything(name) and not is_distractor(name.partition("/")[0])
    ]
    warnings += _hidden(path, rows)
    if parts := sound_like_parts(names):
        named = ", ".join(map(shown, parts[:4]))
        warnings.append(f"labels {named} sound like parts; if they are, call their column part")
    joined = _joined({*names})
    first = next(((line, one) for line, labels in rows for one in labels if one in joined), None)
    if first:
        warnings.append(
            f"line {first[0]}: label {shown(first[1])} is one class; several have {_SEPARATOR} "
            "between them"
        )
    return warnings


def doubts_about_places(items: Sequence[Item]) -> list[str]:
    """Warn of pictures that are called like a class that is not theirs, or lie in such a folder.

    Parameters
    ----------
    items : sequence of Item
        The files of a table.
    """
    labels = {item.id: {label.casefold() for label in item.labels} for item in items}
    classes = {label for several in labels.values() for label in several}
    folders = {item.id: canonical(item.path.parent.name).casefold() for item in items}
    first = {item.id: _first_word(canonical(item.path.name).casefold()) for item in items}
    told = {"lie in a folder called": folders}
    if sum(word in classes for word in first.values()) >= _NEARLY_ALL * len(items):
        told["are called"] = first
    for how, names in told.items():
        found = [
            item
            for item in items
            if item.labels
            and names[item.id] in classes - labels[item.id]
            and role_of(names[item.id]) is None
        ]
        if found:
            return [
                f"{len(found):,} pictures {how} like another class than theirs, such as "
                f"{shown(found[0].id)} with label {shown(found[0].label)}; mend the label if it "
                "is wrong"
            ]
    return []


def _first_word(name: str) -> str:
    """The letters that a name begins with."""
    return re.split(r"[\W\d_]", name)[0]


def doubts_about_groups(items: Sequence[Item]) -> list[str]:
    """Warn of groups that may be one, or are too few to be scenes, as those part every class.

    Parameters
    ----------
    items : sequence of Item
        The files of a table.
    """
    scenes = {item.group for item in items if item.group is not None}
    classes = {label for item in items for label in item.labels}
    warnings = [
        f"group: {other!r} and {name!r} differ in case or form only, and are kept apart"
        for name, other in sorted(near_misses(scenes, scenes).items())[:1]
    ]
    if not scenes or len(scenes) >= len(classes):
        return warnings
    return [
        *warnings,
        f"{groups_in_words(scenes)} for {len(classes):,} classes: pictures of one group never "
        "count for each other; if that is not meant, call the column otherwise",
    ]


def _hidden(path: Path, rows: Sequence[Labelled]) -> list[str]:
    """Refuse labels that stand for hidden ones, and warn where they may be classes."""
    names = {label for _, labels in rows for label in labels}
    hidden = {name for name in names if _BELOW.fullmatch(name)}
    numbers = {match[1] for name in names if (match := _WHOLE.fullmatch(name))}
    if len(hidden) != 1 or not numbers or len(numbers) < len(names - hidden):
        hidden = set()  # one number among negative ones, or a name
    signs = {name for name in names if not any(map(str.isalnum, name))}
    if len(signs) == 1 and all(map(_is_punctuation, *signs)):
        hidden |= signs  # several would be classes of signs
    for line, label in ((line, label) for line, labels in rows for label in labels):
        if label in hidden and numbers <= {"0", "1"} and len(numbers) == len(names - hidden):
            return [f"label {shown(label)}: if it hides the class, leave its cells empty"]
        if label in hidden:
            raise InputError(f"{path}: line {line}: {shown(label)} as label {_MAY_BE_MISSING}")
    return []


def _is_punctuation(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "PZ"


def _joined(labels: set[str]) -> set[str]:
    """Labels that look like several with another sign between them."""
    parts = {label: {*map(str.strip, re.split("[;,]", label))} for label in labels}
    labels_with = Counter(part for several in parts.values() for part in several)
    orders: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    words = {label: tuple(words_in(label)) for label in labels}
    for several in words.values():
        orders[tuple(sorted(several))].add(several)
    # 'polar bear' stands beside 'bear', but no class beside it is called 'polar'.
    return {*joined(sorted(labels))} | {
        label
        for label in labels
        if (len(parts[label]) > 1 and any(labels_with[part] > 1 for part in parts[label]))
        or len(orders[tuple(sorted(words[label]))]) > 1
    }
