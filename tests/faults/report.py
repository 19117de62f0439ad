"""The table of all faults that were tried."""

import platform
from collections import Counter
from collections.abc import Sequence

from benchmarks.formats.markdown import markdown
from benchmarks.pipeline.cache.fingerprint import libraries
from benchmarks.pipeline.records.card import commit, machine
from faults.trials import Tally

_ABOUT = """\
# Reliability

Faults that were made on purpose, and what became of them. A fault is survived if the command
finished right, or ended with one clear line and exit code 2 (130, 143 or 129 behind a signal) and
without a traceback; if the next undisturbed run then finished with records and rankings equal to
the byte to those of runs that nothing disturbed, or the next search with the same answers; if no
worker lived on for more than five seconds, and nothing was left of dead processes among cache,
results, index and temporary files. Everything else is lost.

Where a command and all of its workers are killed at once, empty folders and semaphores of Joblib,
a few dozen bytes each, stay in shared memory until the machine is restarted. `tox -e faults` makes
the table anew; `--seed` chooses other moments, places and bits.

"""


def report(tallies: Sequence[Tally], seed: int, seconds: float) -> str:
    """Write the page: a line for each kind of fault, what was lost, and where it was tried.

    Parameters
    ----------
    tallies : sequence of Tally
        Outcomes of each kind.
    seed : int
        Seed of everything that was left to chance.
    seconds : float
        How long it all took.
    """
    cells = [
        [tally.fault.name, *_numbers(tally.tried, tally.survived, len(tally.lost)), _why(tally)]
        for tally in tallies
    ]
    tried, lost = (sum(column) for column in zip(*_sums(tallies), strict=True))
    cells.append(["all", *_numbers(tried, tried - lost, lost), ""])
    here = machine()
    names = ("benchmarks.run", "datasets.reading", "extractors.local_features.sift")
    versions = ", ".join(f"{name} {version}" for name, version in libraries(*names).items())
    where = (
        f"Seed {seed}, commit {commit()}, {seconds / 60:.0f} minutes on {here['processor']}, "
        f"{here['cores']} cores, {here['system']}; Python {platform.python_version()}, {versions}."
    )
    table = markdown(["fault", "tried", "survived", "lost", "not tried"], cells)
    return f"{_ABOUT}{table}{_losses(tallies)}\n{where}\n"


def _sums(tallies: Sequence[Tally]) -> list[tuple[int, int]]:
    return [(0, 0), *((tally.tried, len(tally.lost)) for tally in tallies)]


def _numbers(*counts: int) -> list[str]:
    return [f"{count:,}" for count in counts]


def _why(tally: Tally) -> str:
    return "; ".join(f"{count:,}: {reason}" for reason, count in tally.not_tried.items())


def _losses(tallies: Sequence[Tally]) -> str:
    """What was lost, each reason once."""
    text = ""
    for tally in tallies:
        for reason, count in Counter(map(_first_line, tally.lost)).items():
            text += f"- {tally.fault.name}: {reason} ({count:,} times)\n"
    return f"\n## Lost\n\n{text}" if text else ""


def _first_line(reason: str) -> str:
    return reason.strip().partition("\n")[0][:300]
