"""Datasets as tables: a row for each picture, with its file, labels, part, group and crop box."""

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from datasets.decoding.formats import ENDINGS
from datasets.errors import InputError
from datasets.folder_names import is_distractor, role_of
from datasets.layout import HELD_OUT, UNSPLIT, Collection, Item, Layout, collection
from datasets.names import canonical
from datasets.table_files import Rows, read_rows
from datasets.table_labels import (
    doubts_about_groups,
    doubts_about_labels,
    doubts_about_places,
    labels_of,
    require_told,
    shown,
    word_of,
)
from datasets.table_paths import file_at, whereabouts
from datasets.task import Box, Problem
from datasets.walk import QRELS, RELEVANCE

_BOX = ("left", "top", "right", "bottom")
_NAMES = {
    "path": ("path", "file", "filename", "file_name", "image", "image_path"),
    "label": ("label", "labels", "class", "category"),
    "part": ("part", "split", "set"),
    "group": ("group", "scene"),
    **{side: (side,) for side in _BOX},
}
"""Columns and the names that they may have, in any case."""

_COLUMN_OF = {name: column for column, names in _NAMES.items() for name in names}
_BOXES = {
    *("xmin", "ymin", "xmax", "ymax", "x1", "y1", "x2", "y2", "x_1", "y_1", "x_2", "y_2"),
    *("bbox", "box", "bndbox"),
}
_SPLITS = {
    *("is_valid", "is_val", "is_test", "is_train", "is_training_image", "usage", "phase", "fold"),
    *("subset", "data_type", "evaluation_status"),
}
_ASKING = {"is_query", "is_gallery"}
"""Columns that other programs write."""
_ADDRESS = re.compile(r"[a-z][a-z0-9+]+:/")
_MOST_NAMED = 3

_MOST_PARTS = 10
"""Words in a column up to which it may be one of parts."""

_TWICE = "keep one (of a picture in the gallery that asks as well two, alike but for the part)"
_OBJECTS = "rows are objects; write one row for each picture and class"
"""What to do about a picture in two rows."""


@dataclass(frozen=True)
class _Row:
    """A row of the table, in words that this suite uses."""

    line: int
    path: str
    labels: tuple[str, ...]
    part: str
    group: str | None
    box: Box | None
    asks: str | None = None


def read_table(path: Path) -> Collection:
    """Read the files, labels and parts of a dataset from a table.

    Columns are told by their names, in any case and order; only the first is needed:

    ``path`` (or ``file``, ``filename``, ``file_name``, ``image``, ``image_path``)
        The picture's file, relative to the table's folder.
    ``label`` (or ``labels``, ``class``, ``category``)
        Its class; several with ``|`` between them, or in rows of their own. ``distractor`` and
        ``distractor/NAME`` are distractors.
    ``part`` (or ``split``, ``set``)
        ``training``, ``gallery``, ``query`` or ``query-NAME``, or ``val`` or ``test`` (split into
        gallery and queries); where it is empty the picture is split by content.
    ``group`` (or ``scene``)
        Pictures of one group (of one scene, camera or burst) are junk for each other.
    ``left``, ``top``, ``right``, ``bottom``
        Crop box of a query, in pixels of the upright picture.

    Parameters
    ----------
    path : Path
        CSV (with commas, semicolons or tabs; UTF-8 or, with a byte order mark, UTF-16), TSV or
        Parquet.

    Returns
    -------
    Collection
        Ids are as the table writes paths; those of cropped queries end in the box.

    Raises
    ------
    InputError
        If the file is no table, has no column of paths, names files that are not there or the
        same picture twice in different words, or says parts in a column that is not read; names
        the line or the column.
    """
    columns, rows = read_rows(path)
    known = _columns(path, columns)
    unread = [name for name in columns if name.strip() and name not in known.values()]
    if asking := [name for name in unread if name.strip().lower() in _ASKING]:
        raise InputError(
            f"{path}: the column {asking[0]!r} is not read; write query and gallery into the "
            "column part instead (two rows for a picture that is both)"
        )
    if "part" not in known:
        rows = _without_parts(path, rows, unread)
    has_objects = any(name.strip().lower() in _BOXES for name in unread)
    merged = _merged(path, _rows(path, rows, known), _OBJECTS if has_objects else _TWICE)
    if not merged:
        raise InputError(f"{path}: has no rows; write one for each picture")
    is_judged = any((path.parent / name).exists() for name in (RELEVANCE, QRELS))
    if not {"label", "part"} & known.keys() and not is_judged:
        remedy = "call the one with the classes so"
        if len(flags := _flags(path, unread)) > 1:
            remedy = f"write one with the names of those that are 1, such as {'|'.join(flags[:2])}"
        raise InputError(
            f"{path}: no column {' or '.join(map(repr, _NAMES['label']))} among "
            f"{', '.join(map(repr, columns[:8]))}, and none of parts, so nothing says what is "
            f"right; {remedy}"
        )
    items = _items(path.parent, merged)
    _require_files(path, items, merged)
    _require_alike(path, items, merged)
    warnings = list(_unread(unread))
    warnings += doubts_about_labels(path, [(row.line, row.labels) for row in merged])
    warnings += [*doubts_about_places(items), *doubts_about_groups(items)]
    layout = Layout("table", (), warnings=tuple(warnings))
    return collection(path.parent, items, [*_beside(path, items)], layout)


def _flags(path: Path, unread: Sequence[str]) -> list[str]:
    """Columns that hold nothing but 0 and 1, as one for each class."""
    rows = [row for _, row in read_rows(path)[1]]
    return [
        name.strip()
        for name in unread
        if {word_of(row[name]) for row in rows} in ({"0", "1"}, {"0.0", "1.0"}, {"True", "False"})
    ]


def _beside(path: Path, items: Sequence[Item]) -> Iterator[Problem]:
    """A row that counts the pictures which lie where the table's do, and are not in it."""
    listed = {item.path for item in items}
    others = sorted(
        place
        for folder in {one.parent for one in listed}
        for place in folder.iterdir()
        if place not in listed and place.suffix[1:].lower() in ENDINGS
    )
    if others:
        what = (
            f"{len(others):,} pictures beside its own, such as {others[0].name!r}, are not in it"
        )
        yield Problem(path.name, what, "left out")


def _unread(names: Sequence[str]) -> Iterator[str]:
    """Warnings about columns that are not read, with what is lost by it."""
    if names:
        yield f"columns not read: {', '.join(names)}"
    plain = {name: name.strip().lower() for name in names}
    if boxes := [name for name in names if plain[name] in _BOXES]:
        yield (
            f"{', '.join(boxes)} look like boxes of objects; whole pictures are compared, and a "
            f"query is cut out by {', '.join(_BOX)}"
        )
    if splits := [name for name in names if plain[name] in _SPLITS]:
        yield f"{', '.join(splits)} may be a split; if so, call it part, with training and test"


def _columns(path: Path, names: Sequence[str]) -> dict[str, str]:
    """The table's name of each column that is known."""
    known: dict[str, str] = {}
    for name in names:
        column = _COLUMN_OF.get(name.strip().lower())
        if column in known:
            raise InputError(
                f"{path}: {known[column]!r} and {name!r} are both the {column}; keep one"
            )
        if column is not None:
            known[column] = name
    if "path" not in known:
        if any(Path(name.strip()).suffix[1:].lower() in ENDINGS for name in names):
            raise InputError(
                f"{path}: the first line names a picture, not columns; write path,label above it"
            )
        raise InputError(
            f"{path}: no column {' or '.join(map(repr, _NAMES['path'][:3]))} among "
            f"{', '.join(map(repr, names[:8])) or 'its columns'}; name one so"
        )
    if 0 < len(known.keys() & {*_BOX}) < len(_BOX):
        raise InputError(f"{path}: a crop box needs all of the columns {', '.join(_BOX)}")
    return known


def _without_parts(path: Path, rows: Rows, unread: Sequence[str]) -> Rows:
    """The rows; refuses at their end a column that is not read and holds hardly but parts."""
    words: dict[str, set[str]] = {name: set() for name in unread}
    for line, row in rows:
        for name, found in words.items():
            if len(found) <= _MOST_PARTS and (word := word_of(row[name])):
                found.add(word)
        yield line, row
    for name, found in words.items():
        roles = sorted(filter(None, map(role_of, found)))
        if len({*roles}) > 1 and len(found) <= min(_MOST_PARTS, 2 * len(roles)):
            raise InputError(
                f"{path}: the column {name!r} holds parts, such as {roles[0]}, "
                "and is not read; call it part, or remove it"
            )


def _rows(path: Path, rows: Rows, known: Mapping[str, str]) -> Iterator[_Row]:
    roles: dict[str, str] = {}
    for line, row in rows:
        place = f"{path}: line {line}"
        cell = {column: row[name] for column, name in known.items()}
        _require_words(place, cell, known)
        require_told(place, cell)
        name = _file(cell["path"])
        if not name:
            raise InputError(f"{place}: no path; remove the line")
        part = word_of(cell.get("part"))
        if part not in roles:
            roles[part] = _role(place, part)
        yield _Row(
            line,
            name,
            tuple(labels_of(cell.get("label"))),
            roles[part],
            word_of(cell.get("group")) or None,
            _box(place, [cell.get(side) for side in _BOX]),
        )


def _require_words(place: str, cell: Mapping[str, object], known: Mapping[str, str]) -> None:
    """Refuse what only Parquet holds in place of words, such as the pictures themselves."""
    for column, value in cell.items():
        several = column == "label" and isinstance(value, list)
        if isinstance(value, bytes | dict) or (isinstance(value, list) and not several):
            remedy = "write text, or call it otherwise"
            if column == "path":
                remedy = "save the pictures as files, whose paths it holds"
            raise InputError(
                f"{place}: the column {known[column]!r} holds data, not text; {remedy}"
            )


def _file(value: object) -> str:
    """A path as this system writes it, without detours; not normalised, unlike other words."""
    name = str(value).strip() if word_of(value) else ""
    if not name or _ADDRESS.match(name):
        return name
    return posixpath.normpath(name.replace("\\", "/"))


def _role(place: str, part: str) -> str:
    role = role_of(part) if part else UNSPLIT
    if role is None:
        raise InputError(
            f"{place}: unknown part {shown(part)}; write training, gallery, query, query-NAME, "
            "val or test"
        )
    return HELD_OUT if role in ("validation", "test") else role


def _box(place: str, sides: Sequence[object]) -> Box | None:
    words = [word_of(side) for side in sides]
    if not any(words):
        return None
    told = ", ".join(word[:20] for word in words)
    try:
        numbers = [float(word) for word in words]
        box = Box.of(numbers)
    except ValueError:
        numbers, box = [], None
    if numbers and min(numbers) >= 0 and 0 < max(numbers) < 1.5:
        raise InputError(
            f"{place}: a box ({told}) is in pixels, not shares of the picture's sides; multiply "
            "by its width and height"
        )
    if box is None:
        raise InputError(f"{place}: no box ({told}); write left, top, right, bottom in pixels")
    return box


def _merged(path: Path, rows: Iterable[_Row], remedy: str) -> list[_Row]:
    """One row a picture, or part of one: labels in several rows are put together."""
    merged: dict[tuple[str, Box | None, str], _Row] = {}
    for row in rows:
        first = merged.setdefault((row.path, row.box, row.part), row)
        if first is not row:
            if row.group != first.group or set(row.labels) <= set(first.labels):
                _refuse_second(path, first, row, remedy)
            merged[row.path, row.box, row.part] = replace(
                first, labels=(*first.labels, *row.labels)
            )
    return _asking(path, merged.values(), remedy)


def _asking(path: Path, rows: Iterable[_Row], remedy: str) -> list[_Row]:
    """One row a picture: one in the gallery that has a second row in a query set asks as well."""
    merged: dict[tuple[str, Box | None], _Row] = {}
    for row in rows:
        first = merged.setdefault((row.path, row.box), row)
        if first is not row:
            found, asks = (first, row) if first.part == "gallery" else (row, first)
            alike = ({*found.labels}, found.group) == ({*asks.labels}, asks.group)
            both = found.part == "gallery" and asks.part.startswith("query")
            if not (both and alike) or found.asks or asks.asks:
                _refuse_second(path, first, row, remedy)
            merged[row.path, row.box] = replace(found, asks=asks.part)
    return list(merged.values())


def _refuse_second(path: Path, first: _Row, second: _Row, remedy: str) -> NoReturn:
    raise InputError(
        f"{path}: line {second.line}: {shown(second.path)} stands in line {first.line} already; "
        f"{remedy}"
    )


def _items(root: Path, rows: Sequence[_Row]) -> list[Item]:
    """Items with ids in NFC, unless two files' names differ in nothing but their form."""
    keys = [_key(row) for row in rows]
    shared = {name for name, count in Counter(map(canonical, keys)).items() if count > 1}
    return [
        _item(root, row, key if canonical(key) in shared else canonical(key))
        for row, key in zip(rows, keys, strict=True)
    ]


def _key(row: _Row) -> str:
    return row.path if row.box is None else f"{row.path}#{','.join(map(str, row.box))}"


def _item(root: Path, row: _Row, key: str) -> Item:
    first, _, kind = row.labels[0].partition("/") if row.labels else ("", "", "")
    distractor = kind if is_distractor(first) else None
    labels = row.labels if distractor is None else ()
    part = "gallery" if distractor is not None and row.part in (UNSPLIT, HELD_OUT) else row.part
    return Item(
        key,
        file_at(root, row.path),
        part,
        labels[0] if labels else None,
        distractor,
        labels[1:],
        row.group,
        row.box,
        row.asks,
    )


def _require_files(path: Path, items: Sequence[Item], rows: Sequence[_Row]) -> None:
    files = zip(rows, (item.path for item in items), strict=True)
    missing = [row for row, file in files if not file.exists()]
    if missing:
        first = missing[0]
        if _ADDRESS.match(first.path):
            raise InputError(
                f"{path}: line {first.line}: {shown(first.path)} is an address; save the "
                "pictures, and give their paths"
            )
        named = ", ".join(f"{shown(row.path)} in line {row.line}" for row in missing[:_MOST_NAMED])
        raise InputError(
            f"{path}: {len(missing):,} of {len(rows):,} files are not there ({named}); paths are "
            f"relative to {path.parent}{whereabouts(path.parent, first.path)}"
        )
    boxed = [row for row in rows if row.box is not None and not row.part.startswith("query")]
    if boxed:
        raise InputError(
            f"{path}: line {boxed[0].line}: only queries have a crop box; remove it or say query"
        )


def _require_alike(path: Path, items: Sequence[Item], rows: Sequence[_Row]) -> None:
    """Refuse two ways of writing one file; a link to one is another, as in folders."""
    folders: dict[Path, Path] = {}
    first: dict[str, tuple[Path, _Row]] = {}
    for item, row in zip(items, rows, strict=True):
        folder = item.path.parent
        if folder not in folders:
            folders[folder] = folder.resolve()
        place = folders[folder] / item.path.name
        known, other = first.setdefault(canonical(str(place)), (place, row))
        if other.path == row.path:
            continue
        # Some systems take names in another Unicode form for the same.
        if place == known or place.samefile(known):
            raise InputError(
                f"{path}: line {row.line}: {row.path!r} is the file {other.path!r} of line "
                f"{other.line}; write it alike"
            )
