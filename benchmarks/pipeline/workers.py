"""Parallel work with progress: the one function that all of it goes through."""

import copy
import os
import re
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from importlib.machinery import ModuleSpec
from multiprocessing.resource_tracker import ensure_running
from pathlib import Path
from pickle import PicklingError
from typing import Any, Protocol, Self, TypeVar

import cv2
import numpy as np
from joblib import Parallel, cpu_count, delayed, parallel_config
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.backend.reduction import dumps
from joblib.parallel import get_active_backend
from numpy.typing import NDArray

from benchmarks import CHECKOUT, PACKAGES
from benchmarks.formats.progress import Bars, Terminal
from benchmarks.formats.terminal import visible
from datasets.errors import InputError

A = TypeVar("A")
B = TypeVar("B")

CHUNK = 32
"""Number of items that a worker gets at a time, whatever the number of workers."""

_WATCH = 0.5
"""Seconds between a worker's looks whether its parent is still there."""


_LEFTOVERS = "ignore:resource_tracker"
"""Joblib's helper clears up behind processes that were killed, and says so in four lines."""

_NOT_OWN = (Path(os.__file__).parent, *(CHECKOUT / package for package in PACKAGES))
_IS_INSTALLED = re.compile(
    rf"[/\\](?:site|dist)-packages[/\\]|^(?:{'|'.join(re.escape(str(one)) for one in _NOT_OWN)})\W"
)
"""Finds files of modules that nobody edits while a session goes on."""

_imported: dict[int, ModuleSpec] = {}
"""How modules were imported, by their ids; kept, so that no other has one of them."""


class WorkerKilledError(InputError):
    """A piece of work ends the process that does it, even alone in a fresh one.

    The system kills what takes too much memory; a library may crash.
    """


class Elsewhere(Protocol):
    """Workers on other machines; they do the same work on the same items as those here.

    Attributes
    ----------
    sends_files : bool
        Whether they are sent what they read, rather than read the same files.
    """

    sends_files: bool

    def count(self) -> int:
        """Count the workers that are there now."""

    def keep(self, rows: NDArray[np.floating]) -> Any:
        """Let workers hold an array; gives what stands for it in items, and lets go with it."""

    def results(
        self, function: Callable[[A], B], items: Sequence[A]
    ) -> Iterator[B | WorkerKilledError]:
        """Apply a function to every item; as `in_parallel` does."""

    def alone(self, function: Callable[[A], B], item: A) -> B | WorkerKilledError:
        """Apply a function to one item; as `alone` does."""


class Workforce:
    """Workers and a terminal: parallel work, shown by a progress bar with the time left.

    Parameters
    ----------
    jobs : int or None
        Number of worker processes; None for as many as cores.
    quiet : bool
        Show no bars and no messages, even on a terminal.
    elsewhere : Elsewhere, optional
        Does what needs not be done on this machine.
    """

    def __init__(
        self, jobs: int | None = 1, quiet: bool = False, elsewhere: Elsewhere | None = None
    ) -> None:
        try:
            self.jobs = jobs or cpu_count()
        except ValueError as error:
            wanted = os.environ.get("LOKY_MAX_CPU_COUNT")
            raise InputError(f"LOKY_MAX_CPU_COUNT={wanted}: no number; unset it") from error
        self.elsewhere = elsewhere
        self.console = Terminal(stderr=True, quiet=quiet, highlight=False)
        self._bars = Bars(self.console)
        self._aside: Future[None] | None = None

    @property
    def here(self) -> Self:
        """The same, but that this machine does all of its work: what lists or writes files."""
        made = copy.copy(self)
        made.elsewhere = None
        return made

    @property
    def beside_files(self) -> Self:
        """The same, but without those whom files would have to be sent."""
        return self.here if self.elsewhere and self.elsewhere.sends_files else self

    def log(self, text: str) -> None:
        """Print a line on standard error."""
        self.console.print(visible(text), markup=False, soft_wrap=True)

    def track(self, items: Iterable[A], total: int, label: str) -> Iterator[A]:
        """Pass items through while a bar counts them and shows the time left."""
        with self._bars.bar(total, label) as advance:
            for item in items:
                yield item
                advance()
                self._raise_what_ended_aside()

    @contextmanager
    def aside(self, work: Callable[[], None]) -> Iterator[None]:
        """Let workers do some work while this process does another, the body.

        With one job there is nobody else, so the work is done behind the body.

        Raises
        ------
        Exception
            Whatever ends either; bad input that ends the work ends a body that is tracked, too.
        """
        if self.jobs == 1 and not self.elsewhere:
            yield
            work()
            return
        backend, _ = get_active_backend()  # which every thread chooses for itself

        def work_there() -> None:
            with parallel_config(backend):
                work()

        with ThreadPoolExecutor(1) as thread:
            self._aside = thread.submit(work_there)
            try:
                yield
                self._aside.result()
            except BaseException:
                # Nobody waits for what the workers are doing.
                get_reusable_executor(reuse=True).shutdown(kill_workers=True)
                raise
            finally:
                self._aside = None

    def _raise_what_ended_aside(self) -> None:
        aside = self._aside
        if aside and aside.done() and isinstance(aside.exception(), InputError):
            aside.result()

    def require_sendable(self, value: object) -> None:
        """Require that workers, if there are any, can be sent something.

        Raises
        ------
        PicklingError
            With the remedy.
        """
        if self.jobs == 1 and not self.elsewhere:
            return
        try:
            dumps(value)
        except Exception as error:  # whatever its parts make of it
            raise PicklingError(
                f"cannot be sent to worker processes ({error}); work in one, by --jobs 1 (from "
                "Python, jobs=1)"
            ) from error

    def chunks(
        self, function: Callable[[A], B], items: Sequence[A], label: str
    ) -> Iterator[B | WorkerKilledError]:
        """Apply a function to chunks of work, with a bar; see `in_parallel`."""
        if self.elsewhere:
            results = self.elsewhere.results(function, items)
        else:
            results = in_parallel(function, items, self.jobs)
        yield from self.track(results, len(items), label)

    def alone(self, function: Callable[[A], B], item: A) -> B | WorkerKilledError:
        """Apply a function to one item that may kill its worker; see `alone`."""
        return (self.elsewhere.alone if self.elsewhere else alone)(function, item)

    def each(self, function: Callable[[A], B], items: Sequence[A], label: str) -> Iterator[B]:
        """Apply a function to many small items, a few dozen to a chunk, with a bar.

        This machine does it, as what has small items writes files.

        Raises
        ------
        WorkerKilledError
            If an item kills the worker that works on it.
        """
        chunks, work = cut(items), partial(_apply, function)
        for chunk, results in zip(chunks, self.here.chunks(work, chunks, label), strict=True):
            if not isinstance(results, WorkerKilledError):
                yield from results
                continue
            for item in chunk:
                result = alone(function, item)
                if isinstance(result, WorkerKilledError):
                    name = getattr(item, "path", item)
                    raise WorkerKilledError(f"{label}: {name} {result}; leave it out")
                yield result


def cut(items: Sequence[A], size: int = CHUNK) -> list[Sequence[A]]:
    """Cut a sequence into chunks; their size does not depend on the number of workers."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def _apply(function: Callable[[A], B], chunk: Sequence[A]) -> list[B]:
    return [function(item) for item in chunk]


def in_parallel(
    function: Callable[[A], B], items: Sequence[A], jobs: int
) -> Iterator[B | WorkerKilledError]:
    """Apply a function to every item, giving the results in the items' order as they come.

    Processes do the work, since much of it holds the interpreter's lock, unless the caller has
    chosen another backend by ``joblib.parallel_config``, such as threads.

    When a worker dies, the items that may have killed it are tried again one at a time, so
    that they have all the memory; what kills its worker again has an error for a result.

    Parameters
    ----------
    function : callable
        Picklable, and a function of its argument alone: results do not depend on `jobs`.
    items : sequence
        Chunks of work, each worth some tenths of a second.
    jobs : int
        Number of workers; 1 works in this process, which dies of what kills.
    """
    if jobs == 1:
        yield from map(function, items)
        return
    done = 0
    while done < len(items):
        try:
            for result in _work(function, items[done:], jobs):
                done += 1
                yield result
        except BrokenProcessPool:
            for item in items[done : done + jobs]:
                done += 1
                yield alone(function, item)


def alone(function: Callable[[A], B], item: A) -> B | WorkerKilledError:
    """Apply a function to one item, in a worker beside which no other works."""
    try:
        [result] = _work(function, [item], 1)
    except BrokenProcessPool:
        return WorkerKilledError("killed a worker (out of memory?)")
    return result


def _work(function: Callable[[A], B], items: Sequence[A], jobs: int) -> Iterator[B]:
    # Joblib works in this very process if it is to have one worker only.
    parallel = Parallel(
        n_jobs=max(2, min(jobs, len(items))),
        return_as="generator",
        initializer=begin,
        initargs=(os.getpid(), tuple(sys.path), _own_code()),
    )
    with interrupts_held():
        results = parallel(delayed(without_threads)(function, item) for item in items)
    try:
        yield from results
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that some work was for nothing
            results.close()


def _own_code() -> list[tuple[str, int]]:
    """The caller's own modules, each with a number that is another when it is imported anew."""
    specs = {name: getattr(one, "__spec__", None) for name, one in list(sys.modules.items())}
    own = {
        name: one
        for name, one in specs.items()
        if isinstance(one, ModuleSpec) and one.has_location
        if not _IS_INSTALLED.search(str(one.origin))
    }
    _imported.update((id(one), one) for one in own.values())
    return sorted((name, id(one)) for name, one in own.items())


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let processes that are started meanwhile ignore Ctrl-C, from their first moment on.

    A terminal sends it to all of them; the parent ends its workers itself.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    if _LEFTOVERS not in sys.warnoptions:  # which are handed on to processes that are started
        sys.warnoptions.append(_LEFTOVERS)
    ensure_running()  # loky's workers need it, and its start would let the signals through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def begin(parent: int, path: Sequence[str], _: object = None) -> None:
    """Set up a worker process, which finds the same modules as its parent and ends with it.

    Parameters
    ----------
    parent : int
        Id of the parent's process.
    path : sequence of str
        The parent's ``sys.path``.
    _ : object
        The parent's own modules: workers go on with what they have imported, so that others are
        begun where these are others.
    """
    sys.path[:] = path
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Loky would print the stack of a worker that crashes; its parent says what happened.
    os.environ.setdefault("PYTHONFAULTHANDLER", "0")
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process when its parent is no more, whatever it is doing or waiting for.

    The kernel's own signal for this (``PR_SET_PDEATHSIG``) will not do: it comes when the thread
    ends that started the process, and Joblib starts some from threads that come and go.
    """
    while os.getppid() == parent:
        time.sleep(_WATCH)
    os._exit(1)


def without_threads(function: Callable[[A], B], item: A) -> B:
    """Apply a function in a worker, beside which others work."""
    # One worker per core is enough; OpenCV would start threads of its own in each.
    cv2.setNumThreads(1)
    return function(item)
