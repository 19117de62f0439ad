"""What extractors do together: fused and re-ranked rows beside what they are made of."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.formats.files import write_text
from benchmarks.formats.markdown import markdown, to_csv
from benchmarks.pipeline.records.results import Results, TaskResults
from benchmarks.report.comparisons import TRAINED, Difference, Scored, chosen, score_task
from benchmarks.report.plots.book import Plot, PlotBook
from benchmarks.report.plots.charts import heat_size, paint_heat
from benchmarks.report.tables import SORT_BY, share
from retrieval.metrics import METRICS, Values
from retrieval.statistics import (
    LEVEL,
    complementarity,
    intervals,
    oracle,
    step_down,
)

_FUSED = "fused"
_RERANKED = "re-ranked"

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


def compare_fused(scored: Scored) -> list[Difference]:
    """Every fused row against the best single extractor; p-values are corrected."""
    best = scored.singles[0]
    found = scored.differences([(name, best) for name in scored.fused])
    corrected = step_down(np.array([one.p_value for one in found])).tolist()
    return [
        Difference(one.method, one.other, one.change, one.low, one.high, p)
        for one, p in zip(found, corrected, strict=True)
    ]


def verdict(found: Sequence[Difference]) -> str:
    """Say whether fusion beat the best single extractor."""
    clear = [one for one in found if one.p_value < 1 - LEVEL and abs(one.change) >= _LEAST]
    better = sum(one.change > 0 for one in clear)
    best = found[0]
    text = (
        f"Best fusion: {best.method}, {_change(best)} against {best.other}, p {_p(best.p_value)}. "
    )
    return text + (
        f"Of {len(found)} fused rows {better} beat the best single extractor significantly "
        f"and {len(clear) - better} fall significantly behind it, by at least {_LEAST}.\n"
    )


def _fusion_section(task: TaskResults, scored: Scored, compared: Sequence[Difference]) -> str:
    if not compared:
        return ""
    learned = {record["row"]: record.get("learned", {}) for record in task.records}
    best_of = [
        (name, there[0])
        for name in scored.fused
        if (there := scored.ordered(scored.members[name]))
    ]
    beside = {one.method: one for one in scored.differences(best_of)}
    cells = []
    for one in compared:
        best = beside.get(one.method)
        weights = learned[one.method].get("weights")
        trained = learned[one.method].get(TRAINED)
        cells.append(
            [
                one.method,
                share(scored.values[one.method].mean()),
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


def _compare_reranked(scored: Scored) -> list[Difference]:
    pairs = [(name, scored.members[name][0]) for name in scored.reranked]
    return scored.differences([pair for pair in pairs if pair[1] in scored.values])


def _rerank_section(task: TaskResults, scored: Scored) -> str:
    costs = {record["row"]: record["costs"].get("search_ms") for record in task.records}
    cells = [
        [
            one.method,
            share(scored.values[one.method].mean()),
            f"{_change(one)}, p {_p(one.p_value)}",
            f"{costs[one.method]:.2f}",
            f"{costs[one.other]:.2f}",
        ]
        for one in _compare_reranked(scored)
        if costs.get(one.method) is not None and costs.get(one.other) is not None
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
        heat_size(names, names),
        partial(
            paint_heat,
            title=f"{book.folder.name}, {query_set}: solved by the row only, not by the column",
            rows=names,
            columns=names,
            values=complementarity(top1.stack(names)),
            label="share of queries, top-1",
        ),
    )
    return f"\n{book.add(plot)}"


def _confusing(results: Results) -> list[str]:
    return [image.id for image in results.gallery if image.distractor is not None]


def _with_interval(values: Values) -> str:
    low, high = intervals(values[:, None])[0].tolist()
    return f"{share(values.mean())} ({share(low)}–{share(high)})"


def _numbers(one: Difference) -> list[object]:
    values: Mapping[str, float] = {"c": one.change, "l": one.low, "h": one.high, "p": one.p_value}
    return [one.method, one.other, *(round(value, 5) for value in values.values())]


def _change(one: Difference) -> str:
    return f"{one.change:+.3f} ({one.low:+.3f} to {one.high:+.3f})"


def _p(value: float) -> str:
    return "< 0.001" if value < 1e-3 else f"{value:.3f}"
