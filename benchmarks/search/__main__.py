"""Find the pictures that are most like one, by any method.

``python -m benchmarks.search PICTURE --pictures FOLDER --extractor efficientnet-lite0``; from
Python ``search("picture.jpg", pictures="folder", extractor="efficientnet-lite0")``.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
from benchmarks.cli.command import command, make_parser
from benchmarks.cli.options import (
    a_path,
    add_options,
    cluster,
    natural,
    positive,
    use_networks,
)
from benchmarks.cli.outputs import require_apart, require_output_file
from benchmarks.formats.sheets import DRAWN, draw_sheet, is_drawn
from benchmarks.pipeline.methods.names import parse_method
from benchmarks.pipeline.methods.presets import method_from
from benchmarks.pipeline.workers import Workforce
from benchmarks.search.api import (
    EXTRACTOR,
    prepare_index,
    search_picture,
    search_query,
    unnamed_method,
)
from benchmarks.search.approximate import KINDS
from benchmarks.search.result import SearchResult
from benchmarks.search.source import find_source, require_one
from datasets.errors import InputError

K = 10
"""Neighbours where nothing else is said."""

HOST, PORT = "127.0.0.1", 8000
"""Address of the page where nothing else is said."""


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (2 after bad input)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser("--serve" in arguments).parse_args(arguments)
    use_networks(options)
    if options.serve:
        return _serve(options)
    result = _search(options)
    if result is None:
        return 0
    if options.show:
        draw_sheet(options.show, result.to_cells())
    if options.json:
        sys.stdout.write(json.dumps(result.to_json(), indent=1) + "\n")
    elif not options.quiet:
        sys.stdout.write(result.to_text())
    return 0


def _serve(options: argparse.Namespace) -> int:
    """Serve the page until the command is ended."""
    try:
        from benchmarks.search.serve.server import serve
    except ModuleNotFoundError as error:
        raise InputError(
            f"--serve: {error.name} is not installed; pip install starlette uvicorn"
        ) from error
    from benchmarks.search.serve.indexes import ShownWorkforce

    alone = ("picture", "query_id", "show", "json", "leave_out_query", "approximate")
    if any(getattr(options, name) for name in alone) or options.k != K:
        raise InputError(
            "--serve goes without PICTURE, --query-id, -k, --leave-out-query, --approximate, "
            "--show and --json, which the page asks for"
        )
    require_one({"--preset": options.preset, "--extractor": options.extractor})
    _require_outputs_apart(options)
    source = find_source(**_source_options(options))
    names = dict.fromkeys(options.extractor or ())
    methods = [parse_method(name, options.epochs) for name in names]
    if options.preset:
        methods = [method_from(options.preset)]
    elif source and not methods:
        methods = [unnamed_method(options.index, options.epochs)]
    workforce = ShownWorkforce(options.jobs, options.quiet, cluster(options))
    serve(methods, source, options.index, options.host, options.port, workforce)
    return 0


def _source_options(options: argparse.Namespace) -> dict[str, Any]:
    names = ("pictures", "dataset", "index", "learn_from", "epochs", "seed", "layout", "reread")
    return {name: getattr(options, name) for name in (*names, "cache")}


def _search(options: argparse.Namespace) -> SearchResult | None:
    """Search for what the options name; None if they only ask for an index."""
    if options.picture and options.query_id:
        raise InputError("PICTURE and --query-id exclude each other; give one")
    _require_asked(options)
    if options.picture and "://" not in options.picture:
        options.picture = a_path(options.picture)
    if options.approximate and options.query_id:
        raise InputError(
            "--approximate goes without --query-id, which ranks the whole gallery; give a PICTURE"
        )
    if not (options.picture or options.query_id or options.index):
        raise InputError("nothing to do: give a PICTURE, --query-id, or --index to make one")
    _require_outputs_apart(options)
    workforce = Workforce(options.jobs, options.quiet, cluster(options))
    index, dataset = prepare_index(
        **_source_options(options),
        extractor=options.extractor,
        preset=options.preset,
        workforce=workforce,
    )
    if options.show:
        inputs = [Path(options.picture)] if options.picture else []
        require_output_file(options.show, "--show", [*inputs, *index.folders()], DRAWN, is_drawn)
    if options.approximate:
        index.approximate(options.approximate, options.cache, workforce)
    if options.picture:
        return search_picture(index, options.picture, options.k, options.leave_out_query)
    if options.query_id:
        return search_query(index, dataset, options.query_id, options.k)
    workforce.log(f"{len(index):,} pictures are in {options.index}")
    return None


def _require_asked(options: argparse.Namespace) -> None:
    """Refuse options that say nothing about what is asked for."""
    if (options.host, options.port) != (HOST, PORT):
        raise InputError("--host and --port go with --serve; leave them out")
    if options.leave_out_query and not options.picture:
        raise InputError("--leave-out-query goes with a PICTURE; give one, or leave it out")
    shown = {"--show": options.show, "-k": options.k != K}
    if not (options.picture or options.query_id) and any(shown.values()):
        option = next(name for name, value in shown.items() if value)
        raise InputError(f"{option} goes with a PICTURE or --query-id; give one, or leave it out")


def _require_outputs_apart(options: argparse.Namespace) -> None:
    """Refuse to write an index or vectors among the pictures that are searched."""
    named = [one for one in (options.dataset, options.learn_from) if one]
    roots = [datasets.resolve(one, options.layout)[1] for one in named]
    for option in ("show", "index", "cache"):
        if (place := getattr(options, option)) is not None:
            require_apart(place, f"--{option}", options.pictures, *roots)


def _parser(is_serving: bool = False) -> argparse.ArgumentParser:
    epilog = "Without PICTURE and --query-id an --index is made or brought up to date."
    parser = make_parser("search", __doc__, epilog)
    parser.add_argument("picture", nargs="?", metavar="PICTURE", help="the picture to search for")
    parser.add_argument(
        "--query-id",
        metavar="ID",
        help="search with this query of the dataset, and tell right (○) from wrong (✕)",
    )
    _add_source(parser)
    how = parser.add_argument_group("how")
    how.add_argument(
        "--extractor",
        metavar="NAME",
        nargs="+" if is_serving else None,
        help="any method of benchmarks.run --list, or fused as there; several with --serve "
        f"(default: the index's own, or {EXTRACTOR})",
    )
    how.add_argument(
        "--preset", type=a_path, metavar="FILE", help="a method that benchmarks.tune chose"
    )
    how.add_argument(
        "-k", type=positive, metavar="K", default=K, help=f"neighbours (default: {K})"
    )
    how.add_argument(
        "--leave-out-query",
        action="store_true",
        help="leave out the PICTURE itself, and copies of it to the byte",
    )
    how.add_argument(
        "--approximate",
        choices=KINDS,
        help="search an approximate index of faiss, which is kept in --cache: faster in large "
        "galleries, and may miss some of the nearest; their distances are exact (needs faiss-cpu)",
    )
    how.add_argument(
        "--learn-from",
        metavar="NAME|PATH",
        help="dataset whose training images vocabularies and weights are learned from, for "
        "--pictures",
    )
    how.add_argument(
        "--epochs",
        type=positive,
        metavar="N",
        help="train networks for at most N epochs (default: as their recipes say)",
    )
    add_options(how, "seed", "layout", "max-pixels", "networks", "jobs", "cache")
    what = parser.add_argument_group("what comes out")
    what.add_argument(
        "--show", type=a_path, metavar="FILE", help="draw it all: a PNG, JPEG, WebP or PDF file"
    )
    what.add_argument("--json", action="store_true", help="print JSON")
    add_options(what, "quiet")
    _add_page(parser)
    return parser


def _add_source(parser: argparse.ArgumentParser) -> None:
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


def _add_page(parser: argparse.ArgumentParser) -> None:
    page = parser.add_argument_group("a page")
    page.add_argument(
        "--serve",
        action="store_true",
        help="open a page to search from: pictures are dropped or drawn, and every --extractor "
        "answers (needs starlette and uvicorn)",
    )
    page.add_argument(
        "--host",
        default=HOST,
        metavar="ADDRESS",
        help="listen here (default: %(default)s, this machine alone); at any other, whoever "
        "reaches it sees all pictures of the gallery and may send some, and nothing asks for a "
        "password",
    )
    page.add_argument(
        "--port", type=natural, default=PORT, metavar="N", help="default: %(default)s; 0: any"
    )


if __name__ == "__main__":
    sys.exit(main())
