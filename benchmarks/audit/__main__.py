"""Look for leaks: near duplicates within and across training, gallery and queries.

``python -m benchmarks.audit DATASET``. Pairs go into the results folder of the dataset, with
every method's scores with and without them; their pictures into a folder of your own.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import datasets
from benchmarks.audit.between import audit_between
from benchmarks.audit.duplicates import Pair
from benchmarks.audit.scores import audit
from benchmarks.cli.command import command, make_parser
from benchmarks.cli.options import (
    a_path,
    add_options,
    cluster,
    require_folders,
    use_networks,
)
from benchmarks.cli.outputs import has_json, require_apart, require_output_file
from benchmarks.formats.files import write_json
from benchmarks.formats.sheets import DRAWN, Cell, draw_sheet, is_drawn
from benchmarks.pipeline.evaluation.evaluate import Evaluation
from benchmarks.pipeline.evaluation.experiment import obstacle
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.loading.folder import load_folder
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.methods.names import parse_method
from benchmarks.pipeline.records.description import require_own_results
from benchmarks.pipeline.records.leaks import LEAKS, read_leaks
from benchmarks.pipeline.records.results import dataset_folders
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.pages.leaks import write_leaks
from benchmarks.report.write import write_dataset
from datasets.errors import InputError
from datasets.source import Folder
from datasets.task import Dataset, Image

log = logging.getLogger(__name__)

METHODS = ("efficientnet-lite0", "hsv-histogram-grid", "sift-bovw", "sift-fisher", "hog")
EMBEDDING = "efficientnet-lite0"

_DRAWN = 24

_MANY = 0.25
"""Share of all pairs that near duplicates are not, however many copies there are."""


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    use_networks(options)
    methods = [parse_method(name) for name in dict.fromkeys(options.extractor)]
    whose = parse_method(options.embedding, option="--embedding")
    if not whose.is_plain:
        raise InputError(f"--embedding {whose.name}: one extractor alone has vectors; name one")
    require_folders(options, "out", "cache")
    both = [one for one in (options.dataset, options.against) if one is not None]
    roots = [datasets.resolve(one, options.layout)[1] for one in both]
    for option in ("out", "cache", "pictures"):
        if (place := getattr(options, option)) is not None:
            require_apart(place, f"--{option}", *roots)
    workforce = Workforce(options.jobs, options.quiet, cluster(options))
    dataset = _load(options.dataset, options, workforce)
    embedding = whose.extractors[0]
    name, images = dataset.name, [image for _, image in dataset.images]
    if options.against is None:
        sheet = _require_own(name, options)
        evaluation = Evaluation(dataset, options.cache, workforce)
        runnable = _runnable(methods, dataset, workforce)
        found, pairs = audit(evaluation, runnable, embedding)
    else:
        other = _load(options.against, options, workforce)
        if other.name == name:
            remedy = f"write OTHER={roots[-1] or options.against}"
            raise InputError(f"--against {options.against}: is called {name!r}, too; {remedy}")
        name = f"{name}-against-{other.name}"
        sheet = _require_own(name, options)
        found, pairs, images = audit_between(dataset, other, embedding, options.cache, workforce)
    folder = options.out / name
    if doubt := _doubt(whose.name, len(pairs), len(images)):
        log.warning(doubt)
    write_json(folder / LEAKS, found)
    if pairs:
        draw_sheet(sheet, _cells(images, pairs[:_DRAWN]), columns=8, group=2)
        workforce.log(f"The pictures of the most similar pairs are in {sheet}")
    if folder in dataset_folders(options.out):  # its other pages tell of near duplicates, too
        write_dataset(folder, (folder / "plots").exists())
    write_leaks(folder, read_leaks(folder))
    workforce.log(f"{len(pairs)} pairs of near duplicates, listed in {folder / 'leaks.md'}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("audit", __doc__)
    parser.add_argument("dataset", metavar="DATASET", help="its name, a folder, or NAME=PATH")
    parser.add_argument(
        "--against",
        metavar="DATASET",
        help="look for near duplicates between the two instead, such as training and test sets",
    )
    scored = "methods that are scored with and without the pairs (default: %(default)s)"
    add_options(parser, "extractor", default=list(METHODS), help=scored)
    parser.add_argument(
        "--embedding",
        metavar="NAME",
        default=EMBEDDING,
        help="extractor whose vectors tell near duplicates (default: %(default)s)",
    )
    parser.add_argument(
        "--pictures",
        type=a_path,
        metavar="DIR",
        help="where the pairs' pictures go (default: the cache); never into results",
    )
    add_options(
        parser, "layout", "max-pixels", "networks", "out", "cache", "jobs", "seed", "quiet"
    )
    return parser


def _doubt(embedding: str, pairs: int, images: int) -> str | None:
    """A word on an embedding to which many pictures are nearly the same; None on any other."""
    possible = images * (images - 1) // 2
    if embedding == EMBEDDING or pairs <= _MANY * possible:
        return None
    return (
        f"--embedding {embedding}: {pairs:,} of {possible:,} pairs are near duplicates by it; the "
        f"limits are those of {EMBEDDING}, and by other vectors more is alike"
    )


def _require_own(name: str, options: argparse.Namespace) -> Path:
    """Refuse to replace files of others; gives the file of the pairs' pictures."""
    folder = options.out / name
    require_own_results(folder)
    pairs = has_json(lambda content: isinstance(content, dict) and "pairs" in content)
    require_output_file(folder / LEAKS, "--out", (), "list of near duplicates", pairs)
    private = (options.pictures or options.cache / "audit") / f"{name}-leaks.png"
    sheet = folder / "leaks.png" if datasets.is_embedded(name) else private
    require_output_file(sheet, "--pictures", (), DRAWN, is_drawn)
    return sheet


def _runnable(methods: Sequence[Method], dataset: Dataset, workforce: Workforce) -> list[Method]:
    made: list[Method] = []
    for method in methods:
        if reason := obstacle(method, dataset):
            workforce.log(f"{method.name} is left out: {reason}")
        else:
            made.append(method)
    return made


def _load(text: str, options: argparse.Namespace, workforce: Workforce) -> Dataset:
    """Load a dataset; a folder that is none, for want of classes or queries, as it is."""
    try:
        return load(text, options.cache, workforce, options.seed, options.layout)
    except InputError as error:
        source, root = datasets.resolve(text, options.layout)
        if options.layout or not isinstance(source, Folder) or root is None or not root.is_dir():
            raise
        workforce.log(f"{text} is taken as pictures without parts, for {error}")
        return replace(load_folder(root, None, options.cache, workforce), name=source.name)


def _cells(images: Sequence[Image], pairs: Sequence[Pair]) -> list[Cell]:
    paths = [image.path for image in images]
    return [
        cell
        for pair in pairs
        for cell in (
            Cell(paths[pair.one], below="equal bytes" if pair.exact else f"{pair.bits} bits"),
            Cell(paths[pair.other], below=f"cosine {pair.cosine:.3f}"),
        )
    ]


if __name__ == "__main__":
    sys.exit(main())
