"""The family of features that a method belongs to, as its record tells."""

from collections.abc import Mapping, Sequence

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.results import TaskResults

NETWORK = "network"
FUSED = "fused"
RERANKED = "re-ranked"
OTHER = "other"

FAMILIES = ("colour", "texture", "shape", "local", NETWORK, FUSED, RERANKED, OTHER)
"""In the order of the menu."""


def family_of(record: Json) -> str:
    """Family of a method.

    Parameters
    ----------
    record : dict
        Record of the method, with numbers or without, see `read_records`.

    Returns
    -------
    str
        One of `FAMILIES`: fused if the method searches by several extractors, re-ranked if it
        re-ranks the neighbours of one, else the family of its extractor.
    """
    card = record["card"]["extractor"]
    count = len(extractor_cards(card))
    return _family(card) if count == 0 else RERANKED if count == 1 else FUSED


def has_network(record: Json) -> bool:
    """Tell whether a network is part of a method, alone or with other extractors."""
    card = record["card"]["extractor"]
    return any(_family(one) == NETWORK for one in (card, *extractor_cards(card).values()))


def extractor_cards(card: Json) -> dict[str, Json]:
    """Cards of the extractors that a method fuses or re-ranks, by name; else none.

    Parameters
    ----------
    card : dict
        What the method's protocol card says under ``extractor``.
    """
    found: dict[str, Json] = card.get("extractors") or card.get("rows") or {}
    return found


def families_of(task: TaskResults) -> dict[str, str]:
    """Method to family, of the methods of a task that have numbers."""
    return {r["row"]: family_of(r) for r in task.records if r["status"] == "ok"}


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


def _family(card: Json) -> str:
    """Family of one extractor; other if it is none of the suite's."""
    family = card.get("family") or _family_before_declared(card)
    return family if family in FAMILIES else OTHER


def _family_before_declared(card: Json) -> str:
    """Guess the family from a record that was written before extractors declared one."""
    if "detector" in card:
        return "local"
    if "network" in card:
        return NETWORK
    module = ("." + card.get("head", {}).get("class", "")).split(".")[-2]
    return "shape" if module == "gist" else module
