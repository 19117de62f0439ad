"""What rows cost, measured anew and alone: milliseconds per image and per query.

``python -m benchmarks.costs --dataset D`` after a run that shared its machine with other work,
or whose vectors came from several machines. Scores and rankings stay as they are.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import joblib

import datasets
from benchmarks import CHECKOUT
from benchmarks.cli import (
    Parser,
    add_network_options,
    command,
    default_cache,
    positive,
    use_networks,
)
from benchmarks.formats.files import require_writable, write_json
from benchmarks.pipeline.evaluation.evaluate import Evaluation, task_folder
from benchmarks.pipeline.evaluation.fitted_method import Fitted
from benchmarks.pipeline.extraction.encode import learn_head
from benchmarks.pipeline.extraction.extract import Vectors, make_vectors
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.loading.variants import EDGES, with_edges
from benchmarks.pipeline.methods.extractor import Row
from benchmarks.pipeline.methods.method import Combination
from benchmarks.pipeline.methods.names import make
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.write import write_dataset, write_front
from datasets.errors import InputError
from datasets.reading import Pixels, read_image
from datasets.task import Dataset
from extractors.base import Extractor
from extractors.local_features.encoders import Encoder
from extractors.networks.finetuning import FineTuned
from extractors.networks.pretrained import MapHead
from extractors.networks.scratch import ScratchNetwork

PICTURES = 64
"""Of the gallery, that extraction is timed on."""

T = TypeVar("T")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (2 after bad input)."""
    return command(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    use_networks(options)
    require_writable(options.out, "--out")
    workforce = Workforce(options.jobs, options.quiet)
    for text in options.dataset:
        dataset = load(text, options.cache, workforce)
        if (options.out / dataset.name / "records" / EDGES).is_dir():
            dataset = with_edges(dataset, options.cache, workforce)
        evaluation = Evaluation(dataset, options.out, options.cache, 0, workforce)
        measure(evaluation, _recorded(evaluation, options.extractor, options.epochs))
        write_dataset(options.out / dataset.name)
    write_front(options.out)
    return 0


def measure(evaluation: Evaluation, rows: Sequence[Combination]) -> None:
    """Time rows that have records, and write the costs beside these.

    Parameters
    ----------
    evaluation : Evaluation
        The dataset, and where the records lie.
    rows : sequence of Combination
        Timed one after the other; what several extractors begin with is timed once.
    """
    dataset, workforce = evaluation.dataset, evaluation.workforce
    extractors = {one.name: one for row in rows for one in row.rows}
    made = make_vectors(list(extractors.values()), dataset, evaluation.cache, False, workforce)
    chosen = sorted(dataset.gallery, key=lambda image: image.sha256)[:PICTURES]
    pictures = [read_image(image.path) for image in chosen]
    seconds: dict[Path, float] = {}
    for one in workforce.track(
        list(extractors.values()), len(extractors), f"timing extraction on {dataset.name}"
    ):
        if one.name not in made.failures | made.skipped:
            seconds |= _extraction(one, dataset, made, pictures)
    for row in workforce.track(rows, len(rows), f"timing searches of {dataset.name}"):
        parts = {path for one in row.rows for path in _parts(one, made)}
        if parts <= seconds.keys():
            total = sum(seconds[path] for path in parts)
            _search(evaluation, row, made, round(1e3 * total / len(pictures), 4))


def _search(evaluation: Evaluation, row: Combination, made: Vectors, extraction_ms: float) -> None:
    """Time a row's searches and write its costs."""
    dataset = evaluation.dataset
    with Fitted(row, dataset, made, evaluation.cache) as fitted:
        gallery = fitted.vectors(dataset.gallery)
        for task in dataset.tasks:
            place = evaluation.place(task, row)
            queries = fitted.vectors(task.queries)
            *_, search_ms = evaluation.search(task, row, fitted, queries, gallery, made)
            costs = place.read_costs() | {"extraction_ms": extraction_ms, "search_ms": search_ms}
            write_json(place.path(".costs.json"), costs)


def _parts(row: Row, made: Vectors) -> list[Path]:
    """Where what the row makes of pictures lies, step by step: what is shared is one place."""
    found = made.features.get(row.name)
    store = made.stores[row.name].folder
    return [store] if found is None else [found.folder, store]


def _extraction(
    row: Row, dataset: Dataset, made: Vectors, pictures: Sequence[Pixels]
) -> dict[Path, float]:
    """Seconds that each step takes on the pictures, decoding aside, by one worker."""
    _make_ready(row, dataset, made)
    places = _parts(row, made)
    first: Any = row.detector or row.stem
    if first is None:
        assert isinstance(row.head, Extractor), "what has no detector or stem looks at pictures"
        return {places[0]: _timed(row.head.transform, pictures)[0]}
    began, found = _timed(first.transform, pictures)
    assert isinstance(row.head, Encoder | MapHead), "it is given what was found in pictures"
    return {places[0]: began, places[1]: _timed(row.head.transform, list(found))[0]}


def _timed(work: Callable[[Any], T], given: Sequence[Any]) -> tuple[float, T]:
    work(given[:1])  # whatever is made only once is made now
    began = time.perf_counter()
    made = work(given)
    return time.perf_counter() - began, made


def _make_ready(row: Row, dataset: Dataset, made: Vectors) -> None:
    """Give a row's head what it learned when its vectors were made."""
    if isinstance(row.head, FineTuned | ScratchNetwork):
        row.head.load(made.trained[row.name])
    elif row.head_learns:
        features = made.local_features(row.name) if row.detector else None
        learn_head(row, dataset, made.stores[row.name], features)


def _recorded(
    evaluation: Evaluation, names: Sequence[str], epochs: int | None
) -> list[Combination]:
    """Rows that are finished here: those named, or all.

    Raises
    ------
    InputError
        If there are none.
    """
    folder = task_folder(evaluation.out, evaluation.dataset.tasks[0])
    found = sorted(path.name.removesuffix(".npz") for path in folder.glob("*.npz"))
    # A row that a preset made is called <row>@<dataset>, and cannot be made without it.
    menu = [name for name in found if "@" not in name and (not names or name in names)]
    rows = [make(name, epochs) for name in menu]
    finished = [row for row in rows if evaluation.is_finished(row)]
    if not finished:
        raise InputError(
            f"--out {evaluation.out}: no records of {evaluation.dataset.name} there that this "
            "version would make; make some with benchmarks.run"
        )
    return finished


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m benchmarks.costs", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--dataset", nargs="+", metavar="NAME|PATH", default=[datasets.DEFAULT], help="as of run"
    )
    parser.add_argument(
        "--extractor", nargs="+", metavar="NAME", default=[], help="these only (default: all)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", default=CHECKOUT / "results", help="the results folder"
    )
    parser.add_argument("--cache", type=Path, metavar="DIR", default=default_cache())
    add_network_options(parser)
    parser.add_argument("--epochs", type=positive, metavar="N", help="as given to run")
    parser.add_argument("--jobs", type=positive, metavar="N", default=joblib.cpu_count())
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    return parser


if __name__ == "__main__":
    sys.exit(main())
