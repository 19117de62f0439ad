"""Relevance judgements of single queries, for datasets without classes such as landmarks."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from datasets.errors import InputError
from datasets.json_files import check_json, read_json_as
from datasets.names import canonical, near_miss, require_once
from datasets.qrels import read_qrels
from datasets.task import Problem, Relevance
from datasets.walk import QRELS, RELEVANCE

_REMEDY = (
    'write {query id: {"positive": [gallery ids] or {gallery id: grade}, "junk": [gallery ids]}} '
    "or remove the file"
)

_Grade = Annotated[float, msgspec.Meta(ge=1e-9, le=1e9)]


class _Judgement(msgspec.Struct, forbid_unknown_fields=True):
    positive: frozenset[str] | dict[str, _Grade] | msgspec.UnsetType = msgspec.UNSET
    junk: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Place:
    """The place of a file in a dataset.

    Attributes
    ----------
    parts : frozenset of str
        Its parts: gallery, training, query sets; empty if it has none yet.
    readable : bool
        Whether it is a picture that can be read.
    dealt : bool
        Whether the split put it there, not a folder.
    asks_not : bool
        Whether it is a query that leave-one-out leaves out.
    """

    parts: frozenset[str]
    readable: bool = True
    dealt: bool = False
    asks_not: bool = False


def read_relevance(
    root: Path, places: Mapping[str, Place]
) -> tuple[dict[str, Relevance], list[Problem]]:
    """Read a dataset's ``relevance.json`` or, as trec_eval has them, its ``qrels.txt``.

    The first is ``{query id: {"positive": [gallery ids], "junk": [gallery ids]}}``. A list that
    is left out says nothing: without ``positive``, a query's class tells which images are
    relevant. ``positive`` may give grades from 10⁻⁹ to 10⁹, ``{gallery id: grade}``; in a list
    every image has grade 1. Ids are compared in Unicode's composed form.

    Parameters
    ----------
    root : Path
        The folder of the dataset; without either file there are no judgements.
    places : mapping of str to Place
        Every file of the dataset, by id.

    Returns
    -------
    judgements : dict of str to Relevance
        By query id. Queries that are not named keep their class labels.
    problems : list of Problem
        Queries that it leaves without a relevant image.

    Raises
    ------
    InputError
        If a file cannot be read, has another form or names an image that cannot be meant,
        with the reason; if both are there.
    """
    path = _file_of(root)
    if path is None:
        return {}, []
    ids = {canonical(name): name for name in places}
    content: dict[str, object] = (
        {**read_qrels(path, ids)}
        if path.name == QRELS
        else read_json_as(path, dict[str, object], _REMEDY) or {}
    )
    require_once(content, str(path))
    judged: dict[str, Relevance] = {}
    problems = []
    for query, lists in content.items():
        place = f"{path}: {query!r}"
        found = check_json(lists, _Judgement, place, _REMEDY)
        [key] = _known(f"{path}: query", "query", [query], ids, places)
        junk = frozenset(_known(f"{place}: junk", "gallery", found.junk, ids, places))
        positive = None
        grades: dict[str, float] = {}
        if found.positive is not msgspec.UNSET:
            named = _known(f"{place}: positive", "gallery", found.positive, ids, places)
            positive = frozenset(named)
            if isinstance(found.positive, dict):
                require_once(found.positive, f"{place}: positive")
                given = {canonical(name): grade for name, grade in found.positive.items()}
                graded = {name: given[canonical(name)] for name in sorted(positive)}
                grades = {name: grade for name, grade in graded.items() if grade != 1}
            if both := sorted(positive & junk):
                raise InputError(f"{place}: {both[0]!r} is both positive and junk; remove one")
            if places[key].readable and not any(places[name].readable for name in named):
                which = " that can be read" if named else ""
                what = f"{path.name} names no relevant image{which}"
                problems.append(Problem(key, what, "not scored"))
        judged[key] = Relevance(positive, junk, grades)
    return judged, problems


def _file_of(root: Path) -> Path | None:
    """The file that judges, if there is one."""
    there = [root / name for name in (RELEVANCE, QRELS) if os.path.lexists(root / name)]
    if len(there) > 1:
        raise InputError(f"{root}: {RELEVANCE} and {QRELS} both judge; remove one")
    for path in there:
        if not path.exists():
            raise InputError(f"{path}: a link to a file that is not there; mend or remove it")
    return next(iter(there), None)


def _known(
    place: str,
    part: str,
    names: Iterable[str],
    ids: Mapping[str, str],
    places: Mapping[str, Place],
) -> list[str]:
    """The ids that are meant by names, which lie in the gallery or in a query set."""
    found = []
    for name in sorted(names):
        key = ids.get(canonical(name))
        if key is None:
            near = near_miss(name, places)
            remedy = f"did you mean {near!r}?" if near else "mend or remove it"
            raise InputError(f"{place} {name!r} is not in the dataset; {remedy}")
        where = places[key]
        if where.asks_not:
            raise InputError(
                f"{place} {name!r} is left out, for with --leave-one-out the gallery asks; remove "
                "it, or run without"
            )
        fits = any(one.partition("-")[0] == part for one in where.parts)
        unknown = not where.parts and not where.readable  # the split deals readable ones only
        there = " and ".join(sorted(where.parts))
        if not fits and where.dealt:
            raise InputError(
                f"{place} {name!r} was dealt to {there} by the split; remove it, or say "
                "what is asked and searched by folders: validation/query, validation/gallery"
            )
        if not fits and not unknown:
            raise InputError(f"{place} {name!r} lies in {there}, not in {part}; remove it")
        found.append(key)
    return found
