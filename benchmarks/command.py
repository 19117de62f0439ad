"""What all commands share: one clear line for bad input, and no traceback."""

import argparse
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from datasets.errors import InputError

BAD_INPUT = 2
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """An argument parser that reports mistakes in one line."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        raise InputError(f"{message} (see --help)")


def command(work: Callable[[], int]) -> int:
    """Run a command's work and turn what goes wrong into a line and an exit code.

    Returns
    -------
    int
        What `work` returned; 2 after bad input, 130 after an interrupt.
    """
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    try:
        return work()
    except InputError as error:
        line = str(error).replace("\n", "\\n")  # names of files may hold line breaks
        sys.stderr.write(f"error: {line}\n")
        return BAD_INPUT
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; what is finished is kept, run again to do the rest\n")
        return INTERRUPTED


def default_cache() -> Path:
    """The user's cache folder for this project, by the XDG rules."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "image-retrieval-benchmark"
