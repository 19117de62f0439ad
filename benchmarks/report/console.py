"""Tables and lists on the terminal."""

from collections.abc import Mapping, Sequence

from rich.markup import escape
from rich.table import Table

from benchmarks.formats.files import Json
from benchmarks.formats.progress import Terminal
from benchmarks.formats.terminal import visible
from benchmarks.pipeline.methods.presets import Preset
from benchmarks.report.format import broken, change, count, p_value, score
from benchmarks.report.tables import USUAL, Choice, cell_text, headings, remarks
from datasets.task import Dataset

_METRICS = ("top1", "top5", "top10", "map")
"""The usual metrics that fit 80 columns; the written tables have every column."""

_COSTS = ("dimensions", "extraction_ms", "search_ms")


def print_table(
    dataset: Dataset, tables: Mapping[str, Sequence[Json]], choice: Choice = USUAL
) -> None:
    """Print a dataset's tables, best method first."""
    shown = ("method", *(_METRICS if choice is USUAL else choice.shown), *_COSTS)
    heading_of = headings(choice.every)
    console = Terminal()
    for query_set, rows in tables.items():
        title = escape(visible(f"{dataset.name}/{query_set}"))
        table = Table(title=title, box=None, pad_edge=False, padding=(0, 1, 0, 0))
        numbers = [row for row in choice.ordered(rows) if row["status"] == "ok"]
        names = [name for name in shown if any(row.get(name) is not None for row in numbers)]
        heads = [heading_of[name] for name in names]
        for place, heading in enumerate(heads):
            table.add_column(heading, no_wrap=True, justify="right" if place else "left")
        # Notes have lines of their own below, and separators of thousands no room.
        lines = [
            [cell_text(row | {"note": ""}, name).replace(",", "") for name in names]
            for row in numbers
        ]
        widths = [max(map(len, cells)) for cells in zip(heads, *lines, strict=True)]
        room = console.width - sum(1 + width for width in widths[1:]) - 1
        for name, *cells in lines:
            table.add_row(broken(name, room), *cells)
        console.print(table)
        for task in dataset.tasks:
            if task.protocol and task.query_set == query_set:
                differs = f"; differs: {', '.join(task.differences)}" if task.differences else ""
                console.print(f"protocol: {task.protocol.name}{differs}", markup=False)
        for text, methods in remarks(rows).items():
            console.print(visible(f"{', '.join(methods)}: {text}"), markup=False)
        console.print()
    for warning in dataset.warnings:
        console.print(f"Warning: {warning}", markup=False)
    if dataset.problems:
        console.print(
            f"Image problems: {len(dataset.problems)}, listed in problems.csv\n", markup=False
        )


def print_preset(preset: Preset) -> None:
    """Print what tuning tried and what came of it; the menu's own choice first."""
    console = Terminal(highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(escape(f"{preset.method}, {len(preset.images)} images of {preset.dataset}"))
    for heading in ("dims", "mAP", "top-1", "change", "p"):
        table.add_column(heading, justify="right", no_wrap=True)
    for number, tried in enumerate(preset.candidates):
        mark = "* " if tried["choice"] == preset.parameters else ""
        cells = [count(tried["dimensions"]), score(tried["map"], tried["low"], tried["high"])]
        cells += [score(tried["top1"]), change(tried["change"]), p_value(tried["p_value"])]
        table.add_row(mark + escape(tried["words"]), *(cells if number else cells[:3]))
    console.print(table)
    for words, why in preset.failed.items():
        console.print(visible(f"{words}: {why}"), markup=False)
    console.print(f"* {preset.verdict}", markup=False)
