"""Look for leaks: near duplicates within and across training, gallery and queries.

``python -m benchmarks.audit DATASET``. Pairs go into the results folder of the dataset, with
every row's scores with and without them; their pictures into a folder of your own.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import joblib
import numpy as np
from numpy.typing import NDArray

import datasets
from benchmarks import CHECKOUT
from benchmarks.cli import (
    Parser,
    add_network_options,
    command,
    default_cache,
    natural,
    positive,
    use_networks,
)
from benchmarks.formats.files import Json, require_writable, write_json
from benchmarks.formats.sheets import Cell, draw_sheet
from benchmarks.pipeline.cache.fingerprint import code_hash, libraries
from benchmarks.pipeline.cache.store import VectorStore
from benchmarks.pipeline.evaluation.evaluate import Evaluation
from benchmarks.pipeline.extraction.extract import make_vectors
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.methods.extractor import Row
from benchmarks.pipeline.methods.method import Combination
from benchmarks.pipeline.methods.names import make
from benchmarks.pipeline.records.card import commit, machine, protocol_code
from benchmarks.pipeline.workers import Workforce, cut
from benchmarks.report.pages.leaks import (
    FILE,
    Pair,
    Rule,
    describe_pairs,
    find_pairs,
    most_telling_first,
    without_leaks,
    write_leaks,
)
from datasets.errors import InputError
from datasets.perceptual import perceptual_hash
from datasets.reading import read_image
from datasets.task import Dataset, Image
from retrieval.metrics import Values, score
from retrieval.protocol import Judgements
from retrieval.statistics import difference_intervals

DEFAULT_ROWS = ("efficientnet-lite0", "hsv-histogram-grid", "sift-bovw", "sift-fisher", "hog")
EMBEDDING = "efficientnet-lite0"

_LISTED = 200
_DRAWN = 48
_METRICS = ("top1", "map")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return command(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    rows = [make(name) for name in dict.fromkeys(options.extractor)]
    whose = make(options.embedding, option="--embedding")
    if not whose.is_plain:
        raise InputError(f"--embedding {whose.name}: one extractor alone has vectors; name one")
    use_networks(options)
    require_writable(options.out, "--out")
    workforce = Workforce(options.jobs)
    dataset = load(options.dataset, options.cache, workforce, options.seed)
    evaluation = Evaluation(dataset, options.out, options.cache, options.seed, workforce)
    rows = _runnable(rows, workforce)
    found, pairs = audit(evaluation, rows, whose.rows[0], Rule())
    folder = options.out / dataset.name
    write_json(folder / FILE, found)
    shown = datasets.is_embedded(dataset.name)
    private = (options.pictures or options.cache / "audit") / f"{dataset.name}-leaks.png"
    sheet = folder / "leaks.png" if shown else private
    if pairs:
        draw_sheet(sheet, _cells(dataset, pairs[:_DRAWN]), columns=8, group=2)
        workforce.say(f"The pictures of the most similar pairs are in {sheet}")
    write_leaks(folder)
    workforce.say(f"{len(pairs)} pairs of near duplicates, listed in {folder / 'leaks.md'}")
    return 0


def audit(
    evaluation: Evaluation, rows: Sequence[Combination], embedding: Row, rule: Rule
) -> tuple[Json, list[Pair]]:
    """Find near duplicates and score rows with and without those of the queries.

    Parameters
    ----------
    evaluation : Evaluation
        Of the dataset.
    rows : sequence of Combination
        Whose scores are looked at.
    embedding : Row
        Whose vectors tell near duplicates.
    rule : Rule

    Returns
    -------
    found : dict
        For ``leaks.json``.
    pairs : list of Pair
    """
    dataset, cache, workforce = evaluation.dataset, evaluation.cache, evaluation.workforce
    images = [image for _, image in dataset.images]
    used = {one.name: one for one in (embedding, *(one for row in rows for one in row.rows))}
    made = make_vectors(list(used.values()), dataset, cache, False, workforce)
    if reason := made.failures.get(embedding.name) or made.skipped.get(embedding.name):
        raise InputError(f"--embedding {embedding.name}: {reason}")
    keys = [image.sha256 for image in images]
    vectors = np.concatenate(list(made.stores[embedding.name].blocks(keys)))
    parts = [part for part, _ in dataset.images]
    hashes = _hashes(images, cache, workforce)
    pairs = most_telling_first(find_pairs(keys, hashes, vectors, rule), parts)
    named = [
        (part, image.id, image.label or image.distractor or "") for part, image in dataset.images
    ]
    counts, listed = describe_pairs(pairs, named)
    cleaned = _cleaned(evaluation, pairs)
    scores: dict[str, Json] = {name: {} for name in evaluation.judgements}
    queries = {}
    for name, judgements in evaluation.judgements.items():
        pure = zip(judgements.of, cleaned[name].of, strict=True)
        queries[name] = sum(len(a.excluded) < len(b.excluded) for a, b in pure)
    for row in rows if any(queries.values()) else ():
        if any(one.name in {*made.failures, *made.skipped} for one in row.rows):
            continue
        straight = evaluation.rank(row, made, evaluation.judgements)
        without = evaluation.rank(row, made, cleaned)
        for name in queries:
            if queries[name]:
                one, other = score(straight[name]), score(without[name])
                scores[name][row.name] = {m: _compare(one[m], other[m]) for m in _METRICS}
    return {
        "dataset": dataset.name,
        "images": len(images),
        "embedding": embedding.name,
        "rule": vars(rule),
        "counts": counts,
        "pairs": listed[:_LISTED],
        "queries": queries,
        "scores": scores,
        "card": _card(dataset, embedding, rows),
    }, pairs


def _cleaned(evaluation: Evaluation, pairs: Sequence[Pair]) -> dict[str, Judgements]:
    """The judgements without near duplicates, by query set."""
    dataset = evaluation.dataset
    starts, count = {}, 0
    for part, images in (
        ("training", dataset.training),
        ("gallery", dataset.gallery),
        *((name, dataset.queries[name]) for name in sorted(dataset.queries)),
    ):
        starts[part], count = count, count + len(images)
    return {
        name: without_leaks(judgements, pairs, starts[name], starts["gallery"])
        for name, judgements in evaluation.judgements.items()
    }


def _compare(one: Values, other: Values) -> Json:
    there = ~(np.isnan(one) | np.isnan(other))
    before, after = one[there, None], other[there, None]
    [[low, high]] = difference_intervals(before, after, paired=True)
    means = {"with": float(before.mean()), "without": float(after.mean())}
    return means | {
        "change": means["without"] - means["with"],
        "low": float(low),
        "high": float(high),
    }


def _hashes(images: Sequence[Image], cache: Path, workforce: Workforce) -> NDArray[np.uint8]:
    """Perceptual hashes of all images, from the cache where they were made before."""
    module = "datasets.perceptual"
    store = VectorStore(
        cache / "hashes", "phash", {"code": code_hash(module), "libraries": libraries(module)}
    )
    paths = {image.sha256: image.path for image in images}
    chunks = cut([(key, paths[key]) for key in store.missing(list(paths))])
    for chunk, (made, seconds) in zip(
        chunks, workforce.chunks(_hash_chunk, chunks, "perceptual hashes"), strict=True
    ):
        store.add([key for key, _ in chunk], made, seconds)
    found = np.concatenate(list(store.blocks([image.sha256 for image in images])))
    return found.astype(np.uint8).reshape(len(images), 2, 8)


def _hash_chunk(chunk: Sequence[tuple[str, Path]]) -> tuple[list[NDArray[np.float32]], float]:
    began = time.perf_counter()
    made = [perceptual_hash(read_image(path)).ravel().astype(np.float32) for _, path in chunk]
    return made, time.perf_counter() - began


def _cells(dataset: Dataset, pairs: Sequence[Pair]) -> list[Cell]:
    paths = [image.path for _, image in dataset.images]
    return [
        cell
        for pair in pairs
        for cell in (
            Cell(paths[pair.one], below="equal bytes" if pair.exact else f"{pair.bits} bits"),
            Cell(paths[pair.other], below=f"cosine {pair.cosine:.3f}"),
        )
    ]


def _runnable(rows: Sequence[Combination], workforce: Workforce) -> list[Combination]:
    made: list[Combination] = []
    for row in rows:
        if row.obstacle:
            workforce.say(f"{row.name} is left out: {row.obstacle}")
        else:
            made.append(row)
    return made


def _card(dataset: Dataset, embedding: Row, rows: Sequence[Combination]) -> Json:
    named: list[Row | Combination] = [embedding, *rows]
    return {
        "split": dataset.split,
        "split hash": dataset.fingerprint,
        "protocol code": protocol_code(),
        "extractors": {row.name: row.identity for row in named},
        "commit": commit(),
        "machine": machine(),
    }


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m benchmarks.audit", description=__doc__.split("\n")[0])
    parser.add_argument("dataset", metavar="DATASET", help="its name, a folder, or NAME=PATH")
    parser.add_argument(
        "--extractor",
        nargs="+",
        metavar="NAME",
        default=list(DEFAULT_ROWS),
        help="rows that are scored with and without the pairs (default: %(default)s)",
    )
    parser.add_argument(
        "--embedding",
        metavar="NAME",
        default=EMBEDDING,
        help="row whose vectors tell near duplicates (default: %(default)s)",
    )
    add_network_options(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", default=CHECKOUT / "results")
    parser.add_argument("--cache", type=Path, metavar="DIR", default=default_cache())
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="where the pairs' pictures go (default: the cache); never into results",
    )
    parser.add_argument("--jobs", type=positive, metavar="N", default=joblib.cpu_count())
    parser.add_argument("--seed", type=natural, metavar="N", default=0)
    return parser


if __name__ == "__main__":
    sys.exit(main())
