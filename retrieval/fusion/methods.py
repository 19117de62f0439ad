"""Fusion methods: they search by several extractors' vectors of the same images.

Late fusion searches by each extractor and fuses the distances; early fusion joins the vectors
and searches once. Either learns from vectors and classes of training images only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from retrieval.fusion.base import Fold, FusionMethod, Learned, among_themselves
from retrieval.fusion.late import (
    FUSIONS,
    FusedSearch,
    Fusion,
    QueryAdaptive,
    Weighted,
    as_is,
    min_max,
    reference_curve,
)
from retrieval.fusion.weights import TooLittleError, learn_weights
from retrieval.rows import normalise
from retrieval.search import Search, Vectors, single

if TYPE_CHECKING:
    from sklearn.decomposition import PCA

_NOTHING = 1e-9
"""Share of the first principal direction's variance that is rounding."""


@dataclass
class LateFusion(FusionMethod):
    """Late fusion that learns nothing.

    Parameters
    ----------
    fusion : Fusion
        Makes one score per gallery image of its distances in all searches.
    """

    version: ClassVar[str] = "late-fusion 1"

    fusion: Fusion

    @property
    def search(self) -> Search:
        """The search by each extractor, fused."""
        return FusedSearch(self.fusion)


@dataclass
class WeightedFusion(FusionMethod):
    """Weighted sum of z-scores, the weights learned by leave-one-out among training images.

    Parameters
    ----------
    seed : int
        Seed of the cross-validation, and of the sample where there are very many training images.

    Attributes
    ----------
    weights_ : LearnedWeights
        One weight per extractor, and the mean average precision that they reached.
    """

    version: ClassVar[str] = "weighted-fusion 1"

    seed: int = 0
    learns = True
    compares = True

    def fit(self, training: Vectors, labels: Sequence[str], folds: Sequence[Fold] = ()) -> Self:
        """Learn the weights; parameters as of `FusionMethod.fit`."""
        distances, classes = among_themselves(training, labels, self.seed, folds)
        self.weights_ = learn_weights(distances, classes, seed=self.seed)
        return self

    @property
    def learned(self) -> Learned:
        """Weights, and the training mAP with them and of each extractor alone."""
        found = self.weights_
        return {
            "weights": list(found.weights),
            "training mAP, cross-validated": found.cross_validated,
            "training mAP of each alone": list(found.singles),
        }

    @property
    def search(self) -> Search:
        """The search by each extractor, fused."""
        return FusedSearch(Weighted(self.weights_.weights))


@dataclass
class AdaptiveFusion(FusionMethod):
    """Query-adaptive fusion, its reference curves learned from training images.

    Parameters
    ----------
    seed : int
        Seed of the sample where there are very many training images.

    Attributes
    ----------
    fusion_ : QueryAdaptive
        The fusion with a reference curve of each extractor.
    """

    version: ClassVar[str] = "adaptive-fusion 1"

    seed: int = 0
    learns = True
    compares = True

    def fit(self, training: Vectors, labels: Sequence[str], folds: Sequence[Fold] = ()) -> Self:
        """Learn the reference curves; parameters as of `FusionMethod.fit`."""
        distances, _ = among_themselves(training, labels, self.seed, folds)
        others = ~np.eye(distances.shape[1], dtype=bool)
        if len(others) < 3:
            raise TooLittleError("reference curves are learned from at least 3 training images")
        self.fusion_ = QueryAdaptive(
            tuple(
                reference_curve(
                    -np.sort(-min_max(row[keep][None])[0])
                    for row, keep in zip(one, others, strict=True)
                )
                for one in distances
            )
        )
        return self

    @property
    def search(self) -> Search:
        """The search by each extractor, fused."""
        return FusedSearch(self.fusion_)


@dataclass
class EarlyFusion(FusionMethod):
    """Early fusion: the extractors' vectors, each normalised, are concatenated.

    Parameters
    ----------
    normalised : bool
        False leaves each vector as long as it is, so that the longest decides alone; it shows
        the price of plain concatenation.
    weighted : bool
        Learn each extractor's share of the squared distance by leave-one-out among training
        images.
    whitened : int
        Number of principal directions of the training images to project on, each then scaled to
        unit variance; 0 leaves the vectors as they are.
    seed : int
        Seed of the cross-validation, and of the sample where there are very many training images.

    Attributes
    ----------
    weights_ : tuple of float
        One weight per extractor; empty unless `weighted`.
    pca_ : PCA or None
        The whitening; None unless `whitened`.

    References
    ----------
    H. Jégou, O. Chum (2012), Negative evidences and co-occurences in image retrieval: the
    benefit of PCA and whitening, ECCV, doi:10.1007/978-3-642-33709-3_55
    """

    version: ClassVar[str] = "early-fusion 2"

    normalised: bool = True
    weighted: bool = False
    whitened: int = 0
    seed: int = 0

    @property
    def learns(self) -> bool:  # type: ignore[override]
        """Whether there is anything to fit."""
        return self.weighted or self.whitened > 0

    @property
    def compares(self) -> bool:  # type: ignore[override]
        """Whether it learns from the distances between training images."""
        return self.weighted

    def fit(self, training: Vectors, labels: Sequence[str], folds: Sequence[Fold] = ()) -> Self:
        """Learn weights and whitening, if wanted; parameters as of `FusionMethod.fit`."""
        self.weights_: tuple[float, ...] = ()
        self.pca_: PCA | None = None
        if self.weighted:
            distances, classes = among_themselves(training, labels, self.seed, folds)
            learned = learn_weights(distances, classes, seed=self.seed, normalise=as_is)
            self.weights_ = learned.weights
        if self.whitened:
            joined = self._joined(training)
            if joined.shape[0] < 2:
                raise TooLittleError("whitening learns from at least two training images")
            dims = min(self.whitened, joined.shape[0] - 1, joined.shape[1])
            self.pca_ = _whitening(joined[:], dims)
        return self

    @property
    def learned(self) -> Learned:
        """The weights, if they are learned."""
        return {"weights": list(self.weights_)} if self.weighted else {}

    def transform(self, vectors: Vectors) -> Vectors:
        """Give one matrix, joined when it is read; parameters as of `FusionMethod.transform`."""
        return [self._joined(vectors)]

    @property
    def search(self) -> Search:
        """The search by the joined vectors."""
        return single

    def _joined(self, vectors: Vectors) -> "Joined":
        weights = self.weights_ or (1.0,) * len(vectors)
        return Joined(vectors, weights, self.normalised, self.pca_)


@dataclass(frozen=True)
class Joined:
    """A matrix whose rows are those of several, joined when they are read; a `Rows`.

    Parameters
    ----------
    parts : sequence of Rows
        Matrices of equally many rows.
    weights : tuple of float
        Factor of each part's squared distance in that of the joined rows.
    normalised : bool
        Whether each part's rows are scaled to length 1 first.
    pca : PCA, optional
        Applied to the joined rows.
    """

    parts: Vectors
    weights: tuple[float, ...]
    normalised: bool
    pca: "PCA | None" = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows and of columns."""
        columns = sum(part.shape[1] for part in self.parts)
        return self.parts[0].shape[0], self.pca.n_components_ if self.pca else columns

    def __getitem__(self, rows: slice, /) -> NDArray[np.floating]:
        """Give some rows as an array."""
        made = []
        for part, weight in zip(self.parts, self.weights, strict=True):
            block = part[rows]
            scaled = normalise(block) if self.normalised else np.asarray(block, np.float64)
            made.append(np.sqrt(weight) * scaled)
        joined = np.hstack(made)
        if not self.pca or not len(joined):
            return joined.astype(np.float32)
        whole = np.asarray(self.pca.transform(joined), np.float32)
        whole[~joined.any(axis=1)] = 0  # nothing was found, which is like nothing else
        return whole


def _whitening(vectors: NDArray[np.floating], dims: int) -> "PCA":
    from sklearn.decomposition import PCA

    found = PCA(dims, whiten=True, svd_solver="full").fit(vectors)
    # A direction in which nothing varies would be noise, blown up: equal images span fewer.
    variances = found.explained_variance_
    spanned = max(1, int(np.count_nonzero(variances > _NOTHING * variances[0])))
    return found if spanned == dims else PCA(spanned, whiten=True, svd_solver="full").fit(vectors)


LEARNED = "weighted"
"""The fusion method of ``a+b``, where no other is named."""

FUSION_METHODS: dict[str, FusionMethod] = {
    LEARNED: WeightedFusion(),
    "adaptive": AdaptiveFusion(),
    **{name: LateFusion(fusion) for name, fusion in FUSIONS.items()},
    "concat-raw": EarlyFusion(normalised=False),
    "concat": EarlyFusion(),
    "concat-weighted": EarlyFusion(weighted=True),
    "concat-whitened": EarlyFusion(whitened=128),
}
"""Fusion methods by the name that stands behind the extractors' in a method's name."""
