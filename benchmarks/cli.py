"""What all commands share: one clear line for bad input, and no traceback."""

import argparse
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from datasets.errors import InputError
from extractors import pretrained_networks
from extractors.networks.inference import ENGINES, NoEngineError, chosen
from extractors.networks.inference import VARIABLE as ENGINE_VARIABLE
from extractors.networks.weights import variable

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


def positive(text: str) -> int:
    """Understand the value of an option that is a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def natural(text: str) -> int:
    """Understand the value of an option that is a whole number of at least 0."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number


def add_network_options(parser: "argparse._ActionsContainer") -> None:
    """Add the options that `use_networks` understands."""
    parser.add_argument(
        "--weights",
        nargs="+",
        metavar="NAME=FILE",
        default=[],
        help="files of pretrained weights, ahead of Keras' own cache and download",
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        help="what runs pretrained networks (default: keras); openvino is faster on processors, "
        "and an extra to be installed",
    )


def use_networks(options: argparse.Namespace) -> None:
    """Do what the options say: each is what its environment variable would say.

    Raises
    ------
    InputError
        If a pair of ``--weights`` is none, its file or its network does not exist, or the engine
        is not to be had.
    """
    for pair in options.weights:
        _give_weights(pair)
    where = f"--engine {options.engine}" if options.engine else ENGINE_VARIABLE
    if options.engine:
        os.environ[ENGINE_VARIABLE] = options.engine
    try:
        chosen()
    except NoEngineError as error:
        raise InputError(f"{where}: {error}") from error


def _give_weights(pair: str) -> None:
    name, equals, file = pair.partition("=")
    if not equals or not file:
        raise InputError(f"--weights {pair}: write NAME=FILE, resnet152=FILE for example")
    known = pretrained_networks()
    if name not in known:
        raise InputError(f"--weights {pair}: no such network; it is one of {', '.join(known)}")
    path = Path(file).expanduser()
    if not path.is_file():
        raise InputError(f"--weights {pair}: {path} is not a file")
    os.environ[variable(name)] = str(path)


def default_cache() -> Path:
    """The user's cache folder for this project, by the XDG rules."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "image-retrieval-benchmark"
