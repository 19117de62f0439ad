"""Compare results with published ones of the same pictures and protocol: equal, near, or not.

``python -m benchmarks.verify [FOLDER] [--against FOLDER]`` after a run.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks import LOCAL, PUBLISHED
from benchmarks.cli.command import BAD_INPUT, command, make_parser
from benchmarks.cli.options import a_path
from benchmarks.cli.outputs import has_json, require_output_file
from benchmarks.formats.files import write_json
from benchmarks.formats.terminal import visible
from benchmarks.pipeline.records.results import require_results
from benchmarks.verify.compare import COMPARED, Outcome, Row, compare
from benchmarks.verify.verdict import verdict
from datasets.errors import InputError

Compared = Mapping[str, Sequence[Row]]
"""Dataset to its rows."""


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (1 if a row differs, 2 after bad input)."""
    options = _parser().parse_args(arguments)
    folders = (options.folder, options.against)
    placed = [require_results(folder, str(folder)) for folder in folders]
    if options.json:
        read = [path for paths in placed for path in paths]
        require_output_file(options.json, "--json", read, "file of rows", has_json(_are_rows))
    names = [{path.name for path in paths} for paths in placed]
    found = {
        name: compare(folders[0] / name, folders[1] / name) for name in sorted(names[0] & names[1])
    }
    every = [row for rows in found.values() for row in rows]
    lines = [line for name, rows in found.items() for line in _lines(name, rows, options)]
    lines.append(verdict("in all", every, folders) + _alone(names, folders))
    outcomes = {row.outcome for row in every}
    if outcomes.isdisjoint(COMPARED):
        raise InputError(f"{folders[0]} and {folders[1]}: {lines[-1].removeprefix('in all: ')}")
    sys.stdout.writelines(f"{visible(line)}\n" for line in lines)
    if options.json:
        write_json(options.json, _as_json(found))
    if Outcome.DIFFERS in outcomes:
        return 1
    return BAD_INPUT if Outcome.DAMAGED in outcomes else 0


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("verify", __doc__)
    parser.add_argument(
        "folder",
        nargs="?",
        type=a_path,
        metavar="FOLDER",
        default=LOCAL,
        help="results folder (default: results/local/ of the checkout)",
    )
    parser.add_argument(
        "--against",
        type=a_path,
        metavar="FOLDER",
        default=PUBLISHED,
        help="results folder that it is compared with (default: results/ of the checkout)",
    )
    parser.add_argument("--list", action="store_true", help="list every row, too")
    parser.add_argument("--json", type=a_path, metavar="FILE", help="write every row as JSON, too")
    return parser


def _lines(name: str, rows: Sequence[Row], options: argparse.Namespace) -> Iterator[str]:
    if options.list:
        for row in rows:
            words = f": {row.words}" if row.words else ""
            yield f"  {name}/{row.query_set}/{row.method}: {row.outcome}{words}"
    yield verdict(name, rows, (options.folder, options.against))


def _alone(names: Sequence[set[str]], folders: tuple[Path, Path]) -> str:
    """Datasets that only one of the folders has."""
    alone = (names[0] - names[1], names[1] - names[0])
    return "".join(
        f"; datasets only in {folder}: {', '.join(sorted(only))}"
        for folder, only in zip(folders, alone, strict=True)
        if only
    )


def _are_rows(content: object) -> bool:
    """Whether `_as_json` can have written it."""
    if not isinstance(content, dict):
        return False
    every = [row for rows in content.values() if isinstance(rows, list) for row in rows]
    return bool(every) and all(isinstance(row, dict) and "outcome" in row for row in every)


def _as_json(found: Compared) -> dict[str, object]:
    return {
        name: [
            {
                "query set": row.query_set,
                "method": row.method,
                "outcome": str(row.outcome),
                "words": row.words,
            }
            for row in rows
        ]
        for name, rows in found.items()
    }


if __name__ == "__main__":
    sys.exit(main())
