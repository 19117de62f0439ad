"""Pages of approximate search: neighbours found, milliseconds, bytes."""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.report.format import write_csv, write_page
from benchmarks.report.plots.axes import Mark, Series
from benchmarks.report.plots.book import PlotBook
from benchmarks.report.plots.paths import Paths

FOLDER = "approximate"
"""Folder of these results, beside those of the datasets."""

_PAGE = "approximate.md"
_TABLE = "approximate.csv"


@dataclass(frozen=True)
class Measured:
    """A search, exact or approximate.

    Attributes
    ----------
    query_set, method, index, setting : str
        Who asks, by which vectors, in which index, with which effort; or, without numbers, why
        there is none.
    recall : float or None
        Share of the ten nearest places that were filled by images as near as the exact ten.
    top1 : float or None
        Share of queries whose first image is relevant.
    search_ms : float or None
        Milliseconds per query, all queries at once.
    bytes_per_image : float or None
        Of the whole index.
    build_seconds : float or None
        Of building it.
    """

    query_set: str
    method: str
    index: str
    setting: str
    recall: float | None
    top1: float | None
    search_ms: float | None
    bytes_per_image: int | None
    build_seconds: float | None


def methods_of(folder: Path) -> set[str]:
    """Methods that a folder has rows of; none where nothing was measured."""
    try:
        with (folder / _TABLE).open(newline="", encoding="utf-8") as file:
            return {row["method"] for row in csv.DictReader(file) if row.get("method")}
    except FileNotFoundError:
        return set()


def write_approximate(
    folder: Path, name: str, rows: Sequence[Measured], with_plots: bool = True
) -> None:
    """Write table and plots.

    Parameters
    ----------
    folder : Path
        Gets ``approximate.csv``, ``approximate.md`` and the plots.
    name : str
        Of the dataset.
    rows : sequence of Measured
        At least one.
    with_plots : bool
        Whether plots are drawn.
    """
    write_csv(folder / _TABLE, [asdict(row) for row in rows])
    book = PlotBook(folder, with_plots)
    places = list(dict.fromkeys((row.query_set, row.method) for row in rows))
    sections = []
    for query_set, method in places:
        mine = [row for row in rows if (row.query_set, row.method) == (query_set, method)]
        sections.append((query_set, method, mine, _plot(book, name, query_set, method, mine)))
    write_page(folder / _PAGE, _PAGE.removesuffix(".md"), name=name, sections=sections)
    book.finish(name)


def _plot(book: PlotBook, name: str, query_set: str, method: str, rows: Sequence[Measured]) -> str:
    series = []
    for number, index in enumerate(dict.fromkeys(row.index for row in rows)):
        points = [(r.search_ms, r.recall) for r in rows if r.index == index and r.recall]
        if points:
            series.append(Series(index, Mark(number), np.array(points, np.float64)))
    return book.add(
        f"{method}-{query_set}",
        query_set,
        f"Share of the ten nearest images of {method} that are found, against milliseconds.",
        Paths(
            title=f"{name}, {query_set}: approximate search by {method}",
            xlabel="milliseconds per query, all queries at once",
            ylabel="share of the ten nearest",
            series=series,
        ),
    )
