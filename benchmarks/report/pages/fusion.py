"""Page of fusion and re-ranking: methods beside the extractors that they are made of."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.results import Results, TaskResults
from benchmarks.report.comparisons import (
    TRAINED,
    Difference,
    Scored,
    chosen,
    estimate,
    score_task,
)
from benchmarks.report.families import FUSED, RERANKED
from benchmarks.report.format import write_csv, write_page
from benchmarks.report.plots.book import PlotBook
from benchmarks.report.plots.charts import HeatMap
from benchmarks.report.tables import SORT_BY
from retrieval.metrics import METRICS
from retrieval.statistics import LEVEL, complementarity, oracle, step_down

_LEAST = 0.001
"""A smaller difference is not worth a word, however sure it is."""


def write_hybrid(folder: Path, results: Results, book: PlotBook) -> None:
    """Write ``hybrid.md`` and ``hybrid.csv``, and plot, where methods fuse or re-rank."""
    sections, lines = [], []
    has_distractors = any(image.distractor is not None for image in results.gallery)
    for query_set, task in results.tasks.items():
        scored = score_task(task, SORT_BY)
        if not task.is_scored or not scored.members or not scored.singles:
            continue
        fused, reranked = compare_fused(scored), _compare_reranked(scored)
        lines += [_line(query_set, FUSED, one) for one in fused]
        lines += [_line(query_set, RERANKED, one) for one in reranked]
        sections.append(
            {
                "query_set": query_set,
                "verdict": verdict(fused) if fused else None,
                "fused": _fused(task, scored, fused),
                "together": _together(task, scored, has_distractors),
                "has_distractors": has_distractors,
                "reranked": _reranked(task, scored, reranked),
                "plot": _complementarity(book, query_set, task, scored),
            }
        )
    if lines:
        write_csv(folder / "hybrid.csv", lines)
        write_page(
            folder / "hybrid.md",
            "fusion",
            name=results.about.name,
            least=_LEAST,
            sections=sections,
        )


def compare_fused(scored: Scored) -> list[Difference]:
    """Compare every fused method with the best single extractor; p-values are corrected."""
    found = scored.differences([(name, scored.singles[0]) for name in scored.fused])
    corrected = step_down(np.array([one.p_value for one in found])).tolist()
    return [replace(one, p_value=p) for one, p in zip(found, corrected, strict=True)]


def verdict(found: Sequence[Difference]) -> Json:
    """Count the fused methods that are clearly better or worse than the best extractor.

    Parameters
    ----------
    found : sequence of Difference
        See `compare_fused`; the best first.
    """
    clear = [one for one in found if one.p_value < 1 - LEVEL and abs(one.change) >= _LEAST]
    better = sum(one.change > 0 for one in clear)
    return {"best": found[0], "of": len(found), "better": better, "worse": len(clear) - better}


def _fused(task: TaskResults, scored: Scored, compared: Sequence[Difference]) -> list[Json]:
    """Every fused method beside its best member and beside the best single extractor."""
    learned = {record["method"]: record.get("learned", {}) for record in task.records}
    ordered = {name: scored.ordered(scored.members[name]) for name in scored.fused}
    beside = scored.differences([(name, parts[0]) for name, parts in ordered.items() if parts])
    by_name = {one.method: one for one in beside}
    return [
        {
            "map": scored.mean(one.method),
            "difference": one,
            "best_member": by_name.get(one.method),
            "trained": learned[one.method].get(TRAINED),
            "weights": learned[one.method].get("weights"),
        }
        for one in compared
    ]


def _together(task: TaskResults, scored: Scored, has_distractors: bool) -> list[Json]:
    """Best single, the fusion that training images choose, the best fusion, and oracles."""
    if not scored.fused:
        return []
    columns = [scored, score_task(task, "top1")]
    columns += [score_task(task, SORT_BY, 0)] if has_distractors else []
    best, by_training = scored.fused[0], chosen(task, scored.fused)
    parts = [name for name in scored.members[best] if name in scored.values]
    picks = [
        (f"best single: {scored.singles[0]}", scored.singles[:1]),
        (f"fusion chosen by training images: {by_training}", [by_training] if by_training else []),
        (f"best fusion: {best}", [best]),
        (f"oracle of {', '.join(parts)}", parts),
        (f"oracle of all {len(scored.singles)} single extractors", scored.singles),
    ]
    return [
        {"what": what, "scores": [estimate(oracle(one.stack(names))) for one in columns]}
        for what, names in picks
        if names
    ]


def _compare_reranked(scored: Scored) -> list[Difference]:
    pairs = [(name, scored.members[name][0]) for name in scored.reranked]
    return scored.differences([pair for pair in pairs if pair[1] in scored.values])


def _reranked(task: TaskResults, scored: Scored, compared: Sequence[Difference]) -> list[Json]:
    """Every re-ranked method beside its extractor alone, where both were timed."""
    costs = {record["method"]: record["costs"].get("search_ms") for record in task.records}
    return [
        {"map": scored.mean(one.method), "difference": one}
        | {"ms": costs[one.method], "ms_alone": costs[one.other]}
        for one in compared
        if costs.get(one.method) is not None and costs.get(one.other) is not None
    ]


def _complementarity(book: PlotBook, query_set: str, task: TaskResults, scored: Scored) -> str:
    used = {part for parts in scored.members.values() for part in parts}
    names = [name for name in scored.singles if name in used]
    if len(names) < 2:
        return ""
    return book.add(
        f"complementarity-{query_set}",
        query_set,
        "Share of queries whose first image is right by the extractor of the row and wrong by "
        "that of the column: what the one could add to the other.",
        HeatMap(
            title=f"{book.folder.name}, {query_set}: solved by the row only, not by the column",
            subtitle=f"share of queries, {METRICS['top1'].label}",
            rows=names,
            columns=names,
            values=complementarity(score_task(task, "top1").stack(names)),
        ),
    )


def _line(query_set: str, family: str, one: Difference) -> Json:
    numbers = {"change": one.change, "low": one.low, "high": one.high, "p": one.p_value}
    names = {"query_set": query_set, "family": family, "method": one.method, "other": one.other}
    return names | {key: round(value, 5) for key, value in numbers.items()}
