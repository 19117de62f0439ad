"""How good bags of visual words are by the size of their vocabulary: tables and curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.record import TaskResults, read_results
from benchmarks.report.pages.table import write_table_page, write_tables
from benchmarks.report.plots.axes import Mark, Series
from benchmarks.report.plots.book import Plot, PlotBook
from benchmarks.report.plots.charts import Curves
from benchmarks.report.tables import SORT_BY
from retrieval.metrics import METRICS

FOLDER = "vocabulary-size"
"""Of these results, beside the datasets' own."""

_DRAWN = (SORT_BY, "top1")


def write_vocabulary(folder: Path, with_plots: bool = True) -> dict[str, list[Json]]:
    """Write the tables of a dataset's vocabularies, and the curve of every query set.

    Parameters
    ----------
    folder : Path
        ``<out>/vocabulary-size/<dataset>``.
    with_plots : bool
        Whether the curves are drawn.

    Returns
    -------
    dict of str to list of dict
        Query set to its table rows.
    """
    results = read_results(folder)
    tables = write_tables(folder, results)
    book = PlotBook(folder, with_plots)
    for query_set, task in results.tasks.items():
        if task.is_scored:
            book.add(_plot(folder.name, query_set, words_of(task), tables[query_set]))
    book.finish(results.about.name)
    write_table_page(folder, results, tables)
    return tables


def words_of(task: TaskResults) -> dict[str, int]:
    """Row name to the size of its vocabulary, smallest first, of the rows with numbers."""
    sizes = {
        record["row"]: record["card"]["extractor"]["head"]["params"]["words"]
        for record in task.records
        if record["status"] == "ok"
    }
    return dict(sorted(sizes.items(), key=lambda item: item[1]))


def _plot(dataset: str, query_set: str, sizes: Mapping[str, int], rows: Sequence[Json]) -> Plot:
    found = {row["row"]: row for row in rows}
    curves = [
        Series(
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
        Curves(
            title=f"{dataset}, {query_set}: {shared} by the size of its vocabulary",
            xlabel="visual words",
            ylabel="score",
            across=list(sizes.values()),
            series=curves,
            ticks=list(sizes.values()),
        ),
    )
