"""Queries that cannot be scored, and sets of too few, told before anything is extracted."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from datasets.errors import InputError
from datasets.task import Dataset, Problem, Relevance, Task
from retrieval.bootstrap import FEW, too_few
from retrieval.protocol import Judge


def check_queries(dataset: Dataset) -> Dataset:
    """Give a dataset rows for queries that are not scored, and warnings of sets of too few.

    Raises
    ------
    InputError
        If there are classes or judgements and yet no query that could be scored, or none that
        could be answered wrongly.
    """
    judged = [
        (task, Judge(dataset.gallery, dataset.relevance, task.keeps_query))
        for task in dataset.tasks
    ]
    warnings = [*_few_queries(judged), *_learned_groups(dataset)]
    return _with_lone_queries(replace(dataset, warnings=(*dataset.warnings, *warnings)), judged)


def _few_queries(judged: Sequence[tuple[Task, Judge]]) -> Iterator[str]:
    """A warning for each query set that resampling says little about."""
    for task, judge in judged:
        scored = (query for query in task.queries if len(judge(query).positive))
        number, every = sum(1 for _ in islice(scored, FEW)), len(task.queries)
        ones = "one" if number == 1 else "ones"
        which = "" if number == every else f", the only {ones} of {every} that can be scored,"
        if told := too_few(number, which):
            yield f"{task.query_set}: {told}"


def _learned_groups(dataset: Dataset) -> Iterator[str]:
    """A warning of training images that show what a query shows."""
    asked = {query.group for queries in dataset.queries.values() for query in queries} - {None}
    if number := sum(image.group in asked for image in dataset.training):
        yield f"{number:,} training images are of the group of a query, so that it is learned from"


def _with_lone_queries(dataset: Dataset, asked: Sequence[tuple[Task, Judge]]) -> Dataset:
    """The dataset with a row for all queries whose relevant images are themselves or junk.

    Raises
    ------
    InputError
        If there are classes or judgements and yet no query that could be scored, or none that
        could be answered wrongly.
    """
    searched = Counter(label for image in dataset.gallery for label in image.labels)
    lone: Counter[str] = Counter()
    answered = can_fail = not dataset.labelled
    for task, judge in asked:
        for query in task.queries:
            # Of two images of a class only one can be the query itself.
            several = any(searched[label] > 1 for label in query.labels)
            plain = several and query.group is None and query.id not in dataset.relevance
            if plain and can_fail:
                continue
            judgement = judge(query)
            if right := len(judgement.positive):
                answered = True
                can_fail |= right + len(judgement.excluded) < len(dataset.gallery)
                continue
            judged = dataset.relevance.get(query.id, Relevance())
            if judged.positive or (judged.positive is None and query.labels & searched.keys()):
                lone[query.id if judged.positive else f"{task.query_set}/{query.label}"] += 1
    place = dataset.name if dataset.root == Path() else dataset.root
    if not answered:
        raise InputError(
            f"{place}: no query has a relevant picture in the gallery, itself and junk "
            "aside, so nothing could be scored; add others of their classes"
        )
    if not can_fail:
        raise InputError(
            f"{place}: every picture of the gallery is a right answer to every query, so "
            "every score would be 1; add others"
        )
    what = "nothing is relevant but the query itself and junk"
    rows = [Problem(name, what, f"{count:,} queries not scored") for name, count in lone.items()]
    problems = sorted([*dataset.problems, *rows], key=lambda row: row.order)
    return replace(dataset, problems=tuple(problems))
