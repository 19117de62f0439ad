"""Names of methods, and the methods that they stand for."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence

from sklearn.pipeline import Pipeline, make_pipeline

import extractors
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from benchmarks.pipeline.methods.method import Method
from datasets.errors import InputError
from datasets.file_names import require_file_name
from extractors import Extractor
from extractors.base import steps_of
from extractors.centring import DomainCentring
from extractors.compression import COMPRESSIONS
from retrieval.fusion.base import FusionMethod
from retrieval.fusion.methods import FUSION_METHODS, LEARNED, EarlyFusion
from retrieval.reranking.menu import RERANKINGS
from retrieval.reranking.spatial import Verification

CENTRED = "centred"
CHANCE = "chance"
"""The tables' line for a random order, which no method is called."""

GEOMETRY = "geometry"

Menu = Mapping[str, Extractor | Pipeline]
"""Name to extractor."""

Epochs = int | Mapping[str, int] | None
"""At most so many epochs: for all networks, or by names of extractors, ``""`` for all others."""

_NOT_OWN = re.compile(r"[+@]|\A[.-]|\.costs\Z")
"""Parts of names that mean something else, of methods or of their files."""

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
    "efficientnet-lite0+centred",
    "efficientnet-lite0+alpha-qe",
    "efficientnet-lite0+k-reciprocal",
    "efficientnet-lite0+diffusion",
    "efficientnet-lite0+densenet169+diffusion",
    # in fewer bytes
    *(f"efficientnet-lite0+{step}" for step in COMPRESSIONS),
    "efficientnet-lite0+pca128+int8",
)
"""Methods of ``--all`` beside the extractors alone; `parse_method` knows of many more."""


def method_names() -> list[str]:
    """Names of all methods that ``--all`` runs, in order."""
    return [*extractors.MENU, *filter(is_method, COMBINED)]


def require_own_name(name: str, place: str) -> str:
    """Require a name that a user's own extractor may have; returns it.

    Parameters
    ----------
    name : str
        The name.
    place : str
        For the message to begin with.

    Raises
    ------
    InputError
        If it cannot be the name of a file, or something else has it.
    """
    if not isinstance(name, str) or _NOT_OWN.search(name):
        raise InputError(f"{place}: {name!r} is no name for a method; leave + and @ to the menu")
    require_file_name(name, "a method", f"choose another in {place}")
    if name.casefold() == CHANCE:
        raise InputError(f"{place}: {name!r} stands for a random order in tables; choose another")
    if name in extractors.MENU or name in _steps():
        raise InputError(f"{place}: {name!r} is in the menu already; choose another name")
    return name


def is_method(name: str) -> bool:
    """Whether all that a method's name is made of is in the menu."""
    return {*extractors.MENU, *_steps()}.issuperset(name.split("+"))


def parse_methods(
    names: Iterable[str], epochs: Mapping[str, int] | None = None, own: Menu | None = None
) -> list[Method]:
    """Make the methods that names stand for, each once; see `parse_method`.

    Raises
    ------
    InputError
        If a name is not that of a method, or epochs are given for what none of them trains.
    """
    methods = [parse_method(name, epochs, own=own) for name in dict.fromkeys(names)]
    trained = {one.name for method in methods for one in method.extractors if one.is_trainable}
    for name, most in (epochs or {}).items():
        if name and name not in trained:
            choice = f"name one of {', '.join(sorted(trained))}" if trained else "leave it out"
            raise InputError(f"--epochs {name}={most}: nothing of that name is trained; {choice}")
    return methods


def parse_method(
    name: str,
    epochs: Epochs = None,
    option: str = "--extractor",
    own: Menu | None = None,
) -> Method:
    """Make the method that a name stands for, see `benchmarks.pipeline.methods.method`.

    Parameters
    ----------
    name : str
        Extractors, then how each one's vectors are compressed, then whether those of a single
        one are centred, or the way of fusing them (by learned weights if it does not say), then
        re-rankings, with ``+`` between.
    epochs : int or mapping of str to int, optional
        Networks are trained for no more than these.
    option : str
        The option that it was written behind, for messages.
    own : mapping of str to Extractor, optional
        The user's own extractors, beside those of the menu.

    Raises
    ------
    InputError
        If it is not the name of a method.
    """
    if not name.strip():
        raise InputError(f"{option}: no name given (is a variable empty?)")
    where, menu = f"{option} {name}", {**extractors.MENU, **(own or {})}
    parts = name.split("+")
    members = [part for part in parts if part in menu]
    steps = parts[len(members) :]
    for part in parts:
        if part not in menu and part not in _steps():
            raise InputError(f"{where}: {_unknown(part, menu)}")
    require_file_name(name, "a method", f"fuse fewer in {option}")
    if not members or parts[: len(members)] != members:
        raise InputError(
            f"{where}: first extractors, then how they are compressed, then how they are "
            "fused, then re-rankings"
        )
    if len(set(parts)) < len(parts):
        raise InputError(f"{where}: something stands there twice")
    compressions = [step for step in COMPRESSIONS if step in steps]
    if steps[: len(compressions)] != compressions:
        raise InputError(
            f"{where}: compressions right behind the extractors, in the order of "
            f"{', '.join(COMPRESSIONS)}"
        )
    steps = steps[len(compressions) :]
    fusion = _fusion(where, members, steps)
    if compressions and isinstance(fusion, EarlyFusion):
        raise InputError(f"{where}: vectors that are joined are not compressed; fuse late")
    method = Method(
        name,
        tuple(
            ExtractorSteps(member, compressed(menu[member], compressions), _most(epochs, member))
            for member in members
        ),
        fusion,
        tuple(RERANKINGS[step] for step in steps if step in RERANKINGS),
        Verification() if GEOMETRY in steps else None,
        centring=DomainCentring() if CENTRED in steps else None,
    )
    if method.verification and not method.verified:
        raise InputError(f"{where}: {GEOMETRY} needs an extractor of local features")
    return method


def member_names(method: str, extractors: Iterable[str]) -> list[str]:
    """Names of a method's extractors alone, each compressed as it is in the method.

    >>> member_names("hog+lbp+pca32+rrf", ["hog", "lbp"])
    ['hog+pca32', 'lbp+pca32']
    """
    steps = method.partition("@")[0].split("+")
    compressions = [step for step in steps if step in COMPRESSIONS]
    return ["+".join([one, *compressions]) for one in extractors]


def _most(epochs: Epochs, extractor: str) -> int | None:
    return epochs.get(extractor, epochs.get("")) if isinstance(epochs, Mapping) else epochs


def _fusion(where: str, members: Sequence[str], steps: Sequence[str]) -> FusionMethod | None:
    """The fusion that is among the steps behind the extractors, if these are in order.

    Raises
    ------
    InputError
        If they are not.
    """
    if CENTRED in steps and (len(members) > 1 or steps[0] != CENTRED):
        raise InputError(
            f"{where}: {CENTRED} right behind one extractor or its compression, without fusion; "
            "re-rankings may follow"
        )
    chosen = [step for step in steps if step in FUSION_METHODS]
    if steps[: len(chosen)] != chosen or len(chosen) > 1:
        raise InputError(f"{where}: one way of fusion, right behind the extractors")
    if chosen and len(members) == 1:
        raise InputError(f"{where}: {chosen[0]} fuses at least two extractors")
    if GEOMETRY in steps[:-1]:
        raise InputError(f"{where}: {GEOMETRY} comes last")
    return FUSION_METHODS[(chosen or [LEARNED])[0]] if len(members) > 1 else None


def compressed(estimator: Extractor | Pipeline, steps: Sequence[str]) -> Extractor | Pipeline:
    """Put compressions, by their names in `COMPRESSIONS`, behind an extractor."""
    if not steps:
        return estimator
    return make_pipeline(*steps_of(estimator), *(COMPRESSIONS[step] for step in steps))


def expand(name: str, own: Menu | None = None) -> list[str]:
    """Names that one with ``*`` at its end stands for; a list of itself alone for any other.

    ``a+b+*`` is every way of fusion, ``a+*`` every re-ranking; `own` is as of `parse_method`.
    """
    if not name.endswith("+*"):
        return [name]
    stem = name.removesuffix("+*")
    is_whole = parse_method(stem, own=own).fusion is None or any(
        part in FUSION_METHODS for part in stem.split("+")
    )
    if is_whole:
        return [f"{stem}+{step}" for step in RERANKINGS]
    late = [step for step, way in FUSION_METHODS.items() if not isinstance(way, EarlyFusion)]
    is_compressed = any(part in COMPRESSIONS for part in stem.split("+"))
    return [f"{stem}+{step}" for step in (late if is_compressed else FUSION_METHODS)]


def _steps() -> list[str]:
    return [*COMPRESSIONS, CENTRED, *FUSION_METHODS, *RERANKINGS, GEOMETRY]


def _unknown(part: str, menu: Menu) -> str:
    known = {name.casefold(): name for name in [*menu, *_steps()]}
    close = difflib.get_close_matches(part.casefold(), known, n=1, cutoff=0.4)
    hint = f"did you mean {known[close[0]]!r}?" if close else "--list shows them all"
    return f"no such extractor; {hint}" if not part else f"no such extractor as {part!r}; {hint}"
