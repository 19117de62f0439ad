"""The only package that knows all the others: it joins, runs, times, caches and reports."""

import atexit
import importlib
import importlib.util
import os
import signal
import sys
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.evaluation import evaluate, evaluate_vectors, load_model

__all__ = ["evaluate", "evaluate_vectors", "load_model"]

CHECKOUT = Path(__file__).resolve().parent.parent
PUBLISHED = CHECKOUT / "results"
"""Results that the project publishes."""

LOCAL = PUBLISHED / "local"
"""Results of runs here: beside the published ones, never over them, and not in git."""

PACKAGES = ("benchmarks", "datasets", "extractors", "retrieval")

_IS_COMMAND = sys.argv[0] == "-m" and any(
    word.removeprefix("-m").startswith("benchmarks.") for word in sys.orig_argv
)
"""Whether ``python -m`` is looking for one of our modules, not for one of somebody's package."""

STOPS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Signals that ask a command to end: Ctrl-C, the system's request, a closed terminal."""

INTERRUPTED = "interrupted; what is finished is kept, run again to do the rest"


def end_at_once(number: int, frame: FrameType | None = None) -> None:
    """End the process with one line: a handler for times at which nothing is to be tidied up."""
    os.write(2, f"{INTERRUPTED}\n".encode())
    os._exit(128 + number)


def _let_end() -> None:
    """Ignore the signals: all work is done, and Python gives up its handlers before it ends."""
    for one in STOPS:
        signal.signal(one, signal.SIG_IGN)


def require_own_packages() -> None:
    """Stop with one clear line if a package of another project hides one of ours.

    The top-level names are plain words, which other projects use as well.

    Raises
    ------
    ImportError
        Naming the package that is in the way and the remedy. Under ``python -m`` the line is
        printed and the process ends with code 2 instead.
    """
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        found = Path(spec.origin).resolve() if spec and spec.origin else None
        if found is None or found.parents[1] != CHECKOUT:
            message = (
                f"the name {package!r} means {found or 'nothing'} here, not {CHECKOUT / package}: "
                "another package has the same name; use an environment of its own for this "
                f"project, or run from {CHECKOUT}"
            )
            if _IS_COMMAND:
                sys.stderr.write(f"error: {message}\n")
                raise SystemExit(2)
            raise ImportError(message)


class _Late(ModuleType):
    """Stands for a module that is imported when something of it is first used."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


if _IS_COMMAND:  # a command imports for seconds before it can catch anything
    atexit.register(_let_end)  # registered first, so that it is called last
    for stop in STOPS:
        if signal.getsignal(stop) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(stop, end_at_once)
require_own_packages()
if _IS_COMMAND:  # scikit-learn imports it, which takes a third of a list's time, and uses it later
    sys.modules.setdefault("scipy.stats", _Late("scipy.stats"))


def __getattr__(name: str) -> Any:
    """Give the Python API, whose libraries take a moment, when it is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from benchmarks import evaluation

    return getattr(evaluation, name)
