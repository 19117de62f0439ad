"""Records and rankings to table rows: scores, intervals, letters, costs. Needs no images."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.formats.files import Json
from benchmarks.formats.markdown import DIGITS
from retrieval.metrics import METRICS, Values, score
from retrieval.ranking import Ranking
from retrieval.statistics import compare, resolvable

CHANCE = "chance"
SORT_BY = "map"


@dataclass(frozen=True)
class Column:
    """A column: its heading, and how a value is written for people."""

    heading: str
    write: Callable[[Any], str]


def share(value: float) -> str:
    """Write a score."""
    return f"{value:.3f}"


def _cost(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def score_columns() -> dict[str, Column]:
    """Give the columns of scores, in order, by the key of their values."""
    return {name: Column(metric.label, share) for name, metric in METRICS.items()}


COSTS: dict[str, Column] = {
    "dimensions": Column("dims", str),
    "bytes_per_image": Column("bytes/image", str),
    "fit_seconds": Column("fit s", _cost),
    "extraction_ms": Column("ms/image", _cost),
    "search_ms": Column("ms/query", _cost),
}


def columns() -> dict[str, Column]:
    """Give every column of a table, in order, by the key of its values."""
    return {"row": Column("extractor", str), **score_columns(), **COSTS}


def task_rows(records: Sequence[Json], rankings: Mapping[str, Ranking]) -> list[Json]:
    """Make a task's table rows: chance, then by mAP, then those without numbers.

    Parameters
    ----------
    records : sequence of dict
        See `benchmarks.pipeline.records.results.read_records`.
    rankings : mapping of str to Ranking
        Row name to its ranking, for every record with numbers. Scores are computed from them.

    Returns
    -------
    list of dict
        For each metric its mean (``map``), the ends of its interval (``map_low``,
        ``map_high``) and the letters of its group (``map_letters``), then costs.
    """
    done = [record for record in records if record["status"] == "ok"]
    scored = [record for record in done if record["counts"]["queries scored"]]
    values = {record["row"]: score(rankings[record["row"]]) for record in done}
    rows = [
        {"row": record["row"], "status": "ok", "note": record.get("note", "")}
        | {name: _mean(found) for name, found in values[record["row"]].items()}
        | {key: record[key] for key in ("dimensions", "bytes_per_image")}
        | record["costs"]
        for record in done
    ]
    rows.sort(key=lambda row: (-(row[SORT_BY] or 0), row["row"]))
    if scored:
        for name in METRICS:
            _compare(name, rows, values)
    absent = [
        {"row": record["row"], "status": f"{record['status']}: {record['reason']}"}
        for record in records
        if record["status"] != "ok"
    ]
    by_chance = [{"row": CHANCE, "status": "ok", **record["chance"]} for record in scored[:1]]
    return by_chance + rows + absent


def resolution(rankings: Mapping[str, Ranking], metric: str) -> float:
    """Smallest difference in a metric that a task's queries would usually show."""
    return resolvable(_matrix([score(ranking)[metric] for ranking in rankings.values()]))


def absences(rows: Sequence[Json]) -> list[str]:
    """Say of rows without numbers why, once for those that have one reason."""
    by_status: dict[str, list[str]] = {}
    for row in rows:
        if row["status"] != "ok":
            by_status.setdefault(row["status"], []).append(row["row"])
    return [f"{', '.join(names)}: {status}" for status, names in by_status.items()]


def label(row: Json) -> str:
    """A row's name as people read it, with its notes in short."""
    notes = [note.partition(":")[0] for note in (row.get("note") or "").split("; ") if note]
    return f"{row['row']} ({', '.join(notes)})" if notes else row["row"]


def broken(name: str, width: int) -> str:
    """A row's name in lines of at most `width` where it can be broken: before a ``+``.

    >>> print(broken("hsv-histogram-grid+lbp+gist+rootsift-bovw", 32))
    hsv-histogram-grid+lbp+gist
    +rootsift-bovw
    """
    lines = [""]
    for part in re.split(r"(?=[+])", name):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def cell_text(row: Json, name: str) -> str:
    """One cell as people read it; empty where there is no number."""
    value = row.get(name)
    if name == "row":
        return label(row)
    return "" if value is None else columns()[name].write(value)


def detailed_text(row: Json, name: str) -> str:
    """One cell with its interval and letters, where it has them."""
    text = cell_text(row, name)
    if row.get(f"{name}_letters") is None:
        return text
    ends = "–".join(share(row[f"{name}_{end}"]).removeprefix("0") for end in ("low", "high"))
    return f"{text} ({ends}) {shorten(row[f'{name}_letters'])}"


def shorten(letters: str) -> str:
    """Write three or more letters in a row as a range.

    >>> shorten("abdefgk[aa]")
    'abd–gk[aa]'
    """
    groups = re.findall(r"\[[a-z]+\]|[a-z]", letters)
    places = [_place(group.strip("[]")) for group in groups]
    runs: list[list[int]] = []
    for number, place in enumerate(places):
        if runs and places[runs[-1][-1]] == place - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    written = [
        f"{groups[run[0]]}–{groups[run[-1]]}" if len(run) > 2 else "".join(groups[n] for n in run)
        for run in runs
    ]
    return "".join(written)


def _place(letters: str) -> int:
    """A group's number: a is 0, aa comes after z."""
    place = 0
    for letter in letters:
        place = 26 * place + ord(letter) - ord("a") + 1
    return place


def filled_columns(rows: Sequence[Json]) -> list[str]:
    """Names of the columns in which some row has a value."""
    return [name for name in columns() if any(row.get(name) is not None for row in rows)]


def _compare(name: str, rows: Sequence[Json], values: Mapping[str, Mapping[str, Values]]) -> None:
    """Add a metric's intervals and letters to the rows."""
    matrix = _matrix([values[row["row"]][name] for row in rows])
    made = compare(matrix, binary=METRICS[name].is_binary)
    ends = made.intervals.round(DIGITS).tolist()
    for row, (low, high), letters in zip(rows, ends, made.letters, strict=True):
        row |= {f"{name}_low": low, f"{name}_high": high, f"{name}_letters": letters}


def _matrix(found: Sequence[Values]) -> Values:
    """One column per row, without the queries that have no relevant image."""
    matrix = np.stack(found, axis=1) if found else np.empty((0, 0))
    return matrix[~np.isnan(matrix).any(axis=1)]


def _mean(values: Values) -> float | None:
    scored = values[~np.isnan(values)]
    return round(float(scored.mean()), DIGITS) if len(scored) else None
