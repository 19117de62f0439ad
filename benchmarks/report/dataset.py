"""All pages of a dataset."""

from pathlib import Path

from benchmarks.files import Json
from benchmarks.records import read_results
from benchmarks.report.accuracy import plot_accuracy
from benchmarks.report.classes import write_classes
from benchmarks.report.confusing import write_confusion
from benchmarks.report.costs import plot_costs
from benchmarks.report.gap import write_gap
from benchmarks.report.hybrid import write_hybrid
from benchmarks.report.leaks import write_leaks
from benchmarks.report.pages import write_tables
from benchmarks.report.plots import PlotBook
from benchmarks.report.training import plot_training


def write_dataset(folder: Path, with_plots: bool = True) -> dict[str, list[Json]]:
    """Write all pages of a dataset from what its folder keeps.

    Parameters
    ----------
    folder : Path
        ``<out>/<dataset>``.
    with_plots : bool
        Whether the plots that the pages show are drawn as well.

    Returns
    -------
    dict of str to list of dict
        Query set to its table rows.
    """
    results = read_results(folder)
    book = PlotBook(folder)
    tables = write_tables(folder, results)
    plot_accuracy(book, results, tables)
    plot_costs(book, results, tables)
    write_gap(folder, results, book)
    write_confusion(folder, results, book)
    write_classes(folder, results, book)
    write_hybrid(folder, results, book)
    plot_training(folder, book)
    write_leaks(folder)
    book.write_page(results.about.name)
    if with_plots:
        book.draw()
    return tables
