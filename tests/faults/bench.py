"""Pictures, what undisturbed commands make of them, and what must be so after a fault."""

import contextlib
import io
import itertools
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pictures import fill
from processes import begin_command, end_all, members

from benchmarks import INTERRUPTED, STOPS, run
from benchmarks.report import __main__ as report
from benchmarks.search import open_index
from benchmarks.search.api import prepare_index
from benchmarks.search.generations import is_generation
from benchmarks.search.result import Neighbour

METHODS = ("lbp", "sift-bovw", "sift-bovw+geometry", "lbp+sift-bovw")
"""A plain method, one that learns, one that verifies keypoints and one that fuses."""

NETWORK = "cnn-compact"

_WORKERS_MAY_TAKE = 5.0
"""Seconds in which workers have ended behind their command."""

_LONGEST = 300.0
"""Seconds after which a command hangs."""

_GIT = {
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}
"""Lets whoever runs a command read the checkout's commit."""


@dataclass(frozen=True)
class Ended:
    """The end of a command: exit code and standard error."""

    code: int
    said: str

    def require_clear(self, *signals: int) -> None:
        """Require that it finished, or said in one line why not.

        Parameters
        ----------
        *signals : int
            Signals that it was sent.
        """
        assert "Traceback" not in self.said, self.said[-600:]
        if self.code == 2:
            assert self.said.count("error: ") == 1, self.said
            assert self.said.splitlines()[-1].startswith("error: "), self.said
        elif self.code - 128 in signals and self.code - 128 in STOPS:
            assert self.said.splitlines() == [INTERRUPTED], self.said
        else:
            assert self.code in (0, *(-one for one in signals if one == signal.SIGKILL)), (
                f"exit code {self.code}: {self.said[-300:]}"
            )


@dataclass(frozen=True)
class Place:
    """Folders of a trial: pictures, cache, results, index."""

    folder: Path
    pictures: Path

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def index(self) -> Path:
        return self.folder / "index"

    @property
    def temporary(self) -> Path:
        return self.folder / "temporary"

    def of_run(self, methods: Sequence[str], jobs: int = 1) -> list[str]:
        """Arguments of `benchmarks.run`."""
        places = ["--dataset", self.pictures, "--out", self.out, "--cache", self.cache]
        how = ["--jobs", jobs, "--epochs", 3, "--no-plots", "--quiet"]
        return [str(one) for one in ("--extractor", *methods, *places, *how)]

    def of_search(self, method: str = "sift-bovw") -> list[str]:
        """Arguments of `benchmarks.search`, to bring the index up to date."""
        places = ["--dataset", self.pictures, "--index", self.index, "--cache", self.cache]
        return [str(one) for one in ("--extractor", method, *places, "--jobs", 1, "--quiet")]

    def run(self, *methods: str) -> Ended:
        """Run methods in this process."""
        return _end(lambda: run.main(self.of_run(methods or METHODS)))

    def report(self) -> Ended:
        """Write the tables anew, in this process."""
        return _end(lambda: report.main(["--out", str(self.out), "--no-plots"]))

    def update(self, method: str = "sift-bovw") -> list[Neighbour]:
        """Bring the index up to date and search it."""
        options = {"dataset": str(self.pictures), "index": self.index, "cache": self.cache}
        prepare_index(extractor=method, **options)
        return self.search()

    def search(self) -> list[Neighbour]:
        """Search the index as it is."""
        return open_index(self.index).search(self.pictures / QUERY, 50)

    def records(self) -> dict[str, bytes]:
        """Records and rankings; costs are never the same twice."""
        return {
            path.relative_to(self.out).as_posix(): path.read_bytes()
            for path in (self.out / self.pictures.name / "records").rglob("*")
            if path.suffix in (".npz", ".json") and not path.name.endswith(".costs.json")
        }

    def require_tidy(self) -> None:
        """Require that nothing is left of dead processes."""
        names = (self.cache, self.out, self.index, self.temporary)
        left = [str(path) for name in names for path in name.rglob(".*")]
        left += [str(path) for path in self.temporary.glob("*")]
        left += list(map(str, filter(is_generation, self.index.glob("*"))))[1:]
        assert not left, f"left behind: {', '.join(left)}"


def _end(work: Callable[[], int]) -> Ended:
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        code = work()
    return Ended(code, said.getvalue())


QUERY = Path("validation/query/apple/00.png")


@dataclass
class Running:
    """A command of its own."""

    place: Place
    process: object
    errors: Path

    def end(self, *signals: int) -> Ended:
        """Wait for its end, and for that of its workers.

        Parameters
        ----------
        *signals : int
            Signals that it was sent.
        """
        code = self.process.wait(_LONGEST)
        ended = Ended(code, self.errors.read_text(errors="replace"))
        deadline = time.monotonic() + _WORKERS_MAY_TAKE
        while left := members(self.process):
            assert time.monotonic() < deadline, f"{len(left)} processes live on"
            time.sleep(0.1)
        ended.require_clear(*signals)
        return ended


class Bench:
    """A dataset and its undisturbed results.

    Parameters
    ----------
    folder : Path
        Everything lies in here.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count()
        self.pictures = folder / "fruit"
        for number, name in enumerate(("apple", "berry")):
            fill(self.pictures / "training" / name, 8, 10 + number, number)
            fill(self.pictures / "validation/gallery" / name, 9, 20 + number, number)
            fill(self.pictures / "validation/query" / name, 3, 30 + number, number)

    @cached_property
    def kept(self) -> Place:
        """What undisturbed commands made: cache, results and index of the plain methods."""
        place = self._new("kept")
        assert place.run().code == 0
        place.update()
        return place

    @cached_property
    def trained(self) -> Place:
        """What an undisturbed training made."""
        place = self._new("trained")
        assert place.run(NETWORK).code == 0
        return place

    @contextlib.contextmanager
    def place(self, *copied: str, of: Place | None = None) -> Iterator[Place]:
        """Lend folders for a trial.

        Parameters
        ----------
        *copied : str
            Names of folders that begin as undisturbed commands left them.
        of : Place, optional
            Whose; `kept` if left out.
        """
        place = self._new(f"trial-{next(self._numbers)}")
        for name in copied:
            shutil.copytree((of or self.kept).folder / name, place.folder / name)
        try:
            yield place
        finally:
            shutil.rmtree(place.folder)

    def command(
        self, place: Place, name: str, *arguments: object, **options: object
    ) -> contextlib.AbstractContextManager[Running]:
        """Run a command of a trial; see `python`."""
        return self.python(place, "-m", name, *arguments, **options)

    @contextlib.contextmanager
    def python(self, place: Place, *arguments: object, **options: object) -> Iterator[Running]:
        """Run Python in processes of its own, which end with the block."""
        errors = place.folder / f"errors-{next(self._numbers)}"
        environment = os.environ | _GIT | {"TMPDIR": str(place.temporary)}
        with errors.open("w") as file:
            process = begin_command(arguments, file, env=environment, **options)
        try:
            yield Running(place, process, errors)
        finally:
            end_all(process)

    def require_recovered(self, place: Place, *methods: str, of: Place | None = None) -> None:
        """Require that the next undisturbed run ends with the undisturbed results."""
        ended = place.run(*methods)
        assert ended.code == 0, f"the next run: exit code {ended.code}: {ended.said[-300:]}"
        require_equal(place.records(), (of or self.kept).records(), methods)
        place.require_tidy()

    def require_index(self, place: Place) -> None:
        """Require that the index is right when it was brought up to date."""
        assert answers(place.update()) == answers(self.kept.search()), "other answers"
        place.require_tidy()

    def _new(self, name: str) -> Place:
        place = Place(self.folder / name, self.pictures)
        place.temporary.mkdir(parents=True)
        return place


def require_equal(
    found: dict[str, bytes], expected: dict[str, bytes], methods: Sequence[str] = ()
) -> None:
    """Require that records and rankings are equal to the byte."""
    if methods:
        wanted = {f"{method}{ending}" for method in methods for ending in (".json", ".npz")}
        expected = {name: one for name, one in expected.items() if Path(name).name in wanted}
    names = sorted(found.keys() | expected.keys())
    other = [name for name in names if found.get(name) != expected.get(name)]
    assert not other, f"other content: {', '.join(other)}"


def answers(found: Sequence[Neighbour]) -> list[tuple[str, float]]:
    """Neighbours of a search and their distances."""
    return [(one.id, one.distance) for one in found]
