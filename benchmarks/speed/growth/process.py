"""Work in a fresh process, with its seconds and the memory that it took."""

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

from datasets.errors import InputError

_PROCESSES = Path("/proc")
_LOOKS = 0.1
"""Seconds between looks at the memory of all processes."""

Numbers = dict[str, float]
"""What a piece of work tells of itself, by name."""

P = TypeVar("P")

Work = Callable[[], Numbers | None]
"""A piece of work that is timed; gives what it tells of itself."""

Step = Callable[[P], Work]
"""Prepares a piece of work at a place."""


@dataclass(frozen=True)
class Measured:
    """A piece of work that was measured.

    Attributes
    ----------
    seconds : float
        By the clock.
    processor_seconds : float
        Of all processors, by the process and those that it started.
    peak_bytes : int
        Resident memory: the most of the process, and the most of each that it started. Its
        interpreter and libraries, and the preparation, are in there.
    told : dict of str to float
        What the work told of itself.
    """

    seconds: float
    processor_seconds: float
    peak_bytes: int
    told: Numbers = field(default_factory=dict)


def require_measurable() -> None:
    """Refuse a system that does not tell the memory of processes.

    Raises
    ------
    InputError
        On all systems but Linux.
    """
    if not (_PROCESSES / "self" / "status").exists():
        raise InputError("memory is read from /proc, which Linux alone has; measure there")


def measure(step: Step[P], place: P) -> Measured:
    """Prepare and do a piece of work in a process of its own.

    Parameters
    ----------
    step : callable
        A function of a module.
    place : object
        Its argument, picklable.

    Raises
    ------
    InputError
        If it fails.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, step, place))
    process.start()
    theirs.close()
    peaks: dict[int, int] = {}
    assert process.pid is not None
    try:
        while not ours.poll(_LOOKS):
            for pid, peak in _peaks(process.pid):
                peaks[pid] = max(peak, peaks.get(pid, 0))
        made = ours.recv()
    except EOFError as error:
        process.join()
        raise InputError(
            f"{step.__name__}: its process ended with code {process.exitcode}; is there too "
            "little memory?"
        ) from error
    finally:
        ours.close()
        process.join()
    if isinstance(made, str):
        raise InputError(f"{step.__name__}: {made}")
    seconds, processor_seconds, peak, told = made
    peaks[process.pid] = peak
    return Measured(seconds, processor_seconds, sum(peaks.values()), told)


def _work(answer: Connection, step: Step[P], place: P) -> None:
    try:
        work = step(place)
        before = _processor_seconds()
        began = time.perf_counter()
        told = work() or {}
        seconds = time.perf_counter() - began
        _end_workers()  # whose seconds count when they have ended
        spent = _processor_seconds() - before
        answer.send((seconds, spent, _peak(_PROCESSES / "self"), told))
    except Exception as error:
        answer.send(f"{type(error).__name__}: {error}")


def _end_workers() -> None:
    if "joblib" in sys.modules:
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True)


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _peaks(root: int) -> Iterator[tuple[int, int]]:
    """Processes that one has started, those that these have started too, and their peaks."""
    parents = {}
    for place in _PROCESSES.glob("[0-9]*"):
        try:
            # Behind the name, which may hold anything: state, parent.
            parents[int(place.name)] = int(
                (place / "stat").read_text().rpartition(")")[2].split()[1]
            )
        except OSError:
            continue  # it has ended
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    for pid in found:
        try:
            yield pid, _peak(_PROCESSES / str(pid))
        except OSError:
            continue


def _peak(place: Path) -> int:
    """Most bytes that were resident, of a process since it began its program."""
    # Not ru_maxrss, which begins with what the process had that started this one.
    for line in (place / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    return 0  # it has ended, and is only waited for
