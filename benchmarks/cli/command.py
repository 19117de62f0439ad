"""Commands end with an exit code and, after bad input, one clear line instead of a traceback."""

import argparse
import errno
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from types import FrameType
from typing import Any, ParamSpec

import datasets.command_line
from benchmarks import STOPS, end_at_once
from benchmarks.formats.terminal import visible, write_anything
from datasets.command_line import BAD_INPUT as BAD_INPUT
from datasets.command_line import Stopped, fail

P = ParamSpec("P")

_REMEDIES = {
    errno.ENOSPC: "make room, or choose a folder on another disk",
    errno.EFBIG: "allow larger files (ulimit -f), or choose a folder on another disk",
    errno.EDQUOT: "make room, or choose a folder on another disk",
    errno.EACCES: "allow it, or choose another folder",
    errno.EPERM: "allow it, or choose another folder",
    errno.EROFS: "choose another folder",
    errno.ENOENT: "it has gone meanwhile, run again",
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.EMFILE: "allow more open files (ulimit -n), or use fewer --jobs",
    errno.ENOMEM: "use fewer --jobs",
}
"""What to do about an error of the system."""


class Parser(datasets.command_line.Parser):
    """A parser whose lists go on when given again, and that takes no empty text for one."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.given: set[str] = set()
        self.register("type", None, _some_text)  # of all arguments that name no type
        self.register("action", None, Given)  # of all that name no action

    def parse_known_args(self, *arguments: Any, **settings: Any) -> Any:
        """Parse as ever, with nothing given before."""
        self.given.clear()
        return super().parse_known_args(*arguments, **settings)


class Given(argparse.Action):
    """Takes an argument's value; lists go on when their option comes again, others refuse."""

    def __call__(
        self, parser: Any, namespace: object, values: Any, option_string: str | None = None
    ) -> None:
        """Take the value, or what more there is of a list."""
        if self.dest in parser.given and option_string:
            if not isinstance(values, list):
                parser.error(f"{option_string} is given twice; give it once")
            values = getattr(namespace, self.dest) + values
        parser.given.add(self.dest)
        setattr(namespace, self.dest, values)


def _some_text(text: str) -> str:
    """Take text; empty text would be taken for nothing said."""
    if not text.strip():
        raise argparse.ArgumentTypeError("nothing given (is a variable empty?)")
    return text


def make_parser(command: str, description: str | None, epilog: str = "") -> Parser:
    """Make the parser of a command.

    Parameters
    ----------
    command : str
        Name of its module below `benchmarks`.
    description : str
        Docstring of the module, of which the first line is shown.
    epilog : str
        Shown below the options.
    """
    line = (description or "").partition("\n")[0]
    return Parser(prog=f"python -m benchmarks.{command}", description=line, epilog=epilog)


class Line(logging.Formatter):
    """A log's message in one line, which cannot control the terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Format the message without a traceback."""
        return visible(super().formatMessage(record))


_AT_END = ExitStack()


def at_end(work: Callable[[], object]) -> None:
    """Do something when the command ends, however it does."""
    _AT_END.callback(work)


def command(main: Callable[P, int]) -> Callable[P, int]:
    """Make a command of a function, as `datasets.command_line.command` does.

    Besides, a signal ends it as an interrupt does, and `at_end` is heeded.

    Parameters
    ----------
    main : callable
        Does the work and gives the exit code.

    Returns
    -------
    callable
        Gives the same, or the code of what went wrong.
    """

    @wraps(main)
    def run(*arguments: P.args, **options: P.kwargs) -> int:
        write_anything()
        # A notebook has one of its own for its children, which need not be installed here.
        os.environ["MPLBACKEND"] = "agg"
        logs = logging.StreamHandler()
        logs.setFormatter(Line("%(levelname)s: %(message)s"))
        logging.basicConfig(handlers=[logs], level=logging.WARNING)
        try:
            with _stops(), _AT_END:
                return main(*arguments, **options)
        except MemoryError:
            return fail("out of memory; use fewer --jobs, or smaller pictures")

    return datasets.command_line.command(run, _REMEDIES)


@contextmanager
def _stops() -> Iterator[None]:
    """Raise where the work is when a signal asks for its end; a second one ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        for other in before:
            signal.signal(other, end_at_once)
        threading.excepthook = lambda _: None  # of threads whose workers are ended under them
        raise Stopped(number)

    def lost(what: Any) -> None:
        if isinstance(what.exc_value, Stopped):  # where a library deletes an object, say
            end_at_once(*what.exc_value.args)
        hook(what)

    hook, sys.unraisablehook = sys.unraisablehook, lost
    before = {one: signal.getsignal(one) for one in STOPS}
    before = {one: handler for one, handler in before.items() if handler is not signal.SIG_IGN}
    for one in before:
        signal.signal(one, stop)
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for one, handler in before.items():
            signal.signal(one, handler)
