"""Signals to running commands, at random moments of all their stages."""

import os
import random
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from processes import members

from faults.bench import METHODS, Bench, Running
from faults.trials import Fault, Trial


def _run_is_killed(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    length = _length(bench)
    for trial in range(count):
        jobs = 1 + (trial % 4 == 0)
        yield partial(_disturb_run, bench, rng.uniform(0, length), signal.SIGKILL, jobs=jobs)


def _parent_is_killed(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    length = _length(bench)
    for _ in range(count):
        moment = rng.uniform(length / 3, length)
        yield partial(_disturb_run, bench, moment, signal.SIGKILL, is_alone=True)


def _run_is_signalled(
    number: signal.Signals, bench: Bench, rng: random.Random, count: int
) -> Iterator[Trial]:
    length = _length(bench)
    for trial in range(count):
        moment, is_alone, jobs = rng.uniform(0, length), trial % 2 == 1, 1 + trial // 2 % 2
        yield partial(_disturb_run, bench, moment, number, is_alone, jobs)


def _index_is_killed(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    began = time.monotonic()
    with bench.place() as place:
        with bench.command(place, "benchmarks.search", *place.of_search()) as running:
            running.end()
        length = time.monotonic() - began
    for _ in range(count):
        yield partial(_disturb_index, bench, rng.uniform(0, length))


def _length(bench: Bench) -> float:
    """Seconds that an undisturbed run takes."""
    began = time.monotonic()
    with (
        bench.place() as place,
        bench.command(place, "benchmarks.run", *place.of_run(METHODS, 2)) as running,
    ):
        running.end()
    return time.monotonic() - began


def _disturb_run(
    bench: Bench, moment: float, number: signal.Signals, is_alone: bool = False, jobs: int = 2
) -> None:
    with bench.place() as place:
        with bench.command(place, "benchmarks.run", *place.of_run(METHODS, jobs)) as running:
            _send(running, moment, number, is_alone)
            running.end(number)
        bench.require_recovered(place)


def _disturb_index(bench: Bench, moment: float) -> None:
    with bench.place() as place:
        with bench.command(place, "benchmarks.search", *place.of_search()) as running:
            _send(running, moment, signal.SIGKILL, is_alone=False)
            running.end(signal.SIGKILL)
        bench.require_index(place)


def _send(running: Running, moment: float, number: signal.Signals, is_alone: bool) -> None:
    """Wait, and send a signal to a command, or to its group as a terminal does."""
    pid = running.process.pid
    while number != signal.SIGKILL and not _is_ours(pid):
        time.sleep(0.01)
    time.sleep(moment)
    if members(running.process):
        os.kill(pid, number) if is_alone else os.killpg(pid, number)


def _is_ours(pid: int) -> bool:
    """Whether Python has begun with our code, which catches SIGTERM first of all."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return True
    [caught] = [line for line in status.read_text().splitlines() if line.startswith("SigCgt")]
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


FAULTS = (
    Fault("SIGKILL of a run and its workers, at a random moment", 100, _run_is_killed),
    Fault("SIGKILL of the command alone, its workers stay behind", 10, _parent_is_killed),
    *(
        Fault(f"{number.name} of a run, to all or to the command alone", 12, trials)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for trials in (partial(_run_is_signalled, number),)
    ),
    Fault("SIGKILL while an index is built, at a random moment", 20, _index_is_killed),
)
