"""Commands of this package: whatever goes wrong is told in one line."""

import argparse
import os
import sys
from collections.abc import Callable
from typing import NoReturn
from unicodedata import category

from datasets.errors import InputError

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


def command(work: Callable[[], int]) -> int:
    """Run a command's work and turn what goes wrong into a line and an exit code.

    Returns
    -------
    int
        The result of `work`; 2 after bad input or an error of the system, 128 and the number of
        the signal where nobody reads on or an interrupt ended it.
    """
    try:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        code = work()
        sys.stdout.flush()
        return code
    except InputError as error:
        return fail(str(error))
    except BrokenPipeError:  # as behind `| head`
        _let_go()
        return 128 + 13
    except OSError as error:
        _let_go()
        named = f"{error.filename}: " if error.filename is not None else ""
        return fail(f"{named}{error.strerror or error}; what is finished is kept, run again")
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; what is there is kept, run again to go on\n")
        return 128 + 2


def fail(message: str) -> int:
    """Print an error in one line; returns the exit code."""
    sys.stderr.write(f"error: {visible(message)}\n")
    return 2


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


def _let_go() -> None:
    """Let go of a stream that cannot be written to: Python would complain of it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
