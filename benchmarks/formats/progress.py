"""Progress bars with the time left; several at a time share the terminal."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from benchmarks.formats.terminal import visible


class Terminal(Console):
    """A console that leaves it to the command to end when nobody reads on."""

    def on_broken_pipe(self) -> None:
        """Raise the error that is being handled; rich would end the process with code 1."""
        raise sys.exception() or BrokenPipeError


class Bars:
    """Bars on a terminal; none where there is no terminal, or it is to be quiet.

    Parameters
    ----------
    console : Console
        Where they are shown.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._shown: Progress | None = None

    @contextmanager
    def bar(self, total: int, label: str) -> Iterator[Callable[[], None]]:
        """Show a bar; what it gives counts one item."""
        if not self._console.is_terminal or self._console.quiet or total == 0:
            yield lambda: None
            return
        bars, task = self._add(total, visible(label))
        try:
            yield lambda: bars.advance(task)
        finally:
            with self._lock:
                bars.remove_task(task)
                if not bars.tasks:
                    bars.stop()
                    self._shown = None

    def _add(self, total: int, label: str) -> tuple[Progress, TaskID]:
        with self._lock:
            if self._shown is None:
                columns = (
                    TextColumn("{task.description}", markup=False),
                    BarColumn(),
                    MofNCompleteColumn(),
                    TimeRemainingColumn(),
                )
                self._shown = Progress(*columns, console=self._console, transient=True)
                self._shown.start()
            return self._shown, self._shown.add_task(label, total=total)
