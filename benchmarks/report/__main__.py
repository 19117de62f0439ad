"""All tables anew from what the results folder keeps: no images, no networks, no search.

``python -m benchmarks.report [--out RESULTS] [--no-plots]``; with ``--html`` also a page to look
through them, with thumbnails of the pictures where those are.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import joblib

from benchmarks import CHECKOUT
from benchmarks.cli import Parser, command, default_cache
from benchmarks.formats.files import require_writable
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.site.build import build_page
from benchmarks.report.site.thumbnails import Pictures
from benchmarks.report.write import (
    dataset_folders,
    write_dataset,
    write_front,
    write_vocabularies,
)
from datasets.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return command(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    if options.dataset and not options.html:
        raise InputError("--dataset says where the pictures of --html are; give both")
    folders = dataset_folders(options.out)
    if not folders:
        raise InputError(f"--out {options.out}: holds no results; make some with benchmarks.run")
    require_writable(options.out, "--out")
    pictures = Pictures(tuple(options.dataset), options.cache)
    written = {folder: write_dataset(folder, not options.no_plots) for folder in folders}
    write_front(options.out)
    write_vocabularies(options.out, not options.no_plots)
    if options.html:
        require_writable(options.cache, "--cache")
        workforce = Workforce(joblib.cpu_count())
        built = build_page(options.out, written, pictures, workforce)
        workforce.log(
            f"The page is {built.file}: {_megabytes(built.data_bytes)}, and "
            f"{built.thumbnails} thumbnails of {_megabytes(built.thumbnail_bytes)} in all"
        )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m benchmarks.report", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=CHECKOUT / "results",
        help="the results folder (default: results/ of the checkout)",
    )
    parser.add_argument("--no-plots", action="store_true", help="tables and pages only")
    parser.add_argument(
        "--html", action="store_true", help="also build a page to look through, DIR/page/"
    )
    parser.add_argument(
        "--dataset",
        nargs="+",
        metavar="NAME|PATH",
        default=[],
        help="where the page's pictures are, as for benchmarks.run; embedded ones are known",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        default=default_cache(),
        help="where rendered pictures and drawings are kept (default: %(default)s)",
    )
    return parser


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


if __name__ == "__main__":
    sys.exit(main())
