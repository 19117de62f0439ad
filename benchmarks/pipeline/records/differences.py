"""Differences of two records, in words: their scores, and what in their cards may be why."""

from collections.abc import Collection, Iterator
from typing import Any

from benchmarks.formats.files import Json
from retrieval.metrics import METRICS

_MEANING = {
    "split hash": "they searched different data: other images, labels or parts",
    "task hash": "they searched different data: other images, labels or parts",
    "judgements hash": "other images are relevant",
    "seed": "the seeds differ, so the split may",
    "query set": "the queries are others",
    "dataset": "the datasets are others",
    "fitted on": "they learned from different images",
    "params": "the parameters differ",
    "class": "the extractors are others",
    "family": "the extractors are others",
    "version": "the extractors are others, or of other versions",
    "code": "the code differs",
    "protocol": "the rules differ",
    "protocol code": "the code that searches and scores differs",
    "protocol version": "the code that searches and scores differs",
    "network": "weights or the network's backend differ",
    "implementation": "another implementation ran",
    "libraries": "library versions differ",
    "machine": "the machines differ, which may show in the last digits, and in costs",
    "python": "the versions of Python differ",
    "commit": "they were made at other commits",
}
"""Meaning of a difference, by the card's field or the innermost field that is named here; what
tells most comes first."""

_UNNAMED = "the cards differ"


def explain(first: Json, second: Json) -> list[str]:
    """Say how two records' scores differ, and what in their cards may be why.

    Parameters
    ----------
    first, second : dict
        See `benchmarks.pipeline.records.record.read_record`.

    Returns
    -------
    list of str
        Lines of text.
    """
    lines = [f"{first['method']} and {second['method']}"]
    scores = first.get("scores", {}), second.get("scores", {})
    for name, metric in METRICS.items():
        one, other = (found.get(name) for found in scores)
        if one is not None and other is not None and one != other:
            lines.append(f"{metric.label}: {one:.4f} and {other:.4f} ({other - one:+.4f})")
    if len(lines) == 1:
        both = [record["status"] for record in (first, second)]
        is_scored = any(one is not None for found in scores for one in found.values())
        equal = "equal scores" if is_scored else "no scores"
        lines.append(equal if both == ["ok", "ok"] else f"status: {' and '.join(both)}")
    found = [
        f"- {_meaning(path)}: {' / '.join(path)}: {_short(one)} and {_short(other)}"
        for path, one, other in _between(first["card"], second["card"])
    ]
    return lines + (["", *found] if found else ["", "The protocol cards are equal."])


def reasons(first: Json, second: Json) -> list[str]:
    """Say without details what in two records' cards differs, what tells most first.

    A field that only one of them has is a reason only where there is no other: cards of another
    age have other fields.
    """
    found = _between(first["card"], second["card"])
    both = [one for one in found if None not in one[1:]]
    meanings = {_meaning(path) for path, _, _ in both or found}
    return [one for one in dict.fromkeys(_MEANING.values()) if one in meanings] or [
        *meanings  # of fields that have no name here
    ]


def are_of_one_task(one: Json, other: Json) -> bool:
    """Tell whether two cards are of the same task, by its hash."""
    return "task hash" in one and one["task hash"] == other.get("task hash")


def without(card: Any, fields: Collection[str]) -> Any:
    """A card, or a part of one, without some fields, at any depth.

    >>> without({"steps": [{"size": 8, "seed": 0}], "seed": 1}, {"seed"})
    {'steps': [{'size': 8}]}
    """
    if isinstance(card, dict):
        return {key: without(value, fields) for key, value in card.items() if key not in fields}
    return [without(value, fields) for value in card] if isinstance(card, list) else card


def _between(one: Json, other: Json) -> list[tuple[tuple[str, ...], Any, Any]]:
    """Differences of two cards; other query sets of a dataset make none between equal tasks."""
    aside = [("split hash",)] if are_of_one_task(one, other) else []
    return [found for found in _differences(one, other, ()) if found[0] not in aside]


def _differences(
    one: Any, other: Any, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys([*one, *other]):
            yield from _differences(one.get(key), other.get(key), (*path, key))
    elif one != other:
        yield path, one, other


def _meaning(path: tuple[str, ...]) -> str:
    # The card's own seed is that of the split; any other is a parameter.
    known = [
        key for key in reversed(path) if key in _MEANING and (key != "seed" or path[1:] == ())
    ]
    return _MEANING[known[0]] if known else _UNNAMED


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    text = str(value)
    is_hash = len(text) == 64 and all(char in "0123456789abcdef" for char in text)
    return text[:12] + "…" if is_hash else text
