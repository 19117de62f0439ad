"""Plots of bags of visual words by the size of their vocabulary."""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.results import Results, TaskResults
from benchmarks.report.plots.axes import Mark, Series
from benchmarks.report.plots.book import PlotBook
from benchmarks.report.plots.charts import Curves
from benchmarks.report.tables import SORT_BY
from retrieval.metrics import METRICS

FOLDER = "vocabulary-size"
"""Folder of these results, beside those of the datasets."""


def plot_vocabulary(
    book: PlotBook, results: Results, tables: Mapping[str, Sequence[Json]]
) -> None:
    """Plot the scores of every query set by the size of the vocabulary."""
    scored = {name: task for name, task in results.tasks.items() if task.is_scored}
    every = [(name, *one) for name, task in scored.items() for one in words_of(task).items()]
    for query_set, stem, sizes in every:
        rows = {row["method"]: row for row in tables[query_set]}
        title = f"{stem} by the size of its vocabulary"
        ends = {
            metric: [[rows[name][metric + end] for end in ("", "_low", "_high")] for name in sizes]
            for metric in (SORT_BY, "top1")
        }
        book.add(
            f"{stem}-{query_set}",
            query_set,
            f"{title}, with 95 % bootstrap intervals over the queries.",
            Curves(
                title=f"{results.about.name}, {query_set}: {title}",
                xlabel="visual words",
                ylabel="score",
                across=list(sizes.values()),
                series=[
                    Series(METRICS[metric].label, Mark(number, number), np.array(values))
                    for number, (metric, values) in enumerate(ends.items())
                ],
                ticks=list(sizes.values()),
            ),
        )


def words_of(task: TaskResults) -> dict[str, dict[str, int]]:
    """Extractor to its methods with numbers, and the sizes of their vocabularies, in order."""
    found = [
        (record["card"]["extractor"]["head"]["params"]["words"], record["method"])
        for record in task.records
        if record["status"] == "ok"
    ]
    made: dict[str, dict[str, int]] = {}
    for words, method in sorted(found):
        made.setdefault(method.rpartition("-")[0], {})[method] = words
    return made
