"""Every row of the benchmark: the extractors, and what they do combined and re-ranked."""

import difflib

import extractors
from benchmarks.pipeline.methods.extractor import Row
from benchmarks.pipeline.methods.method import Combination
from datasets.errors import InputError
from retrieval.fusion.methods import COMBININGS, LEARNED
from retrieval.reranking.menu import RERANKINGS
from retrieval.reranking.spatial import Verification

GEOMETRY = "geometry"

COMBINATIONS = (
    "rootsift-bovw+geometry",
    "orb-bovw+geometry",
    # classical features together
    "hsv-histogram-grid+rootsift-bovw",
    "hsv-histogram-grid+lbp+gist+rootsift-bovw",
    "sift-fisher+zernike-moments",
    # and with a network
    "efficientnet-lite0+hsv-histogram-grid",
    "efficientnet-lite0+rootsift-bovw",
    "efficientnet-lite0+sift-fisher",
    "efficientnet-lite0+gist-lines",
    "efficientnet-lite0+hog+rrf",
    "densenet169+gist-lines",
    "efficientnet-lite0+densenet169",
    "efficientnet-lite0+densenet169+gist-lines",
    "efficientnet-lite0+densenet169-finetuned+combsum-zscore",
    # re-ranked
    "efficientnet-lite0+alpha-qe",
    "efficientnet-lite0+k-reciprocal",
    "efficientnet-lite0+diffusion",
    "efficientnet-lite0+densenet169+diffusion",
)
"""Rows beside the extractors themselves; `make` knows of many more."""


def row_names() -> list[str]:
    """Names of all rows, in order."""
    members = [name.split("+") for name in COMBINATIONS]
    return [*extractors.MENU] + [
        name
        for name, parts in zip(COMBINATIONS, members, strict=True)
        if all(part in extractors.MENU or part in _steps() for part in parts)
    ]


def make(name: str, epochs: int | None = None, option: str = "--extractor") -> Combination:
    """Make the row that a name says, see `benchmarks.pipeline.methods.method`.

    Parameters
    ----------
    name : str
        Extractors, then how they are combined (by learned weights if it does not say), then
        re-rankings, with ``+`` between.
    epochs : int, optional
        Networks are trained for no more than these.
    option : str
        What the user wrote it behind, for messages.

    Raises
    ------
    InputError
        If it says nothing that makes sense.
    """
    parts = name.split("+")
    members = [part for part in parts if part in extractors.MENU]
    steps = parts[len(members) :]
    for part in parts:
        if part not in extractors.MENU and part not in _steps():
            raise InputError(f"{option} {name}: {_unknown(part)}")
    if not members or parts[: len(members)] != members:
        raise InputError(
            f"{option} {name}: first extractors, then how they are combined, then re-rankings"
        )
    if len(set(parts)) < len(parts):
        raise InputError(f"{option} {name}: something stands there twice")
    chosen = [step for step in steps if step in COMBININGS]
    if steps[: len(chosen)] != chosen or len(chosen) > 1:
        raise InputError(f"{option} {name}: one way of combining, right behind the extractors")
    if chosen and len(members) == 1:
        raise InputError(f"{option} {name}: {chosen[0]} combines at least two extractors")
    if GEOMETRY in steps[:-1]:
        raise InputError(f"{option} {name}: {GEOMETRY} comes last")
    combining = COMBININGS[(chosen or [LEARNED])[0]] if len(members) > 1 else None
    made = Combination(
        name,
        tuple(Row(member, extractors.MENU[member], epochs) for member in members),
        combining,
        tuple(RERANKINGS[step] for step in steps if step in RERANKINGS),
        Verification() if GEOMETRY in steps else None,
    )
    if made.verification and not made.verified:
        raise InputError(f"{option} {name}: {GEOMETRY} needs an extractor of local features")
    return made


def expand(name: str) -> list[str]:
    """The names that one with ``*`` at its end stands for; else itself.

    ``a+b+*`` is every way of combining, ``a+*`` every re-ranking.
    """
    if not name.endswith("+*"):
        return [name]
    stem = name.removesuffix("+*")
    alone = make(stem).combining is None or any(part in COMBININGS for part in stem.split("+"))
    return [f"{stem}+{step}" for step in (RERANKINGS if alone else COMBININGS)]


def _steps() -> list[str]:
    return [*COMBININGS, *RERANKINGS, GEOMETRY]


def _unknown(part: str) -> str:
    close = difflib.get_close_matches(part, [*extractors.MENU, *_steps()], n=1, cutoff=0.4)
    hint = f"did you mean {close[0]!r}?" if close else "--list shows them all"
    return f"no such extractor; {hint}" if not part else f"no such extractor as {part!r}; {hint}"
