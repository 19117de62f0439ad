"""Page of the spread among seeds: one extractor, learned several times."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.differences import are_of_one_task
from benchmarks.pipeline.records.results import Results, TaskResults
from benchmarks.pipeline.records.seeds import SPREADS, seed_of, unseeded, without_seed
from benchmarks.report.format import write_csv, write_page
from retrieval.metrics import METRICS

_SHOWN = ("map", "top1")


def write_seeds(folder: Path, results: Results, trained: Results) -> None:
    """Write ``seeds.csv`` and ``seeds.md``, where anything was learned with several seeds.

    Parameters
    ----------
    folder : Path
        The dataset's results folder.
    results : Results
        Of the dataset; its rows have the seeds that the extractors have by themselves, mostly 0.
    trained : Results
        Of the other seeds.
    """
    sections = {
        query_set: rows
        for query_set, task in trained.tasks.items()
        if query_set in results.tasks
        if (rows := list(_rows(query_set, results.tasks[query_set], task)))
    }
    every = [row for rows in sections.values() for row in rows]
    if not every:
        return
    seeds = sorted({seed for row in every for seed in row["scores"]})
    lines = [
        {
            **{key: row[key] for key in ("query_set", "method", "metric")},
            **{f"seed {seed}": row["scores"].get(seed) for seed in seeds},
            **{key: row[key] for key in ("mean", "deviation", "smallest", "largest")},
        }
        for row in every
    ]
    write_csv(folder / SPREADS, lines)
    write_page(
        folder / "seeds.md",
        "seeds",
        name=results.about.name,
        seeds=seeds,
        sections=sections,
        metrics=METRICS,
    )


def _rows(query_set: str, task: TaskResults, trained: TaskResults) -> Iterator[Json]:
    """Scores of every method that has at least two seeds of the same parameters."""
    first = {record["method"]: record for record in task.records}
    by_method: dict[str, dict[int, Json]] = {}
    for record in trained.records:
        method, seed = without_seed(record["method"])
        own = first.get(method)
        if seed is None or own is None:
            continue
        if record["status"] == own["status"] == "ok" and _alike(record, own):
            first_seed = seed_of(own["card"]["extractor"])
            by_method.setdefault(method, {first_seed: own})[seed] = record
    for method, records in by_method.items():
        for metric in _SHOWN:
            scores = {seed: records[seed]["scores"].get(metric) for seed in sorted(records)}
            if None not in scores.values():
                about = {"query_set": query_set, "method": method, "metric": metric}
                yield about | _spread(scores)


def _alike(one: Json, other: Json) -> bool:
    """Whether two records differ in nothing but a seed; both searched the same pictures."""
    cards = one["card"], other["card"]
    same = are_of_one_task(*cards) or cards[0]["split hash"] == cards[1]["split hash"]
    return same and bool(unseeded(cards[0]["extractor"]) == unseeded(cards[1]["extractor"]))


def _spread(scores: Mapping[int, float]) -> Json:
    values = np.array(list(scores.values()))
    return {
        "scores": scores,
        "mean": float(values.mean()),
        "deviation": float(values.std(ddof=1)),
        "smallest": float(values.min()),
        "largest": float(values.max()),
    }
