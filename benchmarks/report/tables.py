"""Rows of the tables, made of records and rankings: scores, intervals, letters, costs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.formats.files import Json
from benchmarks.formats.markdown import DIGITS
from benchmarks.pipeline.methods.names import CHANCE
from benchmarks.pipeline.records.record import Description
from benchmarks.report.comparisons import values_of
from benchmarks.report.format import cost, count, groups, score, shorten
from datasets.errors import InputError
from retrieval.metrics import METRICS, Metrics, find_metrics, mean_scores
from retrieval.ranking import Ranking
from retrieval.statistics import compare, resolvable

SORT_BY = "map"


@dataclass(frozen=True)
class Column:
    """A column of costs: its heading, and how a value is written for people."""

    heading: str
    write: Callable[[Any], str]


COSTS = {
    "dimensions": Column("dims", count),
    "bytes_per_image": Column("bytes/image", count),
    "fit_seconds": Column("fit s", cost),
    "extraction_ms": Column("ms/image", cost),
    "search_ms": Column("ms/query", cost),
}


@dataclass(frozen=True)
class Choice:
    """The metrics that people see; files for machines have the usual ones as well.

    Attributes
    ----------
    shown : mapping of str to Metric
        In the order of the columns.
    first : tuple of str
        Keys of those that have their interval beside them; methods are in order of the first.
    """

    shown: Metrics
    first: tuple[str, ...]

    @property
    def every(self) -> Metrics:
        """The usual metrics, and those shown."""
        return {**METRICS, **self.shown}

    def ordered(self, rows: Sequence[Json]) -> list[Json]:
        """Rows of `task_rows`: chance, then by the first metric, then methods without numbers."""

        def place(row: Json) -> tuple[bool, bool, float, str]:
            if row["status"] != "ok":
                return True, True, 0, ""
            return False, row["method"] != CHANCE, -(row.get(self.first[0]) or 0), row["method"]

        return sorted(rows, key=place)


_FIRST = (SORT_BY, "top1")
USUAL = Choice({name: METRICS[name] for name in _FIRST}, _FIRST)
"""Two of the metrics of every record."""

SHOWN_COSTS = ("bytes_per_image", "extraction_ms")
"""Costs in the tables for people."""


def choose(names: Sequence[str] | None) -> Choice:
    """Choose metrics by name, all with their intervals; mAP and top-1 where none is named.

    Raises
    ------
    InputError
        If there is no metric of a name.
    """
    if not names:
        return USUAL
    try:
        found = find_metrics(names)
    except ValueError as error:
        raise InputError(f"--metrics: {error}") from error
    return Choice(found, tuple(found))


def by_protocol(about: Description) -> Choice:
    """The metrics of the protocols that a dataset follows, then mAP and top-1."""
    followed = about.protocols.values()
    if not followed:
        return USUAL
    names = dict.fromkeys(name for one in followed for name in (*one.metrics, *_FIRST))
    try:
        return Choice(
            find_metrics(names), tuple(dict.fromkeys(one.metrics[0] for one in followed))
        )
    except ValueError as error:
        raise InputError(f"{about.name}: {error}; run again") from error


def headings(metrics: Metrics) -> dict[str, str]:
    """Headings of all columns of a table, in order, by the key of their values."""
    scores = {name: metric.label for name, metric in metrics.items()}
    costs = {name: column.heading for name, column in COSTS.items()}
    return {"method": "method", **scores, **costs}


def task_rows(
    records: Sequence[Json], rankings: Mapping[str, Ranking], metrics: Metrics = METRICS
) -> list[Json]:
    """Make the rows of a task's table: chance, then by mAP, then methods without numbers.

    Parameters
    ----------
    records : sequence of dict
        See `benchmarks.pipeline.records.results.read_results`.
    rankings : mapping of str to Ranking
        By method, for every record with numbers. Scores are computed from them.
    metrics : mapping of str to Metric
        The scores.

    Returns
    -------
    list of dict
        ``method``, its name; ``status`` and ``note``; for each metric its mean (``map``),
        the ends of its interval (``map_low``, ``map_high``) and the letters of its group
        (``map_letters``); and the costs.
    """
    done = [record for record in records if record["status"] == "ok"]
    scored = [record for record in done if record["counts"]["queries scored"]]
    values = {record["method"]: values_of(rankings[record["method"]], metrics) for record in done}
    rows = [
        {"method": record["method"], "status": "ok", "note": record.get("note", "")}
        | {key: record[key] for key in ("dimensions", "bytes_per_image")}
        | dict.fromkeys(("fit_seconds", "extraction_ms", "search_ms"))
        | record["costs"]
        | {
            name: round(float(one.mean()), DIGITS) if len(one) else None
            for name, one in values[record["method"]].items()
        }
        for record in done
    ]
    rows.sort(key=lambda row: (-(row[SORT_BY] or 0), row["method"]))
    for name, metric in metrics.items() if scored else ():
        matrix = np.stack([values[row["method"]][name] for row in rows], axis=1)
        made = compare(matrix, binary=metric.is_binary)
        ends = made.intervals.round(DIGITS).tolist()
        for row, (low, high), letters in zip(rows, ends, made.letters, strict=True):
            row |= {f"{name}_low": low, f"{name}_high": high, f"{name}_letters": letters}
    absent = [
        {"method": record["method"], "status": f"{record['status']}: {record['reason']}"}
        for record in records
        if record["status"] != "ok"
    ]
    by_chance = [
        {
            "method": CHANCE,
            "status": "ok",
            **chance_of(record, rankings[record["method"]], metrics),
        }
        for record in scored[:1]
    ]
    return by_chance + rows + absent


def chance_of(record: Json, ranking: Ranking, metrics: Metrics) -> dict[str, float | None]:
    """Chance as the record has it; of metrics that were not recorded, from the ranking."""
    known: dict[str, float | None] = record["chance"]
    others = {name: metric for name, metric in metrics.items() if name not in known}
    found = known | mean_scores(ranking.in_random_order(), others)
    return {name: found[name] for name in metrics}


def resolutions(
    rankings: Iterable[Ranking], names: Iterable[str], metrics: Metrics
) -> dict[str, float]:
    """Smallest differences in some metrics that a task's queries would usually show, if any."""
    chosen = {name: metrics[name] for name in names}
    scored = [values_of(ranking, chosen) for ranking in rankings]
    found = {name: resolvable(np.stack([one[name] for one in scored], axis=1)) for name in chosen}
    return {name: least for name, least in found.items() if not np.isnan(least)}


def level_with_best(rows: Sequence[Json], metrics: Iterable[str]) -> dict[str, set[str]]:
    """Find the methods that are not significantly worse than the best, by metric."""
    found: dict[str, set[str]] = {}
    for name in metrics:
        compared = [row for row in rows if f"{name}_letters" in row]
        letters = {row["method"]: set(groups(row[f"{name}_letters"])) for row in compared}
        best = max(compared, key=lambda row: row[name], default={"method": None})["method"]
        found[name] = {one for one, own in letters.items() if own & letters[best]}
    return found


def remarks(rows: Sequence[Json], records: Sequence[Json] = ()) -> dict[str, list[str]]:
    """Collect what is to be said of methods, each remark with the methods that it is about.

    Parameters
    ----------
    rows : sequence of dict
        See `task_rows`: reasons of skipped and failed methods, and notes on others.
    records : sequence of dict
        Records with numbers: images without a vector, and the work of spatial verification.
    """
    found: dict[str, list[str]] = {}
    for row in rows:
        status = [] if row["status"] == "ok" else [row["status"]]
        for text in (*status, *_notes(row)):
            found.setdefault(text, []).append(row["method"])
    for record in records:
        if zeros := record["counts"]["zero vectors"]:
            text = f"images in which nothing was found, so that their vector is zero: {zeros}"
            found.setdefault(text, []).append(record["method"])
        if seen := record.get("verification"):
            text = "; ".join(f"{what}: {value:,}" for what, value in seen.items())
            found.setdefault(text, []).append(record["method"])
    return found


def label(row: Json) -> str:
    """Write a method's name with its notes in short."""
    notes = [note.partition(":")[0] for note in _notes(row)]
    return f"{row['method']} ({', '.join(notes)})" if notes else row["method"]


def cell_text(row: Json, name: str) -> str:
    """Write one cell; empty where there is no number."""
    if name == "method":
        return label(row)
    write = COSTS[name].write if name in COSTS else score
    return "" if row.get(name) is None else write(row[name])


def detailed_text(row: Json, name: str) -> str:
    """Write one cell with its interval and letters, where it has them."""
    letters = row.get(f"{name}_letters")
    if letters is None:
        return cell_text(row, name)
    return f"{score(*(row[name + end] for end in ('', '_low', '_high')))} {shorten(letters)}"


def _notes(row: Json) -> list[str]:
    return [note for note in (row.get("note") or "").split("; ") if note]
