"""Commands of this package: whatever goes wrong is told in one line."""

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from io import TextIOWrapper
from typing import NoReturn, ParamSpec
from unicodedata import category

from datasets.errors import InputError

P = ParamSpec("P")

BAD_INPUT = 2

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
            return fail(f"{named}{error.strerror or error}; what is finished is kept, run again")
        except KeyboardInterrupt:
            say("interrupted; what is there is kept, run again to go on")
            return 128 + 2

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
        char if char.isprintable() or char in _JOINERS or category(char) == "Zs" else _escape(char)
        for char in text
    )


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
