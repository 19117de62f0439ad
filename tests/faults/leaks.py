"""Work that is done again and again in one process, which must not grow."""

import gc
import random
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks import run
from benchmarks.search import open_index
from faults.bench import NETWORK, QUERY, Bench
from faults.trials import Fault, NotTried, Trial

_MAY_GROW = 24 * 2**20
"""Bytes of memory that a process may grow by in all trials of a kind: its allocator's."""

_OF_TENSORFLOW = 40 * 2**20
"""Bytes that a process may grow by with each training: TensorFlow keeps some 25 MB of it."""


class _Growth:
    """Memory and open files of this process beyond those of its beginning."""

    def __init__(self) -> None:
        if not Path("/proc/self/fd").is_dir():
            raise NotTried("the system does not tell what a process holds")
        self._begun = self._now()

    @staticmethod
    def _now() -> tuple[int, int]:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return 4096 * pages, len(list(Path("/proc/self/fd").iterdir()))

    def require_below(self, most: int) -> None:
        """Require that no file is open beyond those of the beginning, and little memory taken."""
        memory, files = (now - then for now, then in zip(self._now(), self._begun, strict=True))
        assert files <= 0, f"{files} files more are open"
        assert memory <= most, f"{memory / 2**20:.0f} MB more"


def _again(work: Callable[[], object], count: int, first: int, each: int = 0) -> Iterator[Trial]:
    """Work some times to get going, then again and again."""
    for _ in range(first):
        work()
    growth = _Growth()

    def once(number: int) -> None:
        work()
        growth.require_below(_MAY_GROW + number * each)

    for number in range(count):
        yield partial(once, number + 1)


def _searches(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    opened = open_index(bench.kept.index)
    yield from _again(lambda: opened.search(bench.pictures / QUERY, 10), count, 20)


def _openings(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    yield from _again(bench.kept.search, count, 10)


def _runs(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    with bench.place() as place:

        def work() -> None:
            shutil.rmtree(place.out, ignore_errors=True)
            assert place.run("lbp", "lbp+sift-bovw").code == 0

        yield from _again(work, count, 3)


def _trainings(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    with bench.place() as place:
        words = [*place.of_run([NETWORK]), "--force"]
        yield from _again(partial(run.main, words), count, 2, _OF_TENSORFLOW)


FAULTS = (
    Fault("a search of an index that is open", 300, _searches),
    Fault("an index opened and searched", 60, _openings),
    Fault("a run behind others in one process", 12, _runs),
    Fault("a training behind others in one process", 4, _trainings),
)
