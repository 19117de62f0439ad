"""Compare two records: their scores, and in words the protocol cards that may explain them.

``python -m benchmarks.diff A B``, two ``<method>.json`` files of results folders.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cli.command import command, make_parser
from benchmarks.cli.options import a_path
from benchmarks.formats.files import Json
from benchmarks.formats.terminal import visible
from benchmarks.pipeline.records.differences import explain
from benchmarks.pipeline.records.record import read_record
from datasets.errors import InputError

_REMEDY = "give a <method>.json of a results folder"


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = make_parser("diff", __doc__)
    parser.add_argument("first", type=a_path, metavar="A")
    parser.add_argument("second", type=a_path, metavar="B")
    options = parser.parse_args(arguments)
    lines = explain(_record(options.first), _record(options.second))
    sys.stdout.write("\n".join(map(visible, lines)) + "\n")
    return 0


def _record(path: Path) -> Json:
    record = read_record(path, _REMEDY)
    if record is None:
        raise InputError(f"{path}: no such file; {_REMEDY}")
    return record


if __name__ == "__main__":
    sys.exit(main())
