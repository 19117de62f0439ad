"""Datasets as the options of a run ask for them."""

import argparse

import datasets
from benchmarks.formats.sheets import Cell, draw_sheet
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.loading.variants import EDGES, with_copies, with_edges
from benchmarks.pipeline.records.description import write_problems
from benchmarks.pipeline.records.record import PROBLEMS, record_paths
from benchmarks.pipeline.workers import Workforce
from datasets.assembly import NothingReadableError
from datasets.task import Dataset
from extractors.networks.augmentation import Augmentation

_SHOWN_EDGES = 16


def load_all(options: argparse.Namespace, workforce: Workforce) -> list[Dataset]:
    """Load the datasets of a run, with the drawings and copies that it asks for.

    Parameters
    ----------
    options : argparse.Namespace
        Of ``benchmarks.run``.
    workforce : Workforce
        Reads and draws.

    Raises
    ------
    InputError
        If a dataset is none.
    """
    loaded = []
    for text in dict.fromkeys(options.dataset):
        dataset = _load(text, options, workforce)
        if options.original_protocol:
            augmentation = Augmentation()
            dataset = with_copies(dataset, options.cache, workforce, augmentation, options.seed)
        if options.edges:
            dataset = with_edges(dataset, options.cache, workforce)
            _draw_edges(dataset, options, workforce)
        loaded.append(dataset)
    return loaded


def load_as_run(text: str, options: argparse.Namespace, workforce: Workforce) -> Dataset:
    """Load a dataset of which there are records, with the drawings that its run asked for.

    Parameters
    ----------
    text : str
        As behind ``--dataset``.
    options : argparse.Namespace
        With ``out``, ``cache``, ``seed`` and ``layout``, as of the run.
    workforce : Workforce
        Reads and draws.

    Raises
    ------
    InputError
        If the dataset is none.
    """
    dataset = load(text, options.cache, workforce, options.seed, options.layout)
    if record_paths(options.out / dataset.name, EDGES):
        return with_edges(dataset, options.cache, workforce)
    return dataset


def _load(text: str, options: argparse.Namespace, workforce: Workforce) -> Dataset:
    """Load a dataset; if nothing in it can be read, the reasons are written all the same."""
    given = (options.cache, workforce, options.seed, options.layout, options.leave_one_out)
    try:
        return load(text, *given, reread=options.force)
    except NothingReadableError as error:
        folder = options.out / datasets.resolve(text, options.layout)[0].name
        write_problems(folder, error.problems)
        workforce.log(f"The reasons are in {folder / PROBLEMS}")
        raise


def _draw_edges(dataset: Dataset, options: argparse.Namespace, workforce: Workforce) -> None:
    """Draw some photographs beside their drawings: into results only if all may see them."""
    photos, drawings = dataset.queries["query"], dataset.queries[EDGES]
    step = max(1, len(photos) // _SHOWN_EDGES)
    pairs = list(zip(photos, drawings, strict=True))[::step][:_SHOWN_EDGES]
    public = datasets.is_embedded(dataset.name)
    folder = (options.out if public else options.cache / "pictures") / dataset.name
    cells = [Cell(image.path) for pair in pairs for image in pair]
    draw_sheet(folder / f"{EDGES}.png", cells, columns=8, group=2)
    workforce.log(f"Some photographs and their drawings are in {folder / EDGES}.png")
