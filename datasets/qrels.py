"""Judgements in the form of trec_eval (qrels): a line for each pair of a query and an image."""

from collections.abc import Container
from pathlib import Path
from urllib.parse import unquote

from datasets.errors import InputError
from datasets.names import canonical
from datasets.text_files import read_text

_FORM = "write: query-id 0 gallery-id grade"


def read_qrels(path: Path, ids: Container[str]) -> dict[str, dict[str, dict[str, float]]]:
    """Read ``query-id 0 gallery-id grade`` into what ``relevance.json`` would hold.

    Images of grade 0 or less are not relevant, as trec_eval has it. A blank separates columns,
    so ids may have ``%20`` in its place, as `benchmarks.export` writes them.

    Parameters
    ----------
    path : Path
        The file.
    ids : container of str
        Ids of the dataset in Unicode's composed form. An id that is among them is meant as it
        stands; any other is meant with its percent signs decoded.

    Returns
    -------
    dict of str to dict
        ``{query id: {"positive": {gallery id: grade}}}``.

    Raises
    ------
    InputError
        If it cannot be read, a line has another form or a pair stands twice; names the line.

    References
    ----------
    .. [1] https://trec.nist.gov/data/qrels_eng/
    """
    judged: dict[str, dict[str, float]] = {}
    seen = set()
    for number, line in enumerate(read_text(path).split("\n"), 1):
        cells = line.split()
        if not cells:
            continue
        place = f"{path}: line {number}"
        if len(cells) != 4:
            raise InputError(f"{place}: {len(cells)} columns instead of 4; {_FORM}")
        query, image = (
            name if canonical(name) in ids else unquote(name) for name in (cells[0], cells[2])
        )
        try:
            grade = float(cells[3].replace("_", "?"))  # Python allows it in numbers
        except ValueError as error:
            raise InputError(f"{place}: grade {cells[3]!r} is no number; {_FORM}") from error
        if (query, image) in seen:
            raise InputError(f"{place}: {query!r} and {image!r} stand twice; remove one line")
        seen.add((query, image))
        relevant = judged.setdefault(query, {})
        if not grade <= 0:  # NaN is refused with the other grades that cannot be
            relevant[image] = grade
    if not judged:
        raise InputError(f"{path}: has no line; {_FORM}, or remove the file")
    return {query: {"positive": relevant} for query, relevant in judged.items()}
