"""Progress of downloads: a bar with speed and time left on a terminal, single lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


class Reporter:
    """Tells people how far a download is.

    Parameters
    ----------
    quiet : bool
        Say nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet, highlight=False)

    def log(self, text: str) -> None:
        """Print a line on standard error."""
        shown = "".join(letter if letter.isprintable() else "�" for letter in text)
        self._console.print(shown, markup=False, soft_wrap=True)

    @contextmanager
    def transfer(self, name: str, total: int | None) -> Iterator["Transfer"]:
        """Show a transfer while it lasts.

        Parameters
        ----------
        name : str
            The file's name.
        total : int or None
            Its bytes, if they are known.
        """
        if not self._console.is_terminal or self._console.quiet:
            size = f", {megabytes(total)}" if total else ""
            self.log(f"downloading {name}{size}")
            yield Transfer(None)
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console, transient=True) as bar:
            bar.add_task(name, total=total)
            yield Transfer(bar)


class Transfer:
    """A transfer that is shown, or not.

    Parameters
    ----------
    bar : rich.progress.Progress or None
        Has one task.
    """

    def __init__(self, bar: Progress | None) -> None:
        self._bar = bar

    def at(self, done: int, total: int | None) -> None:
        """Show how many bytes are there, of how many if that is known."""
        if self._bar is not None:
            [task] = self._bar.task_ids
            self._bar.update(task, completed=done, total=total)


def megabytes(size: int) -> str:
    """Write a size for people.

    >>> megabytes(1_938_238_004), megabytes(502)
    ('1.9 GB', '502 bytes')
    """
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"
