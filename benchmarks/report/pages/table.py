"""Table rows to files: a dataset's Markdown page, CSV and JSON, and the summary of all."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.formats.files import Json, read_json, write_json, write_text
from benchmarks.formats.markdown import escape, markdown, to_csv
from benchmarks.pipeline.records.record import Description
from benchmarks.pipeline.records.results import Results
from benchmarks.report.pages.leaks import FILE as LEAKS
from benchmarks.report.plots.book import PAGE as PLOTS
from benchmarks.report.tables import (
    CHANCE,
    COSTS,
    SORT_BY,
    absences,
    columns,
    detailed_text,
    filled_columns,
    label,
    resolution,
    score_columns,
    share,
    task_rows,
)
from retrieval.metrics import METRICS
from retrieval.ranking import Ranking

LEGEND = (
    "top-k: share of queries with a right image among the first k. mAP: mean average precision "
    "over all relevant images. P@10: share of right images among the first ten. R-prec: "
    "precision at the number of relevant images. In brackets the 95 % interval, by bootstrap "
    "over queries. Rows that share a letter do not differ significantly in that column (exact "
    "McNemar test for top-k, paired permutation test for the others, Holm's correction over all "
    "pairs, 5 %); d–g stands for d, e, f and g. chance: the exact expected score of a random "
    "order. Rows are in order of mAP. "
    "ms/image: extraction by one worker, decoding aside. ms/query: exact search of the whole "
    "gallery, one batch."
)

PAGES = {
    PLOTS: "Plots",
    "gap.md": "From photographs to sketches",
    "confusion.md": "What confusion images do",
    "classes.md": "Classes, mistakes, hubs",
    "hybrid.md": "What extractors do together",
    "presets.md": "Tuned methods",
}
"""What else there may be of a dataset, and what it is called."""

_PROBLEMS_SHOWN = 30


def write_tables(folder: Path, results: Results) -> dict[str, list[Json]]:
    """Write a dataset's tables as JSON and CSV.

    Parameters
    ----------
    folder : Path
        ``<out>/<dataset>``.
    results : Results
        What is kept there.

    Returns
    -------
    dict of str to list of dict
        Query set to its table rows.
    """
    tables = {
        query_set: task_rows(task.records, task.rankings)
        for query_set, task in results.tasks.items()
    }
    write_json(folder / "table.json", tables)
    write_text(folder / "table.csv", _table_csv(tables))
    return tables


def write_table_page(folder: Path, results: Results, tables: Mapping[str, Sequence[Json]]) -> None:
    """Write a dataset's page of tables, after all others: it names those that there are."""
    about = results.about
    parts = [f"# {escape(about.name)}\n\nPictures: {about.licence}. Split: {about.split}.\n"]
    for query_set, task in results.tasks.items():
        parts.append(f"\n## {escape(query_set)}\n\n{counts_in_words(task.records)}\n")
        if not about.labelled:
            parts.append("\nNo labels, so no scores: the answers are in `answers/`.\n")
        parts.append(_section(tables[query_set], task.records, task.rankings))
    parts.append(f"\n{LEGEND}\n{_further(folder)}{_problem_section(about)}")
    write_text(folder / "table.md", "".join(parts))


def write_summary(out: Path) -> None:
    """Write one table of all datasets below `out`: every row's mAP and top-1 on every task."""
    tables = {
        f"{path.parent.name}/{query_set}": rows
        for path in sorted(out.glob("*/table.json"))
        for query_set, rows in (read_json(path) or {}).items()
    }
    scored = {task: rows for task, rows in tables.items() if any(SORT_BY in r for r in rows)}
    text = "# All datasets\n"
    for metric in (SORT_BY, "top1"):
        text += f"\n## {METRICS[metric].label}\n\n" + _across(scored, metric)
    write_text(out / "summary.md", text + "\nBest of a column in bold; – : no number.\n")


def _section(
    rows: Sequence[Json], records: Sequence[Json], rankings: Mapping[str, Ranking]
) -> str:
    """A query set's tables and notes."""
    numbers = [row for row in rows if row["status"] == "ok"]
    measured = [row for row in numbers if row["row"] != CHANCE]
    filled = filled_columns(numbers)
    text = ""
    if any(name in METRICS for name in filled):
        text += "\n" + _table(numbers, ["row", *score_columns()])
        text += _resolution_note(rankings)
    if measured:
        text += "\n" + _table(measured, ["row", *(name for name in COSTS if name in filled)])
    text += "".join(f"\n- {escape(line)}\n" for line in absences(rows))
    text += "".join(f"\n{row['row']}: {escape(row['note'])}.\n" for row in rows if row.get("note"))
    text += _zero_note(records)
    return text + "".join(_verification_note(r) for r in records if "verification" in r)


def _table(rows: Sequence[Json], names: Sequence[str]) -> str:
    headings = [columns()[name].heading for name in names]
    return markdown(headings, [[detailed_text(row, name) for name in names] for row in rows])


def _resolution_note(rankings: Mapping[str, Ranking]) -> str:
    if len(rankings) < 2:
        return ""
    found = [f"{resolution(rankings, m):.3f} in {METRICS[m].label}" for m in ("top1", SORT_BY)]
    return (
        "\nSmallest difference between two rows that this many queries would usually show (one "
        f"paired comparison, 80 % power): {' and '.join(found)}.\n"
    )


def _table_csv(tables: Mapping[str, Sequence[Json]]) -> str:
    names = ["row"]
    for name in score_columns():
        names += [name, *(f"{name}_{what}" for what in ("low", "high", "letters"))]
    names += [*COSTS, "status", "note"]
    lines = [
        [query_set, *(row.get(name) for name in names)]
        for query_set, rows in tables.items()
        for row in rows
    ]
    return to_csv(["query_set", *names], lines)


def _across(tables: Mapping[str, Sequence[Json]], metric: str) -> str:
    values = {
        task: {row["row"]: row[metric] for row in rows if row.get(metric) is not None}
        for task, rows in tables.items()
    }
    names = {name for column in values.values() for name in column}
    shown = {row["row"]: label(row) for rows in tables.values() for row in rows}
    best = {task: max(column.values(), default=None) for task, column in values.items()}

    def mean(name: str) -> float:
        found = [column[name] for column in values.values() if name in column]
        return sum(found) / len(found)

    def cell(name: str, task: str) -> str:
        value = values[task].get(name)
        if value is None:
            return "–"
        return f"**{share(value)}**" if value == best[task] else share(value)

    ordered = sorted(names, key=lambda name: (name != CHANCE, -mean(name), name))
    cells = [[shown[name], *(cell(name, task) for task in tables)] for name in ordered]
    return markdown(["extractor", *tables], cells)


def counts_in_words(records: Sequence[Json]) -> str:
    """Say how many images a query set's numbers are about."""
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


def _further(folder: Path) -> str:
    """What other pages tell of the dataset, and what an audit for leaks found."""
    lines = [f"[{title}]({page})" for page, title in PAGES.items() if (folder / page).exists()]
    found = read_json(folder / LEAKS)
    if found:
        count = sum(found["counts"].values())
        lines.append(f"[Leaks](leaks.md): {count} pairs of near duplicates")
    else:
        lines.append("Leaks: not looked for; `python -m benchmarks.audit` does that")
    return "\n## Further\n\n" + "".join(f"- {line}\n" for line in lines)


def _problem_section(about: Description) -> str:
    if not about.problems:
        return "\n## Image problems\n\nNone.\n"
    cells = about.problems[:_PROBLEMS_SHOWN]
    more = len(about.problems) - _PROBLEMS_SHOWN
    tail = f"\n{more} more in problems.csv.\n" if more > 0 else ""
    return "\n## Image problems\n\n" + markdown(["image", "problem", "outcome"], cells) + tail
