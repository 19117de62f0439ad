"""Commands that work with the same cache, results or index at the same time."""

import random
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from benchmarks.search import open_index
from benchmarks.search.api import prepare_index
from faults.bench import METHODS, NETWORK, QUERY, Bench, Place, answers
from faults.trials import Fault, Trial

_UPDATES = """
import sys
from pathlib import Path
from benchmarks.search.api import prepare_index

pictures, kept, index, cache, count = sys.argv[1:]
for number in range(int(count)):
    new = Path(pictures) / "new.png"
    new.unlink() if new.exists() else new.write_bytes(Path(kept).read_bytes())
    prepare_index(pictures=pictures, index=index, cache=cache, extractor="lbp")
"""


def _runs(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    for number in range(count):
        delays = [0, *(rng.uniform(0, 1) for _ in range(1 + number % 2))]
        yield partial(_run_together, bench, METHODS, delays)


def _trainings(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    for _ in range(count):
        yield partial(_run_together, bench, [NETWORK], [0, rng.uniform(0, 8)], bench.trained)


def _run_together(
    bench: Bench, methods: list[str], delays: list[float], of: Place | None = None
) -> None:
    """Begin the same run several times, one after the other."""
    with bench.place() as place:
        words = ("benchmarks.run", *place.of_run(methods, 2))
        with ExitStack() as stack:
            running = []
            for delay in delays:
                time.sleep(delay)
                running.append(stack.enter_context(bench.command(place, *words)))
            ended = [one.end() for one in running]
        assert [one.code for one in ended] == [0] * len(delays), [one.said for one in ended]
        bench.require_recovered(place, *methods, of=of)
        shutil.rmtree(place.out)  # and what the cache holds now is right as well
        bench.require_recovered(place, *methods, of=of)


def _builds(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    for _ in range(count):
        yield partial(_build_together, bench, [rng.uniform(0, 0.5) for _ in range(3)])


def _build_together(bench: Bench, delays: list[float]) -> None:
    with bench.place() as place:
        with ExitStack() as stack:
            running = []
            for delay in delays:
                time.sleep(delay)
                command = bench.command(place, "benchmarks.search", *place.of_search())
                running.append(stack.enter_context(command))
            codes = [one.end().code for one in running]
        assert codes == [0] * len(delays), f"exit codes {codes}"
        bench.require_index(place)


def _openings(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    """Open and search an index again and again while another process changes it."""
    with bench.place() as place:
        pictures = place.folder / "pictures"
        shutil.copytree(bench.pictures / "validation", pictures)
        options = {"pictures": pictures, "index": place.index, "cache": place.cache}
        asked, new = bench.pictures / QUERY, bench.pictures / "training/apple/00.png"
        before = prepare_index(**options, extractor="lbp")[0]
        possible = [answers(before.search(asked, 99))]
        shutil.copy(new, pictures / "new.png")
        possible.append(answers(prepare_index(**options, extractor="lbp")[0].search(asked, 99)))

        def fresh() -> None:
            assert answers(open_index(place.index).search(asked, 99)) in possible

        def old() -> None:
            assert answers(before.search(asked, 99)) == possible[0]

        left = count
        while left > 0:
            words = ["-c", _UPDATES, pictures, new, place.index, place.cache, 10]
            with bench.python(place, *words) as running:
                while left > 0 and running.process.poll() is None:
                    yield rng.choice([fresh, fresh, old])
                    left -= 1


FAULTS = (
    Fault("two or three runs with one cache and one results folder", 8, _runs),
    Fault("two runs that train one network", 9, _trainings),
    Fault("three builds of one index", 6, _builds),
    Fault("an index opened or searched while others bring it up to date", 300, _openings),
)
