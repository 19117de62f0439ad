"""An argument parser that reports mistakes in one line."""

import argparse
from typing import NoReturn

from datasets.errors import InputError


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
