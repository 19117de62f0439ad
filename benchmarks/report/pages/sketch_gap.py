"""The domain gap: what each row loses from photographs to sketches, on the same gallery."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.formats.files import Json, write_text
from benchmarks.formats.markdown import markdown, to_csv
from benchmarks.pipeline.records.record import PHOTOS, Listed, Results, TaskResults
from benchmarks.report.comparisons import Change, change, in_words
from benchmarks.report.pages.accuracy import kinds_of
from benchmarks.report.plots.axes import Mark, Series
from benchmarks.report.plots.book import Plot, PlotBook
from benchmarks.report.plots.charts import Slopes
from benchmarks.report.tables import SORT_BY, share
from retrieval.metrics import METRICS, Values, score
from retrieval.statistics import difference_intervals, intervals

_NAMED = 8
"""Lines that a picture has room to name."""

_LEGEND = (
    "Change: of the mean, from photographs to the other queries, with its 95 % bootstrap interval "
    "({how}). Kept: what is left of the lead over chance, for rows that clearly have one with "
    "photographs.\n"
)


@dataclass(frozen=True)
class _Scored:
    """Every row's values on a query set, lone queries left out.

    Attributes
    ----------
    keys : list of str
        What the query is a picture of, whatever its form.
    values : dict of str to ndarray of float64
    chance : float
    """

    keys: list[str]
    values: dict[str, Values]
    chance: float


def write_gap(folder: Path, results: Results, book: PlotBook) -> None:
    """Write ``gap.md`` and ``gap.csv``, and plot, where more than one query set has scores."""
    scored = {name: task for name, task in results.tasks.items() if task.is_scored}
    photos = scored.pop(PHOTOS, None)
    if not photos or not scored:
        return
    lines: list[list[object]] = []
    text = f"# {results.about.name}: from photographs to sketches\n"
    for name, task in scored.items():
        for metric in (SORT_BY, "top1"):
            made, page = _compare(name, photos, task, metric)
            lines += [[name, metric, *row.values()] for row in made]
            text += page
            if metric == SORT_BY and made:
                text += _order_section(name, photos, task, made, book)
    header = ["query_set", "metric", "row", "photos", "others", "change", "low", "high", "kept"]
    write_text(folder / "gap.csv", to_csv(header, lines))
    write_text(folder / "gap.md", text)


def gap_rows(photos: TaskResults, others: TaskResults, metric: str) -> tuple[list[Json], bool]:
    """What each row scores on both query sets, best on the second first.

    Returns
    -------
    rows : list of dict
        ``row``, ``photos``, ``others``, ``change``, ``low``, ``high``, and ``kept``, the share
        of the lead over chance that is left (None if the interval of photographs reaches down
        to chance).
    paired : bool
        Whether the queries are the same in other form.
    """
    one, other = _scored(photos, metric), _scored(others, metric)
    paired = sorted(one.keys) == sorted(other.keys)
    names = [name for name in one.values if name in other.values]
    if not names:
        return [], paired
    before = _ordered(one, names, paired)
    after = _ordered(other, names, paired)
    ends = difference_intervals(before, after, paired)
    leads = intervals(before)[:, 0] > one.chance
    rows = []
    for name, was, now, (low, high), leads_chance in zip(
        names, before.mean(axis=0), after.mean(axis=0), ends, leads, strict=True
    ):
        kept = (now - other.chance) / (was - one.chance) if leads_chance else None
        rows.append(
            {"row": name, "photos": was, "others": now, "change": now - was}
            | {"low": low, "high": high, "kept": kept}
        )
    return sorted(rows, key=lambda row: (-row["others"], row["row"])), paired


def _compare(
    name: str, photos: TaskResults, others: TaskResults, metric: str
) -> tuple[list[Json], str]:
    rows, paired = gap_rows(photos, others, metric)
    label = METRICS[metric].label
    text = f"\n## {name}: {label}\n\n"
    cells = [
        [row["row"], share(row["photos"]), share(row["others"]), _change(row), _kept(row)]
        for row in rows
    ]
    text += markdown(["extractor", PHOTOS, name, "change", "kept"], cells) + "\n"
    how = "the same pictures in both forms, paired" if paired else "different pictures, unpaired"
    text += _LEGEND.format(how=how)
    return rows, text


def _order_section(
    name: str, photos: TaskResults, others: TaskResults, rows: list[Json], book: PlotBook
) -> str:
    """Which rows survive, and which change places."""
    one, other = _scored(photos, SORT_BY), _scored(others, SORT_BY)
    changed = change(one.values, other.values)
    chances = np.array([one.chance, other.chance])
    plot = _slopes(name, rows, kinds_of(photos), changed, chances, book.folder.name)
    return f"\n{_survivors(other)}\n{book.add(plot)}\n{in_words(changed, PHOTOS, name)}"


def named_rows(rows: list[Json], changed: Change, count: int = _NAMED) -> list[str]:
    """Rows worth a name: the best of both sides, then those that change places most.

    Parameters
    ----------
    rows : list of dict
        See `gap_rows`.
    changed : Change
    count : int
        As many as there are, at most.
    """
    on_others = [row["row"] for row in rows]
    on_photos = [r["row"] for r in sorted(rows, key=lambda row: (-row["photos"], row["row"]))]
    crossers = [name for pair in changed.reversed for name in pair]
    best = on_photos[:2] + on_others[:2]
    return list(dict.fromkeys([*best, *crossers, *on_photos, *on_others]))[:count]


def _slopes(
    name: str,
    rows: list[Json],
    kinds: dict[str, str],
    changed: Change,
    chances: Values,
    dataset: str,
) -> Plot:
    named, label = named_rows(rows, changed), METRICS[SORT_BY].label
    ends = {row["row"]: np.array([row["photos"], row["others"]]) for row in rows}
    curves = []
    for one in named:
        before = sum(kinds[other] == kinds[one] for other in named[: named.index(one)])
        curves.append(Series(one, Mark.of(kinds[one], before), ends[one]))
    return Plot(
        f"gap-{name}",
        name,
        f"{label} of every row with photographs and with {name}, on the same gallery: lines that "
        "cross change places. Named: the best of both sides and the largest of the significant "
        "changes; dotted: random order. The scale is logarithmic.",
        Slopes(
            title=f"{dataset}, from {PHOTOS} to {name}: {label}",
            sides=(PHOTOS, name),
            series=curves,
            others=[line for row, line in ends.items() if row not in named],
            chance=chances,
        ),
    )


def _survivors(scored: _Scored) -> str:
    """Say which rows are above chance."""
    names = list(scored.values)
    found = intervals(np.stack([scored.values[name] for name in names], axis=1))
    low = dict(zip(names, found[:, 0], strict=True))
    at_chance = [name for name in names if low[name] <= scored.chance]
    text = f"Chance: {share(scored.chance)}. "
    if not at_chance:
        return text + "Every row's interval lies above it.\n"
    return text + f"Rows whose interval does not lie above it: {', '.join(at_chance)}.\n"


def _scored(task: TaskResults, metric: str) -> _Scored:
    made = {name: score(ranking)[metric] for name, ranking in task.rankings.items()}
    chance = next((r["chance"][metric] for r in task.records if r["status"] == "ok"), None)
    kept = [~np.isnan(values) for values in made.values()]
    there = kept[0] if kept else np.zeros(len(task.queries), bool)
    keys = [_key(query) for query, is_kept in zip(task.queries, there, strict=True) if is_kept]
    return _Scored(keys, {name: values[there] for name, values in made.items()}, chance or 0.0)


def _key(query: Listed) -> str:
    """The query's path without the folder that says which query set it is in."""
    return "/".join(part for part in query.id.split("/") if part.partition("-")[0] != "query")


def _ordered(scored: _Scored, names: list[str], by_key: bool) -> Values:
    order = np.argsort(scored.keys, kind="stable") if by_key else np.arange(len(scored.keys))
    return np.stack([scored.values[name] for name in names], axis=1)[order]


def _change(row: Json) -> str:
    return f"{row['change']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"


def _kept(row: Json) -> str:
    return "–" if row["kept"] is None else f"{round(100 * row['kept'])} %"
