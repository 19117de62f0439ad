"""Making of values for several stores in one pass; what kills a worker is found and left out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from benchmarks.pipeline.workers import WorkerKilledError, Workforce
from datasets.errors import UnreadableImageError

A = TypeVar("A")

Filled = tuple[Sequence[Any], float] | str
"""A value (or an `UnreadableImageError`) per item and the seconds they took, or an error."""

Chunk = tuple[Sequence[str], Sequence[str]]
"""Names of stores, and keys that they all lack."""

Made = tuple[Sequence[str], Mapping[str, Filled]]
"""Keys, and what each store gets for them."""


class UnlikeError(ValueError):
    """Values of one store are not of one shape."""


def unreadable(error: WorkerKilledError, item: object) -> Filled:
    """Take an item that kills a worker for a picture that cannot be read; the others go on."""
    return [UnreadableImageError(f"reading it {error}")], 0.0


def failed(error: WorkerKilledError, item: object) -> Filled:
    """Take an item that kills a worker for an error of the work, which then makes no more."""
    return f"describing {item} {error}"


@dataclass(frozen=True)
class Making(Generic[A]):
    """Values to be made.

    Attributes
    ----------
    work : callable
        From names of stores and a chunk of items to what each of these stores gets; picklable.
    items : mapping of str
        Key to what values are made from.
    workforce : Workforce
        The workers.
    label : str
        Text of the progress bar.
    killed : callable
        From the error and the item to what a store gets for an item that kills a worker.
    """

    work: Callable[[tuple[Sequence[str], Sequence[A]]], Mapping[str, Filled]]
    items: Mapping[str, A]
    workforce: Workforce
    label: str
    killed: Callable[[WorkerKilledError, object], Filled]

    def make(self, chunks: Sequence[Chunk]) -> Iterator[Made]:
        """Make the values of chunks, in their order."""
        while chunks:
            number, ended = 0, set[str]()
            jobs = [self._job(chunk) for chunk in chunks]
            for number, filled in enumerate(self.workforce.chunks(self.work, jobs, self.label), 1):
                if not isinstance(filled, WorkerKilledError):
                    yield chunks[number - 1][1], filled
                    continue
                for keys, parts in self._one_by_one(*chunks[number - 1]):
                    yield keys, parts
                    ended |= {name for name, part in parts.items() if isinstance(part, str)}
                if ended:
                    break
            left = [([n for n in names if n not in ended], keys) for names, keys in chunks]
            chunks = [chunk for chunk in left[number:] if chunk[0]]

    def _job(self, chunk: Chunk) -> tuple[Sequence[str], Sequence[A]]:
        names, keys = chunk
        return names, [self.items[key] for key in keys]

    def _one_by_one(self, names: Sequence[str], keys: Sequence[str]) -> Iterator[Made]:
        """Find which items of a chunk kill a worker, and for which stores; make the others."""
        for key in keys:
            filled = self.workforce.alone(self.work, self._job((names, [key])))
            if isinstance(filled, WorkerKilledError) and len(names) == 1:
                filled = {names[0]: self.killed(filled, self.items[key])}
            elif isinstance(filled, WorkerKilledError):
                filled = {name: self._alone(name, key) for name in names}
            yield [key], filled
            names = [name for name in names if not isinstance(filled[name], str)]
            if not names:
                return

    def _alone(self, name: str, key: str) -> Filled:
        filled = self.workforce.alone(self.work, self._job(([name], [key])))
        if isinstance(filled, WorkerKilledError):
            return self.killed(filled, self.items[key])
        return filled[name]
