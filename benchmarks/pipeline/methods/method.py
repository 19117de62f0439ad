"""A method: a line of the results table, made of extractors, their fusion and re-ranking.

Its name says all of that: ``a`` is an extractor; ``a+b`` fuses two by learned weights,
``a+b+rrf`` by reciprocal ranks; ``a+alpha-qe`` and ``a+b+rrf+alpha-qe`` re-rank what the rest of
the name finds; ``a+centred`` removes the means of photographs and of drawings first.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from benchmarks.formats.files import Json
from benchmarks.pipeline.cache.fingerprint import computes, imported_modules, libraries
from benchmarks.pipeline.loading.variants import is_drawn
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from datasets.task import Dataset
from extractors.centring import DomainCentring
from retrieval.fusion.base import FusionMethod
from retrieval.reranking.menu import Reranking
from retrieval.reranking.spatial import Verification
from retrieval.search import Search, single

VERIFIED = 50
"""Images of each query whose local features are matched."""

FITTING = "fitting 1"
"""Changes with the way in which postprocessing and fusion weights are fitted; see the modules
`benchmarks.pipeline.extraction.encode` and `benchmarks.pipeline.evaluation.fitted_method`."""

WEIGHTS_SEEN = "weights seen"
"""Begins the note of a method whose weights were learned from images that a member had seen."""

_SHORT = 16


@dataclass(frozen=True)
class Tuning:
    """The origin of parameters that are not the menu's.

    Parameters
    ----------
    note : str
        For readers of its numbers.
    images : frozenset of str
        Images that chose the parameters, by `short_hash`.
    preset : dict
        The whole preset, to be kept wherever the method is.
    """

    note: str
    images: frozenset[str]
    preset: Json

    def obstacle(self, dataset: Dataset) -> str | None:
        """Reason why the method may not be run on a dataset; None if it may."""
        used = {short_hash(image.sha256) for part, image in dataset.images if part != "training"}
        if not (seen := len(used & self.images)):
            return None
        return f"tuned on {seen} images that are searched or asked here; tune on this split"


def short_hash(sha256: str) -> str:
    """The beginning of an image's hash, long enough to know it again."""
    return sha256[:_SHORT]


@dataclass
class Method:
    """A line of the results table.

    Parameters
    ----------
    name : str
        Name in the table.
    extractors : tuple of ExtractorSteps
        One, or several that are fused.
    fusion : FusionMethod, optional
        How several are fused.
    rerankings : tuple of Reranking
        In the order that they are applied in.
    verification : Verification, optional
        Last of all, re-ranks the first `VERIFIED` images by the matches of the local features
        of the first extractor that has them.
    tuning : Tuning, optional
        Where its parameters come from, if not from the menu.
    centring : DomainCentring, optional
        Moves the vectors of a single extractor, before they are searched.
    """

    name: str
    extractors: tuple[ExtractorSteps, ...]
    fusion: FusionMethod | None = None
    rerankings: tuple[Reranking, ...] = ()
    verification: Verification | None = None
    tuning: Tuning | None = None
    centring: DomainCentring | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is an extractor and nothing more."""
        return not (self.fusion or self.reranks)

    @property
    def reranks(self) -> bool:
        """Whether it finds others than its extractors do, or their fusion."""
        return bool(self.centring or self.rerankings or self.verification)

    @property
    def learns(self) -> bool:
        """Whether anything has to be fitted."""
        fitted = any(one.learns for one in self.extractors)
        return fitted or self.fusion_learns or self.centring is not None

    @property
    def fusion_learns(self) -> bool:
        """Whether the fusion itself learns from training images."""
        return self.fusion is not None and self.fusion.learns

    @property
    def bits(self) -> int:
        """Bits that each number of a vector takes in a gallery."""
        return max(one.bits for one in self.extractors)

    @property
    def obstacle(self) -> str | None:
        """Reason why it cannot run here, with the remedy; None if it can."""
        return next((one.obstacle for one in self.extractors if one.obstacle), None)

    @property
    def runs_only(self) -> str | None:
        """Reason why it works in runs alone and in no index; None if it does in both."""
        if self.verification:
            return (
                "the matches of local features are checked by benchmarks.run only; leave "
                "+geometry away"
            )
        if self.centring:
            return (
                "photographs and drawings are centred by benchmarks.run only, which knows which "
                "is which; leave +centred away"
            )
        return None

    def untaught(self, dataset: Dataset) -> str | None:
        """Reason why a dataset has nothing that it needs to learn from; None if it has."""
        if self.learns and not dataset.training:
            return "learns from training images, and there are none"
        given = [
            one.given
            for one in self.extractors
            if one.given and (self.fusion_learns or one.postprocessing or self.centring)
        ]
        if given and self.centring and any(map(is_drawn, dataset.queries)):
            return "its vectors were made elsewhere, and there are none of drawn training images"
        return next((why for one in given if (why := one.untaught(dataset))), None)

    @property
    def note(self) -> str:
        """Notes for readers of the numbers, each in short and at length; or nothing."""
        notes = [self.tuning.note] if self.tuning else []
        notes += [note for one in self.extractors for note in one.note.split("; ") if note]
        trained = [one.name for one in self.extractors if one.head.is_supervised]
        if self.fusion_learns and trained:
            notes.append(
                f"{WEIGHTS_SEEN}: they are learned from images that {' and '.join(trained)} was "
                "trained on, where it looks better than it is"
            )
        return "; ".join(dict.fromkeys(notes))

    @property
    def verified(self) -> ExtractorSteps | None:
        """The extractor whose local features are matched."""
        return next((one for one in self.extractors if one.detector), None)

    @cached_property
    def identity(self) -> dict[str, object]:
        """Everything that decides its ranking, data and protocol aside."""
        more: dict[str, object] = {"tuned": self.tuning.note} if self.tuning else {}
        if self.fusion_learns or any(one.postprocessing for one in self.extractors):
            more["fitting"] = FITTING
        if self.is_plain:
            return self.extractors[0].identity | more
        steps: list[object] = [self.centring, self.fusion, *self.rerankings, self.verification]
        used = [step for step in steps if step is not None]
        modules = {name for step in used for name in imported_modules(type(step).__module__)}
        if self.verification and self.verified:
            more["verified"] = {"extractor": self.verified.name, "first": VERIFIED}
        return more | {
            "extractors": {one.name: one.identity for one in self.extractors},
            "steps": [computes(step) for step in used],
            "libraries": libraries(*sorted(modules)),
        }

    @property
    def card(self) -> dict[str, object]:
        """The identity, with the family of every extractor, for the protocol card."""
        if self.is_plain:
            return self.identity | {"family": self.extractors[0].family}
        described = {one.name: one.identity | {"family": one.family} for one in self.extractors}
        return self.identity | {"extractors": described}

    def fresh_fusion(self) -> FusionMethod | None:
        """The fusion, with nothing learned."""
        return replace(self.fusion) if self.fusion else None  # type: ignore[type-var]

    def fresh_centring(self) -> DomainCentring | None:
        """The centring, with nothing learned."""
        return replace(self.centring) if self.centring else None

    def search(self, fusion: FusionMethod | None) -> Search:
        """The search, without verification.

        Parameters
        ----------
        fusion : FusionMethod or None
            The method's own, fitted.
        """
        made = fusion.search if fusion else single
        for reranking in self.rerankings:
            made = reranking.around(made)
        return made


def extractors_of(methods: Iterable[Method]) -> list[ExtractorSteps]:
    """The extractors of methods, of each name one."""
    return list({one.name: one for method in methods for one in method.extractors}.values())
