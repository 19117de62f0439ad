"""All tables anew from what the results folder keeps: no images, no networks, no search.

``python -m benchmarks.report [--out RESULTS]``.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.command import Parser, command
from benchmarks.files import require_writable
from benchmarks.report.dataset import dataset_folders, write_dataset, write_front
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
    options = parser.parse_args(arguments)
    folders = dataset_folders(options.out)
    if not folders:
        raise InputError(f"--out {options.out}: holds no results; make some with benchmarks.run")
    require_writable(options.out, "--out")
    for folder in folders:
        write_dataset(folder)
    write_front(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
