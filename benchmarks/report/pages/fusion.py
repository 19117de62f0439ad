"""What extractors do together: fused and re-ranked rows beside what they are made of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.formats.files import Json, write_text
from benchmarks.formats.markdown import markdown, to_csv
from benchmarks.pipeline.records.record import Results, TaskResults
from benchmarks.report.plots.book import Plot, PlotBook
from benchmarks.report.plots.charts import HeatMap
from benchmarks.report.tables import SORT_BY, share
from retrieval.metrics import METRICS, Values, score
from retrieval.statistics import (
    LEVEL,
    complementarity,
    intervals,
    oracle,
    sign_flip_test,
    step_down,
)

_FUSED = "fused"
_RERANKED = "re-ranked"
_TRAINED = "training mAP, cross-validated"

_LEAST = 0.001
"""A smaller difference is not worth a word, however sure it is."""

_LEGEND = """\
Fused rows search by several extractors at once. Each is compared with the best of its members
and with the best single extractor of the whole table, on the same queries; both are chosen by
these very queries, which favours them, not the fusion. Differences of mean average precision,
with 95 % bootstrap intervals; p: paired permutation test against the best single extractor, with
Holm's correction over the fused rows of the query set. Training mAP: what the learned weights
are worth on training images whose class they were not learned from, by cross-validation.

The oracle picks for every query the row that answers it best: an upper bound for any choice by
query, and the higher the more rows it picks from. Re-ranked rows are compared with the same row
without it. Where curves against confusion images are drawn, those are left out of the finished
ranking; it is not searched again without them.
"""


@dataclass(frozen=True)
class Against:
    """How a row's mean differs from another's, on the same queries.

    Attributes
    ----------
    row, other : str
    change, low, high : float
        Mean difference, with its interval.
    p_value : float
        Not corrected.
    """

    row: str
    other: str
    change: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Scored:
    """Every row's values on a query set, lone queries left out, and what the rows are made of.

    Attributes
    ----------
    values : dict of str to ndarray of float64, shape (n_queries,)
    members : dict of str to list of str
        Of each combined row, its extractors; other rows are single.
    """

    values: dict[str, Values]
    members: dict[str, list[str]]

    @property
    def singles(self) -> list[str]:
        """Rows that are one extractor and nothing more, best first."""
        return self.ordered(name for name in self.values if name not in self.members)

    @property
    def fused(self) -> list[str]:
        """Rows of several extractors, best first."""
        return self.ordered(name for name, parts in self.members.items() if len(parts) > 1)

    @property
    def reranked(self) -> list[str]:
        """Rows of one extractor and something behind it, best first."""
        return self.ordered(name for name, parts in self.members.items() if len(parts) == 1)

    def ordered(self, names: Iterable[str]) -> list[str]:
        """Rows that have values, best first."""
        there = [name for name in names if name in self.values]
        return sorted(there, key=lambda name: (-self.values[name].mean(), name))

    def stack(self, names: Sequence[str]) -> Values:
        """Values of some rows, shape (n_queries, n_rows)."""
        return np.stack([self.values[name] for name in names], axis=1)

    def against(self, pairs: Sequence[tuple[str, str]]) -> list[Against]:
        """Compare rows with others."""
        if not pairs:
            return []
        differences = self.stack([a for a, _ in pairs]) - self.stack([b for _, b in pairs])
        found = zip(
            pairs,
            differences.mean(axis=0).tolist(),
            intervals(differences).tolist(),
            sign_flip_test(differences).tolist(),
            strict=True,
        )
        return [
            Against(*pair, mean, low, high, p_value) for pair, mean, (low, high), p_value in found
        ]


def write_hybrid(folder: Path, results: Results, book: PlotBook) -> None:
    """Write ``hybrid.md`` and ``hybrid.csv``, and plot, where there are combined rows."""
    text = f"# {results.about.name}: what extractors do together\n\n{_LEGEND}"
    lines: list[list[object]] = []
    for query_set, task in results.tasks.items():
        scored = score_task(task, SORT_BY)
        if not task.is_scored or not scored.members or not scored.singles:
            continue
        compared = compare_fused(scored)
        for kind, found in ((_FUSED, compared), (_RERANKED, _compare_reranked(scored))):
            lines += [[query_set, kind, *_numbers(one)] for one in found]
        text += f"\n## {query_set}\n"
        text += _fusion_section(task, scored, compared)
        text += _together_section(task, bool(_confusing(results)))
        text += _rerank_section(task, scored)
        text += _complement_section(book, query_set, task, scored)
    if not lines:
        return
    header = ["query_set", "kind", "row", "other", "change", "low", "high", "p"]
    write_text(folder / "hybrid.csv", to_csv(header, lines))
    write_text(folder / "hybrid.md", text)


def score_task(task: TaskResults, metric: str, confusion: int | None = None) -> Scored:
    """Score a query set's rows.

    Parameters
    ----------
    task : TaskResults
    metric : str
    confusion : int, optional
        Level of confusion images, see `Ranking.with_confusion`; all of them if left out.
    """
    rankings = {
        name: ranking if confusion is None else ranking.with_confusion(confusion)
        for name, ranking in task.rankings.items()
    }
    found = {name: score(ranking)[metric] for name, ranking in rankings.items()}
    return Scored(
        {name: values[~np.isnan(values)] for name, values in found.items()},
        {record["row"]: parts for record in task.records if (parts := members(record))},
    )


def members(record: Json) -> list[str]:
    """Extractors of a combined row, in the order of its name; none for a single one."""
    rows = record["card"]["extractor"].get("rows", {}) if record["status"] == "ok" else {}
    menu_row = record["row"].partition("@")[0]  # a preset's row is called <row>@<dataset>
    return [part for part in menu_row.split("+") if part in rows]


def compare_fused(scored: Scored) -> list[Against]:
    """Every fused row against the best single extractor; p-values are corrected."""
    best = scored.singles[0]
    found = scored.against([(name, best) for name in scored.fused])
    corrected = step_down(np.array([one.p_value for one in found])).tolist()
    return [
        Against(one.row, one.other, one.change, one.low, one.high, p)
        for one, p in zip(found, corrected, strict=True)
    ]


def chosen(task: TaskResults, names: Iterable[str]) -> str | None:
    """The fused row whose learned weights did best on training images.

    Re-ranked rows are no candidates, since the training images did not see the re-ranking; of
    equal rows the first by name, since any other order would ask the queries.
    """
    trained = {
        record["row"]: record["learned"][_TRAINED]
        for record in task.records
        if _TRAINED in record.get("learned", {}) and len(record["card"]["extractor"]["steps"]) == 1
    }
    return max(sorted(trained.keys() & set(names)), key=trained.__getitem__, default=None)


def verdict(found: Sequence[Against]) -> str:
    """Say whether fusion beat the best single extractor."""
    clear = [one for one in found if one.p_value < 1 - LEVEL and abs(one.change) >= _LEAST]
    better = sum(one.change > 0 for one in clear)
    best = found[0]
    text = f"Best fusion: {best.row}, {_change(best)} against {best.other}, p {_p(best.p_value)}. "
    return text + (
        f"Of {len(found)} fused rows {better} beat the best single extractor significantly "
        f"and {len(clear) - better} fall significantly behind it, by at least {_LEAST}.\n"
    )


def _fusion_section(task: TaskResults, scored: Scored, compared: Sequence[Against]) -> str:
    if not compared:
        return ""
    learned = {record["row"]: record.get("learned", {}) for record in task.records}
    best_of = [
        (name, there[0])
        for name in scored.fused
        if (there := scored.ordered(scored.members[name]))
    ]
    beside = {one.row: one for one in scored.against(best_of)}
    cells = []
    for one in compared:
        best = beside.get(one.row)
        weights = learned[one.row].get("weights")
        trained = learned[one.row].get(_TRAINED)
        cells.append(
            [
                one.row,
                share(scored.values[one.row].mean()),
                f"{best.other}: {_change(best)}" if best else "–",
                f"{_change(one)}, p {_p(one.p_value)}",
                share(trained) if trained is not None else "–",
                " : ".join(f"{weight:.1f}" for weight in weights) if weights else "–",
            ]
        )
    headings = ["row", "mAP", "against its best member", f"against {compared[0].other}"]
    table = markdown([*headings, "training mAP", "weights"], cells)
    return f"\n{verdict(compared)}\n{table}"


def _together_section(task: TaskResults, confusing: bool) -> str:
    """Best single, the fusion that training images choose, the best fusion, and oracles."""
    full = score_task(task, SORT_BY)
    if not full.fused:
        return ""
    columns = {
        METRICS[SORT_BY].label: full,
        METRICS["top1"].label: score_task(task, "top1"),
    }
    if confusing:
        columns[f"{METRICS[SORT_BY].label}, no confusion images"] = score_task(task, SORT_BY, 0)
    best, by_training = full.fused[0], chosen(task, full.fused)
    picks: dict[str, list[str]] = {f"best single: {full.singles[0]}": full.singles[:1]}
    if by_training:
        picks[f"fusion chosen by training images: {by_training}"] = [by_training]
    picks[f"best fusion: {best}"] = [best]
    parts = [name for name in full.members[best] if name in full.values]
    picks[f"oracle of {', '.join(parts)}"] = parts
    picks[f"oracle of all {len(full.singles)} single rows"] = full.singles
    cells = [
        [label, *(_with_interval(oracle(one.stack(names))) for one in columns.values())]
        for label, names in picks.items()
        if names
    ]
    return "\n" + markdown(["", *columns], cells)


def _compare_reranked(scored: Scored) -> list[Against]:
    pairs = [(name, scored.members[name][0]) for name in scored.reranked]
    return scored.against([pair for pair in pairs if pair[1] in scored.values])


def _rerank_section(task: TaskResults, scored: Scored) -> str:
    costs = {record["row"]: record["costs"].get("search_ms") for record in task.records}
    cells = [
        [
            one.row,
            share(scored.values[one.row].mean()),
            f"{_change(one)}, p {_p(one.p_value)}",
            f"{costs[one.row]:.2f}",
            f"{costs[one.other]:.2f}",
        ]
        for one in _compare_reranked(scored)
        if costs.get(one.row) is not None and costs.get(one.other) is not None
    ]
    if not cells:
        return ""
    headings = ["re-ranked", "mAP", "against the row alone (p not corrected)", "ms/query", "alone"]
    return "\n" + markdown(headings, cells)


def _complement_section(book: PlotBook, query_set: str, task: TaskResults, scored: Scored) -> str:
    used = {part for parts in scored.members.values() for part in parts}
    names = [name for name in scored.singles if name in used]
    if len(names) < 2:
        return ""
    top1 = score_task(task, "top1")
    plot = Plot(
        f"complementarity-{query_set}",
        query_set,
        "Share of queries whose first image is right by the extractor of the row and wrong by "
        "that of the column: what the one could add to the other.",
        HeatMap(
            title=f"{book.folder.name}, {query_set}: solved by the row only, not by the column",
            rows=names,
            columns=names,
            values=complementarity(top1.stack(names)),
            subtitle="share of queries, top-1",
        ),
    )
    return f"\n{book.add(plot)}"


def _confusing(results: Results) -> list[str]:
    return [image.id for image in results.gallery if image.distractor is not None]


def _with_interval(values: Values) -> str:
    low, high = intervals(values[:, None])[0].tolist()
    return f"{share(values.mean())} ({share(low)}–{share(high)})"


def _numbers(one: Against) -> list[object]:
    values: Mapping[str, float] = {"c": one.change, "l": one.low, "h": one.high, "p": one.p_value}
    return [one.row, one.other, *(round(value, 5) for value in values.values())]


def _change(one: Against) -> str:
    return f"{one.change:+.3f} ({one.low:+.3f} to {one.high:+.3f})"


def _p(value: float) -> str:
    return "< 0.001" if value < 1e-3 else f"{value:.3f}"
