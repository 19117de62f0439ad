"""What the page says of a dataset: its query sets, their tables, and the plots that exist."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import datasets
from benchmarks.formats.files import Json
from benchmarks.pipeline.records.results import Results, TaskResults
from benchmarks.report.families import family_of, has_network
from benchmarks.report.format import render
from benchmarks.report.tables import (
    CHANCE,
    COSTS,
    cell_text,
    columns,
    detailed_text,
    label,
)
from retrieval.metrics import METRICS

DEFAULT_COLUMNS = ("top1", "top10", "map", "bytes_per_image", "extraction_ms", "search_ms")

_DARK = "-dark"
_PLOTS = "plots"
_DRAWN = ("sketch", "edges", "drawing", "lines")
"""What query sets of drawings are called."""


def column_data() -> list[Json]:
    """The table's columns, in order."""
    return [
        {
            "key": key,
            "heading": column.heading,
            "cost": key in COSTS,
            "shown": key in DEFAULT_COLUMNS,
        }
        for key, column in columns().items()
        if key != "method"
    ]


def dataset_data(
    results: Results, folder: Path, files: dict[str, str], lacking: int, of: int
) -> Json:
    """What the page says of a dataset before any of its numbers are loaded.

    Parameters
    ----------
    results : Results
    folder : Path
        Where they are kept, beside the page's folder.
    files : dict of str to str
        Query set to the beginning of the names of its data files.
    lacking, of : int
        Pictures without a thumbnail, and all that would have one.
    """
    about = results.about
    return {
        "name": about.name,
        "licence": about.licence,
        "split": about.split,
        "labelled": about.labelled,
        "lacking": lacking,
        "pictures": of,
        "remedy": remedy(about.name),
        "querySets": [
            {
                "name": name,
                "title": title(name),
                "drawn": is_drawn(name),
                "files": files[name],
                "counts": _counts(task),
            }
            for name, task in results.tasks.items()
        ],
        "plots": plots(folder, list(results.tasks)),
    }


def remedy(name: str) -> str:
    """What to add to the command so that a dataset's pictures are found."""
    return "--dataset " + (name if datasets.is_embedded(name) else f"{name}=PATH")


def title(query_set: str) -> str:
    """A query set's name as people read it.

    >>> title("query-sketch"), title("query")
    ('Sketch', 'Pictures')
    """
    return query_set.removeprefix("query").strip("-").replace("-", " ").capitalize() or "Pictures"


def is_drawn(query_set: str) -> bool:
    """Whether the queries are drawings, going by what the set is called."""
    return any(word in query_set.lower() for word in _DRAWN)


def table_data(rows: Sequence[Json], task: TaskResults) -> Json:
    """A query set's table: of each cell the number and how people read it.

    Parameters
    ----------
    rows : sequence of dict
        See `benchmarks.report.tables.task_rows`.
    task : TaskResults
    """
    records = {record["method"]: record for record in task.records}
    return {
        "rows": [_row(row, records.get(row["method"])) for row in rows],
        "legend": render("legend", with_letters=True),
    }


def _counts(task: TaskResults) -> str:
    counts = next((one["counts"] for one in task.records if one["status"] == "ok"), None)
    return render("counts", counts=counts)


def _row(row: Json, record: Json | None) -> Json:
    cells = {}
    for key in (*METRICS, *COSTS):
        if row.get(key) is not None:
            text = cell_text(row, key)
            cells[key] = [row[key], text, detailed_text(row, key).removeprefix(text).strip()]
    return {
        "row": row["method"],
        "label": label(row),
        "note": row.get("note") or "",
        "absent": "" if row["status"] == "ok" else row["status"],
        "chance": row["method"] == CHANCE and record is None,
        "kind": family_of(record) if record else None,
        "deep": record is not None and has_network(record),
        "cells": cells,
    }


def plots(folder: Path, query_sets: Sequence[str]) -> list[Json]:
    """List the plots below a dataset's folder, and behind them whatever other pictures are there.

    Returns
    -------
    list of dict
        ``light`` and ``dark`` (or None), addresses relative to the page; ``caption``; and
        ``querySet``, or None where it is about none or about all.
    """
    found = {path.relative_to(folder) for path in folder.rglob("*.png")}
    made = []
    for path in sorted(found, key=lambda path: (path.parent.name != _PLOTS, path)):
        light = path.with_stem(path.stem.removesuffix(_DARK))
        if light != path and light in found:
            continue
        dark = path.with_stem(path.stem + _DARK)
        about = [name for name in query_sets if f"-{path.stem}".endswith(f"-{name}")]
        query_set = max(about, key=len, default=None)
        made.append(
            {
                "light": _address(folder, path),
                "dark": _address(folder, dark) if dark in found else None,
                "caption": _caption(path, query_set),
                "querySet": query_set,
            }
        )
    return made


def _caption(path: Path, query_set: str | None) -> str:
    stem = path.stem.removesuffix(query_set or "").strip("-") or path.stem
    place = path.parent.name
    if place in ("", _PLOTS):
        return stem.replace("-", " ").capitalize()
    return f"{place.capitalize()}: {stem}"


def _address(folder: Path, path: Path) -> str:
    return "/".join(["..", *map(quote, (folder.name, *path.parts))])
