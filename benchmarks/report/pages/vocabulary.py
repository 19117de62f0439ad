"""Plots of bags of visual words by the size of their vocabulary."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.results import Results, TaskResults
from benchmarks.report.plots.axes import Curve, Mark
from benchmarks.report.plots.book import WIDTH, Plot, PlotBook
from benchmarks.report.plots.charts import paint_curves
from benchmarks.report.tables import SORT_BY
from retrieval.metrics import METRICS

FOLDER = "vocabulary-size"
"""Folder of these results, beside those of the datasets."""

_DRAWN = (SORT_BY, "top1")


def plot_vocabulary(
    book: PlotBook, results: Results, tables: Mapping[str, Sequence[Json]]
) -> None:
    """Plot the scores of every query set by the size of the vocabulary."""
    for query_set, task in results.tasks.items():
        if task.is_scored:
            book.add(_plot(results.about.name, query_set, words_of(task), tables[query_set]))


def words_of(task: TaskResults) -> dict[str, int]:
    """Method to the size of its vocabulary, smallest first, of the methods with numbers."""
    sizes = {
        record["method"]: record["card"]["extractor"]["head"]["params"]["words"]
        for record in task.records
        if record["status"] == "ok"
    }
    return dict(sorted(sizes.items(), key=lambda item: item[1]))


def _plot(dataset: str, query_set: str, sizes: Mapping[str, int], rows: Sequence[Json]) -> Plot:
    found = {row["method"]: row for row in rows}
    curves = [
        Curve(
            METRICS[metric].label,
            Mark(number, number),
            np.array(
                [[found[name][f"{metric}{e}"] for e in ("", "_low", "_high")] for name in sizes]
            ),
        )
        for number, metric in enumerate(_DRAWN)
    ]
    shared = next(iter(sizes)).rpartition("-")[0]
    return Plot(
        f"vocabulary-{query_set}",
        query_set,
        f"{shared} by the size of its vocabulary, with 95 % bootstrap intervals over the queries.",
        (WIDTH, 3.8),
        partial(
            paint_curves,
            title=f"{dataset}, {query_set}: {shared} by the size of its vocabulary",
            labels=("visual words", "score"),
            across=list(sizes.values()),
            curves=curves,
            ticks=list(sizes.values()),
        ),
    )
