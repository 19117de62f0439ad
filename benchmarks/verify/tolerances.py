"""Kinds of methods, by how far the same work may end elsewhere on another machine.

On one machine everything is equal to the byte, whatever its kind. Between processors sums of
floating-point numbers are added up in other orders: that hardly moves a ranking, but learning by
iteration may end elsewhere from there.
"""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.seeds import SEEDS


@dataclass(frozen=True)
class Kind:
    """Methods whose numbers agree to a tolerance.

    Attributes
    ----------
    name : str
        Of the kind.
    map, top : float
        Largest difference of mAP, and of any top-k, that is no difference in fact.
    measured : str
        Where that was measured.
    holds : callable
        Whether an extractor, as cards have it, is of this kind, if it is of none before it.
    """

    name: str
    map: float
    top: float
    measured: str
    holds: Callable[[Json], bool]


def recipe(extractor: Json) -> Json:
    """The recipe by which an extractor's network is trained; nothing if it is not."""
    found = _params(extractor).get("recipe")
    return found if isinstance(found, dict) else {}


def _params(extractor: Json) -> Json:
    head = extractor.get("head")
    params = head.get("params") if isinstance(head, dict) else None
    return params if isinstance(params, dict) else {}


KINDS = (
    Kind(
        "trained step by step",
        0.04,
        0.13,
        "between two processors cnn-compact differed by 0.030 mAP, cnn-plain by 0.125 top-3",
        lambda extractor: bool(recipe(extractor)),
    ),
    Kind(
        "vocabulary or mixture learned by iteration",
        0.025,
        0.08,
        "with the kernels of another processor (OpenBLAS' Haswell for SkylakeX) sift-fisher "
        "differed by 0.020 mAP on openmoji, orb-bovw by 0.073 top-3 on pacs",
        lambda extractor: any(_params(extractor).get(name) is not None for name in SEEDS),
    ),
    Kind(
        "network as it is",
        0.002,
        0.005,
        "efficientnet-lite0 was equal there; elsewhere float32 sums differ in the last digits",
        lambda extractor: "network" in extractor,
    ),
    Kind(
        "plain arithmetic",
        0.0005,
        0.004,
        "nine methods were equal there; a difference in the last digits may swap two images",
        lambda extractor: True,
    ),
)
"""All kinds, the widest first."""


def kind_of(extractor: Json) -> Kind:
    """The kind of a method; what fuses or re-ranks others is of the widest of their kinds.

    Parameters
    ----------
    extractor : dict
        The field of that name on a protocol card.
    """
    members = extractor.get("extractors") or {"": extractor}
    return max(map(_kind, members.values()), key=lambda kind: kind.map)


def _kind(extractor: Json) -> Kind:
    return next(kind for kind in KINDS if kind.holds(extractor))
