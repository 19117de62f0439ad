"""Commands of this package: whatever goes wrong is told in one line."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from io import TextIOWrapper
from typing import ParamSpec

from extractors.networks.inference import NoEngineError
from extractors.networks.weights import NoWeightsError
from extractors.plugins import PluginError

P = ParamSpec("P")


def command(main: Callable[P, int]) -> Callable[P, int]:
    """Make a command of a function: what goes wrong in it becomes a line and an exit code.

    Parameters
    ----------
    main : callable
        Does the work and gives the exit code.

    Returns
    -------
    callable
        Gives the same; 2 after bad input or an error of the system, 128 and the number of the
        signal where nobody reads on or an interrupt ended it.
    """

    @wraps(main)
    def run(*arguments: P.args, **options: P.kwargs) -> int:
        for name in ("stdout", "stderr"):
            if getattr(sys, name) is None:  # closed, as under a daemon
                nowhere = os.open(os.devnull, os.O_WRONLY)
                setattr(sys, name, os.fdopen(nowhere, "w", encoding="utf-8"))
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # not every console knows é
        try:
            code = main(*arguments, **options)
            sys.stdout.flush()
            return code
        except (PluginError, NoWeightsError, NoEngineError) as error:
            return _end(2, f"error: {error}")
        except BrokenPipeError:  # as behind `| head`
            return _end(128 + 13)
        except OSError as error:
            what = "cannot be printed" if error.filename is None else error.filename
            return _end(2, f"error: {what} ({error.strerror or error})")
        except KeyboardInterrupt:
            return _end(128 + 2, "interrupted")

    return run


def _end(code: int, line: str = "") -> int:
    """Print a line and let go of streams that cannot be written to; returns the exit code."""
    with suppress(OSError):
        sys.stderr.write(line.replace("\n", "\\n") + "\n" if line else "")
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return code
