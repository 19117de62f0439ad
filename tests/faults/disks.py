"""Full disks, forbidden files and folders, and a cache that goes."""

import contextlib
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from faults.bench import METHODS, Bench, Place
from faults.trials import Fault, NotTried, Trial

_NOBODY = 65534
_LARGE = 2**16
"""Kilobytes that are enough for everything."""


def _full(
    folder: str, command: str, share: tuple[float, float], bench: Bench, rng: random.Random, n: int
) -> Iterator[Trial]:
    """Have a folder on a disk with a share of the space that it needs."""
    needed = sum(one.stat().st_size for one in (bench.kept.folder / folder).rglob("*")) // 1024
    for _ in range(n):
        kilobytes = max(8, int(needed * rng.uniform(*share)))
        yield partial(_fill_up, bench, folder, command, kilobytes)


def _fill_up(bench: Bench, folder: str, command: str, kilobytes: int) -> None:
    with bench.place() as place, _disk(place.folder / folder, kilobytes) as grow:
        words = place.of_run(METHODS) if command.endswith("run") else place.of_search()
        with bench.command(place, command, *words) as running:
            running.end()
        grow()
        _recover(bench, place, command)


def _mapped(
    folder: str, command: str, bench: Bench, rng: random.Random, n: int
) -> Iterator[Trial]:
    for _ in range(n):
        yield partial(_fill_up_behind, bench, folder, command, rng.randrange(4, 40))


def _fill_up_behind(bench: Bench, folder: str, command: str, kilobytes: int) -> None:
    """Leave next to no space behind the vectors, so that matrices of them find none."""
    with bench.place() as place, _disk(place.folder / folder, _LARGE) as grow:
        if folder == "cache":
            shutil.copytree(bench.kept.cache, place.cache, dirs_exist_ok=True)
        free = shutil.disk_usage(place.folder / folder).free
        ballast = place.folder / folder / "ballast"
        ballast.write_bytes(bytes(max(0, free - 1024 * kilobytes)))
        words = place.of_run(METHODS) if command.endswith("run") else place.of_search()
        with bench.command(place, command, *words) as running:
            running.end()
        ballast.unlink()
        grow()
        _recover(bench, place, command)


def _recover(bench: Bench, place: Place, command: str) -> None:
    if command.endswith("run"):
        bench.require_recovered(place)
    else:
        bench.require_index(place)


@contextlib.contextmanager
def _disk(folder: Path, kilobytes: int) -> Iterator[Callable[[], None]]:
    """Mount a small disk at a folder; gives what makes it large."""
    if sys.platform != "linux" or os.geteuid():
        raise NotTried("only root can mount a small disk")
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o"]
    made = subprocess.run(
        [*mount, f"size={kilobytes}k", "tmpfs", folder], capture_output=True, text=True
    )
    if made.returncode:
        raise NotTried(f"no small disk can be mounted: {made.stderr.strip()}")
    large = [*mount, f"remount,size={_LARGE}k", "tmpfs", folder]
    try:
        yield lambda: subprocess.run(large, check=True)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _forbidden(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    for _ in range(count):
        yield partial(_forbid, bench, rng.choice(["cache", "cache", "out", "pictures"]), rng)


def _forbid(bench: Bench, folder: str, rng: random.Random) -> None:
    """Forbid a file or folder to somebody who is not root, for one run."""
    if os.name != "posix" or os.geteuid():
        raise NotTried("only root can be somebody else")
    with bench.place("cache", "out") as place:
        copied = Place(place.folder, place.folder / "fruit")
        shutil.copytree(bench.pictures, copied.pictures)
        if folder != "out":  # or nothing is to be done
            shutil.rmtree(place.out)
        inside = copied.pictures if folder == "pictures" else place.folder / folder
        target = rng.choice(sorted([inside, *inside.rglob("*")]))
        mode = target.stat().st_mode
        for path in (place.folder, *place.folder.rglob("*")):
            os.chown(path, _NOBODY, _NOBODY)
        target.chmod(0)
        with _nobody():
            ended = copied.run()
        target.chmod(mode)
        ended.require_clear()
        bench.require_recovered(copied)


@contextlib.contextmanager
def _nobody() -> Iterator[None]:
    """Be a user who may be refused things."""
    os.setegid(_NOBODY)
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def _deleted(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    began = time.monotonic()
    with (
        bench.place() as place,
        bench.command(place, "benchmarks.run", *place.of_run(METHODS, 2)) as running,
    ):
        running.end()
    length = time.monotonic() - began
    for _ in range(count):
        yield partial(_delete, bench, rng.uniform(length / 4, length))


def _delete(bench: Bench, moment: float) -> None:
    """Remove the whole cache of a running command, as somebody does who needs the space."""
    with bench.place() as place:
        with bench.command(place, "benchmarks.run", *place.of_run(METHODS, 2)) as running:
            time.sleep(moment)
            while place.cache.exists():
                shutil.rmtree(place.cache, ignore_errors=True)  # it is written to meanwhile
            running.end()
        bench.require_recovered(place)


FAULTS = (
    Fault("disk of the cache full", 12, partial(_full, "cache", "benchmarks.run", (0.05, 1.2))),
    Fault("disk of the results full", 6, partial(_full, "out", "benchmarks.run", (0.05, 1.2))),
    Fault("disk of the index full", 6, partial(_full, "index", "benchmarks.search", (0.05, 1.2))),
    Fault(
        "disk full under mapped matrices of a run",
        6,
        partial(_mapped, "cache", "benchmarks.run"),
    ),
    Fault(
        "disk full under mapped matrices of an index",
        4,
        partial(_mapped, "index", "benchmarks.search"),
    ),
    Fault("a file or folder forbidden", 20, _forbidden),
    Fault("the cache deleted during a run", 10, _deleted),
)
