"""Check extractors of the menu, or of a plug-in, by the rules that the tests hold all others to.

``python -m extractors.check NAME [--plugin FILE.py]``; a line for each rule.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from extractors import MENU
from extractors.command_line import command
from extractors.conformance import Candidate, run_checks
from extractors.plugins import PluginError, add_extractor, extractors_of, installed, load_plugin


class _Parser(argparse.ArgumentParser):
    """Reports mistakes in one line."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        raise PluginError(f"{message} (see --help)")


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (1 if a check failed, 2 after bad input)."""
    about = (__doc__ or "").partition("\n")[0]
    parser = _Parser(prog="python -m extractors.check", description=about)
    parser.add_argument("names", nargs="+", metavar="NAME", help="extractors by name")
    parser.add_argument(
        "--plugin",
        nargs="+",
        action="extend",
        type=Path,
        metavar="FILE.py",
        default=[],
        help="Python code that adds extractors",
    )
    options = parser.parse_args(arguments)
    _add_plugins(options.plugin)
    candidates = [_candidate(name) for name in options.names]
    failed = [_report(candidate) for candidate in candidates]
    return 1 if any(failed) else 0


def _add_plugins(files: Sequence[Path]) -> None:
    for added in installed("extractors"):
        add_extractor(added)
    for path in files:
        mine = extractors_of(load_plugin(path))
        if not mine:
            raise PluginError(f"{path}: defines no EXTRACTORS")
        for added in mine:
            add_extractor(added)


def _candidate(name: str) -> Candidate:
    if name not in MENU:
        raise PluginError(f"no such extractor as {name!r}; give its file with --plugin FILE.py")
    candidate = Candidate(name, MENU[name])
    if candidate.is_network:
        candidate.steps[0].require()
    return candidate


def _report(candidate: Candidate) -> bool:
    """Print a line for each check; whether one failed."""
    failed = False
    for name, failure in run_checks(candidate):
        failed |= failure is not None
        words = name.replace("_", " ")
        line = f"FAIL  {candidate.name} {words}: {failure}" if failure else ""
        sys.stdout.write((line or f"pass  {candidate.name} {words}") + "\n")
        sys.stdout.flush()
    return failed


if __name__ == "__main__":
    sys.exit(main())
