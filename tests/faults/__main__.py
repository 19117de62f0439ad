"""Faults of every kind, tried by the hundred: what is survived and what is lost.

``python -m faults --out DIR`` writes a table of them (tox -e faults).
"""

import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cli import Parser, a_path, command, natural, positive
from benchmarks.formats.files import require_writable, write_text
from benchmarks.pipeline.workers import Workforce
from faults import damage, disks, kills, leaks, strangers, together
from faults.bench import Bench
from faults.report import report
from faults.trials import Fault, Tally, make_trials

FAULTS: tuple[Fault, ...] = (
    *kills.FAULTS,
    *together.FAULTS,
    *disks.FAULTS,
    *damage.FAULTS,
    *strangers.FAULTS,
    *leaks.FAULTS,
)
SEED = 16


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (1 if anything was lost)."""
    return command(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    if options.out:
        require_writable(options.out, "--out")
    chosen = [one for one in FAULTS if options.only.lower() in one.name.lower()]
    logging.disable(logging.WARNING)  # of damage that is found, thousands of times
    began = time.monotonic()
    workforce = Workforce()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        bench = Bench(Path(folder))
        tallies = [_try(fault, bench, options.seed, options.most, workforce) for fault in chosen]
    text = report(tallies, options.seed, time.monotonic() - began)
    sys.stdout.write(text)
    if options.out:
        write_text(options.out / "reliability.md", text)
    return 1 if any(tally.lost for tally in tallies) else 0


def _try(fault: Fault, bench: Bench, seed: int, most: int | None, workforce: Workforce) -> Tally:
    count, tally = min(fault.count, most or fault.count), Tally(fault)
    for trial in workforce.track(make_trials(fault, bench, seed, count), count, fault.name):
        tally.add(trial)
    workforce.log(f"{fault.name}: {tally.survived} of {tally.tried} survived")
    for reason in tally.lost:
        workforce.log(f"  lost: {reason}")
    return tally


def _parser() -> Parser:
    parser = Parser(prog="python -m faults", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=natural, default=SEED, metavar="N", help="of all chances")
    parser.add_argument("--most", type=positive, metavar="N", help="at most N trials of a kind")
    parser.add_argument("--only", default="", metavar="WORDS", help="kinds with these words")
    parser.add_argument("--out", type=a_path, metavar="DIR", help="write reliability.md there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
