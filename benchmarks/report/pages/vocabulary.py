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
    for query_set, task in results.tasks.items():
        if not task.is_scored:
            continue
        sizes, rows = words_of(task), {row["method"]: row for row in tables[query_set]}
        title = f"{next(iter(sizes)).rpartition('-')[0]} by the size of its vocabulary"
        ends = {
            metric: [[rows[name][metric + end] for end in ("", "_low", "_high")] for name in sizes]
            for metric in (SORT_BY, "top1")
        }
        book.add(
            f"vocabulary-{query_set}",
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


def words_of(task: TaskResults) -> dict[str, int]:
    """Method to the size of its vocabulary, smallest first, of the methods with numbers."""
    sizes = {
        record["method"]: record["card"]["extractor"]["head"]["params"]["words"]
        for record in task.records
        if record["status"] == "ok"
    }
    return dict(sorted(sizes.items(), key=lambda item: item[1]))
