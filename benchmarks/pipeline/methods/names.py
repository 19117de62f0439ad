"""Names of methods, and the methods that they stand for."""

import difflib

import extractors
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from benchmarks.pipeline.methods.method import Method
from datasets.errors import InputError
from datasets.file_names import require_file_name
from retrieval.fusion.methods import FUSION_METHODS, LEARNED
from retrieval.reranking.menu import RERANKINGS
from retrieval.reranking.spatial import Verification

GEOMETRY = "geometry"

COMBINED = (
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
"""Methods of ``--all`` beside the extractors alone; `parse_method` knows of many more."""


def method_names() -> list[str]:
    """Names of all methods that ``--all`` runs, in order."""
    known = {*extractors.MENU, *_steps()}
    return [*extractors.MENU, *(name for name in COMBINED if known.issuperset(name.split("+")))]


def parse_method(name: str, epochs: int | None = None, option: str = "--extractor") -> Method:
    """Make the method that a name stands for, see `benchmarks.pipeline.methods.method`.

    Parameters
    ----------
    name : str
        Extractors, then the way of fusing them (by learned weights if it does not say), then
        re-rankings, with ``+`` between.
    epochs : int, optional
        Networks are trained for no more than these.
    option : str
        The option that it was written behind, for messages.

    Raises
    ------
    InputError
        If it is not the name of a method.
    """
    require_file_name(name, "a method", f"fuse fewer in {option}")
    parts = name.split("+")
    members = [part for part in parts if part in extractors.MENU]
    steps = parts[len(members) :]
    for part in parts:
        if part not in extractors.MENU and part not in _steps():
            raise InputError(f"{option} {name}: {_unknown(part)}")
    if not members or parts[: len(members)] != members:
        raise InputError(
            f"{option} {name}: first extractors, then how they are fused, then re-rankings"
        )
    if len(set(parts)) < len(parts):
        raise InputError(f"{option} {name}: something stands there twice")
    chosen = [step for step in steps if step in FUSION_METHODS]
    if steps[: len(chosen)] != chosen or len(chosen) > 1:
        raise InputError(f"{option} {name}: one way of fusion, right behind the extractors")
    if chosen and len(members) == 1:
        raise InputError(f"{option} {name}: {chosen[0]} fuses at least two extractors")
    if GEOMETRY in steps[:-1]:
        raise InputError(f"{option} {name}: {GEOMETRY} comes last")
    method = Method(
        name,
        tuple(ExtractorSteps(member, extractors.MENU[member], epochs) for member in members),
        FUSION_METHODS[(chosen or [LEARNED])[0]] if len(members) > 1 else None,
        tuple(RERANKINGS[step] for step in steps if step in RERANKINGS),
        Verification() if GEOMETRY in steps else None,
    )
    if method.verification and not method.verified:
        raise InputError(f"{option} {name}: {GEOMETRY} needs an extractor of local features")
    return method


def expand(name: str) -> list[str]:
    """Names that one with ``*`` at its end stands for; a list of itself alone for any other.

    ``a+b+*`` is every way of fusion, ``a+*`` every re-ranking.
    """
    if not name.endswith("+*"):
        return [name]
    stem = name.removesuffix("+*")
    is_whole = parse_method(stem).fusion is None or any(
        part in FUSION_METHODS for part in stem.split("+")
    )
    return [f"{stem}+{step}" for step in (RERANKINGS if is_whole else FUSION_METHODS)]


def _steps() -> list[str]:
    return [*FUSION_METHODS, *RERANKINGS, GEOMETRY]


def _unknown(part: str) -> str:
    close = difflib.get_close_matches(part, [*extractors.MENU, *_steps()], n=1, cutoff=0.4)
    hint = f"did you mean {close[0]!r}?" if close else "--list shows them all"
    return f"no such extractor; {hint}" if not part else f"no such extractor as {part!r}; {hint}"
