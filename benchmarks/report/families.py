"""Which kind of extractor a row is, by what its card says that it is made of."""

from benchmarks.formats.files import Json

COMBINED = "combined"
RERANKED = "re-ranked"
OTHER = "other"

KINDS = ("colour", "texture", "shape", "local", "network", COMBINED, RERANKED, OTHER)
"""In the order of the menu."""

_BY_MODULE = {"colour": "colour", "texture": "texture", "shape": "shape", "gist": "shape"}


def kind_of(record: Json) -> str:
    """Kind of a row.

    Parameters
    ----------
    record : dict
        See `read_records`; one without numbers has a kind as well.

    Returns
    -------
    str
        One of `KINDS`: combined if the row searches by several extractors, whatever re-ranks
        what they find; re-ranked if by one; other if its module is none of the suite's.
    """
    parts = record["card"]["extractor"]
    if "rows" in parts:
        return COMBINED if len(parts["rows"]) > 1 else RERANKED
    if "detector" in parts:
        return "local"
    if "network" in parts:
        return "network"
    if "family" in parts:
        return str(parts["family"])
    return _BY_MODULE.get(parts["head"]["class"].split(".")[-2], OTHER)


def has_network(record: Json) -> bool:
    """Whether a network is part of a row, alone or with others."""
    parts = record["card"]["extractor"]
    return any("network" in one for one in (parts, *parts.get("rows", {}).values()))
