"""Work on a Dask cluster, the same chunks as on one machine; what is made is stored here."""

import hashlib
import importlib.metadata
import logging
import os
import pickle
import platform
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks import CHECKOUT, PACKAGES
from benchmarks.pipeline.cache.fingerprint import imported_modules, is_own_code, libraries
from benchmarks.pipeline.workers import WorkerKilledError, interrupts_held, without_threads
from datasets.errors import DamagedError, InputError
from datasets.opening import Given, content_of, elsewhere, size_of
from datasets.reading import LIMIT

log = logging.getLogger(__name__)

A = TypeVar("A")
B = TypeVar("B")

LOCAL = "local:"
"""Begins an address that stands for workers on this machine, and ends with their number."""

_PATIENCE = 5
"""Seconds in which a scheduler must answer."""

_SENT = 2**29
"""Bytes of files that are on their way at a time, unless a single chunk has more."""

_SILENT = logging.CRITICAL + 1
"""Level of the messages of Dask that are shown: what matters is said in a line of our own."""

Facts = tuple[tuple[str, str], ...]
"""Names of what results depend on, and their versions."""


@dataclass(frozen=True)
class _Task:
    """A pickled item, with what a worker must know to do the same as would be done here."""

    item: bytes
    kept: Sequence["_Kept"]
    files: Mapping[Path, Given]
    facts: Facts
    limit: str | None

    @property
    def size(self) -> int:
        return sum(len(one) for one in self.files.values() if isinstance(one, bytes))


@dataclass(frozen=True)
class _Kept:
    """Stands for an array that workers hold."""

    future: Any


@dataclass(frozen=True)
class _Raised:
    """An error of the function that was applied, not of the cluster."""

    error: Exception


class Cluster:
    """Workers of a Dask cluster; see `benchmarks.pipeline.workers.Elsewhere`.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://host:8786``; ``local:4`` starts four workers here.
    sends_files : bool
        Send what workers read, instead of letting them read the same files.

    Raises
    ------
    InputError
        If Dask is not installed, or nobody answers.
    """

    def __init__(self, address: str, sends_files: bool) -> None:
        try:
            import dask
            import distributed
        except ModuleNotFoundError as error:
            raise InputError(
                f"--scheduler: {error.name} is not installed; pip install distributed"
            ) from error
        for name in ("distributed", *logging.root.manager.loggerDict):
            if name.partition(".")[0] == "distributed":
                logging.getLogger(name).setLevel(_SILENT)
        dask.config.set(
            {
                # Chunks of pictures and parts of galleries are larger than Dask thinks wise.
                "distributed.admin.large-graph-warning-threshold": "1 TiB",
                "distributed.comm.timeouts.connect": "10s",
                "distributed.comm.timeouts.tcp": "12s",
            }
        )
        self.address = address
        self.sends_files = sends_files
        self._dask = distributed
        self._started = _start(address.removeprefix(LOCAL)) if address.startswith(LOCAL) else None
        try:
            if not self._started:  # a client that finds no address leaves a traceback at its end
                distributed.comm.addressing.get_address_host_port(address)
            self._client = distributed.Client(
                self._started or address, timeout=_PATIENCE, set_as_default=False
            )
        except (OSError, ValueError, ImportError) as error:
            raise InputError(
                f"--scheduler {address}: no answer from a Dask scheduler ({error}); start one, "
                "and give the address that it prints"
            ) from error

    def close(self) -> None:
        """Let go of the cluster; workers that were started here end."""
        with suppress(TimeoutError):
            self._client.close(1)
        if self._started:
            _end(self._started)

    def count(self) -> int:
        """Count the threads of all workers."""
        with self._answering():
            return sum(self._client.nthreads().values())

    def keep(self, rows: NDArray[np.floating]) -> _Kept:
        """Let workers hold an array, until what stands for it is gone."""
        with self._answering():
            return _Kept(self._client.submit(_same, np.ascontiguousarray(rows), pure=False))

    def results(
        self, function: Callable[[A], B], items: Sequence[A]
    ) -> Iterator[B | WorkerKilledError]:
        """Apply a function to every item, in order; a bounded number of them is under way."""
        work = self._shared(function)
        waiting = deque(items)
        pending: deque[tuple[A, _Task, Any]] = deque()
        most, looked = 0, 0.0
        while waiting or pending:
            if time.monotonic() > looked + _PATIENCE:  # workers may come and go
                most, looked = 2 * self.count() + 2, time.monotonic()
            while waiting and len(pending) < most:
                if pending and sum(task.size for _, task, _ in pending) > _SENT:
                    break
                item = waiting.popleft()
                task = self._task(item)
                pending.append((item, task, self._submit(work, task)))
            item, task, future = pending.popleft()
            result = self._wait(future)
            if isinstance(result, WorkerKilledError):
                for _, _, other in pending:  # so that the next attempt has all the memory
                    self._wait(other)
                result = self._wait(self._submit(work, task))
            yield self._checked(result, function, item)

    def alone(self, function: Callable[[A], B], item: A) -> B | WorkerKilledError:
        """Apply a function to one item."""
        result = self._wait(self._submit(self._shared(function), self._task(item)))
        return self._checked(result, function, item)

    def _shared(self, function: object) -> Any:
        """The function at the workers, which have it from each other and once each."""
        with self._answering():
            return self._client.submit(bytes, _dumps(function), pure=False)

    def _task(self, item: object) -> _Task:
        pickled = _Pickled(item)
        look = content_of if self.sends_files else size_of
        files = {path: look(path) for path in pickled.paths}
        return _Task(pickled.content, pickled.kept, files, _facts(), os.environ.get(LIMIT))

    def _submit(self, work: object, task: _Task) -> Any:
        kept = [one.future for one in task.kept]
        with self._answering():
            return self._client.submit(_work, work, replace(task, kept=()), *kept, pure=False)

    def _wait(self, future: Any) -> Any:
        """Wait for the result of a task; asks now and then whether there is somebody to do it."""
        done, told = threading.Event(), False
        future.add_done_callback(lambda _: done.set())
        while not done.wait(_PATIENCE):
            if not self.count() and not told:
                log.warning("--scheduler %s: has no worker; waiting for one", self.address)
                told = True
        try:
            with self._answering():
                return future.result()
        except self._dask.KilledWorker:
            return WorkerKilledError("killed a worker (out of memory?)")

    def _checked(self, result: Any, function: Callable[[A], B], item: A) -> Any:
        """A result; damage that a worker tells of is seen to here, where the files are."""
        if not isinstance(result, _Raised):
            return result
        if isinstance(result.error, DamagedError):
            return without_threads(function, item)
        raise result.error

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Turn what Dask says of a cluster that fails into a line."""
        try:
            yield
        except self._dask.KilledWorker:
            raise
        except (ImportError, AttributeError, RuntimeError) as error:
            raise InputError(
                f"--scheduler {self.address}: it or a worker lacks this version of the suite "
                f"({error.__cause__ or error}); install the same there"
            ) from error
        except (CancelledError, Exception) as error:  # of many classes; the connection is gone
            raise InputError(
                f"--scheduler {self.address}: the scheduler has ended or cannot be reached; what "
                "is finished is kept, run again when there is one"
            ) from error


def _start(number: str) -> Any:
    """Start worker processes on this machine, which end with it."""
    import dask
    from distributed import LocalCluster

    if not number.isdecimal() or not int(number):
        raise InputError(f"--scheduler {LOCAL}{number}: write a number of workers, {LOCAL}4")
    dask.config.set(
        {
            "distributed.scheduler.allowed-failures": 0,  # what kills is tried again alone
            "distributed.deploy.lost-worker-timeout": "1 day",  # to start another takes a while
        }
    )
    with interrupts_held():
        return LocalCluster(
            n_workers=int(number),
            threads_per_worker=1,
            memory_limit=0,
            host="127.0.0.1",
            dashboard_address=":0",
            silence_logs=_SILENT,
        )


def _end(started: Any) -> None:
    """End the workers that were started here, whatever they are doing."""
    nannies = list(started.workers.values())
    with suppress(TimeoutError):
        started.close(_PATIENCE)
    for nanny in nannies:
        if nanny.pid:  # one that is only just starting does not listen
            with suppress(ProcessLookupError):
                os.kill(nanny.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


class _Pickled(pickle.Pickler):
    """An item, whatever it is, with the paths in it and the arrays that workers hold."""

    def __init__(self, item: object) -> None:
        file = BytesIO()
        super().__init__(file)
        self.paths: dict[Path, None] = {}
        self.kept: list[_Kept] = []
        self.dump(item)
        self.content = file.getvalue()

    def persistent_id(self, value: object) -> int | None:
        """Note a path, and replace what is held elsewhere by its number."""
        if isinstance(value, Path):
            self.paths[value] = None
        if not isinstance(value, _Kept):
            return None
        self.kept.append(value)
        return len(self.kept) - 1


class _Unpickler(pickle.Unpickler):
    """Loads an item in a worker that holds the arrays in it."""

    def __init__(self, content: bytes, kept: Sequence[object]) -> None:
        super().__init__(BytesIO(content))
        self._kept = kept

    def persistent_load(self, number: int) -> object:
        """Give the array of that number."""
        return self._kept[number]


def _same(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    return rows


def _dumps(value: object) -> bytes:
    """Pickle what a worker can load that has none of the user's own modules."""
    import cloudpickle

    for name in {name.partition(".")[0] for name in sys.modules}:
        if is_own_code(name) and name in sys.modules:
            cloudpickle.register_pickle_by_value(sys.modules[name])
    return cloudpickle.dumps(value)


@cache
def _facts() -> Facts:
    """Versions of what results depend on, beside the work itself."""
    modules = (*imported_modules("extractors"), *imported_modules("datasets.reading"))
    versions = {"Python": platform.python_version(), "this suite": _code()}
    return tuple((versions | libraries(*modules)).items())


@cache
def _code() -> str:
    """Hash of this project's code, which says more than its version."""
    code = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((CHECKOUT / package).rglob("*.py")):
            code.update(path.relative_to(CHECKOUT).as_posix().encode() + path.read_bytes())
    return code.hexdigest()[:12]


@cache
def _require_same(facts: Facts) -> None:
    """Refuse work on a worker with other versions: its results would be others, too."""
    own = {"Python": platform.python_version(), "this suite": _code()}
    for name, version in facts:
        try:
            found = own.get(name) or importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = "none"
        if found != version:
            raise InputError(
                f"--scheduler: the worker on {socket.gethostname()} has {found} of {name} and "
                f"this machine {version}, so results could differ; install the same there"
            )


@lru_cache(maxsize=2)
def _loaded(function: bytes) -> Callable[[Any], Any]:
    """The function, which is loaded once for many items."""
    return pickle.loads(function)


def _work(function: bytes, task: _Task, *kept: object) -> object:
    """Do a piece of work in a worker."""
    try:
        _require_same(task.facts)
        os.environ.pop(LIMIT, None)
        if task.limit is not None:
            os.environ[LIMIT] = task.limit
        with elsewhere(task.files):
            return without_threads(_loaded(function), _Unpickler(task.item, kept).load())
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # an error of somebody's own class
            return _Raised(RuntimeError(f"{type(error).__name__}: {error}"))
        return _Raised(error)
