"""Search from Python: ``search("picture.jpg", pictures="folder")``."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cli.arguments import a_folder, a_whole_number, a_word, require_flag, words_of
from benchmarks.cli.options import default_cache
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.methods.names import parse_method
from benchmarks.pipeline.methods.presets import method_from
from benchmarks.pipeline.workers import Workforce
from benchmarks.search.approximate import KINDS
from benchmarks.search.files import About, Generation, steadily
from benchmarks.search.index import Index, method_by, require_index_by
from benchmarks.search.result import TOPS, Neighbour, SearchResult
from benchmarks.search.source import find_source, require_one
from datasets.errors import DamagedError, InputError
from datasets.task import Dataset, Image
from retrieval.metrics import mean_scores
from retrieval.protocol import judge
from retrieval.ranking import summarise

EXTRACTOR = "efficientnet-lite0"
"""Searches where nothing else is said: it works from pip alone."""


def search(
    picture: object,
    *,
    pictures: str | Path | None = None,
    dataset: str | Path | None = None,
    index: str | Path | None = None,
    extractor: str | None = None,
    preset: str | Path | None = None,
    learn_from: str | Path | None = None,
    k: int = 10,
    leave_out_query: bool = False,
    epochs: int | None = None,
    seed: int = 0,
    layout: str | Sequence[str] | None = (),
    reread: bool = False,
    cache: str | Path | None = None,
    workforce: Workforce | None = None,
    approximate: str | None = None,
) -> SearchResult:
    """Find the pictures that are most like one.

    Parameters
    ----------
    picture : path, PIL.Image.Image or ndarray of uint8
        As `datasets.reading.as_pixels` takes it.
    pictures, dataset, index, extractor, preset, learn_from
        As of `prepare_index`.
    epochs, seed, layout, reread, cache, workforce
        As of `prepare_index`.
    k : int
        Number of neighbours, at least 1.
    leave_out_query : bool
        Leave out pictures with the same bytes as the file.
    approximate : str, optional
        As of `open_index`.

    Raises
    ------
    InputError
        If something is missing, with the remedy.
    """
    k = a_whole_number("k", k)
    require_flag(leave_out_query=leave_out_query)
    opened, _ = prepare_index(
        pictures=pictures,
        dataset=dataset,
        index=index,
        extractor=extractor,
        preset=preset,
        learn_from=learn_from,
        epochs=epochs,
        seed=seed,
        layout=layout,
        reread=reread,
        cache=cache,
        workforce=workforce,
    )
    _approximate(opened, approximate, cache, workforce)
    return search_picture(opened, picture, k, leave_out_query)


def open_index(
    folder: str | Path, approximate: str | None = None, cache: str | Path | None = None
) -> Index:
    """Open an index that was made before, to search it many times: ``index.search(picture, k)``.

    Parameters
    ----------
    folder : str or Path
        The index.
    approximate : str, optional
        Kind of the approximate index to search through, see `benchmarks.search.approximate`;
        exact if left out.
    cache : str or Path, optional
        Folder where that is kept; the user's cache folder if left out.

    Raises
    ------
    InputError
        If there is none, or it cannot be searched so.
    """
    place = a_folder(folder)
    if place is None:
        raise InputError("open_index takes the folder of an index; None is no folder")
    index = _open_as_it_is(place)
    _approximate(index, approximate, cache)
    return index


def _approximate(
    index: Index,
    kind: str | None,
    cache: str | Path | None,
    workforce: Workforce | None = None,
) -> None:
    kind = a_word("approximate", kind, f"it is one of {', '.join(KINDS)}")
    if kind is None:
        return
    if kind not in KINDS:
        raise InputError(f"--approximate {kind}: no such index; it is one of {', '.join(KINDS)}")
    index.approximate(kind, a_folder(cache) or default_cache(), workforce or Workforce(quiet=True))


def prepare_index(
    *,
    pictures: str | Path | None = None,
    dataset: str | Path | None = None,
    index: str | Path | None = None,
    extractor: str | None = None,
    preset: str | Path | None = None,
    learn_from: str | Path | None = None,
    epochs: int | None = None,
    seed: int = 0,
    layout: str | Sequence[str] | None = (),
    reread: bool = False,
    cache: str | Path | None = None,
    workforce: Workforce | None = None,
) -> tuple[Index, Dataset | None]:
    """Open an index, made or brought up to date if it is said what it is of.

    Parameters
    ----------
    pictures : str or Path, optional
        Folder of which every picture is searched.
    dataset : str or Path, optional
        Dataset of which the gallery is searched, see `datasets.resolve`; the embedded one if
        neither this nor `pictures` nor `index` is given.
    index : str or Path, optional
        Folder of the index; one in the user's cache if left out. Alone, it is opened as it is.
    extractor : str, optional
        Method to search by, see `benchmarks.pipeline.methods.names.parse_method`; the index's
        own, or `EXTRACTOR` where there is none yet.
    preset : str or Path, optional
        File of a preset, in place of `extractor`.
    learn_from : str or Path, optional
        Dataset whose training images methods may learn from, with `pictures`.
    epochs : int, optional
        Networks are trained for no more than these.
    seed, layout
        As of `benchmarks.pipeline.loading.dataset.load`.
    reread : bool
        Hash every picture anew, also those that are as they were by size and times.
    cache : str or Path, optional
        Folder of vectors; the user's cache folder if left out.
    workforce : Workforce, optional
        The workers; one that shows nothing if left out.

    Returns
    -------
    index : Index
        Ready to be searched.
    dataset : Dataset or None
        The dataset or folder that is searched; None if the index was opened as it is.

    Raises
    ------
    InputError
        If something is missing, with the remedy.
    """
    epochs = None if epochs is None else a_whole_number("epochs", epochs)
    seed = a_whole_number("seed", seed, 0)
    require_flag(reread=reread)
    remedy = "search by a name of the menu (--model and --plugin give names to other extractors)"
    extractor, preset = a_word("extractor", extractor, remedy), a_word("preset", preset)
    dataset, learn_from = a_word("dataset", dataset), a_word("learn_from", learn_from)
    require_one({"--preset": preset, "--extractor": extractor})
    words = words_of(layout)
    cache, index, pictures = a_folder(cache), a_folder(index), a_folder(pictures)
    source = find_source(pictures, dataset, index, learn_from, epochs, seed, words, reread, cache)
    is_named = preset is not None or extractor is not None
    wanted = _method(preset, extractor, epochs) if is_named else None
    if source is None:
        return _open_as_it_is(index or Path(), wanted), None
    method = wanted or unnamed_method(index, epochs)
    workforce = workforce or Workforce(quiet=True)
    folder = source.folder(method, index)
    found = source.load(workforce)
    return source.build(method, found, folder, workforce), found


def search_picture(
    index: Index, picture: object, k: int, leave_out_query: bool = False
) -> SearchResult:
    """Find the pictures in an index that are most like one; parameters as of `search`.

    Raises
    ------
    InputError
        If it is no picture.
    """
    if isinstance(picture, str) and "://" in picture:
        raise InputError(f"{picture}: a web address; save the picture and give its file")
    began = time.perf_counter()
    query = index.encode(picture)
    described = time.perf_counter()
    found = index.nearest(query, k, index.copies(picture) if leave_out_query else ())
    seconds = (described - began, time.perf_counter() - described)
    file = Path(picture) if isinstance(picture, str | os.PathLike) else None
    return _result(index, file, None, list(index.neighbours(*found)), seconds)


def search_query(index: Index, dataset: Dataset | None, name: str, k: int) -> SearchResult:
    """Search with a query of a dataset, by the protocol of the benchmark.

    Parameters
    ----------
    index : Index
        Of the dataset's gallery.
    dataset : Dataset or None
        Has the query.
    name : str
        Id of the query, or enough of its end.
    k : int
        Number of neighbours.

    Raises
    ------
    InputError
        If there is no such query, or more than one.
    """
    if dataset is None or not dataset.queries:
        raise InputError(f"--query-id {name}: only a --dataset has queries; name it")
    query = _query(dataset, name)
    judgements = judge((query,), dataset.gallery, dataset.relevance)
    began = time.perf_counter()
    vectors = index.encode(query.path)
    described = time.perf_counter()
    [block] = index.compare(vectors, judgements)
    ranking = summarise([block], judgements, depth=max(k, 10))
    seconds = (described - began, time.perf_counter() - described)
    order = ranking.neighbours[0][ranking.neighbours[0] >= 0][:k]
    positive = set(judgements.of[0].positive.tolist())
    right = [number in positive for number in order.tolist()] if positive else None
    neighbours = list(index.neighbours(order, block.distances[0][order], right))
    scores = mean_scores(ranking)
    top = {key: value for key in TOPS if (value := scores[key]) is not None}
    return _result(index, query.path, query.label, neighbours, seconds, top)


def _method(preset: str | None, extractor: str | None, epochs: int | None = None) -> Method:
    return method_from(Path(preset)) if preset else parse_method(extractor or "", epochs)


def unnamed_method(index: Path | None, epochs: int | None) -> Method:
    """The method where none is named: that of the index in a folder, or `EXTRACTOR`."""
    try:
        about = About.read(index) if index else None
    except DamagedError:  # it is made anew
        about = None
    return method_by(about, index, epochs) if index and about else parse_method(EXTRACTOR, epochs)


def _open_as_it_is(folder: Path, wanted: Method | None = None) -> Index:
    def attempt() -> Index:
        generation = Generation.open(folder)
        if generation is None:
            raise InputError(
                f"--index {folder}: no index there; make one with --pictures or --dataset"
            )
        if wanted:
            require_index_by(wanted, generation.about, folder)
        return Index(generation)

    return steadily(folder, attempt)


def _query(dataset: Dataset, name: str) -> Image:
    known = {image.id: image for images in dataset.queries.values() for image in images}
    ends = [image for key, image in known.items() if key == name or key.endswith(f"/{name}")]
    if len(ends) == 1 or name in known:
        return known.get(name) or ends[0]
    if ends:
        raise InputError(f"--query-id {name}: {len(ends)} queries end so; write more of the path")
    raise InputError(
        f"--query-id {name}: {dataset.name} has no such query; one is {next(iter(known))}"
    )


def _result(
    index: Index,
    query: Path | None,
    label: str | None,
    neighbours: list[Neighbour],
    seconds: tuple[float, float],
    top: dict[str, float] | None = None,
) -> SearchResult:
    described, searched = (round(1e3 * part, 3) for part in seconds)
    return SearchResult(
        query=query,
        label=label,
        searched=index.about.name,
        size=len(index),
        extractor=index.about.method,
        neighbours=neighbours,
        top=top or {},
        describe_ms=described,
        search_ms=searched,
        approximate=index.approximation,
    )
