"""The family of features that a method belongs to, as its record tells."""

from collections.abc import Mapping, Sequence

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.results import TaskResults
from extractors.base import FAMILIES as OF_EXTRACTORS

NETWORK = "network"
FUSED = "fused"
RERANKED = "re-ranked"
OTHER = "other"

FAMILIES = (*OF_EXTRACTORS[:-1], FUSED, RERANKED, OTHER)
"""In the order of the menu."""


def family_of(record: Json) -> str:
    """Family of a method.

    Parameters
    ----------
    record : dict
        Record of the method, with numbers or without; see `read_results`.

    Returns
    -------
    str
        One of `FAMILIES`: fused if the method searches by several extractors, re-ranked if it
        re-ranks the neighbours of one, else the family of its extractor.
    """
    card = record["card"]["extractor"]
    if "extractors" in card:
        return FUSED if len(card["extractors"]) > 1 else RERANKED
    return card["family"] if card.get("family") in FAMILIES else OTHER


def may_have_network(record: Json) -> bool:
    """Tell whether a network is part of a method, or something that is not known here."""
    card = record["card"]["extractor"]
    families = {one.get("family") for one in card.get("extractors", {"": card}).values()}
    return not families <= {*FAMILIES} - {NETWORK, OTHER}


def families_of(task: TaskResults) -> dict[str, str]:
    """Method to family, of the methods of a task that have numbers."""
    return {r["method"]: family_of(r) for r in task.records if r["status"] == "ok"}


def best_of_each_family(names: Sequence[str], families: Mapping[str, str]) -> list[str]:
    """First method of each family, in the order of the families.

    Parameters
    ----------
    names : sequence of str
        Methods, best first.
    families : mapping of str to str
        Method to family, see `families_of`.
    """
    firsts = {families[name]: name for name in reversed(names)}
    return [firsts[family] for family in FAMILIES if family in firsts]
