"""All pages of a dataset."""

from pathlib import Path

from benchmarks.files import Json
from benchmarks.records import read_results
from benchmarks.report.classes import write_classes
from benchmarks.report.confusing import write_confusion
from benchmarks.report.gap import write_gap
from benchmarks.report.hybrid import write_hybrid
from benchmarks.report.leaks import write_leaks
from benchmarks.report.pages import write_tables
from benchmarks.report.presets import write_presets


def write_dataset(folder: Path) -> dict[str, list[Json]]:
    """Write all pages of a dataset from what its folder keeps.

    Returns
    -------
    dict of str to list of dict
        Query set to its table rows.
    """
    results = read_results(folder)
    tables = write_tables(folder, results)
    write_gap(folder, results)
    write_confusion(folder, results)
    write_classes(folder, results)
    write_hybrid(folder, results)
    write_leaks(folder)
    write_presets(folder, results.tasks)
    return tables
