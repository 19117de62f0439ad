"""Find the pictures that are most like one, by any extractor.

``python -m benchmarks.search PICTURE --pictures FOLDER --extractor efficientnet-lite0``; from
Python ``search("picture.jpg", pictures="folder", extractor="efficientnet-lite0")``.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import joblib

import datasets
from benchmarks.cli import (
    Parser,
    add_network_options,
    command,
    default_cache,
    positive,
    use_networks,
)
from benchmarks.formats.files import require_writable
from benchmarks.formats.sheets import draw_sheet
from benchmarks.pipeline.cache.fingerprint import digest
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.loading.folder import folder_source
from benchmarks.pipeline.methods.names import make
from benchmarks.pipeline.methods.presets import row_from
from benchmarks.pipeline.workers import Workforce
from benchmarks.search.build import build
from benchmarks.search.index import Index, Neighbour
from benchmarks.search.result import TOPS, Answer
from datasets.errors import InputError, UnreadableImageError
from datasets.task import Dataset, Image
from retrieval.knn import Block
from retrieval.metrics import mean_scores
from retrieval.protocol import judge
from retrieval.ranking import summarise

EXTRACTOR = "efficientnet-lite0"
"""What is searched by where nothing else is said: it works from pip alone."""


def search(
    picture: str | Path,
    *,
    pictures: str | Path | None = None,
    dataset: str | None = None,
    extractor: str = EXTRACTOR,
    index: str | Path | None = None,
    learn_from: str | None = None,
    k: int = 10,
) -> Answer:
    """Find the pictures that are most like one.

    Parameters
    ----------
    picture : str or Path
        The file.
    pictures : str or Path, optional
        Folder of which every picture is searched.
    dataset : str, optional
        Dataset of which the gallery is searched, see `datasets.resolve`; the embedded one if
        neither is given and there is no `index`.
    extractor : str
        See `benchmarks.pipeline.methods.names.make`.
    index : str or Path, optional
        Folder of the index; one in the user's cache if it is left out.
    learn_from : str, optional
        Dataset whose training images extractors that learn may learn from, with `pictures`.
    k : int
        How many, at least 1.

    Raises
    ------
    InputError
        If something is missing, with the remedy.
    """
    given: list[object] = [picture, "--extractor", extractor, "-k", k, "--quiet"]
    for option, value in (
        ("--pictures", pictures),
        ("--dataset", dataset),
        ("--index", index),
        ("--learn-from", learn_from),
    ):
        given += [] if value is None else [option, value]
    options = _parser().parse_args([str(one) for one in given])
    return _answer(options)


def open_index(folder: str | Path) -> Index:
    """Open an index that was made before, to ask it many times: ``index.search(picture, k)``.

    Raises
    ------
    InputError
        If there is none.
    """
    return Index(Path(folder))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (2 after bad input)."""
    return command(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    use_networks(options)
    if not options.picture and not options.query_id:
        if not options.index:
            raise InputError("nothing to do: give a PICTURE, --query-id, or --index to make one")
        index, _ = _open(options)
        Workforce(1, options.quiet).say(f"{len(index):,} pictures are in {options.index}")
        return 0
    answer = _answer(options)
    if options.show:
        require_writable(options.show.parent, "--show")
        if options.show.is_dir():
            raise InputError(f"--show {options.show}: is a folder; name a file")
        draw_sheet(options.show, answer.to_cells())
    if options.json:
        sys.stdout.write(json.dumps(answer.to_json(), indent=1, ensure_ascii=False) + "\n")
    elif not options.quiet:
        sys.stdout.write(answer.to_text())
    return 0


def _answer(options: argparse.Namespace) -> Answer:
    """Ask what the options ask."""
    if options.picture and options.query_id:
        raise InputError("PICTURE and --query-id exclude each other; give one")
    index, dataset = _open(options)
    if options.query_id:
        return _ask_query(index, dataset, options.query_id, options.k)
    picture = Path(options.picture)
    began = time.perf_counter()
    try:
        asked = index.ask(picture)
    except UnreadableImageError as error:
        raise InputError(f"{picture}: {error}; give a picture") from error
    described = time.perf_counter()
    found = index.nearest(asked, options.k)
    seconds = (described - began, time.perf_counter() - described)
    return _made(index, picture, None, list(index.neighbours(*found)), seconds)


def _ask_query(index: Index, dataset: Dataset | None, name: str, k: int) -> Answer:
    """Ask with a query of the dataset, by the protocol of the benchmark."""
    if dataset is None or not dataset.queries:
        raise InputError(f"--query-id {name}: only a --dataset has queries; name it")
    query = _query(dataset, name)
    judgements = judge((query,), dataset.gallery, dataset.relevance)
    began = time.perf_counter()
    asked = index.ask(query.path)
    described = time.perf_counter()
    combination = index.combination
    blocks = combination.search(index.asker.combining)(asked, index.vectors, judgements)
    (block,) = [Block(start, cells.copy()) for start, cells in blocks]
    distances = block.cells[0].copy()
    ranking = summarise([block], judgements, depth=max(k, 10))
    seconds = (described - began, time.perf_counter() - described)
    order = ranking.neighbours[0][ranking.neighbours[0] >= 0][:k]
    positive = set(judgements.of[0].positive.tolist())
    is_known = bool(positive)
    right = [number in positive for number in order.tolist()] if is_known else None
    neighbours = list(index.neighbours(order, distances[order], right))
    scores = mean_scores(ranking)
    top = {key: value for key in TOPS if (value := scores[key]) is not None}
    return _made(index, query.path, query.label, neighbours, seconds, top)


def _query(dataset: Dataset, name: str) -> Image:
    known = {image.id: image for images in dataset.queries.values() for image in images}
    ends = [image for key, image in known.items() if key == name or key.endswith(f"/{name}")]
    if len(ends) == 1 or name in known:
        return known.get(name) or ends[0]
    if ends:
        raise InputError(f"--query-id {name}: {len(ends)} queries end so; write more of the path")
    raise InputError(
        f"--query-id {name}: {dataset.name} has no such query; one is {next(iter(known))}"
    )


def _made(
    index: Index,
    query: Path,
    label: str | None,
    neighbours: list[Neighbour],
    seconds: tuple[float, float],
    top: dict[str, float] | None = None,
) -> Answer:
    described, searched = (round(1e3 * part, 3) for part in seconds)
    return Answer(
        query,
        label,
        index.about["name"],
        len(index),
        index.about["row"],
        neighbours,
        top or {},
        described,
        searched,
    )


def _open(options: argparse.Namespace) -> tuple[Index, Dataset | None]:
    """Open the index that the options mean, up to date if they say what it is of."""
    if options.pictures and options.dataset:
        raise InputError("--pictures and --dataset exclude each other; give one")
    if options.preset and options.extractor:
        raise InputError("--preset and --extractor exclude each other; give one")
    if options.learn_from and not options.pictures:
        raise InputError("--learn-from goes with --pictures; a dataset has training images")
    if options.index and not options.pictures and not options.dataset:
        index = Index(options.index)
        wanted = row_from(options.preset).name if options.preset else options.extractor
        if wanted and wanted != index.about["row"]:
            raise InputError(
                f"--extractor {wanted}: {options.index} is an index by "
                f"{index.about['row']}; make another for it"
            )
        return index, None
    combination = (
        row_from(options.preset)
        if options.preset
        else make(options.extractor or EXTRACTOR, options.epochs)
    )
    workforce = Workforce(options.jobs, options.quiet)
    require_writable(options.cache, "--cache")
    text = options.dataset or datasets.DEFAULT
    source = options.pictures.resolve() if options.pictures else text
    named = [str(source), options.learn_from, combination.name, options.epochs]
    folder = options.index or options.cache / "indexes" / digest(named)[:16]
    require_writable(folder, "--index")
    if options.pictures:
        old = Index.at(folder)
        dataset = folder_source(
            options.pictures,
            options.learn_from,
            options.cache,
            workforce,
            old.known() if old else {},
        )
        if dataset.problems:
            workforce.say(
                f"{len(dataset.problems)} files are no readable pictures, such as "
                f"{dataset.problems[0].id}: {dataset.problems[0].what}"
            )
    else:
        dataset = load(text, options.cache, workforce)
    index = build(folder, combination, dataset, options.cache, workforce, options.epochs)
    return index, dataset


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m benchmarks.search",
        description=(__doc__ or "").split("\n")[0],
        epilog="Without PICTURE and --query-id an --index is made or brought up to date.",
    )
    parser.add_argument("picture", nargs="?", metavar="PICTURE", help="the picture to search for")
    parser.add_argument(
        "--query-id",
        metavar="ID",
        help="ask with this query of the dataset instead, and tell right (○) from wrong (✕)",
    )
    where = parser.add_argument_group("what is searched")
    where.add_argument(
        "--pictures",
        type=Path,
        metavar="FOLDER",
        help="every picture below this folder, however it is arranged",
    )
    where.add_argument(
        "--dataset",
        metavar="NAME|PATH",
        help=f"the gallery of this dataset (default: {datasets.DEFAULT})",
    )
    where.add_argument(
        "--index",
        type=Path,
        metavar="DIR",
        help="keep the index here; with --pictures or --dataset it is brought up to date, "
        "alone it is used as it is, which starts faster",
    )
    how = parser.add_argument_group("how")
    how.add_argument(
        "--extractor",
        metavar="NAME",
        help=f"any row of benchmarks.run --list, or combined as there (default: {EXTRACTOR})",
    )
    how.add_argument(
        "--preset", type=Path, metavar="FILE", help="a row that benchmarks.tune chose"
    )
    how.add_argument("-k", type=positive, metavar="K", default=10, help="how many (default: 10)")
    how.add_argument(
        "--learn-from",
        metavar="NAME|PATH",
        help="dataset whose training images vocabularies and weights are learned from, for "
        "--pictures",
    )
    how.add_argument("--epochs", type=positive, metavar="N", help="as of benchmarks.run")
    add_network_options(how)
    how.add_argument("--jobs", type=positive, metavar="N", default=joblib.cpu_count())
    how.add_argument("--cache", type=Path, metavar="DIR", default=default_cache())
    what = parser.add_argument_group("what comes out")
    what.add_argument("--show", type=Path, metavar="FILE", help="draw it all as a PNG")
    what.add_argument("--json", action="store_true", help="print JSON")
    what.add_argument("--quiet", action="store_true", help="print no progress and no table")
    return parser


if __name__ == "__main__":
    sys.exit(main())
