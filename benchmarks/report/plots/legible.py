"""Charts with names in any script: the typefaces that they need, escapes for what none has."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.formats.typefaces import transcribed, typefaces
from benchmarks.report.plots.charts import Chart


def legible(charts: Sequence[Chart]) -> list[tuple[Chart, list[Path]]]:
    """Find typefaces for all words of charts.

    Returns
    -------
    list of tuple of Chart and list of Path
        The chart with escapes for the characters that no typeface has, and the typefaces that
        it needs beside ours.
    """
    typefaces(_texts(charts))  # says once what is lacking in any
    found = []
    for chart in charts:
        paths = typefaces(_texts(chart))
        found.append((_map(chart, partial(transcribed, paths=paths)), paths[1:]))
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts((*value, *value.values()))
    elif is_dataclass(value):
        yield from _texts([getattr(value, field.name) for field in fields(value)])
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _texts(one)


def _map(value: Any, change: Callable[[str], str]) -> Any:
    """Change every text in a value made of data classes, mappings and sequences."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {_map(key, change): _map(one, change) for key, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value)]
        return replace(value, **{name: _map(getattr(value, name), change) for name in names})
    if isinstance(value, tuple | list):
        return type(value)(_map(one, change) for one in value)
    return value
