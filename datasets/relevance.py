"""``relevance.json``: judgements per query, for sets where classes say too little (landmarks)."""

import json
from collections.abc import Collection
from pathlib import Path

from datasets.errors import InputError
from datasets.task import Relevance

FILE_NAME = "relevance.json"


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
        Empty if there is no such file. Queries that it does not name keep their class labels.

    Raises
    ------
    InputError
        If the file is no JSON of this form or names an image that is not there.
    """
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable as JSON ({error})") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: must be an object of query ids")
    judged = {}
    for query, lists in content.items():
        if query not in queries:
            raise InputError(f"{path}: query {query!r} is not in the dataset; mend or remove it")
        judged[query] = _judgement(path, query, lists, gallery)
    return judged


def _judgement(path: Path, query: str, lists: object, gallery: Collection[str]) -> Relevance:
    if not isinstance(lists, dict) or not set(lists) <= {"positive", "junk"}:
        raise InputError(f"{path}: {query!r} must have the lists 'positive' and 'junk' only")
    named = {}
    for kind in ("positive", "junk"):
        ids = lists.get(kind, [])
        if not isinstance(ids, list) or not all(isinstance(name, str) for name in ids):
            raise InputError(f"{path}: {kind!r} of {query!r} must be a list of gallery ids")
        for name in ids:
            if name not in gallery:
                raise InputError(f"{path}: {name!r}, {kind} of {query!r}, is not in the gallery")
        named[kind] = frozenset(ids)
    if named["positive"] & named["junk"]:
        both = sorted(named["positive"] & named["junk"])[0]
        raise InputError(f"{path}: {both!r} is both positive and junk for {query!r}")
    return Relevance(**named)
