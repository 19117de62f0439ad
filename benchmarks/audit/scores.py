"""Scores of methods with and without the near duplicates of the queries."""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.audit.compare import compare_images
from benchmarks.audit.duplicates import (
    Pair,
    describe_pairs,
    most_telling_first,
    without_leaks,
)
from benchmarks.formats.files import Json
from benchmarks.pipeline.cache.fingerprint import digest
from benchmarks.pipeline.evaluation.evaluate import Evaluation
from benchmarks.pipeline.evaluation.fitted_method import CANNOT_LEARN
from benchmarks.pipeline.extraction.outcome import Extracted
from benchmarks.pipeline.extraction.transformed import extract_for
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.records.card import commit, machine
from datasets.task import Dataset
from retrieval import protocol
from retrieval.bootstrap import difference_intervals
from retrieval.metrics import score
from retrieval.protocol import Judgements
from retrieval.ranking import Ranking
from retrieval.scoring import Values

_METRICS = ("top1", "map")


def audit(
    evaluation: Evaluation, methods: Sequence[Method], embedding: ExtractorSteps
) -> tuple[Json, list[Pair]]:
    """Find near duplicates and score methods with and without those of the queries.

    Parameters
    ----------
    evaluation : Evaluation
        Of the dataset.
    methods : sequence of Method
        To be scored.
    embedding : ExtractorSteps
        Its vectors tell near duplicates.

    Returns
    -------
    found : dict
        Content of ``leaks.json``.
    pairs : list of Pair
        All of them, the most telling first.

    Raises
    ------
    InputError
        If the embedding has no vectors of these pictures.
    """
    dataset, cache, workforce = evaluation.dataset, evaluation.cache, evaluation.workforce
    images = [image for _, image in dataset.images]
    used = [Method(embedding.name, (embedding,)), *methods]
    extracted = extract_for(used, dataset, cache, False, workforce)
    parts = [part for part, _ in dataset.images]
    found = compare_images(images, extracted[embedding.name], cache, workforce)
    pairs = most_telling_first(found, parts)
    cleaned = _cleaned(evaluation, pairs)
    queries = {
        name: sum(
            len(one.excluded) < len(other.excluded)
            for one, other in zip(judgements.of, cleaned[name].of, strict=True)
        )
        for name, judgements in evaluation.judgements.items()
    }
    scores: dict[str, Json] = {name: {} for name in evaluation.judgements}
    for method in methods if any(queries.values()) else ():
        ranked = _ranked(evaluation, method, extracted, cleaned)
        if isinstance(ranked, str):
            workforce.log(f"{method.name} is left out: {ranked}")
            continue
        straight, without = ranked
        for name in queries:
            if queries[name]:
                one, other = score(straight[name]), score(without[name])
                if not np.isnan(other[_METRICS[0]]).all():  # something relevant is left
                    scores[name][method.name] = {m: _compare(one[m], other[m]) for m in _METRICS}
    return {
        "dataset": dataset.name,
        "images": len(images),
        "embedding": embedding.name,
        **describe_pairs(pairs, dataset.images),
        "queries": queries,
        "scores": scores,
        "card": _card(dataset, embedding, methods),
    }, pairs


def _ranked(
    evaluation: Evaluation,
    method: Method,
    extracted: Mapping[str, Extracted],
    cleaned: Mapping[str, Judgements],
) -> list[dict[str, Ranking]] | str:
    """Rankings by all judgements and by the cleaned ones; or the reason why there are none."""
    for one in method.extractors:
        if obstacle := extracted[one.name].obstacle:
            return obstacle
    try:
        return [evaluation.rank(method, extracted, by) for by in (evaluation.judgements, cleaned)]
    except CANNOT_LEARN as error:
        return str(error)


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


def _card(dataset: Dataset, embedding: ExtractorSteps, methods: Sequence[Method]) -> Json:
    named: list[ExtractorSteps | Method] = [embedding, *methods]
    return {
        "split": dataset.split,
        "split hash": dataset.fingerprint,
        "task hashes": [task.fingerprint for task in dataset.tasks],
        "protocol version": protocol.VERSION,
        "extractors": {one.name: one.identity for one in named},
        "methods": {one.name: digest(one.card) for one in methods},
        "commit": commit(),
        "machine": machine(),
    }
