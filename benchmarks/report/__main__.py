"""Make all tables, pages and plots anew from the records in the results folder.

``python -m benchmarks.report [--out RESULTS] [--no-plots]`` needs no images, networks or search;
``--html`` makes a page to look through as well, with thumbnails of the images that are there.
"""

import argparse
import sys
from collections.abc import Sequence

from benchmarks.cli.command import command, make_parser
from benchmarks.cli.options import add_options, require_folders
from benchmarks.cli.outputs import require_own_pages
from benchmarks.pipeline.methods.own import use_plugins
from benchmarks.pipeline.records.results import require_results
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.site.build import build_page
from benchmarks.report.site.thumbnails import Pictures
from benchmarks.report.tables import choose
from benchmarks.report.write import write_dataset, write_front, write_vocabularies
from datasets.errors import InputError


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    use_plugins(options.plugin)
    if options.dataset and not options.html:
        raise InputError("--dataset says where the pictures of --html are; give both")
    if options.layout and not options.dataset:
        raise InputError("--layout says how the folder of --dataset is read; give both")
    folders = require_results(options.out, f"--out {options.out}")
    require_folders(options, "out", *["cache"] * options.html)
    require_own_pages(options.out, "--out")
    choice = choose(options.metrics)
    written = {
        folder: write_dataset(folder, not options.no_plots, choice, options.precision_recall)
        for folder in folders
    }
    write_front(options.out)
    write_vocabularies(options.out, not options.no_plots)
    if options.html:
        workforce = Workforce()
        pictures = Pictures(tuple(options.dataset), options.cache, tuple(options.layout))
        built = build_page(options.out, written, pictures, workforce, choice)
        workforce.log(
            f"The page is {built.file}: {built.data_bytes / 1e6:.1f} MB, and {built.thumbnails} "
            f"thumbnails of {built.thumbnail_bytes / 1e6:.1f} MB in all"
        )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("report", __doc__)
    add_options(parser, "out", "metrics", "precision-recall", "plugin")
    parser.add_argument("--no-plots", action="store_true", help="tables and pages only")
    parser.add_argument(
        "--html", action="store_true", help="also build a page to look through, DIR/page/"
    )
    where = "where the page's pictures are, as for benchmarks.run; embedded ones are known"
    add_options(parser, "dataset", default=[], help=where)
    add_options(parser, "layout", "max-pixels", "cache")
    return parser


if __name__ == "__main__":
    sys.exit(main())
