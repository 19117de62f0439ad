"""Faults of every kind, tried by the hundred: what is survived and what is lost.

``python -m faults --out DIR`` writes a table of them (tox -e faults).
"""

import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.cli.command import Parser, command
from benchmarks.cli.options import a_path, add_options, natural, positive
from benchmarks.formats.files import require_writable, write_text
from benchmarks.pipeline.workers import WorkerKilledError, Workforce
from faults import damage, disks, kills, leaks, strangers, together
from faults.report import report
from faults.trials import Fault, Tally, try_fault

FAULTS: tuple[Fault, ...] = (
    *kills.FAULTS,
    *together.FAULTS,
    *disks.FAULTS,
    *damage.FAULTS,
    *strangers.FAULTS,
    *leaks.FAULTS,
)
SEED = 16


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (1 if anything was lost)."""
    options = _parser().parse_args(arguments)
    if options.out:
        require_writable(options.out, "--out")
    chosen = [one for one in FAULTS if (options.only or "").lower() in one.name.lower()]
    began = time.monotonic()
    workforce = Workforce(options.jobs)
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # for trials by another user
        work = partial(try_fault, folder, options.seed, options.most)
        tallies = list(_told(workforce, workforce.chunks(work, chosen, "kinds of faults")))
    text = report(tallies, options.seed, time.monotonic() - began)
    sys.stdout.write(text)
    if options.out:
        write_text(options.out / "reliability.md", text)
    return 1 if any(tally.lost for tally in tallies) else 0


def _told(workforce: Workforce, tallies: Iterable[Tally | WorkerKilledError]) -> Iterator[Tally]:
    """Say of each kind what came out."""
    for tally in tallies:
        if isinstance(tally, WorkerKilledError):
            raise tally  # the harness itself was killed, which must not look like a result
        workforce.log(f"{tally.fault.name}: {tally.survived} of {tally.tried} survived")
        for reason in tally.lost:
            workforce.log(f"  lost: {reason}")
        yield tally


def _parser() -> Parser:
    parser = Parser(prog="python -m faults", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=natural, default=SEED, metavar="N", help="of all chances")
    parser.add_argument("--most", type=positive, metavar="N", help="at most N trials of a kind")
    parser.add_argument("--only", metavar="WORDS", help="kinds with these words")
    add_options(parser, "jobs")
    parser.add_argument("--out", type=a_path, metavar="DIR", help="write reliability.md there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
