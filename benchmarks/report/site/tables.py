"""Datasets, their tables and their plots, as the page loads them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import datasets
from benchmarks.formats.files import Json
from benchmarks.pipeline.methods.names import CHANCE
from benchmarks.pipeline.records.record import PHOTOS, PLOTS
from benchmarks.pipeline.records.results import Results, TaskResults
from benchmarks.report.families import family_of, may_have_network
from benchmarks.report.format import render
from benchmarks.report.plots.book import Plot
from benchmarks.report.tables import (
    COSTS,
    SORT_BY,
    USUAL,
    Choice,
    cell_text,
    detailed_text,
    headings,
    label,
)
from retrieval.metrics import METRICS, Metrics

_METRICS = ("top1", "top10", "map")
_COSTS = ("bytes_per_image", "extraction_ms", "search_ms")
"""Columns of the table before the visitor chooses others."""


def column_data(choice: Choice) -> list[Json]:
    """List the table's columns, in order."""
    shown = _METRICS if choice is USUAL else choice.shown
    return [
        {
            "key": key,
            "heading": heading,
            "isCost": key in COSTS,
            "isShown": key in shown or key in _COSTS,
        }
        for key, heading in headings(choice.every).items()
        if key != "method"
    ]


def dataset_data(
    results: Results,
    plots: list[Json],
    files: Mapping[str, str],
    shown: set[str],
    thumbnails: set[str],
) -> Json:
    """Collect what the page says of a dataset before its tables are loaded.

    Parameters
    ----------
    results : Results
        Of the dataset.
    plots : list of dict
        See `plot_data`.
    files : mapping of str to str
        Query set to the beginning of the names of its data files.
    shown, thumbnails : set of str
        Content hashes of the pictures that the page shows, and of those with a thumbnail.
    """
    about = results.about
    return {
        "name": about.name,
        "licence": about.licence,
        "split": about.split,
        "labelled": about.labelled,
        "lacking": len(shown - thumbnails),
        "pictures": len(shown),
        "remedy": remedy(about.name),
        "querySets": [
            {
                "name": name,
                "title": title(name),
                "isDrawn": name != PHOTOS,
                "files": files[name],
                "counts": _counts(task),
            }
            for name, task in results.tasks.items()
        ],
        "plots": plots,
    }


def remedy(name: str) -> str:
    """Name the option by which a dataset's pictures are found."""
    return "--dataset " + (name if datasets.is_embedded(name) else f"{name}=PATH")


def title(query_set: str) -> str:
    """Name a query set for people.

    >>> title("query-sketch"), title("query")
    ('Sketch', 'Pictures')
    """
    return query_set.removeprefix("query").strip("-").replace("-", " ").capitalize() or "Pictures"


def table_data(rows: Sequence[Json], task: TaskResults, choice: Choice) -> Json:
    """Collect a query set's table: of each cell the number and how people read it.

    Parameters
    ----------
    rows : sequence of dict
        See `benchmarks.report.tables.task_rows`.
    task : TaskResults
        With the records of its methods.
    choice : Choice
        The metrics of the rows.
    """
    records = {record["method"]: record for record in task.records}
    return {
        "methods": [_method(row, records.get(row["method"]), choice.every) for row in rows],
        "legend": render(
            "legend", is_page=True, metrics=choice.every, order=METRICS[SORT_BY].label
        ),
    }


def _counts(task: TaskResults) -> str:
    counts = next((one["counts"] for one in task.records if one["status"] == "ok"), None)
    return render("counts", counts=counts)


def _method(row: Json, record: Json | None, metrics: Metrics) -> Json:
    cells = {}
    for key in (*metrics, *COSTS):
        if row.get(key) is not None:
            text = cell_text(row, key)
            cells[key] = [row[key], text, detailed_text(row, key).removeprefix(text).strip()]
    return {
        "name": row["method"],
        "label": label(row),
        "note": row.get("note") or "",
        "absent": "" if row["status"] == "ok" else row["status"],
        "isChance": row["method"] == CHANCE and record is None,
        "family": family_of(record) if record else None,
        "isDeep": record is not None and may_have_network(record),
        "cells": cells,
    }


def plot_data(folder: Path, plots: Sequence[Plot], query_sets: Sequence[str]) -> list[Json]:
    """List a dataset's plots, and behind them other pictures in its folder.

    Parameters
    ----------
    folder : Path
        ``<out>/<dataset>``, beside the page's folder.
    plots : sequence of Plot
        In the order of its pages.
    query_sets : sequence of str
        Their names, as plots have them for headings.

    Returns
    -------
    list of dict
        ``file``, an address relative to the page; ``caption``; and ``querySet``, or None where
        it is about none or about all.
    """
    shown = [(f"{PLOTS}/{plot.name}", plot.caption, plot.heading) for plot in plots]
    shown += [(path.stem, path.stem, path.stem) for path in sorted(folder.glob("*.png"))]
    return [
        {
            "file": quote(f"../{folder.name}/{stem}.png"),
            "caption": caption,
            "querySet": about if about in query_sets else None,
        }
        for stem, caption, about in shown
    ]
