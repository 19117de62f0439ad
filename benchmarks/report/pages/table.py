"""Page of a dataset's tables, the tables as CSV and JSON, and the summary of all datasets."""

import csv
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.formats.files import Json, write_json
from benchmarks.pipeline.methods.names import CHANCE
from benchmarks.pipeline.records.leaks import Leaks
from benchmarks.pipeline.records.results import Results, dataset_folders
from benchmarks.report.comparisons import rank_methods, score_task
from benchmarks.report.format import LEVEL_WITH_BEST, write_csv, write_page
from benchmarks.report.tables import (
    COSTS,
    SHOWN_COSTS,
    SORT_BY,
    USUAL,
    Choice,
    label,
    level_with_best,
    remarks,
    resolutions,
    task_rows,
)
from retrieval.metrics import METRICS

log = logging.getLogger(__name__)

PAGES = {
    "plots.md": "Plots",
    "gap.md": "From one query set to another",
    "confusion.md": "Distractors",
    "invariance.md": "Transformed queries",
    "classes.md": "Classes, mistakes, hubs",
    "hybrid.md": "Fusion and re-ranking",
    "presets.md": "Tuned methods",
    "seeds.md": "Seeds of what is learned",
    "leaks.md": "Near duplicates",
}
"""Other pages that there may be of a dataset, and their titles."""

_PROBLEMS_SHOWN = 30

_SUMMARISED = (SORT_BY, "top1")


def write_tables(folder: Path, results: Results, choice: Choice = USUAL) -> dict[str, list[Json]]:
    """Write ``table.json`` and ``table.csv``; returns the table rows by query set."""
    every = choice.every
    tables = {
        name: task_rows(one.records, one.rankings, every) for name, one in results.tasks.items()
    }
    write_json(folder / "table.json", tables)
    keys = [f"{name}{what}" for name in every for what in ("", "_low", "_high", "_letters")]
    lines = [
        {"query_set": query_set, "method": row["method"]}
        | {key: row.get(key) for key in (*keys, *COSTS, "status", "note")}
        for query_set, rows in tables.items()
        for row in rows
    ]
    write_csv(folder / "table.csv", lines)
    return tables


def write_table_page(
    folder: Path,
    results: Results,
    tables: Mapping[str, Sequence[Json]],
    choice: Choice = USUAL,
    leaks: Leaks | None = None,
) -> None:
    """Write a dataset's page of tables, after all others: it names those that there are."""
    write_page(
        folder / "table.md",
        "table",
        about=results.about,
        tasks=results.tasks,
        tables={name: choice.ordered(rows) for name, rows in tables.items()},
        metrics=choice.shown,
        first=choice.first,
        costs={key: COSTS[key] for key in SHOWN_COSTS},
        chance=CHANCE,
        mark=LEVEL_WITH_BEST,
        label=label,
        level_with_best=level_with_best,
        resolutions=resolutions,
        remarks=remarks,
        pages={page: title for page, title in PAGES.items() if (folder / page).exists()},
        leaks=leaks,
        problems=results.about.problems[:_PROBLEMS_SHOWN],
    )


def write_summary(out: Path, results: Sequence[Results] | None = None) -> None:
    """Write ``summary.md``: mAP and top-1 of every method on every task of all datasets.

    Parameters
    ----------
    out : Path
        The results folder, where tables are already.
    results : sequence of Results
        Of those of its datasets that take part, for the ranks of the methods that ran on all of
        their tasks; all take part, without ranks, if left out.
    """
    whole = None if results is None else {one.about.name for one in results}
    tables = {
        f"{folder.name}/{query_set}": rows
        for folder in dataset_folders(out)
        if (whole is None or folder.name in whole) and (folder / "table.csv").exists()
        for query_set, rows in _read_table(folder / "table.csv").items()
        if any(row.get(SORT_BY) is not None for row in rows)
    }
    sections = {METRICS[name].label: _across(tables, name) for name in _SUMMARISED}
    values = {
        f"{one.about.name}/{query_set}": score_task(task, SORT_BY).values
        for one in results or ()
        for query_set, task in one.tasks.items()
        if task.is_scored
    }
    ranks = rank_methods(values)
    write_page(out / "summary.md", "summary", tasks=list(tables), sections=sections, ranks=ranks)


def _read_table(path: Path) -> dict[str, list[Json]]:
    """The rows of a dataset by query set; none of a damaged table, which its next run mends."""
    tables: dict[str, list[Json]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for line in csv.DictReader(file):
                scores = {name: float(line[name]) for name in _SUMMARISED if line[name]}
                row = {"method": line["method"], "note": line["note"], **scores}
                tables.setdefault(line["query_set"], []).append(row)
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        reason = f"damaged: run again ({error})"
        log.warning("%s: %s, until then it is left out of the summary", path, reason)
        return {}
    return tables


def _across(tables: Mapping[str, Sequence[Json]], metric: str) -> list[Json]:
    """Every method's score on every task, chance first, then by the mean.

    A method that did not run on every task stands behind those that did: easy ones alone would
    raise its mean.
    """
    scores: dict[str, dict[str, float]] = {}
    labels = {}
    for task, rows in tables.items():
        for row in rows:
            if row.get(metric) is not None:
                scores.setdefault(row["method"], {})[task] = row[metric]
                labels[row["method"]] = label(row)
    most = max(map(len, scores.values()), default=0)
    means = {name: sum(one.values()) / len(one) for name, one in scores.items()}
    best = {task: max(one[task] for one in scores.values() if task in one) for task in tables}
    return [
        {
            "label": labels[name],
            "scores": [scores[name].get(task) for task in tables],
            "is_best": [scores[name].get(task) == best[task] for task in tables],
        }
        for name in sorted(
            scores,
            key=lambda name: (name != CHANCE, len(scores[name]) < most, -means[name], name),
        )
    ]
