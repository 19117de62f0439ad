"""Kinds of faults, and their trials: survived, lost, or not to be tried on this machine."""

import logging
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path

from faults.bench import Bench

Trial = Callable[[], object]


class NotTried(Exception):  # noqa: N818
    """A fault cannot be made on this machine; the message says why."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault, a row of the table.

    Attributes
    ----------
    name : str
        In words.
    count : int
        Number of trials, or the most of them where the fault itself says how many there are.
    trials : callable
        From what it is tried on, a seeded generator and a number of trials to these. A trial
        that returns is survived; one that raises is lost.
    """

    name: str
    count: int
    trials: Callable[[Bench, random.Random, int], Iterator[Trial]]


@dataclass
class Tally:
    """Outcomes of the trials of a kind of fault."""

    fault: Fault
    survived: int = 0
    lost: list[str] = field(default_factory=list)
    not_tried: Counter[str] = field(default_factory=Counter)

    @property
    def tried(self) -> int:
        """Trials that came to an outcome."""
        return self.survived + len(self.lost)

    def add(self, trial: Trial) -> None:
        """Make a trial."""
        try:
            trial()
        except NotTried as reason:
            self.not_tried[str(reason)] += 1
        except Exception as error:  # whatever it is, it is an outcome
            self.lost.append(f"{type(error).__name__}: {error}")
        else:
            self.survived += 1


def make_trials(fault: Fault, bench: Bench, seed: int, count: int) -> Iterator[Trial]:
    """Trials of a kind of fault, which do not depend on what other kinds are tried.

    Parameters
    ----------
    fault : Fault
        The kind.
    bench : Bench
        Tried on this.
    seed : int
        Seed of everything that is left to chance.
    count : int
        Most trials.
    """
    generator = random.Random(f"{seed} {fault.name}")
    return islice(fault.trials(bench, generator, count), count)


def try_fault(folder: Path, seed: int, most: int | None, fault: Fault) -> Tally:
    """Make the trials of a kind of fault.

    Parameters
    ----------
    folder : Path
        Everything lies in here.
    seed, most, fault
        As of `make_trials`; all trials of the kind if `most` is None.
    """
    tally = Tally(fault)
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)  # of damage that is found, thousands of times
    try:
        for trial in make_trials(
            fault, _bench(folder), seed, min(fault.count, most or fault.count)
        ):
            tally.add(trial)
    finally:
        logging.disable(disabled)
    # Where it was tried says nothing.
    tally.lost = [reason.replace(f"{_bench(folder).folder}/", "") for reason in tally.lost]
    return tally


@cache
def _bench(folder: Path) -> Bench:
    """What this process tries faults on."""
    return Bench(folder / str(os.getpid()))
