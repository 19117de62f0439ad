"""All pages of a dataset, and those of all datasets."""

from pathlib import Path

from benchmarks.files import Json
from benchmarks.records import DESCRIPTION, read_results
from benchmarks.report.classes import write_classes
from benchmarks.report.confusing import write_confusion
from benchmarks.report.gap import write_gap
from benchmarks.report.hybrid import write_hybrid
from benchmarks.report.leaks import write_leaks
from benchmarks.report.overview import write_overview
from benchmarks.report.pages import write_summary, write_tables
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


def dataset_folders(out: Path) -> list[Path]:
    """Folders of the datasets that have results, by name."""
    return sorted(path.parent for path in out.glob(f"*/{DESCRIPTION}"))


def write_front(out: Path) -> None:
    """Write the pages about all datasets below `out`, whose own pages are there already."""
    write_summary(out)
    write_overview(out, [read_results(folder) for folder in dataset_folders(out)])
