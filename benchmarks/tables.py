"""Records to tables: Markdown, CSV, JSON. Needs no images, no vectors, no rankings."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.files import Json, read_json, write_json, write_text
from benchmarks.records import read_records
from datasets.task import Dataset
from retrieval.metrics import METRICS

CHANCE = "chance"
_SORT_BY = "map"


@dataclass(frozen=True)
class Column:
    """A column: its heading, and how a value is written for people."""

    heading: str
    write: Callable[[Any], str]


def _share(value: float) -> str:
    return f"{value:.3f}"


def _cost(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def columns() -> dict[str, Column]:
    """Give every column of a table, in order, by the key of its values."""
    return {
        "row": Column("extractor", str),
        **{name: Column(metric.label, _share) for name, metric in METRICS.items()},
        "dimensions": Column("dims", str),
        "bytes_per_image": Column("bytes/image", str),
        "fit_seconds": Column("fit s", _cost),
        "extraction_ms": Column("ms/image", _cost),
        "search_ms": Column("ms/query", _cost),
    }


LEGEND = (
    "top-k: share of queries with a right image among the first k. mAP: mean average precision "
    "over all relevant images. P@10: share of right images among the first ten. R-prec: "
    "precision at the number of relevant images. ms/image: extraction by one worker, decoding "
    "aside. ms/query: exact search of the whole gallery, one batch. chance: the expected score "
    "of a random order. Rows are in order of mAP."
)


def task_rows(records: Sequence[Json]) -> list[Json]:
    """Flatten a task's records to table rows: chance, then by mAP, then those without numbers."""
    done = [record for record in records if record["status"] == "ok"]
    scored = [record for record in done if record["counts"]["queries scored"]]
    rows = [
        {"row": record["row"], "status": "ok", "note": record.get("note", ""), **record["scores"]}
        | {key: record[key] for key in ("dimensions", "bytes_per_image")}
        | record["costs"]
        for record in done
    ]
    rows.sort(key=lambda row: (-(row[_SORT_BY] or 0), row["row"]))
    absent = [
        {"row": record["row"], "status": f"{record['status']}: {record['reason']}"}
        for record in records
        if record["status"] != "ok"
    ]
    by_chance = [{"row": CHANCE, "status": "ok", **record["chance"]} for record in scored[:1]]
    return by_chance + rows + absent


def write_tables(out: Path, dataset: Dataset) -> dict[str, list[Json]]:
    """Write a dataset's tables from its records, and the list of its images and problems.

    Returns
    -------
    dict of str to list of dict
        Query set to its table rows.
    """
    folder = out / dataset.name
    tasks = {
        task.query_set: read_records(folder / "records" / task.query_set, dataset.fingerprint)
        for task in dataset.tasks
    }
    tables = {query_set: task_rows(records) for query_set, records in tasks.items()}
    write_json(folder / "table.json", tables)
    write_text(folder / "table.csv", _table_csv(tables))
    write_text(folder / "table.md", _page(dataset, tasks, tables))
    header = ("part", "id", "label", "distractor", "sha256")
    images = [
        (part, image.id, image.label, image.distractor, image.sha256)
        for part, image in dataset.images
    ]
    write_text(folder / "images.csv", to_csv(header, images))
    problems = [(problem.id, problem.what, problem.outcome) for problem in dataset.problems]
    write_text(folder / "problems.csv", to_csv(("id", "problem", "outcome"), problems))
    return tables


def write_summary(out: Path) -> None:
    """Write one table of all datasets below `out`: every row's mAP and top-1 on every task."""
    tables = {
        f"{path.parent.name}/{query_set}": rows
        for path in sorted(out.glob("*/table.json"))
        for query_set, rows in (read_json(path) or {}).items()
    }
    scored = {task: rows for task, rows in tables.items() if any(_SORT_BY in r for r in rows)}
    text = "# All datasets\n"
    for metric in (_SORT_BY, "top1"):
        text += f"\n## {METRICS[metric].label}\n\n" + _across(scored, metric)
    write_text(out / "summary.md", text + "\nBest of a column in bold; – : no number.\n")


def _across(tables: Mapping[str, Sequence[Json]], metric: str) -> str:
    values = {
        task: {row["row"]: row[metric] for row in rows if row.get(metric) is not None}
        for task, rows in tables.items()
    }
    names = {name for column in values.values() for name in column}
    shown = {row["row"]: cell_text(row, "row") for rows in tables.values() for row in rows}
    best = {task: max(column.values(), default=None) for task, column in values.items()}

    def mean(name: str) -> float:
        found = [column[name] for column in values.values() if name in column]
        return sum(found) / len(found)

    def cell(name: str, task: str) -> str:
        value = values[task].get(name)
        if value is None:
            return "–"
        return f"**{_share(value)}**" if value == best[task] else _share(value)

    ordered = sorted(names, key=lambda name: (name != CHANCE, -mean(name), name))
    cells = [[shown[name], *(cell(name, task) for task in tables)] for name in ordered]
    return markdown(["extractor", *tables], cells)


def absences(rows: Sequence[Json]) -> list[str]:
    """Say of rows without numbers why, once for those that have one reason."""
    by_status: dict[str, list[str]] = {}
    for row in rows:
        if row["status"] != "ok":
            by_status.setdefault(row["status"], []).append(row["row"])
    return [f"{', '.join(names)}: {status}" for status, names in by_status.items()]


def cell_text(row: Json, name: str) -> str:
    """One cell as people read it; empty where there is no number."""
    value = row.get(name)
    text = "" if value is None else columns()[name].write(value)
    return f"{text} (partial weights)" if name == "row" and row.get("note") else text


def filled_columns(rows: Sequence[Json]) -> list[str]:
    """Names of the columns in which some row has a value."""
    return [name for name in columns() if any(row.get(name) is not None for row in rows)]


def markdown(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """Format a Markdown table, first column left, the others right."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *cells]
    return "".join("| " + " | ".join(escape(cell) for cell in line) + " |\n" for line in lines)


def escape(text: str) -> str:
    """Keep a name from breaking the Markdown around it."""
    for char in "\\`|<>[]":
        text = text.replace(char, "\\" + char)
    return "".join(char if char.isprintable() else f"\\\\x{ord(char):02x}" for char in text)


def to_csv(header: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    """Format CSV as RFC 4180 has it, but with Unix line ends; None is an empty field."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows([header, *lines])
    return buffer.getvalue()


def _table_csv(tables: Mapping[str, Sequence[Json]]) -> str:
    lines = [
        [query_set, *(row.get(name) for name in columns()), row["status"]]
        for query_set, rows in tables.items()
        for row in rows
    ]
    return to_csv(["query_set", *columns(), "status"], lines)


def _page(
    dataset: Dataset, tasks: Mapping[str, Sequence[Json]], tables: Mapping[str, Sequence[Json]]
) -> str:
    parts = [f"# {escape(dataset.name)}\n\nPictures: {dataset.licence}. Split: {dataset.split}.\n"]
    for query_set, rows in tables.items():
        parts.append(f"\n## {escape(query_set)}\n\n{_counts(tasks[query_set])}\n\n")
        if not dataset.labelled:
            parts.append("No labels, so no scores: the answers are in `answers/`.\n\n")
        numbers = [row for row in rows if row["status"] == "ok"]
        names = filled_columns(numbers)
        headings = [columns()[name].heading for name in names]
        parts.append(markdown(headings, [[cell_text(row, n) for n in names] for row in numbers]))
        parts += [f"\n- {escape(line)}\n" for line in absences(rows)]
        parts += [f"\n{row['row']}: {escape(row['note'])}.\n" for row in rows if row.get("note")]
        parts.append(_zero_note(tasks[query_set]))
        parts += [_verification_note(r) for r in tasks[query_set] if "verification" in r]
    parts.append(f"\n{LEGEND}\n")
    parts.append(_problem_section(dataset))
    return "".join(parts)


def _counts(records: Sequence[Json]) -> str:
    counts = next((r["counts"] for r in records if r["status"] == "ok"), None)
    if counts is None:
        return "No row gave numbers."
    text = (
        f"{counts['queries']} queries, {counts['gallery images']} gallery images of which "
        f"{counts['confusion images']} are confusion images, "
        f"{counts['training images']} training images."
    )
    if counts["queries left out"]:
        text += f" {counts['queries left out']} queries without a relevant image are left out."
    if counts["queries found in gallery"]:
        text += (
            f" {counts['queries found in gallery']} queries stand in the gallery themselves "
            "and were excluded there."
        )
    return text


def _verification_note(record: Json) -> str:
    seen = ", ".join(f"{what} {value}" for what, value in record["verification"].items())
    return f"\n{record['row']}: {seen}.\n"


def _zero_note(records: Sequence[Json]) -> str:
    zeros = {
        record["row"]: record["counts"]["zero vectors"]
        for record in records
        if record["status"] == "ok" and record["counts"]["zero vectors"]
    }
    if not zeros:
        return ""
    listed = ", ".join(f"{name} {count}" for name, count in zeros.items())
    return f"\nPictures described by a zero vector (nothing found in them): {listed}.\n"


def _problem_section(dataset: Dataset, shown: int = 30) -> str:
    if not dataset.problems:
        return "\n## Image problems\n\nNone.\n"
    cells = [[problem.id, problem.what, problem.outcome] for problem in dataset.problems[:shown]]
    more = len(dataset.problems) - shown
    tail = f"\n{more} more in problems.csv.\n" if more > 0 else ""
    return "\n## Image problems\n\n" + markdown(["image", "problem", "outcome"], cells) + tail
