"""Threads that share blocks of arithmetic; BLAS keeps to the thread that calls it meanwhile."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

T = TypeVar("T")


def available() -> int:
    """Count the threads that BLAS may use now: by the machine, or as the environment says."""
    return max([library.num_threads for library in _blas().lib_controllers], default=1)


def kernels() -> str:
    """Name the kernels that BLAS has chosen for this processor, as ``openblas Haswell``.

    Other kernels add up in another order; what is learned by iteration may end elsewhere then.
    """
    names = (f"{one['internal_api']} {one.get('architecture', '')}" for one in _blas().info())
    return ", ".join(sorted({name.strip() for name in names})) or "unknown"


def share(work: Callable[[Iterator[T]], None], blocks: Sequence[T]) -> None:
    """Work through blocks in several threads.

    A product split among BLAS' own threads leaves all but one idle while anything else is done
    with its result. Here each thread does all that there is to do with a block.

    Parameters
    ----------
    work : callable
        Is run in each thread, and works through the blocks that the iterator gives it, having
        made its own buffers first. What comes of a block may not depend on the thread or on
        the order.
    blocks : sequence
        Each is given to one thread.
    """
    # The next item of a list's iterator is taken by one thread alone.
    left = iter(list(blocks))
    count = min(available(), len(blocks))
    if count <= 1:
        work(left)
        return
    with _alone(), ThreadPoolExecutor(count) as pool:
        for one in [pool.submit(work, left) for _ in range(count)]:
            one.result()


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


_lock = threading.Lock()
_users = 0
_limit: Any = None


@contextmanager
def _alone() -> Iterator[None]:
    """Limit BLAS to one thread until the last of those who asked for it is done."""
    global _users, _limit
    with _lock:
        if not _users:
            _limit = _blas().limit(limits=1)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                _limit.restore_original_limits()
