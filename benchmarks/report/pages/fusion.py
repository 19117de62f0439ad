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
from retrieval.bootstrap import LEVEL
from retrieval.metrics import METRICS
from retrieval.statistics import complementarity, oracle, step_down

_LEAST = 0.001
"""A smaller difference is not worth a word, however sure it is."""


def write_fusion(folder: Path, results: Results, book: PlotBook) -> None:
    """Write ``hybrid.md`` and ``hybrid.csv``, and plot, where methods fuse or re-rank."""
    sections: list[Json] = []
    has_distractors = any(image.distractor is not None for image in results.gallery)
    for query_set, task in results.tasks.items():
        scored = score_task(task, SORT_BY)
        if not task.is_scored or not scored.members or not scored.singles:
            continue
        best = {name: scored.ordered(parts)[0] for name, parts in scored.complete.items()}
        pairs = [(name, best[name]) for name in scored.fused if name in best]
        alone = [(name, best[name]) for name in scored.reranked if name in best]
        sections.append(
            {
                "query_set": query_set,
                "scored": scored,
                "fused": compare_fused(scored),
                "best_member": {one.method: one for one in scored.differences(pairs)},
                "reranked": scored.differences(alone),
                "records": {record["method"]: record for record in task.records},
                "together": _together(task, scored, has_distractors),
                "plot": _complementarity(book, query_set, task, scored),
            }
        )
    lines = [
        {"query_set": section["query_set"], "family": family, "method": one.method}
        | {"other": one.other, "change": round(one.change, 5), "low": round(one.low, 5)}
        | {"high": round(one.high, 5), "p": round(one.p_value, 5)}
        for section in sections
        for family, key in ((FUSED, "fused"), (RERANKED, "reranked"))
        for one in section[key]
    ]
    if lines:
        write_csv(folder / "hybrid.csv", lines)
        about = {"name": results.about.name, "least": _LEAST, "trained": TRAINED}
        about |= {"has_distractors": has_distractors, "verdict": verdict}
        write_page(folder / "hybrid.md", "fusion", **about, sections=sections)


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
        See `compare_fused`.
    """
    clear = [one for one in found if one.p_value < 1 - LEVEL and abs(one.change) >= _LEAST]
    better = sum(one.change > 0 for one in clear)
    return {"better": better, "worse": len(clear) - better}


def _together(
    task: TaskResults, scored: Scored, has_distractors: bool
) -> dict[str, list[tuple[float, float, float]]]:
    """Best single, the fusion that training images choose, the best fusion, and oracles."""
    if not scored.fused:
        return {}
    columns = [scored, score_task(task, "top1")]
    columns += [score_task(task, SORT_BY, 0)] if has_distractors else []
    best, by_training = scored.fused[0], chosen(task, scored.fused)
    parts = scored.complete.get(best, [])
    picks = {
        f"best single: {scored.singles[0]}": scored.singles[:1],
        f"fusion chosen by training images: {by_training}": [by_training] if by_training else [],
        f"best fusion: {best}": [best],
        f"oracle of {', '.join(parts)}": parts,
        f"oracle of all {len(scored.singles)} single extractors": scored.singles,
    }
    return {
        what: [estimate(oracle(one.stack(names))) for one in columns]
        for what, names in picks.items()
        if names
    }


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
