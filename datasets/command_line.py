"""Commands of this package: whatever goes wrong is told in one line."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import wraps
from io import TextIOWrapper
from typing import NoReturn, ParamSpec
from unicodedata import category

from datasets.errors import InputError

P = ParamSpec("P")

BAD_INPUT = 2

INTERRUPTED = "interrupted; what is finished is kept, run again to do the rest"

_JOINERS = "\u200c\u200d"
"""Invisible, but some scripts and emoji are wrong without them."""


class Parser(argparse.ArgumentParser):
    """Raises what is wrong with the options, instead of printing the usage and leaving."""

    def error(self, message: str) -> NoReturn:
        """Raise the message.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(f"{message} (see --help)")


class Stopped(KeyboardInterrupt):
    """A signal asked the command to end; its number is the argument."""


def command(main: Callable[P, int], remedies: Mapping[int, str] | None = None) -> Callable[P, int]:
    """Make a command of a function: what goes wrong in it becomes a line and an exit code.

    Parameters
    ----------
    main : callable
        Does the work and gives the exit code.
    remedies : mapping of int to str, optional
        What to do about an error of the system, by its number.

    Returns
    -------
    callable
        Gives the same; 2 after bad input or an error of the system, 128 and the number of the
        signal that ended it (130 for an interrupt, 141 where nobody reads on).
    """

    @wraps(main)
    def run(*arguments: P.args, **options: P.kwargs) -> int:
        open_streams()
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            code = main(*arguments, **options)
            sys.stdout.flush()
            return code
        except InputError as error:
            return fail(str(error))
        except BrokenPipeError:  # as behind `| head`
            let_go()
            return 128 + 13
        except OSError as error:
            named = f"{error.filename}: " if error.filename is not None else ""
            remedy = (remedies or {}).get(error.errno or 0, "what is finished is kept, run again")
            return fail(f"{named}{error.strerror or error}; {remedy}")
        except KeyboardInterrupt as stop:
            say(INTERRUPTED)
            return 128 + (stop.args[0] if isinstance(stop, Stopped) else signal.SIGINT)

    return run


def open_streams() -> None:
    """Open the standard streams that are closed, as under a daemon, to nowhere.

    Libraries write to them and flush them, and the next file that is opened would take their
    place: workers would print into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(handle, True)
            setattr(sys, name, os.fdopen(handle, "w" if number else "r", encoding="utf-8"))


def fail(message: str) -> int:
    """Print an error in one line; returns the exit code."""
    say(f"error: {visible(message)}")
    return BAD_INPUT


def say(line: str) -> None:
    """Print a line on standard error, if that can be."""
    with suppress(OSError):  # its place may be what fails
        sys.stderr.write(f"{line}\n")
    let_go()


def let_go() -> None:
    """Let go of streams that cannot be written to: Python would complain of them at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def visible(text: str) -> str:
    r"""Escape characters that control a terminal, or the direction of a line.

    Parameters
    ----------
    text : str
        A line that may hold names of files and folders, which are anybody's.

    Examples
    --------
    >>> visible("a\x1b[2Jb\nc")
    'a\\x1b[2Jb\\nc'
    """
    return "".join(
        char if char.isprintable() or char in _JOINERS or category(char) == "Zs" else escaped(char)
        for char in text
    )


def escaped(char: str) -> str:
    """A character as Python's escape for it."""
    return char.encode("unicode_escape").decode("ascii")
