"""Tables and lists on the terminal."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.formats.files import Json
from benchmarks.pipeline.methods.presets import Preset
from benchmarks.report.format import change, count, p_value, score
from benchmarks.report.tables import absences, broken, cell_text, columns, filled_columns
from datasets.task import Dataset

_SHOWN = ("row", "top1", "top5", "top10", "map", "dimensions", "extraction_ms", "search_ms")
"""What fits 80 columns; the written tables have every column."""


def print_table(dataset: Dataset, tables: Mapping[str, Sequence[Json]]) -> None:
    """Print a dataset's tables, best row first."""
    console = Console()
    for query_set, rows in tables.items():
        title = escape(f"{dataset.name}/{query_set}")
        table = Table(title=title, box=None, pad_edge=False, padding=(0, 1, 0, 0))
        numbers = [row for row in rows if row["status"] == "ok"]
        names = [name for name in filled_columns(numbers) if name in _SHOWN]
        for name in names:
            table.add_column(columns()[name].heading, no_wrap=True)
        for column in table.columns[1:]:
            column.justify = "right"
        # Without their notes, which have lines of their own below.
        lines = [[cell_text(row | {"note": ""}, name) for name in names] for row in numbers]
        headings = [columns()[name].heading for name in names]
        widths = [max(map(len, cells)) for cells in zip(headings, *lines, strict=True)]
        room = console.width - sum(1 + width for width in widths[1:]) - 1
        for name, *cells in lines:
            table.add_row(broken(name, room), *cells)
        console.print(table)
        for row in numbers:
            if row.get("note"):
                console.print(f"{row['row']}: {row['note']}", markup=False)
        for line in absences(rows):
            console.print(line, markup=False)
        console.print()
    if dataset.problems:
        console.print(
            f"Image problems: {len(dataset.problems)}, listed in problems.csv\n", markup=False
        )


def print_preset(preset: Preset) -> None:
    """Print what tuning tried and what came of it; the menu's own choice first."""
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(f"{preset.row}, {len(preset.images)} images of {preset.dataset}")
    for heading in ("dims", "mAP", "top-1", "change", "p"):
        table.add_column(heading, justify="right", no_wrap=True)
    for number, tried in enumerate(preset.candidates):
        mark = "* " if tried["choice"] == preset.parameters else ""
        cells = [count(tried["dimensions"]), score(tried["map"], tried["low"], tried["high"])]
        cells += [score(tried["top1"]), change(tried["change"]), p_value(tried["p_value"])]
        table.add_row(mark + escape(tried["words"]), *(cells if number else cells[:3]))
    console.print(table)
    for words, why in preset.failed.items():
        console.print(f"{words}: {why}", markup=False)
    console.print(f"* {preset.verdict}", markup=False)
