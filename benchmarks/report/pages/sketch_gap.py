"""Page of the gap between query sets: each method's loss from photographs to other queries."""

from pathlib import Path, PurePosixPath

import numpy as np

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.record import PHOTOS
from benchmarks.pipeline.records.results import Results, TaskResults
from benchmarks.report.comparisons import RankChange, rank_change, score_task
from benchmarks.report.families import families_of
from benchmarks.report.format import write_csv, write_page
from benchmarks.report.plots.axes import Mark, Series
from benchmarks.report.plots.book import PlotBook
from benchmarks.report.plots.charts import Slopes
from benchmarks.report.tables import SORT_BY
from retrieval.bootstrap import difference_intervals, intervals
from retrieval.metrics import METRICS

_NAMED = 8
"""Lines that a plot has room to name."""


def write_gap(folder: Path, results: Results, book: PlotBook) -> None:
    """Write ``gap.md`` and ``gap.csv``, and plot, where more than one query set has scores."""
    tasks = {name: task for name, task in results.tasks.items() if task.is_scored}
    photos = tasks.pop(PHOTOS, None)
    if not photos:
        return
    sections: list[Json] = []
    for name, task in tasks.items():
        for metric in (SORT_BY, "top1"):
            rows, paired = gap_rows(photos, task, metric)
            section = {"query_set": name, "metric": metric, "paired": paired, "rows": rows}
            order = _order(name, photos, task, rows, book) if metric == SORT_BY and rows else None
            sections.append(section | {"label": METRICS[metric].label, "order": order})
    lines = [
        {"query_set": section["query_set"], "metric": section["metric"]} | row
        for section in sections
        for row in section["rows"]
    ]
    if lines:
        write_csv(folder / "gap.csv", lines)
        about = {"name": results.about.name, "photos": PHOTOS}
        write_page(folder / "gap.md", "sketch_gap", **about, sections=sections)


def gap_rows(photos: TaskResults, others: TaskResults, metric: str) -> tuple[list[Json], bool]:
    """Score every method on two query sets, best on the second first.

    Parameters
    ----------
    photos, others : TaskResults
        Results of the query sets.
    metric : str
        Key in `METRICS`.

    Returns
    -------
    rows : list of dict
        ``method``; ``photos`` and ``others``, its means; ``change``, ``low`` and ``high``; and
        ``kept``, the share of the lead over chance that is left (None if the interval of
        photographs reaches down to chance).
    paired : bool
        Whether the queries have the same names, as the same images in another form have.
    """
    one, other = score_task(photos, metric), score_task(others, metric)
    keys, other_keys = _keys(photos), _keys(others)
    paired = sorted(keys) == sorted(other_keys)
    names = [name for name in one.values if name in other.values]
    if not names:
        return [], paired
    before, after = one.stack(names), other.stack(names)
    if paired:
        before = before[np.argsort(keys, kind="stable")]
        after = after[np.argsort(other_keys, kind="stable")]
    was, now = before.mean(axis=0), after.mean(axis=0)
    chance, other_chance = _chance(photos, metric), _chance(others, metric)
    leads = intervals(before)[:, 0] > chance
    columns = {"photos": was, "others": now, "change": now - was}
    columns |= zip(("low", "high"), difference_intervals(before, after, paired).T, strict=True)
    rows = [
        {"method": name}
        | {key: float(values[place]) for key, values in columns.items()}
        | {"kept": (now[place] - other_chance) / (was[place] - chance) if leads[place] else None}
        for place, name in enumerate(names)
    ]
    return sorted(rows, key=lambda row: (-row["others"], row["method"])), paired


def named_rows(rows: list[Json], changed: RankChange, count: int = _NAMED) -> list[str]:
    """Choose the methods to name: the best of both sides, then those that change places most.

    Parameters
    ----------
    rows : list of dict
        See `gap_rows`.
    changed : RankChange
        From photographs to the other queries.
    count : int
        Most methods to choose.
    """
    on_others = [row["method"] for row in rows]
    by_photos = sorted(rows, key=lambda row: (-row["photos"], row["method"]))
    on_photos = [row["method"] for row in by_photos]
    crossers = [name for pair in changed.reversed for name in pair]
    best = on_photos[:2] + on_others[:2]
    return list(dict.fromkeys([*best, *crossers, *on_photos, *on_others]))[:count]


def _order(
    name: str, photos: TaskResults, others: TaskResults, rows: list[Json], book: PlotBook
) -> Json:
    """Find the methods that are no better than chance, and those that change places."""
    scored, label = score_task(others, SORT_BY), METRICS[SORT_BY].label
    changed = rank_change(score_task(photos, SORT_BY).values, scored.values)
    chances = np.array([_chance(photos, SORT_BY), _chance(others, SORT_BY)])
    low = intervals(scored.stack(list(scored.values)))[:, 0]
    ends = {row["method"]: np.array([row["photos"], row["others"]]) for row in rows}
    families = families_of(photos)
    curves: list[Series] = []
    for one in named_rows(rows, changed):
        before = sum(curve.mark.number == Mark.of(families[one]).number for curve in curves)
        curves.append(Series(one, Mark.of(families[one], before), ends.pop(one)))
    plot = book.add(
        f"gap-{name}",
        name,
        f"{label} of every method with photographs and with {name}, on the same gallery: lines "
        "that cross change places. Named: the best of both sides and the largest of the "
        "significant changes; dotted: random order. The scale is logarithmic.",
        Slopes(
            title=f"{book.folder.name}, from {PHOTOS} to {name}: {label}",
            sides=(PHOTOS, name),
            series=curves,
            others=list(ends.values()),
            chance=chances,
        ),
    )
    at_chance = [one for one, end in zip(scored.values, low, strict=True) if end <= chances[1]]
    return {"chance": chances[1], "at_chance": at_chance, "change": changed, "plot": plot}


def _chance(task: TaskResults, metric: str) -> float:
    """Exact expected score of a random order."""
    return next((r["chance"][metric] for r in task.records if r["status"] == "ok"), 0.0)


def _keys(task: TaskResults) -> list[str]:
    """Paths of the scored queries without the query set's folder and the file's ending."""
    relevant = next(iter(task.rankings.values())).relevant
    return [
        "/".join(
            part
            for part in PurePosixPath(query.id).with_suffix("").parts
            if part.partition("-")[0] != "query"
        )
        for query, count in zip(task.queries, relevant, strict=True)
        if count
    ]
