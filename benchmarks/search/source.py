"""The pictures that an index is made of, and the folder where it is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import datasets
from benchmarks.cli.options import default_cache
from benchmarks.formats.files import require_writable
from benchmarks.pipeline.cache.fingerprint import digest
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.loading.folder import load_folder
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.workers import Workforce
from benchmarks.search.build import build
from benchmarks.search.files import FORMAT
from benchmarks.search.index import Index
from datasets.errors import InputError
from datasets.task import Dataset, ProblemKind

_PROBLEMS = {
    ProblemKind.BROKEN: "files cannot be read",
    ProblemKind.FORMAT: "files are in formats that are not read",
    ProblemKind.REMARK: "pictures are odd",
    ProblemKind.PASSED_OVER: "kinds of files are passed over",
}
"""Kinds of problems that a folder of pictures has, in words."""


@dataclass(frozen=True)
class Source:
    """A folder of pictures, or a dataset by its name.

    Attributes
    ----------
    place : Path or str
        The folder, of which every picture is searched; or the dataset, of which the gallery is.
    cache : Path
        Folder of vectors.
    learn_from : str or None
        Dataset whose training images methods may learn from, with a folder.
    epochs : int or None
        Networks are trained for no more than these.
    seed, layout
        As of `benchmarks.pipeline.loading.dataset.load`.
    reread : bool
        Hash every picture anew, also those that are as they were by size and times.
    """

    place: Path | str
    cache: Path
    learn_from: str | None = None
    epochs: int | None = None
    seed: int = 0
    layout: Sequence[str] = ()
    reread: bool = False

    def folder(self, method: Method, index: Path | None = None) -> Path:
        """Folder of the index by a method: the one that is named, or one in the cache.

        Raises
        ------
        InputError
            If it cannot be written to, or there is no such dataset.
        """
        require_writable(self.cache, "--cache")
        folder = index or self.cache / "indexes" / digest(self._key(method))[:16]
        require_writable(folder, "--index")
        return folder

    def _key(self, method: Method) -> list[object]:
        """All that an index in the cache is known by; folders as they are from the root."""
        place: object = str(self.place)
        if isinstance(self.place, str):
            place = _resolved(self.place, self.layout)
        taught = self.learn_from and _resolved(self.learn_from, self.layout)
        ways = (self.epochs, self.seed, list(self.layout))
        return [FORMAT, place, taught, method.name, *ways]

    def load(self, workforce: Workforce) -> Dataset:
        """List the pictures, and tell of those that cannot be searched.

        Raises
        ------
        InputError
            If there are none.
        """
        if isinstance(self.place, str):
            return load(
                self.place, self.cache, workforce, self.seed, self.layout, reread=self.reread
            )
        ways = (self.seed, self.layout, self.reread)
        found = load_folder(self.place, self.learn_from, self.cache, workforce, *ways)
        _tell_problems(found, workforce)
        return found

    def build(self, method: Method, dataset: Dataset, folder: Path, workforce: Workforce) -> Index:
        """Make the index by a method, or bring it up to date; errors as of `build`."""
        return build(folder, method, dataset, self.cache, workforce, self.epochs)


def find_source(
    pictures: str | Path | None = None,
    dataset: str | None = None,
    index: str | Path | None = None,
    learn_from: str | None = None,
    epochs: int | None = None,
    seed: int = 0,
    layout: Sequence[str] = (),
    reread: bool = False,
    cache: str | Path | None = None,
) -> Source | None:
    """Find what is to be searched; None for an index alone, which is opened as it is.

    Parameters
    ----------
    pictures, dataset, index, learn_from, epochs, seed, layout, reread, cache
        As of `benchmarks.search.api.prepare_index`.

    Raises
    ------
    InputError
        If a path is empty, or what is given does not go together.
    """
    given = {"--pictures": pictures, "--dataset": dataset, "--index": index}
    for option, value in given.items():  # empty text would be taken for nothing said
        if value is not None and not str(value).strip():
            raise InputError(f"{option}: no path given (is a variable empty?)")
    require_one({"--pictures": pictures, "--dataset": dataset})
    if learn_from and not pictures:
        raise InputError("--learn-from goes with --pictures; a dataset has training images")
    if layout and pictures and not learn_from:
        raise InputError("--layout goes with --dataset or --learn-from, not with --pictures alone")
    if index and not pictures and not dataset:
        ways = {"--epochs": epochs, "--seed": seed, "--layout": layout, "--reread": reread}
        if unheard := next((option for option, value in ways.items() if value), None):
            raise InputError(
                f"{unheard} goes with --pictures or --dataset; --index alone is opened as it is"
            )
        return None
    return Source(
        Path(pictures).resolve() if pictures else dataset or datasets.DEFAULT,
        Path(cache or default_cache()),
        learn_from,
        epochs,
        seed,
        layout,
        reread,
    )


def _resolved(text: str, layout: Sequence[str]) -> list[str | None]:
    """The name of a dataset and its folder, wherever the command stands."""
    source, root = datasets.resolve(text, layout)
    return [source.name, str(root.resolve()) if root else None]


def require_one(given: Mapping[str, object]) -> None:
    """Refuse two options that exclude each other.

    Raises
    ------
    InputError
        If both have values.
    """
    if all(given.values()):
        raise InputError(f"{' and '.join(given)} exclude each other; give one")


def _tell_problems(dataset: Dataset, workforce: Workforce) -> None:
    for kind, said in _PROBLEMS.items():
        if rows := [problem for problem in dataset.problems if problem.kind is kind]:
            first = f"{rows[0].id}: {rows[0].what}"
            workforce.log(f"{len(rows):,} {said}, such as {first}" if rows[1:] else first)
