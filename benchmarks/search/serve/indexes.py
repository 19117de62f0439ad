"""The page's indexes: built in the background, and opened anew when they change."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.workers import Elsewhere, Workforce
from benchmarks.search.files import INDEX, Generation, steadily
from benchmarks.search.index import Index
from benchmarks.search.serve.gallery import Gallery
from benchmarks.search.source import Source
from datasets.errors import InputError
from datasets.task import Dataset

A = TypeVar("A")

LOOK = 2.0
"""Seconds between looks whether an index was brought up to date by somebody else."""

_PATIENCE = 10.0
"""Seconds that a step of building may take when the page ends."""

_BLANK = np.full((64, 64, 3), 255, np.uint8)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """Work in the background: its name, the steps that are done, and all of them."""

    label: str
    done: int
    total: int


class Ended(BaseException):
    """The page has ended, and work in the background with it; nobody catches it as a failure."""


class ShownWorkforce(Workforce):
    """Workers whose progress can be asked for.

    Parameters
    ----------
    jobs, quiet, elsewhere
        As of `Workforce`.

    Attributes
    ----------
    progress : Progress or None
        The work that goes on.
    """

    def __init__(
        self, jobs: int | None = 1, quiet: bool = False, elsewhere: Elsewhere | None = None
    ) -> None:
        super().__init__(jobs, quiet, elsewhere)
        self.progress: Progress | None = None
        self._ending = threading.Event()

    def end(self) -> None:
        """Let the work that goes on end with its next step."""
        self._ending.set()

    def track(self, items: Iterable[A], total: int, label: str) -> Iterator[A]:
        """Pass items through, as `Workforce.track` does, and count them."""
        self.progress = Progress(label, 0, total)
        for done, item in enumerate(super().track(items, total, label), 1):
            if self._ending.is_set():
                raise Ended
            yield item
            self.progress = Progress(label, done, total)


@dataclass(frozen=True)
class Snapshot:
    """The indexes at one moment.

    Attributes
    ----------
    indexes : mapping of str to Index
        Method to its index.
    galleries : mapping of str to Gallery
        Method to the pictures of its index; indexes of the same pictures share them.
    failures : mapping of str to str
        Method to the reason why it has no index.
    """

    indexes: Mapping[str, Index]
    galleries: Mapping[str, Gallery]
    failures: Mapping[str, str]

    @property
    def gallery(self) -> Gallery | None:
        """The pictures of the first index; None while there is none."""
        return next(iter(self.galleries.values()), None)


class Indexes:
    """Indexes of several methods over the same pictures.

    Parameters
    ----------
    folders : mapping of str to Path
        Method to the folder of its index.
    methods : mapping of str to Method
        The methods that are built; none if the indexes are used as they are.
    source : Source or None
        What they are built of.
    workforce : ShownWorkforce
        Builds them.
    """

    def __init__(
        self,
        folders: Mapping[str, Path],
        methods: Mapping[str, Method],
        source: Source | None,
        workforce: ShownWorkforce,
    ) -> None:
        self._folders, self._methods, self._source = folders, methods, source
        self._workforce = workforce
        self._dataset: Dataset | None = None
        self._seen: dict[str, object] = {}
        self._end = threading.Event()
        self._waiting = dict(methods)
        self.now = Snapshot({}, {}, {})

    @property
    def names(self) -> list[str]:
        """The methods that have, or will have, an index of their own."""
        return list(self._folders)

    @property
    def progress(self) -> Progress | None:
        """The building that goes on; None when it is over."""
        if not self._waiting:
            return None
        return self._workforce.progress or Progress("looking at the pictures", 0, 0)

    def open(self) -> None:
        """Open indexes that are used as they are.

        Raises
        ------
        InputError
            If one cannot be.
        """
        for name in self._folders:
            self._open(name)

    def start(self, failed: Callable[[BaseException], None]) -> None:
        """Build in the background, then watch; `failed` is told what leaves nothing to search."""
        self._thread = threading.Thread(target=self._work, args=(failed,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop building, after the step that is being done, and watching."""
        self._end.set()
        self._workforce.end()
        self._thread.join(_PATIENCE)

    def _work(self, failed: Callable[[BaseException], None]) -> None:
        try:
            self._build()
        except Ended:
            return
        except BaseException as error:
            failed(error)
            return
        while not self._end.wait(LOOK):
            for name in self._folders:
                if self._stamp(name) != self._seen.get(name):
                    self._reopen(name)

    def _build(self) -> None:
        """Let the indexes that are there answer, then bring all of them up to date."""
        if not self._source:
            return
        for name in self._methods:
            self._reopen(name, is_expected=False)
        self._dataset = self._source.load(self._workforce)
        for name, method in self._methods.items():
            folder = self._folders[name]
            try:
                made = self._source.build(method, self._dataset, folder, self._workforce)
            except InputError as error:
                log.warning("%s", error)
                self._fail(name, str(error))
            else:
                self._take(name, made, self._stamp(name))
            del self._waiting[name]
        if not self.now.indexes:
            raise InputError(next(iter(self.now.failures.values())))

    def _reopen(self, name: str, is_expected: bool = True) -> None:
        """Open an index that may have changed; keeps the one that is open where it cannot be."""
        try:
            self._open(name)
        except InputError as error:
            self._seen[name] = self._stamp(name)
            if is_expected:
                log.warning("%s; the page goes on with what it has", error)

    def _open(self, name: str) -> None:
        folder, stamp = self._folders[name], self._stamp(name)

        def attempt() -> Index:
            generation = Generation.open(folder)
            if generation is None:
                raise InputError(f"--index {folder}: no index there")
            return Index(generation)

        self._take(name, steadily(folder, attempt), stamp)

    def _take(self, name: str, index: Index, stamp: object) -> None:
        """Let an index answer from now on."""
        index.encode(_BLANK)  # what networks prepare with their first picture takes a while
        now = self.now
        known = (
            gallery
            for gallery in now.galleries.values()
            if gallery.fingerprint == index.fingerprint and gallery.dataset is self._dataset
        )
        gallery = next(known, None) or Gallery(index, self._dataset)
        failures = {other: why for other, why in now.failures.items() if other != name}
        galleries = {**now.galleries, name: gallery}
        self.now = Snapshot({**now.indexes, name: index}, galleries, failures)
        self._seen[name] = stamp

    def _fail(self, name: str, reason: str) -> None:
        now = self.now
        self.now = Snapshot(now.indexes, now.galleries, {**now.failures, name: reason})

    def _stamp(self, name: str) -> object:
        """Something that changes when the index does."""
        try:
            found = (self._folders[name] / INDEX).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
