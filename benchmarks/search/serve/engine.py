"""Answers: what several methods find for one picture, over indexes that are shared by methods."""

import operator
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np

from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.methods.names import member_names, parse_method
from benchmarks.search.index import Index, nearest
from benchmarks.search.result import Neighbour
from benchmarks.search.serve.gallery import Gallery
from benchmarks.search.serve.indexes import Indexes, Snapshot
from datasets.errors import InputError
from datasets.reading import Pixels
from datasets.task import Image
from retrieval.feedback import rocchio
from retrieval.fusion.methods import FUSION_METHODS
from retrieval.protocol import Judgement
from retrieval.reranking.menu import RERANKINGS
from retrieval.search import Search, Vectors

MOST_IMAGES = 20_000
"""Pictures of the largest gallery that is re-ranked by what compares all of it with itself."""

WHOLE = frozenset(RERANKINGS) - {"average-qe", "alpha-qe"}
"""Re-rankings that compare the gallery with itself."""

_KEPT = 32
"""Methods that are kept ready, with what their searches have computed of the gallery."""


@dataclass(frozen=True)
class Query:
    """A picture that is searched with, and what is known and said of it.

    Attributes
    ----------
    pixels : ndarray of uint8
        The picture.
    image : Image or None
        What is known of it, if it is a picture of the gallery or a query of the dataset.
    right, wrong : sequence of str
        Content hashes of the pictures that the searcher has marked.
    """

    pixels: Pixels
    image: Image | None = None
    right: Sequence[str] = ()
    wrong: Sequence[str] = ()


@dataclass(frozen=True)
class Found:
    """A neighbour, with the picture that it is."""

    neighbour: Neighbour
    image: Image


@dataclass(frozen=True)
class Answer:
    """The answer of a method.

    Attributes
    ----------
    method : str
        Its name.
    found : list of Found
        Nearest first; empty with an error.
    size : int
        Pictures that were searched.
    describe_ms, search_ms : float
        Milliseconds of describing the picture, and of the search.
    error : str or None
        Reason why there is no answer.
    """

    method: str
    found: list[Found]
    size: int = 0
    describe_ms: float = 0.0
    search_ms: float = 0.0
    error: str | None = None


class NoIndexError(InputError):
    """A method needs indexes that are not there."""


class ReadyMethod:
    """A method over the indexes that hold its vectors: one of all, or one of each extractor.

    Parameters
    ----------
    method : Method
        Nothing of it is fitted here.
    parts : sequence of Index
        One, or as many as the method has extractors.
    gallery : Gallery
        Their pictures.
    """

    def __init__(self, method: Method, parts: Sequence[Index], gallery: Gallery) -> None:
        self.parts, self.gallery = parts, gallery
        self.lengths = parts[0].lengths[0]
        self._joined = None
        if len(parts) == 1:
            fusion = parts[0].encoder.fusion
            self.vectors: Vectors = parts[0].vectors
        else:
            fusion = self._joined = method.fresh_fusion()
            assert fusion, "a method of several extractors fuses them"
            fusion.fit([], [])
            self.vectors = fusion.transform([part.vectors[0] for part in parts])
        self.search: Search | None = None if method.is_plain else method.search(fusion)

    def encode(self, described: Sequence[Vectors]) -> Vectors:
        """Make the vectors to search with of those that the parts' encoders made."""
        if self._joined is None:
            return described[0]
        made = self._joined.transform([vectors[0] for vectors in described])
        return [np.asarray(part[:1]) for part in made]

    def nearest(
        self, query: Vectors, k: int, judgement: Judgement | None
    ) -> tuple[Sequence[int], Sequence[int]]:
        """Rows of the nearest pictures, with their squared distances on the grid."""
        without = judgement.excluded if judgement else ()
        rows, distances = nearest(self.search, query, self.vectors, self.lengths, k, without)
        return rows.tolist(), distances.tolist()


class Engine:
    """Answers queries by any method that can be made of the indexes; for one thread at a time.

    Parameters
    ----------
    indexes : Indexes
        Open, or being built.
    """

    def __init__(self, indexes: Indexes) -> None:
        self.indexes = indexes
        self._ready: OrderedDict[str, ReadyMethod] = OrderedDict()

    def answer(self, query: Query, methods: Sequence[str], k: int) -> list[Answer]:
        """Search by several methods; each extractor describes the picture once.

        Parameters
        ----------
        query : Query
            What is asked.
        methods : sequence of str
            Names, in the order of the answers.
        k : int
            Neighbours by each.
        """
        now = self.indexes.now
        described: dict[int, tuple[Vectors, float]] = {}
        return [self._answer(query, name, k, now, described) for name in methods]

    def _answer(
        self,
        query: Query,
        name: str,
        k: int,
        now: Snapshot,
        described: dict[int, tuple[Vectors, float]],
    ) -> Answer:
        try:
            method = self.ready(name, now)
            for part in method.parts:
                if id(part) not in described:
                    began = time.perf_counter()
                    described[id(part)] = part.encode(query.pixels), time.perf_counter() - began
        except InputError as error:
            return Answer(name, [], error=str(error))
        made = [described[id(part)] for part in method.parts]
        began = time.perf_counter()
        vectors = self._fed_back(method, method.encode([one for one, _ in made]), query)
        judgement = method.gallery.judge(query.image) if query.image else None
        rows, distances = method.nearest(vectors, k, judgement)
        searched = time.perf_counter() - began
        right = _rightness(rows, judgement)
        neighbours = method.parts[0].neighbours(np.array(rows), np.array(distances), right)
        return Answer(
            name,
            [
                Found(one, method.gallery.image(row))
                for one, row in zip(neighbours, rows, strict=True)
            ],
            len(method.gallery),
            round(1e3 * sum(seconds for _, seconds in made), 3),
            round(1e3 * searched, 3),
        )

    def _fed_back(self, method: ReadyMethod, vectors: Vectors, query: Query) -> Vectors:
        row = method.gallery.row
        right, wrong = (
            [place for sha256 in some if (place := row(sha256)) is not None]
            for some in (query.right, query.wrong)
        )
        return rocchio(vectors, method.vectors, right, wrong) if right or wrong else vectors

    def ready(self, name: str, now: Snapshot) -> ReadyMethod:
        """Make a method ready to search, or give the one that is.

        Raises
        ------
        InputError
            If it is no method, or needs an index that is not there (a `NoIndexError`).
        """
        method, parts = _parts(name, now, self.indexes.names)
        kept = self._ready.get(name)
        if kept and all(map(operator.is_, kept.parts, parts)):
            self._ready.move_to_end(name)
            return kept
        galleries = [_gallery(part, now) for part in parts]
        if len({one.fingerprint for one in galleries}) > 1:
            raise InputError(f"{name}: its indexes are being brought up to date; try again")
        if len(parts[0]) > MOST_IMAGES and (whole := WHOLE.intersection(name.split("+"))):
            raise InputError(
                f"{name}: {', '.join(sorted(whole))} compares all pictures with each other, for "
                f"which {len(parts[0]):,} are too many (at most {MOST_IMAGES:,})"
            )
        made = self._ready[name] = ReadyMethod(method, parts, galleries[0])
        while len(self._ready) > _KEPT:
            self._ready.popitem(last=False)
        return made


def _gallery(index: Index, now: Snapshot) -> Gallery:
    return next(now.galleries[name] for name, one in now.indexes.items() if one is index)


def _parts(name: str, now: Snapshot, coming: Sequence[str]) -> tuple[Method, list[Index]]:
    """The method of a name, and the indexes that hold its vectors."""
    if name in now.indexes:
        return now.indexes[name].method, [now.indexes[name]]
    if name in now.failures:
        raise InputError(now.failures[name])
    if name in coming:
        raise InputError(f"{name}: its index is being built")
    method = parse_method(name, option="method")
    if method.runs_only:
        raise InputError(f"{name}: {method.runs_only}")
    for needed in ([core(method)], _members(method)):
        if all(one in now.indexes for one in needed):
            return method, [now.indexes[one] for one in needed]
        if method.fusion_learns:
            break
    missing = [one for one in needed if one not in now.indexes]
    for one in missing:
        if one in now.failures:
            raise InputError(now.failures[one])
        if one in coming:
            raise InputError(f"{name}: the index of {one} is being built")
    raise NoIndexError(f"{name}: has no index; begin with --extractor {' '.join(missing)}, too")


def core(method: Method) -> str:
    """Name of a method without its re-rankings.

    >>> core(parse_method("hog+lbp+rrf+alpha-qe"))
    'hog+lbp+rrf'
    """
    return "+".join(takewhile(lambda part: part not in RERANKINGS, method.name.split("+")))


def indexed(method: Method) -> list[Method]:
    """Methods that need an index of their own, so that a method can be searched by.

    What is learned for several extractors together is kept with all their vectors; others are
    made of one index of each extractor, so that they can be put together anew.

    >>> [one.name for one in indexed(parse_method("hog+lbp+rrf+alpha-qe"))]
    ['hog', 'lbp']
    >>> [one.name for one in indexed(parse_method("hog+lbp+alpha-qe"))]
    ['hog+lbp']
    >>> [one.name for one in indexed(parse_method("hog+lbp+pca32+rrf"))]
    ['hog+pca32', 'lbp+pca32']
    """
    if method.tuning:
        return [method]
    if method.fusion_learns:
        return [replace(method, name=core(method), rerankings=())]
    pairs = zip(_members(method), method.extractors, strict=True)
    return [Method(name, (one,)) for name, one in pairs]


def _members(method: Method) -> list[str]:
    return member_names(method.name, [one.name for one in method.extractors])


def combinations(size: int) -> dict[str, list[str]]:
    """Fusions and re-rankings of which methods can be made while the page is shown.

    Parameters
    ----------
    size : int
        Pictures in the gallery.
    """
    fusions = [name for name, fusion in FUSION_METHODS.items() if not fusion.learns]
    rerankings = [name for name in RERANKINGS if size <= MOST_IMAGES or name not in WHOLE]
    return {"fusions": fusions, "rerankings": rerankings}


def _rightness(rows: Sequence[int], judgement: Judgement | None) -> list[bool] | None:
    if judgement is None or not len(judgement.positive):
        return None
    return np.isin(rows, judgement.positive).tolist()
