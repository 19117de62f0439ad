"""Relevance judgements of single queries, for datasets without classes such as landmarks."""

from collections.abc import Collection
from pathlib import Path

import msgspec

from datasets.errors import InputError
from datasets.json_files import check_json, read_json_as
from datasets.task import Relevance

_REMEDY = 'write {query id: {"positive": [gallery ids], "junk": [gallery ids]}} or remove the file'


class _Judgement(msgspec.Struct, forbid_unknown_fields=True):
    positive: frozenset[str] = frozenset()
    junk: frozenset[str] = frozenset()


def read_relevance(
    path: Path, queries: Collection[str], gallery: Collection[str]
) -> dict[str, Relevance]:
    """Read ``{query id: {"positive": [gallery ids], "junk": [gallery ids]}}``.

    Parameters
    ----------
    path : Path
        The file; no file means no judgements.
    queries, gallery : collection of str
        The ids that the file may name.

    Returns
    -------
    dict of str to Relevance
        Query id to its judgement; empty if there is no such file. Queries that the file does not
        name keep their class labels.

    Raises
    ------
    InputError
        If the file cannot be read, is no JSON of this form or names an image that is not there.
    """
    judged = {}
    for query, lists in (read_json_as(path, dict[str, object], _REMEDY) or {}).items():
        if query not in queries:
            raise InputError(f"{path}: query {query!r} is not in the dataset; mend or remove it")
        judged[query] = _judgement(f"{path}: {query!r}", lists, gallery)
    return judged


def _judgement(place: str, lists: object, gallery: Collection[str]) -> Relevance:
    found = check_json(lists, _Judgement, place, _REMEDY)
    for kind, ids in (("positive", found.positive), ("junk", found.junk)):
        if unknown := sorted(name for name in ids if name not in gallery):
            raise InputError(f"{place}: {unknown[0]!r}, {kind}, is not in the gallery; remove it")
    if both := sorted(found.positive & found.junk):
        raise InputError(f"{place}: {both[0]!r} is both positive and junk; remove one")
    return Relevance(found.positive, found.junk)
