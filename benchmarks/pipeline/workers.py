"""Parallel work with progress: the one function that all of it goes through."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import cv2
from joblib import Parallel, cpu_count, delayed
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

A = TypeVar("A")
B = TypeVar("B")

CHUNK = 32
"""Number of items that a worker gets at a time, whatever the number of workers."""


class Workforce:
    """Workers and a terminal: parallel work, shown by a progress bar with the time left.

    Parameters
    ----------
    jobs : int or None
        Number of worker processes; None for as many as cores.
    quiet : bool
        Show no bars and no messages, even on a terminal.
    """

    def __init__(self, jobs: int | None = 1, quiet: bool = False) -> None:
        self.jobs = jobs or cpu_count()
        self.console = Console(stderr=True, quiet=quiet, highlight=False)

    def log(self, text: str) -> None:
        """Print a line on standard error."""
        self.console.print(text, markup=False, soft_wrap=True)

    def track(self, items: Iterable[A], total: int, label: str) -> Iterator[A]:
        """Pass items through while a bar counts them and shows the time left."""
        if not self.console.is_terminal or self.console.quiet or total == 0:
            yield from items
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.console, transient=True) as bar:
            yield from bar.track(items, total=total, description=label)

    def chunks(self, function: Callable[[A], B], items: Sequence[A], label: str) -> Iterator[B]:
        """Apply a function to chunks of work, with a bar."""
        yield from self.track(in_parallel(function, items, self.jobs), len(items), label)

    def each(self, function: Callable[[A], B], items: Sequence[A], label: str) -> Iterator[B]:
        """Apply a function to many small items, a few dozen to a chunk, with a bar."""
        chunks = cut(items)
        for results in self.chunks(partial(_apply, function), chunks, label):
            yield from results


def cut(items: Sequence[A], size: int = CHUNK) -> list[Sequence[A]]:
    """Cut a sequence into chunks; their size does not depend on the number of workers."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def _apply(function: Callable[[A], B], chunk: Sequence[A]) -> list[B]:
    return [function(item) for item in chunk]


def in_parallel(function: Callable[[A], B], items: Sequence[A], jobs: int) -> Iterator[B]:
    """Apply a function to every item, giving the results in the items' order as they come.

    Processes do the work, since much of it holds the interpreter's lock, unless the caller has
    chosen another backend by ``joblib.parallel_config``: threads, or a Dask cluster.

    Parameters
    ----------
    function : callable
        Picklable, and a function of its argument alone: results do not depend on `jobs`.
    items : sequence
        Chunks of work, each worth some tenths of a second.
    jobs : int
        Number of workers; 1 works in this process.
    """
    if jobs == 1 or len(items) <= 1:
        yield from map(function, items)
        return
    parallel = Parallel(n_jobs=min(jobs, len(items)), return_as="generator")
    yield from parallel(delayed(_alone)(function, item) for item in items)


def _alone(function: Callable[[A], B], item: A) -> B:
    # One worker per core is enough; OpenCV would start threads of its own in each.
    cv2.setNumThreads(1)
    return function(item)
