"""Measure how each step of the suite grows with the number of pictures.

``python -m benchmarks.speed.growth --out DIR`` makes galleries of small pictures in the system's
temporary folder (``TMPDIR``), measures every step in a process of its own, and writes
``growth.md``, with a model of what larger galleries would cost.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cli.command import command, make_parser
from benchmarks.cli.options import add_options, positive
from benchmarks.formats.files import require_writable
from benchmarks.pipeline.methods.names import parse_method
from benchmarks.pipeline.workers import Workforce
from benchmarks.speed.growth.cost_model import cost_model
from benchmarks.speed.growth.gallery import make_gallery
from benchmarks.speed.growth.page import PAGE, write_growth
from benchmarks.speed.growth.process import Measured, measure, require_measurable
from benchmarks.speed.growth.rates import (
    DIMS,
    MILLION,
    QUERIES,
    Matrix,
    approximate_rates,
    machine_rates,
    making,
    searching_matrix,
)
from benchmarks.speed.growth.steps import STEPS, Place
from benchmarks.speed.report import where_measured
from datasets.errors import InputError

SIZES = (100, 1000, 10_000, 100_000)

_PER_PICTURE = ("list and hash files", "read and check pictures", "describe")
"""Steps that lead from files to vectors."""


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    require_measurable()
    require_writable(options.out, "--out")
    method = parse_method(options.extractor)
    if not method.is_plain or method.learns:
        raise InputError(
            f"--extractor {options.extractor}: is fused or learns, for which the galleries have "
            "no pictures; name an extractor that does not"
        )
    workforce = Workforce(options.jobs, options.quiet)
    sizes = sorted(set(options.sizes))
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        places = {n: Place(Path(folder) / f"{n}", options.extractor, options.jobs) for n in sizes}
        for size, place in places.items():
            make_gallery(place.pictures, size, workforce)
        steps = _measured(places, workforce)
        sections = [_million(Path(folder), workforce)] if options.million else []
        sections.append(_model(places[sizes[-1]], steps, sizes[-1], workforce))
    write_growth(options.out, where_measured(), options.extractor, steps, sections)
    workforce.log(f"The page is {options.out / PAGE}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("speed.growth", __doc__)
    parser.add_argument(
        "--sizes",
        nargs="+",
        type=positive,
        metavar="N",
        default=SIZES,
        help="pictures in the galleries (default: 100 1000 10000 100000)",
    )
    parser.add_argument(
        "--million",
        action="store_true",
        help=f"also search {MILLION:,} vectors of {DIMS:,} values, which takes 4 GB of disk",
    )
    add_options(parser, "out", required=True, default=None, help="folder of the page")
    add_options(
        parser,
        "extractor",
        nargs=None,
        default="hsv-histogram",
        help="describes the pictures (default: %(default)s)",
    )
    add_options(parser, "jobs", "quiet")
    return parser


def _measured(places: dict[int, Place], workforce: Workforce) -> dict[str, dict[int, Measured]]:
    """Measure every step at every size, in the order of the steps."""
    found: dict[str, dict[int, Measured]] = {name: {} for name in STEPS}
    todo = [(size, name) for size in places for name in STEPS]
    for size, name in workforce.track(todo, len(todo), "measuring"):
        found[name][size] = measure(STEPS[name], places[size])
    return found


def _million(folder: Path, workforce: Workforce) -> str:
    """Search a million vectors; the line on the page."""
    workforce.log(f"writing and searching {MILLION:,} vectors")
    matrix = Matrix(folder / "million.npy", MILLION)
    measure(making, matrix)
    found = measure(searching_matrix, matrix)
    return (
        f"## A million vectors\n\nThe {QUERIES} queries' ten nearest of {MILLION:,} vectors of "
        f"{DIMS:,} values in float16, exact, from a file of "
        f"{2 * MILLION * DIMS / 2**30:.2f} GiB: {found.peak_bytes / 2**30:.2f} GiB resident at "
        f"most, {found.seconds:.1f} s by the clock, {found.processor_seconds:.1f} s by the "
        "processor."
    )


def _model(
    place: Place, steps: dict[str, dict[int, Measured]], size: int, workforce: Workforce
) -> str:
    workforce.log("measuring rates of this machine")
    rates = measure(machine_rates, place).told | measure(approximate_rates, place).told
    spent = sum(steps[name][size].processor_seconds for name in _PER_PICTURE)
    return cost_model(rates | {"picture": spent / size}, size)


if __name__ == "__main__":
    sys.exit(main())
