"""Extractors that methods are made of, by their cards: in one table a name stands for one thing.

Compared is what decides vectors; releases of libraries may differ between machines.
"""

from collections.abc import Mapping

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.differences import without
from extractors.compression import COMPRESSIONS

_RELEASES = {"libraries", "implementation"}


def contradictions(cards: Mapping[str, Json]) -> dict[str, str]:
    """Methods that are made of another extractor than the rest, and its name.

    Parameters
    ----------
    cards : mapping of str to dict
        Method to the ``extractor`` of its protocol card.
    """
    made_of = {method: _parts(method, card) for method, card in cards.items()}
    known: dict[str, Json] = {}
    found = {}
    # An extractor's own row comes first, and says what it is in others.
    for method in sorted(made_of, key=lambda name: (name not in made_of[name], name)):
        for name, part in made_of[method].items():
            if _agree(seen := known.setdefault(name, {}), part):
                seen |= part
            else:
                found[method] = name
    return found


def is_same(method: str, one: Json, other: Json) -> bool:
    """Whether two cards of a method are of the same extractors, as far as both know."""
    parts, others = _parts(method, one), _parts(method, other)
    agree = all(_agree(part, others.get(name, {})) for name, part in parts.items())
    return agree and one.get("tuned") == other.get("tuned")


def _parts(method: str, card: Json) -> dict[str, Json]:
    """Fields of the cards of a method's extractors that decide vectors, by their names."""
    steps = method.partition("@")[0].split("+")
    compressions = sum(step in COMPRESSIONS for step in steps)
    name = steps[0] if compressions else method
    extractors = card.get("extractors") or {name: card}
    return {name: _deciding(part, compressions) for name, part in extractors.items()}


def _deciding(extractor: Json, compressions: int) -> Json:
    steps = ((extractor.get("postprocessing") or {}).get("params") or {}).get("steps") or []
    own = [step for _, step in steps[: len(steps) - compressions]]
    found = {key: extractor.get(key) for key in ("detector", "stem", "head")}
    found |= {"postprocessing": own if "postprocessing" in extractor else None}
    found = without(found, _RELEASES)
    found |= {"weights": (extractor.get("network") or {}).get("weights sha256")}
    found |= {"reading": (extractor.get("reading") or {}).get("version")}
    return {key: value for key, value in found.items() if value is not None}


def _agree(one: Json, other: Json) -> bool:
    return all(one[key] == other[key] for key in one.keys() & other.keys())
