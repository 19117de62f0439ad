"""All tables anew from what the results folder keeps: no images, no networks, no search.

``python -m benchmarks.report [--out RESULTS] [--no-plots]``.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.command import Parser, command
from benchmarks.files import require_writable
from benchmarks.records import DESCRIPTION
from benchmarks.report.dataset import write_dataset
from benchmarks.report.pages import write_summary
from benchmarks.report.vocabulary import FOLDER, write_vocabulary
from benchmarks.rooms import CHECKOUT
from datasets.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return command(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    parser = Parser(prog="python -m benchmarks.report", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=CHECKOUT / "results",
        help="the results folder (default: results/ of the checkout)",
    )
    parser.add_argument("--no-plots", action="store_true", help="tables and pages only")
    options = parser.parse_args(arguments)
    folders = sorted(path.parent for path in options.out.glob(f"*/{DESCRIPTION}"))
    if not folders:
        raise InputError(f"--out {options.out}: holds no results; make some with benchmarks.run")
    require_writable(options.out, "--out")
    for folder in folders:
        write_dataset(folder, not options.no_plots)
    write_summary(options.out)
    sized = sorted(path.parent for path in options.out.glob(f"{FOLDER}/*/{DESCRIPTION}"))
    for folder in sized:
        write_vocabulary(folder, not options.no_plots)
    if sized:
        write_summary(options.out / FOLDER)
    return 0


if __name__ == "__main__":
    sys.exit(main())
