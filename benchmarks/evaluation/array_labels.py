"""Labels and ids in arrays, of whatever library, as text: equal ones are written alike."""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from benchmarks.formats.vectors import require_each_once
from datasets.errors import InputError
from datasets.folder_names import is_distractor
from datasets.names import canonical
from datasets.table_labels import doubts_about_labels, labels_of, require_told
from datasets.task import Image

_MISSING = {"nan", "NaN", "None", "<NA>", "NaT"}
"""What a missing label becomes where a library writes it as text."""

_WAYS = "in arrays a set is several labels, and None is a distractor"


def labelled_images(
    part: str, labels: Iterable[Any], size: int, ids: Iterable[Any] | None
) -> list[Image]:
    """Images of which nothing but labels and ids is known.

    Parameters
    ----------
    part : str
        ``query`` or ``gallery``, which names them in messages.
    labels : iterable
        Of each image; a list or set is several labels, None is none.
    size : int
        Number of images.
    ids : iterable or None
        Their names; None for their numbers.

    Raises
    ------
    InputError
        If these are no lists of that size, an id stands twice or is missing, or one of them
        cannot be written as text.
    """
    classes = _classes(f"{part}_labels", labels)
    given = range(size) if ids is None else _listed(f"{part}_ids", ids)
    names = [_name(f"{part}_ids", place, one) for place, one in enumerate(given)]
    for what, given in (("labels", classes), ("ids", names)):
        if len(given) != size:
            raise InputError(f"{part}_{what}: {len(given):,} for {size:,} vectors; give one each")
    require_each_once(names, f"{part}_ids")
    for what, texts in (("ids", names), ("labels", (one for found in classes for one in found))):
        if broken := next((one for one in texts if not _is_text(one)), None):
            raise InputError(f"{part}_{what}: {broken!r} cannot be written in Unicode; rename it")
    return [
        Image(
            name,
            Path(),
            f"{part}/{name}",
            found[0] if found else None,
            "" if part == "gallery" and not found else None,
            found[1:],
        )
        for name, found in zip(names, classes, strict=True)
    ]


def doubts_about_classes(queries: Sequence[Image], gallery: Sequence[Image]) -> list[str]:
    """Warnings about labels that are hardly the names of classes, by the rules of tables.

    Raises
    ------
    InputError
        If one stands for none, or for several.
    """
    rows = {
        tuple(sorted(image.labels)): row
        for images in (gallery, queries)
        for row, image in reversed([*enumerate(images, 1)])
    }
    names = sorted({name for labels in rows for name in labels})
    missing = [name for name in names if name in _MISSING]
    place = "query_labels, gallery_labels"
    try:
        for name in names:
            if name not in _MISSING:
                require_told(place, {"label": name})
            if is_distractor(name.partition("/")[0]) or len(labels_of(name)) > 1:
                raise InputError(f"{place}: {name!r} is no single class")
        warnings = doubts_about_labels(
            Path(place), [(row, labels) for labels, row in rows.items()]
        )
    except InputError as error:
        raise InputError(f"{error} ({_WAYS})") from error
    told = [
        f"labels {', '.join(map(repr, missing))} are a class like any other; None or NaN, not as "
        "text, is no label"
    ] * bool(missing)
    return told + [f"{warning} ({_WAYS})" for warning in warnings]


def _name(what: str, place: int, value: Any) -> str:
    """An id as text; one that is missing would be equal to all others that are."""
    if value is np.ma.masked or (value := _plain(value)) is None or _is_missing(value):
        raise InputError(f"{what}: row {place} has none; give each its own")
    if not (name := _written(what, value)).strip():
        raise InputError(f"{what}: {name!r} in row {place} is no name; give each its own")
    return name


def _classes(what: str, labels: Any) -> list[tuple[str, ...]]:
    """The labels of each vector."""
    if isinstance(labels, Mapping | set | frozenset):
        raise InputError(f"{what}: a {type(labels).__name__} has no order; give a list")
    if getattr(labels, "columns", None) is not None:
        raise InputError(f"{what}: a data frame is no list of labels; give one of its columns")
    given = _listed(what, labels.toarray() if scipy.sparse.issparse(labels) else labels)
    there = [one for one in given if not (one is None or one is np.nan)]
    rows = [row for row in map(_values, there) if row is not None]
    if rows and len(rows) == len(there) and _is_indicator(rows):
        raise InputError(
            f"{what}: a row of 0 and 1, of counts or of shares for each vector is no list of "
            "labels; give each its class (one-hot rows: their argmax(axis=1)), or a set of its "
            "classes"
        )
    if _are_levels(there):
        raise InputError(
            f"{what}: tuples such as {there[0]!r:.60} have levels, rather than several labels; "
            "join the levels of each to one text, or give a set, of which one in common is enough"
        )
    return [_labels(what, one) for one in given]


def _are_levels(labels: Sequence[Any]) -> bool:
    """Whether tuples of one length tell one class each: no value stands at two of their places."""
    sizes = {len(one) if isinstance(one, tuple) else 0 for one in labels}
    if len(labels) < 2 or len(sizes) != 1 or max(sizes) < 2:
        return False
    levels = [{*map(str, values)} for values in zip(*labels, strict=True)]
    return sum(map(len, levels)) == len(set().union(*levels))


def _listed(what: str, given: Any) -> list[Any]:
    try:
        return list(given)
    except TypeError as error:
        kind = type(given).__name__
        raise InputError(f"{what}: {kind} is no list; give one for each vector") from error


def _values(label: Any) -> list[Any] | None:
    """The values of a row of a matrix of labels; None if it is no row."""
    if hasattr(label, "tolist") and not isinstance(label, str | bytes):
        label = label.tolist()
    return [*label] if isinstance(label, list | tuple) else None


def _is_indicator(rows: Sequence[Sequence[Any]]) -> bool:
    """Whether rows of one length tell by numbers which classes there are, and do not name them."""
    if len({len(row) for row in rows}) != 1 or len(rows[0]) < 2:
        return False
    values = {value for row in rows for value in row}
    if not all(isinstance(value, int | float) for value in values):
        return False
    numbers = {value for value in values if not _is_missing(value)}  # NaN may fill rows up
    shares = not all(float(number).is_integer() for number in numbers)
    # No class stands twice in a set of them, but most classes have the same number: none.
    repeated = sum(len({*row}) < len(row) for row in rows)
    counts = 2 * repeated > len(rows) or len(set(map(frozenset, rows))) == 1 < len(rows)
    return shares or (len(numbers) == len(values) and (counts or numbers <= {-1, 0, 1}))


def _labels(what: str, label: Any) -> tuple[str, ...]:
    if label is np.ma.masked:
        return ()
    label = _plain(label)
    if isinstance(label, Sequence | set | frozenset) and not isinstance(label, str | bytes):
        return tuple(sorted({one for part in label for one in _labels(what, part)}))
    # NaN, or an empty cell, is how tables say that there is none.
    if label is None or _is_missing(label) or not (text := _written(what, label)).strip():
        return ()
    return (text,)


def _plain(value: Any) -> Any:
    """A value without the array, tensor or scalar around it."""
    if hasattr(value, "detach"):  # of PyTorch
        value = value.detach().cpu()
    if hasattr(value, "as_py"):  # of Arrow
        value = value.as_py()
    if not hasattr(value, "__array__"):
        return value
    array = np.asarray(value)
    if array.dtype.kind == "f" and array.dtype.itemsize < 8:
        array = array.astype(str).astype(np.float64)  # 0.1 in any width is 0.1
    return array.tolist()


def _written(what: str, value: Any) -> str:
    """A label or an id as text, so that equal ones are written alike, as 1 and 1.0 are."""
    value = _plain(value)
    if isinstance(value, float) and 2**53 <= abs(value) < np.inf:
        raise InputError(
            f"{what}: {value!r} has lost digits, as whole numbers above 2**53 do in floats; give "
            "whole numbers, or text"
        )
    try:
        if isinstance(value, bytes):
            value = value.decode()
        if isinstance(value, int | float | Decimal | Fraction) and value == int(value):
            value = int(value)
    except (ValueError, ArithmeticError) as error:  # no UTF-8; infinity
        raise InputError(f"{what}: {value!r} is neither text nor a number; rename it") from error
    return canonical(str(value))


def _is_missing(label: Any) -> bool:
    """Whether it is NaN, which is not equal to itself, or NA of pandas, which does not tell."""
    try:
        return bool(label != label)
    except (TypeError, ArithmeticError):
        return True


def _is_text(text: str) -> bool:
    """Whether it can be encoded: names of files that are no UTF-8 hold lone surrogates."""
    return text.isascii() or not re.search("[\ud800-\udfff]", text)
