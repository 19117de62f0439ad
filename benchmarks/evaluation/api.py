"""Evaluation in one call: of anything that makes vectors of pictures, or of vectors in arrays.

A picture is an array of uint8, RGB, of shape (height, width, 3). These make vectors of pictures:

- the name of a method of the menu, fused and re-ranked ones too: ``"hog+lbp+rrf"``;
- an extractor of this suite, alone or at the head of a pipeline;
- an object with ``transform``, from a list of pictures to a matrix of a row each; if it has
  ``fit``, a copy is fitted on the pictures for training;
- a function: it is given a list of two pictures first, and if a matrix of two rows comes back, it
  is a function of pictures, otherwise one of a single picture to its vector;
- a Keras model of pictures; a map of features is averaged.

>>> import numpy as np, tempfile
>>> from PIL import Image
>>> temporary = tempfile.TemporaryDirectory()
>>> root = Path(temporary.name)
>>> for number in range(16):
...     folder = root / ("dark" if number % 2 else "light")
...     folder.mkdir(exist_ok=True)
...     grey = 60 - number if number % 2 else 200 + number
...     Image.new("RGB", (8, 8), (grey, grey, 90)).save(folder / f"{number}.png")
>>> result = evaluate(lambda picture: picture.mean(axis=(0, 1)), root, name="mean-colour")
>>> result.scores["map"], result.counts["gallery images"]
(1.0, 8)
>>> temporary.cleanup()

>>> gallery = [[1, 0.1], [0.9, 0.2], [0, 1], [0.1, 1]]
>>> result = evaluate_vectors([[1, 0], [0.3, 1]], gallery, ["a", "b"], ["a", "b", "b", "a"])
>>> result.scores["top1"], result.scores["map"]
(0.5, 0.7083333333333333)
>>> evaluate_vectors(gallery, gallery, "abba", "abba", leave_one_out=True).scores["top1"]
0.0
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cli.arguments import a_folder, a_whole_number, a_word, require_flag, words_of
from benchmarks.evaluation.arrays import (
    SAME,
    array_dataset,
    as_table,
    column_names,
    require_one_name,
    require_one_order,
    require_others,
)
from benchmarks.evaluation.foreign import as_extractor, is_known, is_own, name_of
from benchmarks.evaluation.places import folders, require_named, require_places
from benchmarks.evaluation.result import Result, read_result
from benchmarks.formats.vectors import VectorTable, require_each_once
from benchmarks.pipeline.cache.fingerprint import digest
from benchmarks.pipeline.evaluation.evaluate import Evaluation, count_zeros
from benchmarks.pipeline.evaluation.experiment import run
from benchmarks.pipeline.evaluation.sanity import SanityError, check_protocol, check_search
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.loading.listed import read_listed
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.methods.names import parse_method, require_own_name
from benchmarks.pipeline.methods.vectors import GivenVectors
from benchmarks.pipeline.records.description import write_description
from benchmarks.pipeline.records.recorder import EvaluationResult, Recorder
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.write import write_dataset, write_front
from datasets.errors import InputError
from datasets.source import require_dataset_name
from datasets.task import Dataset
from retrieval.protocol import judge
from retrieval.ranking import summarise
from retrieval.search import single

_DATASETS = "give the folder of its pictures; vectors in arrays go to evaluate_vectors"


def evaluate(
    extractor: Any,
    dataset: str | Path | Dataset,
    *,
    name: str | None = None,
    fit: bool = True,
    preprocess: Callable[[Any], Any] | None = None,
    seed: int = 0,
    layout: str | Sequence[str] | None = (),
    leave_one_out: bool = False,
    epochs: int | None = None,
    cache: str | Path | None = None,
    out: str | Path | None = None,
    jobs: int | None = 1,
    quiet: bool = True,
) -> Result:
    """Evaluate an extractor on a dataset, by the protocol of ``python -m benchmarks.run``.

    Parameters
    ----------
    extractor : object
        A name, or anything that makes vectors of pictures; see the module.
    dataset : str, Path or Dataset
        As behind ``--dataset``: a folder, or ``NAME=PATH``.
    name : str, optional
        Name of the method; made of the extractor's if left out.
    fit : bool
        False takes an object with ``fit`` as it is.
    preprocess : callable, optional
        Of a Keras model: from a batch of float32 in 0 to 255, scaled to the model's size, to
        its input, such as ``keras.applications.vgg16.preprocess_input``.
    seed, layout, leave_one_out
        As of `benchmarks.pipeline.loading.dataset.load`.
    epochs : int, optional
        Networks of the menu are trained for no more than these.
    cache : str or Path, optional
        Folder in which vectors are kept; none are kept if left out. Only those by classes of
        this suite are ever found again.
    out : str or Path, optional
        Results folder that gets record, ranking, tables and pages; none if left out.
    jobs : int or None
        Worker processes, for which the extractor has to be picklable; None for all cores.
    quiet : bool
        False tells how the folder is understood, and shows progress.

    Returns
    -------
    Result
        On the query set ``query``, or the first; further ones are in its ``others``.

    Raises
    ------
    InputError
        If the dataset is none, the extractor fails on it, or the command would not take a number.
    """
    jobs = None if jobs is None else a_whole_number("jobs", jobs)
    epochs = None if epochs is None else a_whole_number("epochs", epochs)
    seed = a_whole_number("seed", seed, 0)
    require_flag(leave_one_out=leave_one_out, fit=fit, quiet=quiet)
    workforce = Workforce(jobs, quiet)
    words, cache, out = words_of(layout), a_folder(cache), a_folder(out)
    if isinstance(dataset, Dataset):
        _require_unsaid(words, leave_one_out, seed)
        _require_whole(dataset)
    else:
        dataset = a_word("dataset", dataset, _DATASETS) or ""
    require_places(dataset, words, cache, out)
    require_named(extractor, name, out)
    with _same_chance(), folders(cache, out) as (kept, results, temporary):
        ways = (kept, workforce, seed, words, leave_one_out)
        data = dataset if isinstance(dataset, Dataset) else load(dataset, *ways)
        method, recalled = _method(extractor, data, name, fit, preprocess, epochs)
        evaluation = Evaluation(data, kept if recalled else temporary, workforce)
        run(evaluation, Recorder(data, results, seed, workforce), [method], force=not recalled)
        return _finished(data, method, results, out is not None)


def evaluate_vectors(
    query_vectors: Any,
    gallery_vectors: Any,
    query_labels: Iterable[Any],
    gallery_labels: Iterable[Any],
    *,
    query_ids: Iterable[Any] | None = None,
    gallery_ids: Iterable[Any] | None = None,
    leave_one_out: bool | None = None,
    name: str = "vectors",
    dataset: str = "arrays",
    out: str | Path | None = None,
) -> Result:
    """Evaluate vectors in arrays, by the protocol of the benchmark.

    Parameters
    ----------
    query_vectors, gallery_vectors : array_like, shapes (n_queries, n_dims), (n_gallery, n_dims)
        Real numbers, compared by Euclidean distance once normalised to length 1; sparse matrices
        of SciPy, too. An array that is mapped from a file stays there.
    query_labels, gallery_labels : iterable
        A class for each vector; a list or set of several, of which one in common makes an
        image relevant; None, NaN or an empty text for a distractor. 1, 1.0 and "1" are one class.
    query_ids, gallery_ids : iterable, optional
        Names. An image of the gallery that has the query's id is the query itself, and left out.
    leave_one_out : bool, optional
        True if the queries are the gallery, row by row: each is left out of its own search. It
        has to be said where both are the same, or most queries stand in the gallery, and ids do
        not tell; False lets them find themselves. Vectors of two encoders for the same images go
        with ids.
    name : str
        Of the method.
    dataset : str
        Of the dataset.
    out : str or Path, optional
        Results folder that gets record, ranking, tables and pages; none if left out.

    Returns
    -------
    Result
        Ties are listed in the gallery's order.

    Raises
    ------
    InputError
        If vectors, labels or ids do not fit together, a number is not finite, or single precision
        cannot tell vectors apart.
    """
    require_own_name(name, "name=")
    require_flag(leave_one_out=leave_one_out)
    queries, gallery = _pair(query_vectors, gallery_vectors, leave_one_out)
    if query_ids is None or gallery_ids is None:
        _require_said(queries, gallery, leave_one_out)
    require_one_order(query_vectors, "query", query_labels, query_ids)
    require_one_order(gallery_vectors, "gallery", gallery_labels, gallery_ids)
    labels, ids = (query_labels, gallery_labels), (query_ids, gallery_ids)
    sizes = (queries.shape[0], gallery.shape[0])
    data = array_dataset(dataset, labels, sizes, ids, leave_one_out)
    warnings = [*data.warnings]
    if leave_one_out is None and query_ids is not None and gallery_ids is not None:
        warnings += require_one_name(data, queries, gallery)
    table = replace(gallery, sha256=digest([queries.sha256, gallery.sha256]))
    method = Method(name, (ExtractorSteps(name, GivenVectors(table)),))
    searched = _searched(data, name, queries, gallery)
    if leave_one_out is None and (warning := require_others(queries, gallery, searched.ranking)):
        warnings.append(warning)
    data = replace(data, warnings=tuple(warnings))
    out = a_folder(out)
    require_places(data, (), None, out)
    with folders(None, out) as (_, results, _):
        Recorder(data, results, 0, Workforce(quiet=True)).write(method, searched)
        return _finished(data, method, results, out is not None)


def _pair(
    query_vectors: Any, gallery_vectors: Any, leave_one_out: bool | None
) -> tuple[VectorTable, VectorTable]:
    """Both matrices, of vectors that can be compared."""
    queries = as_table(query_vectors, "query_vectors")
    gallery = as_table(gallery_vectors, "gallery_vectors")
    if queries.shape[1] != gallery.shape[1]:
        raise InputError(
            f"query_vectors have {queries.shape[1]} dimensions, gallery_vectors "
            f"{gallery.shape[1]}; give vectors of one extractor"
        )
    columns, others = column_names(query_vectors), column_names(gallery_vectors)
    places = {name: place for place, name in enumerate(others)}
    moved = any(places.get(name, place) != place for place, name in enumerate(columns))
    if moved and {*columns} != {*others}:
        other = next(name for name in (*columns, *others) if (name in columns) != (name in others))
        raise InputError(
            f"query_vectors and gallery_vectors have other columns, of which {other!r} stands in "
            "one alone; give the same of both"
        )
    if moved and columns != others:
        raise InputError(
            "query_vectors and gallery_vectors have the same columns in other places; give one "
            "order, as by gallery[query.columns]"
        )
    if leave_one_out and queries.shape[0] != gallery.shape[0]:
        raise InputError(
            f"leave_one_out: {queries.shape[0]:,} queries are not the {gallery.shape[0]:,} "
            "gallery vectors row by row; give the same for both"
        )
    return queries, gallery


def _searched(
    data: Dataset, name: str, queries: VectorTable, gallery: VectorTable
) -> EvaluationResult:
    """Search and check, as `Evaluation` does it with vectors from a store."""
    [task] = data.tasks
    judgements = judge(task.queries, data.gallery, data.relevance)
    check_protocol(judgements)
    began = time.perf_counter()
    ranking = summarise(single([queries], [gallery], judgements), judgements)
    milliseconds = 1e3 * (time.perf_counter() - began) / len(task.queries)
    try:
        check_search(name, single, [queries], [gallery], judgements)
    except SanityError as error:
        raise InputError(f"gallery_vectors: {error}") from error
    costs = {"extraction_ms": None, "fit_seconds": 0.0, "search_ms": round(milliseconds, 4)}
    zeros = count_zeros([queries]) + count_zeros([gallery])
    dims = gallery.shape[1]
    return EvaluationResult(task, judgements, ranking, {}, {}, dims, zeros, None, costs)


def _require_said(queries: VectorTable, gallery: VectorTable, leave_one_out: bool | None) -> None:
    """Require `leave_one_out` where both are the same vectors, and those where it is True."""
    if leave_one_out is None and queries == gallery:
        raise InputError(
            "queries and gallery are the same vectors; leave_one_out=True leaves each out of its "
            "own search, leave_one_out=False lets it find itself"
        )
    if not leave_one_out or queries == gallery:
        return
    row = 0
    for one, other in zip(queries.blocks(), gallery.blocks(), strict=True):
        off = np.linalg.norm(one - other, axis=1) > SAME * np.linalg.norm(other, axis=1)
        if off.any():
            raise InputError(
                f"leave_one_out: row {row + int(np.argmax(off))} of query_vectors is not that of "
                "gallery_vectors, as if it were another image; give both in one order, or "
                "query_ids and gallery_ids"
            )
        row += len(one)


def _method(
    extractor: Any,
    data: Dataset,
    name: str | None,
    fit: bool,
    preprocess: Callable[[Any], Any] | None,
    epochs: int | None,
) -> tuple[Method, bool]:
    """The method, and whether its vectors may be recalled from a cache."""
    if isinstance(extractor, str):
        if preprocess is not None or not fit:
            raise InputError(
                f"preprocess= and fit=False go with objects; {extractor} is a name of the menu"
            )
        method = parse_method(extractor, epochs, "extractor")
        if name is not None:
            method.name = require_own_name(name, "name=")
        return method, True
    named = require_own_name(name or name_of(extractor), "name=")
    if is_own(extractor):
        if preprocess is not None:
            raise InputError(f"preprocess= goes with a Keras model; {named} prepares its pictures")
        try:
            steps = ExtractorSteps(named, extractor, epochs)
        except Exception as error:  # whatever scikit-learn makes of a constructor
            reason = str(error).partition("\n")[0]
            raise InputError(
                f"{named}: cannot be cloned ({reason}); its constructor stores its arguments "
                "under their names, and nothing else"
            ) from error
        if is_known(extractor, steps) and (fit or not steps.learns):
            return Method(named, (steps,)), True
    images = (data.gallery[0], next(iter(data.queries.values()))[0])
    pair = [read_listed(image) for image in images]
    made = as_extractor(extractor, pair, fit, preprocess)
    return Method(named, (ExtractorSteps(named, made),)), False


def _require_unsaid(layout: Sequence[str], leave_one_out: bool, seed: int) -> None:
    if layout or leave_one_out or seed:
        raise InputError(
            "layout=, leave_one_out= and seed= say how a folder is read, and a Dataset has been "
            "read; give its folder, or give them when it is loaded"
        )


def _require_whole(data: Dataset) -> None:
    """Require that a dataset made by hand has a name, and images in all parts, each once."""
    require_dataset_name(data.name, "give the dataset another")
    parts = {"gallery": data.gallery, **data.queries}
    for part, images in parts.items():
        require_each_once([image.id for image in images], f"{data.name}: {part}")
    if empty := next((part for part, images in parts.items() if not images), None):
        raise InputError(f"{data.name}: {empty} has no images; give some")
    if not data.queries:
        raise InputError(f"{data.name}: has no queries; give a set of them, as 'query'")


@contextmanager
def _same_chance() -> Iterator[None]:
    """Leave the caller's random numbers as they were: networks seed all that there are."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002  # Keras seeds these
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002


def _finished(data: Dataset, method: Method, results: Path, report: bool) -> Result:
    folder = write_description(results, data)
    result = read_result(folder, method.name)
    if report:
        write_dataset(folder)
        write_front(results)
    return result
