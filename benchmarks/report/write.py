"""All pages of a dataset, and those of all datasets."""

import logging
from pathlib import Path
from typing import NamedTuple

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.description import PLOTS_PAGE
from benchmarks.pipeline.records.leaks import read_leaks_of
from benchmarks.pipeline.records.results import Results, dataset_folders, read_results
from benchmarks.pipeline.records.seeds import FOLDER as SEEDS
from benchmarks.report.pages.accuracy import CURVES, plot_accuracy, write_curves
from benchmarks.report.pages.answers import write_answers
from benchmarks.report.pages.classes import write_classes
from benchmarks.report.pages.costs import plot_costs
from benchmarks.report.pages.distractors import write_distractors
from benchmarks.report.pages.fusion import write_fusion
from benchmarks.report.pages.invariance import write_invariance
from benchmarks.report.pages.leaks import write_leaks
from benchmarks.report.pages.overview import write_overview
from benchmarks.report.pages.presets import write_presets
from benchmarks.report.pages.seeds import write_seeds
from benchmarks.report.pages.sketch_gap import write_gap
from benchmarks.report.pages.table import PAGES, write_summary, write_table_page, write_tables
from benchmarks.report.pages.training import plot_training
from benchmarks.report.pages.vocabulary import FOLDER, plot_vocabulary
from benchmarks.report.plots.book import Plot, PlotBook
from benchmarks.report.tables import USUAL, Choice, by_protocol
from datasets.errors import DamagedError

log = logging.getLogger(__name__)


class Written(NamedTuple):
    """A dataset's table rows by query set, the plots on its pages, and the metrics shown."""

    tables: dict[str, list[Json]]
    plots: list[Plot]
    choice: Choice


def write_dataset(
    folder: Path, with_plots: bool = True, choice: Choice = USUAL, with_curves: bool = False
) -> Written:
    """Write all pages of a dataset from the results in its folder.

    Parameters
    ----------
    folder : Path
        ``<out>/<dataset>``.
    with_plots : bool
        Whether the plots that the pages show are drawn as well.
    choice : Choice
        The metrics of the tables.
    with_curves : bool
        Whether curves of precision over recall are written as well.
    """
    results = _results(folder)
    if choice is USUAL:
        choice = by_protocol(results.about)
    for page in {*PAGES, "mistakes.md", CURVES} - {PLOTS_PAGE}:
        # Of what an earlier run had, there may be nothing to tell now.
        for ending in (".md", ".csv"):
            (folder / page).with_suffix(ending).unlink(missing_ok=True)
    book = PlotBook(folder, with_plots)
    tables = write_tables(folder, results, choice)
    plot_accuracy(book, results, tables)
    if with_curves:
        write_curves(book, results, tables)
    plot_costs(book, results, tables)
    write_gap(folder, results, book)
    write_distractors(folder, results, book)
    write_invariance(folder, results, book)
    write_classes(folder, results, book)
    write_fusion(folder, results, book)
    plot_training(results, book)
    leaks = read_leaks_of(folder, results)
    write_leaks(folder, leaks)
    write_presets(folder, results.tasks)
    write_answers(folder, results)
    trained = folder.parent / SEEDS / folder.name
    if trained in dataset_folders(trained.parent) and (again := _whole_results(trained)):
        write_seeds(folder, results, again)
    book.finish(results.about.name)
    write_table_page(folder, results, tables, choice, leaks)
    return Written(tables, book.plots, choice)


def write_vocabulary(folder: Path, with_plots: bool = True) -> dict[str, list[Json]]:
    """Write tables and plots of a dataset's vocabularies; returns table rows by query set."""
    results = _results(folder)
    tables = write_tables(folder, results)
    book = PlotBook(folder, with_plots)
    plot_vocabulary(book, results, tables)
    book.finish(results.about.name)
    write_table_page(folder, results, tables)
    return tables


def write_front(out: Path) -> None:
    """Write the pages about all datasets below `out`, whose own pages are there already."""
    whole = [results for folder in dataset_folders(out) if (results := _whole_results(folder))]
    write_summary(out, whole)
    write_overview(out, whole)


def _results(folder: Path) -> Results:
    """A dataset's results, of which there is at least one record."""
    results = read_results(folder)
    if not any(task.records for task in results.tasks.values()):
        raise DamagedError(f"{folder}: holds no record that is whole; run again")
    return results


def _whole_results(folder: Path) -> Results | None:
    """A dataset's results; None where they are damaged, which its next run mends."""
    try:
        return _results(folder)
    except DamagedError as error:
        log.warning("%s, until then it is left out of the pages about all datasets", error)
        return None


def write_vocabularies(out: Path, with_plots: bool = True) -> None:
    """Write the pages of vocabularies of several sizes, where those were measured."""
    folders = dataset_folders(out / FOLDER)
    for folder in folders:
        write_vocabulary(folder, with_plots)
    if folders:
        write_summary(out / FOLDER)
