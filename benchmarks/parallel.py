"""The one function that all parallel work goes through."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import cv2
from joblib import Parallel, delayed, parallel_config

A = TypeVar("A")
B = TypeVar("B")


def in_parallel(
    function: Callable[[A], B], items: Sequence[A], jobs: int, backend: str = "loky"
) -> Iterator[B]:
    """Apply a function to every item, giving the results in the items' order as they come.

    Parameters
    ----------
    function : callable
        Picklable, and a function of its argument alone: results do not depend on `jobs`.
    items : sequence
        Chunks of work, each worth some tenths of a second.
    jobs : int
        Workers; 1 works in this process.
    backend : str
        A joblib backend: processes by default, since much of the work holds the GIL.
    """
    if jobs == 1 or len(items) <= 1:
        yield from map(function, items)
        return
    with parallel_config(backend, n_jobs=min(jobs, len(items))):
        yield from Parallel(return_as="generator")(
            delayed(_alone)(function, item) for item in items
        )


def _alone(function: Callable[[A], B], item: A) -> B:
    # One worker per core is enough; OpenCV would start threads of its own in each.
    cv2.setNumThreads(1)
    return function(item)
