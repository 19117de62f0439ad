"""Compare two records: their scores, and in words the protocol cards that may explain them.

``python -m benchmarks.diff A B``, two ``<method>.json`` files of results folders.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cli import a_path, command, make_parser
from benchmarks.formats.files import Json
from benchmarks.formats.terminal import visible
from benchmarks.pipeline.records.record import read_record
from datasets.errors import InputError
from retrieval.metrics import METRICS

_REMEDY = "give a <method>.json of a results folder"
_MEANING = {
    "split hash": "they searched different data: other images, labels or parts",
    "seed": "the seeds differ, so the split may",
    "query set": "the queries are others",
    "dataset": "the datasets are others",
    "code": "the code differs",
    "protocol code": "the code that searches and scores differs",
    "protocol version": "the code that searches and scores differs",
    "commit": "they were made at other commits",
    "libraries": "library versions differ",
    "params": "the parameters differ",
    "class": "the extractors are others",
    "family": "the extractors are others",
    "version": "the extractors are others, or of other versions",
    "machine": "the machines differ, which may show in the last digits, and in costs",
    "python": "the versions of Python differ",
    "protocol": "the rules differ",
    "fitted on": "they learned from different images",
    "implementation": "another implementation ran",
    "network": "weights or the network's backend differ",
}
"""Meaning of a difference, by the card's field or the innermost field that is named here."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return command(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    parser = make_parser("diff", __doc__)
    parser.add_argument("first", type=a_path, metavar="A")
    parser.add_argument("second", type=a_path, metavar="B")
    options = parser.parse_args(arguments)
    lines = explain(_record(options.first), _record(options.second))
    sys.stdout.write("\n".join(map(visible, lines)) + "\n")
    return 0


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
        lines.append("equal scores" if both == ["ok", "ok"] else f"status: {' and '.join(both)}")
    found = [
        f"- {_meaning(path)}: {' / '.join(path)}: {_short(one)} and {_short(other)}"
        for path, one, other in _differences(first["card"], second["card"], ())
    ]
    return lines + (["", *found] if found else ["", "The protocol cards are equal."])


def _differences(
    one: Any, other: Any, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys([*one, *other]):
            yield from _differences(one.get(key), other.get(key), (*path, key))
    elif one != other:
        yield path, one, other


def _meaning(path: tuple[str, ...]) -> str:
    known = [_MEANING[key] for key in reversed(path) if key in _MEANING]
    return known[0] if known else "the cards differ"


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    text = str(value)
    is_hash = len(text) == 64 and all(char in "0123456789abcdef" for char in text)
    return text[:12] + "…" if is_hash else text


def _record(path: Path) -> Json:
    record = read_record(path, _REMEDY)
    if record is None:
        raise InputError(f"{path}: no such file; {_REMEDY}")
    return record


if __name__ == "__main__":
    sys.exit(main())
