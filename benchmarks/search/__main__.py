"""Find the pictures that are most like one, by any method.

``python -m benchmarks.search PICTURE --pictures FOLDER --extractor efficientnet-lite0``; from
Python ``search("picture.jpg", pictures="folder", extractor="efficientnet-lite0")``.
"""

import argparse
import json
import sys
from collections.abc import Sequence

import datasets
from benchmarks.cli import (
    a_path,
    add_options,
    command,
    make_parser,
    positive,
    require_apart,
    use_networks,
)
from benchmarks.formats.files import require_writable
from benchmarks.formats.sheets import draw_sheet
from benchmarks.pipeline.workers import Workforce
from benchmarks.search.api import EXTRACTOR, prepare_index, search_picture, search_query
from benchmarks.search.result import SearchResult
from datasets.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (2 after bad input)."""
    return command(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    use_networks(options)
    result = _search(options)
    if result is None:
        return 0
    if options.show:
        require_apart(options.show, "--show", options.pictures)
        require_writable(options.show.parent, "--show")
        if options.show.is_dir():
            raise InputError(f"--show {options.show}: is a folder; name a file")
        draw_sheet(options.show, result.to_cells())
    if options.json:
        sys.stdout.write(json.dumps(result.to_json(), indent=1) + "\n")
    elif not options.quiet:
        sys.stdout.write(result.to_text())
    return 0


def _search(options: argparse.Namespace) -> SearchResult | None:
    """Search for what the options name; None if they only ask for an index."""
    if options.picture and options.query_id:
        raise InputError("PICTURE and --query-id exclude each other; give one")
    if not (options.picture or options.query_id or options.index):
        raise InputError("nothing to do: give a PICTURE, --query-id, or --index to make one")
    workforce = Workforce(options.jobs, options.quiet)
    index, dataset = prepare_index(
        pictures=options.pictures,
        dataset=options.dataset,
        index=options.index,
        extractor=options.extractor,
        preset=options.preset,
        learn_from=options.learn_from,
        epochs=options.epochs,
        seed=options.seed,
        layout=options.layout,
        reread=options.reread,
        cache=options.cache,
        workforce=workforce,
    )
    if options.picture:
        return search_picture(index, options.picture, options.k, options.leave_out_query)
    if options.query_id:
        return search_query(index, dataset, options.query_id, options.k)
    workforce.log(f"{len(index):,} pictures are in {options.index}")
    return None


def _parser() -> argparse.ArgumentParser:
    epilog = "Without PICTURE and --query-id an --index is made or brought up to date."
    parser = make_parser("search", __doc__, epilog)
    parser.add_argument("picture", nargs="?", metavar="PICTURE", help="the picture to search for")
    parser.add_argument(
        "--query-id",
        metavar="ID",
        help="search with this query of the dataset, and tell right (○) from wrong (✕)",
    )
    where = parser.add_argument_group("what is searched")
    where.add_argument(
        "--pictures",
        type=a_path,
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
        type=a_path,
        metavar="DIR",
        help="keep the index here; with --pictures or --dataset it is brought up to date, "
        "alone it is used as it is, which starts faster",
    )
    where.add_argument(
        "--reread",
        action="store_true",
        help="look at every picture anew, also where size, times and place say it is as it was",
    )
    how = parser.add_argument_group("how")
    how.add_argument(
        "--extractor",
        metavar="NAME",
        help="any method of benchmarks.run --list, or fused as there (default: the index's own, "
        f"or {EXTRACTOR})",
    )
    how.add_argument(
        "--preset", type=a_path, metavar="FILE", help="a method that benchmarks.tune chose"
    )
    how.add_argument("-k", type=positive, metavar="K", default=10, help="neighbours (default: 10)")
    how.add_argument(
        "--leave-out-query",
        action="store_true",
        help="leave out the PICTURE itself, and copies of it to the byte",
    )
    how.add_argument(
        "--learn-from",
        metavar="NAME|PATH",
        help="dataset whose training images vocabularies and weights are learned from, for "
        "--pictures",
    )
    add_options(how, "epochs", "seed", "layout", "max-pixels", "networks", "jobs", "cache")
    what = parser.add_argument_group("what comes out")
    what.add_argument(
        "--show", type=a_path, metavar="FILE", help="draw it all: a PNG, JPEG, WebP or PDF file"
    )
    what.add_argument("--json", action="store_true", help="print JSON")
    add_options(what, "quiet")
    return parser


if __name__ == "__main__":
    sys.exit(main())
