"""Arguments given from Python, held to what the command line takes."""

import argparse
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.cli.options import a_path
from datasets.errors import InputError


def words_of(layout: str | os.PathLike[str] | Iterable[str | Path] | None) -> Sequence[str]:
    """The words of a layout that was given from Python, as one text or as several.

    Raises
    ------
    InputError
        If it holds anything else.
    """
    if layout is None:
        return ()
    if isinstance(layout, os.PathLike):
        return [str(layout)]
    if isinstance(layout, str):
        return [layout] if layout.count("=") == 1 else layout.split()  # a folder may have blanks
    try:
        return [str(os.fspath(word)) for word in layout]
    except TypeError as error:
        raise InputError(f"layout={layout!r} is neither a text nor several") from error


def a_word(name: str, value: object, remedy: str = "give a name or a path") -> str | None:
    """A name or a path that was given from Python, as text; None where there is none.

    Raises
    ------
    InputError
        Naming the argument, if it is anything else.
    """
    if not (value is None or isinstance(value, str | os.PathLike)):
        raise InputError(f"{name}= takes no {type(value).__name__}; {remedy}")
    return None if value is None else str(value)


def a_folder(place: str | os.PathLike[str] | None) -> Path | None:
    """A folder that was given from Python; ``~`` is the user's.

    Raises
    ------
    InputError
        If it is no path, empty, or an address.
    """
    if not (place is None or isinstance(place, str | os.PathLike)):
        raise InputError(f"{place!r} is no folder; give its path, or None for none")
    try:
        return None if place is None else a_path(str(place))
    except argparse.ArgumentTypeError as error:
        raise InputError(str(error)) from error


def require_flag(**given: object) -> None:
    """Refuse what is neither True nor False, such as a text that says no; None says nothing.

    Parameters
    ----------
    **given : object
        Arguments by name.

    Raises
    ------
    InputError
        Naming the argument.
    """
    for name, value in given.items():
        if value is not None and not isinstance(value, bool | np.bool_):
            raise InputError(f"{name}={value!r} is neither True nor False")


def a_whole_number(name: str, value: object, least: int = 1) -> int:
    """Require of an argument in Python what the command line requires of numbers.

    Parameters
    ----------
    name : str
        Of the argument, for the message.
    value : object
        Python's or NumPy's number.
    least : int
        Smallest number that may be given.

    Raises
    ------
    InputError
        Naming the argument.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"{name}={value!r} is no whole number of at least {least}")
    return int(value)  # NumPy's cannot be written as JSON, and narrow ones overflow
