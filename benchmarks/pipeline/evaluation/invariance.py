"""Invariance: methods searched with transformed queries, nothing of them fitted anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.pipeline.cache.fingerprint import digest, module_identity
from benchmarks.pipeline.evaluation.evaluate import Evaluation
from benchmarks.pipeline.evaluation.experiment import obstacle
from benchmarks.pipeline.evaluation.fitted_method import CANNOT_LEARN, FittedMethod
from benchmarks.pipeline.extraction.inputs import TransformedQuery
from benchmarks.pipeline.extraction.outcome import Extracted, failure
from benchmarks.pipeline.extraction.transformed import describe_transformed, extract_for
from benchmarks.pipeline.loading.training import training_fingerprint
from benchmarks.pipeline.methods.method import Method, extractors_of
from benchmarks.pipeline.records.invariance import (
    FAILED,
    Changed,
    Floats,
    Measured,
    Study,
    read_measured,
    write_measured,
)
from benchmarks.pipeline.records.record import PHOTOS
from datasets import transformations
from datasets.errors import DamagedError, InputError
from datasets.task import Dataset, Image
from datasets.transformations import TRANSFORMATIONS, VERSION, copies
from retrieval import protocol
from retrieval.metrics import METRICS, score
from retrieval.protocol import Judge, Judgements
from retrieval.ranking import random_ranking, summarise
from retrieval.search import Vectors

_METRIC = {"map": METRICS["map"]}


@dataclass(frozen=True)
class Asked:
    """Query photographs and their judgements, which are those of all of their copies.

    Attributes
    ----------
    queries : tuple of Image
        In order of id.
    judgements : Judgements
        Of each; the photograph itself never takes part, or its copies would only find it.
    """

    queries: tuple[Image, ...]
    judgements: Judgements


def choose_queries(dataset: Dataset, count: int, seed: int) -> Asked:
    """Choose photographs to be transformed, by their content.

    Parameters
    ----------
    dataset : Dataset
        Has query photographs with right answers.
    count : int
        Chosen at most; fewer are some of these.
    seed : int
        Another seed chooses others.

    Raises
    ------
    InputError
        If no query has a right answer.
    """
    judge_one = Judge(dataset.gallery, dataset.relevance)
    known = [(image, judge_one(image)) for image in dataset.queries.get(PHOTOS, ())]
    known = [(image, judged) for image, judged in known if len(judged.positive)]
    if not known:
        raise InputError(
            f"--invariance: {dataset.name} has no query photographs ({PHOTOS!r}) with right "
            "answers; leave it out"
        )
    known.sort(key=lambda pair: (digest([seed, pair[0].sha256]), pair[0].id))
    chosen = sorted(known[:count], key=lambda pair: pair[0].id)
    queries, judged = zip(*chosen, strict=True)
    itself = sum(judge_one.itself(image) is not None for image in queries)
    return Asked(queries, Judgements(judged, len(dataset.gallery), itself))


def measure_invariance(
    evaluation: Evaluation,
    methods: Sequence[Method],
    asked: Asked,
    out: Path,
    seed: int,
    force: bool = False,
) -> bool:
    """Search with transformed queries by every method that has not done so yet.

    Methods that re-rank or verify are left out: neighbours mend a query, so that their numbers
    would be less about the features. So are vectors that were made elsewhere.

    Parameters
    ----------
    evaluation : Evaluation
        Of the dataset.
    methods : sequence of Method
        Those that were run.
    asked : Asked
        The queries, see `choose_queries`.
    out : Path
        The results folder.
    seed : int
        Of the choice of queries.
    force : bool
        Do everything anew.

    Returns
    -------
    bool
        Whether a method failed.

    Raises
    ------
    LeakError
        If something would be learned from other than training images.
    InputError
        If a picture has gone or changed meanwhile.
    """
    dataset, folder = evaluation.dataset, out / evaluation.dataset.name
    study = _study(dataset, asked, seed)
    before = Study.read(folder)
    absent = dict(before.left_out) if before and before.key == study.key else {}
    todo = []
    for method in methods:
        absent.pop(method.name, None)
        if reason := _left_out(method) or obstacle(method, dataset):
            absent[method.name] = reason
        elif force or not _is_finished(folder, study, method, dataset):
            todo.append(method)
    if before and before.key != study.key:
        evaluation.workforce.log(
            f"{dataset.name}: other transformed queries than before, so that methods which are "
            "not run now leave the page"
        )
    _write(folder, study, absent)
    work = _Work(evaluation, asked, study)
    extracted = work.extract(todo)
    failed = False
    label = f"searching {dataset.name}, transformed"
    for method in evaluation.workforce.track(todo, len(todo), label):
        reason = _absence(method, extracted) or _measure(work, method, extracted, folder)
        if reason.startswith(FAILED):
            failed = True
            evaluation.workforce.log(f"{method.name}, transformed queries: {reason}")
        if reason and not _is_finished(folder, study, method, dataset):
            absent[method.name] = reason
            _write(folder, study, absent)
    return failed


def _study(dataset: Dataset, asked: Asked, seed: int) -> Study:
    chance = score(random_ranking(asked.judgements), _METRIC)["map"]
    changes = [
        Changed(one.name, one.kind, [*map(float, one.values)], one.unit, one.source)
        for one in TRANSFORMATIONS
    ]
    ids = [image.id for image in asked.queries]
    return Study(dataset.fingerprint, ids, chance.tolist(), seed, VERSION, changes)


def _left_out(method: Method) -> str | None:
    """Reason why a method is not measured, whatever the dataset."""
    if method.reranks:
        return "re-ranks: its numbers would be less about its features"
    if any(one.given for one in method.extractors):
        return "its vectors were made elsewhere, and there are none of transformed queries"
    return None


def _absence(method: Method, extracted: Mapping[str, Extracted]) -> str:
    """Reason why an extractor of a method has no vectors; empty if all have."""
    parts = [extracted[one.name] for one in method.extractors]
    failures = [f"{FAILED}{part.failed}" for part in parts if part.failed]
    return [*failures, *(part.skipped for part in parts if part.skipped), ""][0]


def _key(study: Study, method: Method, dataset: Dataset) -> str:
    """Hash of everything that decides a method's numbers."""
    parts = [study.key, method.identity, training_fingerprint(dataset), protocol.VERSION]
    return digest([*parts, module_identity(transformations)])


def _is_finished(folder: Path, study: Study, method: Method, dataset: Dataset) -> bool:
    found = read_measured(folder, study, method.name)
    return found is not None and found.key == _key(study, method, dataset)


def _write(folder: Path, study: Study, absent: Mapping[str, str]) -> None:
    msgspec.structs.replace(study, left_out=dict(sorted(absent.items()))).write(folder)


def _measure(work: "_Work", method: Method, extracted: dict[str, Extracted], folder: Path) -> str:
    """Write a method's numbers; gives the reason where there are none."""
    try:
        try:
            found = work.search(method, extracted)
        except DamagedError:
            # It is removed, and the rest of its store known to be whole.
            extracted |= work.extract([method])
            found = work.search(method, extracted)
        write_measured(folder, work.study, method.name, found)
    except CANNOT_LEARN as error:
        return str(error)
    except (Exception, SystemExit) as error:
        return f"{FAILED}{failure(error)}"
    return ""


@dataclass(frozen=True)
class _Work:
    """Vectors of the copies, and searches with them."""

    evaluation: Evaluation
    asked: Asked
    study: Study

    @cached_property
    def copies(self) -> list[TransformedQuery]:
        """All copies, those of one query in a row."""
        return [
            TransformedQuery(image, *copy) for image in self.asked.queries for copy in copies()
        ]

    @cached_property
    def images(self) -> list[list[Image]]:
        """The copies as stores know them, by their keys: by transformation, strength and query."""
        made: dict[str, dict[int, list[Image]]] = {one.name: {} for one in TRANSFORMATIONS}
        for one in self.copies:
            image = replace(one.image, sha256=one.key)
            made[one.transformation.name].setdefault(one.strength, []).append(image)
        return [[*chain.from_iterable(by.values())] for by in made.values()]

    def extract(self, methods: Sequence[Method]) -> dict[str, Extracted]:
        """Make whatever vectors are missing, of the dataset and of the copies."""
        dataset, workforce = self.evaluation.dataset, self.evaluation.workforce
        cache = self.evaluation.cache
        extracted = extract_for(methods, dataset, cache, False, workforce)
        given = (dataset, self.copies, cache, workforce, f"transformed queries of {dataset.name}")
        describe_transformed(extractors_of(methods), extracted, *given)
        return extracted

    def search(self, method: Method, extracted: Mapping[str, Extracted]) -> Measured:
        """Score every query and every copy."""
        dataset = self.evaluation.dataset
        fitted = FittedMethod(method, dataset, extracted, self.evaluation.cache)
        gallery, queries = fitted.vectors(dataset.gallery), self.asked.queries
        scores = np.full(self.study.shape, np.nan, np.float32)
        for place, images in enumerate(self.images):
            found = self._scores(fitted, gallery, images).reshape(-1, len(queries))
            scores[place, : len(found)] = found
        clean = self._scores(fitted, gallery, queries)
        key, card = _key(self.study, method, dataset), digest(method.card)
        return Measured(key, clean, scores, card)

    def _scores(self, fitted: FittedMethod, gallery: Vectors, images: Sequence[Image]) -> Floats:
        """Average precision of images, which are copies of all queries in their order."""
        vectors = fitted.vectors(images)
        times = vectors[0].shape[0] // len(self.asked.queries)
        judged = replace(self.asked.judgements, of=self.asked.judgements.of * times)
        ranking = summarise(fitted.search(vectors, gallery, judged), judged)
        return score(ranking, _METRIC)["map"].astype(np.float32)
