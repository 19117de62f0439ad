"""Several extractors' vectors of the same images: what a way of combining them learns and does.

Late fusion searches by each extractor and fuses what is found; early fusion joins the vectors
and searches once. Either learns from vectors and classes of training images only.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from retrieval.fusion.late import (
    FUSIONS,
    Fusion,
    QueryAdaptive,
    Weighted,
    as_is,
    min_max,
    reference_curve,
)
from retrieval.fusion.weights import TooLittleError, learn_weights
from retrieval.knn import Cells, Rows, distances, normalise
from retrieval.search import Fused, Search, Vectors, single

LEARNED_FROM = 1500
"""Training images, at most, that weights are learned from: every one asks for all others."""

_NOTHING = 1e-9
"""Share of the first principal direction's variance that is rounding."""

Learned = dict[str, list[float] | float | int]


@dataclass(frozen=True)
class Round:
    """Training images that ask all training images, described without having been learned from.

    Whatever an extractor learns from vectors (whitening, say) treats the vectors that it has
    learned from unlike all others, so an extractor judged by those would be misjudged.

    Attributes
    ----------
    asking : ndarray of intp
        Which images ask.
    vectors : sequence of Rows
        A matrix of each extractor, of all training images, made by what has learned from the
        images that do not ask.
    """

    asking: NDArray[np.intp]
    vectors: Vectors


class Combining(ABC):
    """A way of combining extractors: `fit`, then `transform` vectors and search by `search`.

    Attributes
    ----------
    learns : bool
        Whether there is anything to fit.
    compares : bool
        Whether it learns from how training images find each other.
    """

    learns: bool = False
    compares: bool = False

    def fit(self, training: Vectors, labels: Sequence[str], rounds: Sequence[Round] = ()) -> Self:
        """Learn from training images; most ways have nothing to learn.

        Parameters
        ----------
        training : sequence of Rows
            A matrix of each extractor, float32, shape (n_images, its n_dims).
        labels : sequence of str
            The images' classes.
        rounds : sequence of Round
            How the images are compared with each other; in them each image asks once. Without
            any, by `training`, as is right where no extractor learned from it.

        Raises
        ------
        TooLittleError
            If there is too little to learn from.
        """
        return self

    @property
    def learned(self) -> Learned:
        """What was learned, for the record; empty where nothing is."""
        return {}

    def transform(self, vectors: Vectors) -> Vectors:
        """The matrices to search by."""
        return vectors

    @property
    @abstractmethod
    def search(self) -> Search:
        """The search; its vectors have gone through `transform`."""


@dataclass
class Late(Combining):
    """Late fusion that learns nothing.

    Parameters
    ----------
    fusion : Fusion
    """

    fusion: Fusion

    @property
    def search(self) -> Search:
        """See `Combining`."""
        return Fused(self.fusion)


@dataclass
class LateWeighted(Combining):
    """Weighted sum of z-scores, the weights learned by leave-one-out among training images.

    Parameters
    ----------
    seed : int
        Of the folds, and of the sample where there are very many training images.
    """

    seed: int = 0
    learns = True
    compares = True

    def fit(self, training: Vectors, labels: Sequence[str], rounds: Sequence[Round] = ()) -> Self:
        """See `Combining`; see `retrieval.fusion.weights.learn_weights`."""
        cells, classes = among_themselves(training, labels, self.seed, rounds)
        self.weights_ = learn_weights(cells, classes, seed=self.seed)
        return self

    @property
    def learned(self) -> Learned:
        """Weights, what they are worth, and what each extractor is worth alone."""
        found = self.weights_
        return {
            "weights": list(found.weights),
            "training mAP, cross-validated": found.cross_validated,
            "training mAP of each alone": list(found.singles),
        }

    @property
    def search(self) -> Search:
        """See `Combining`."""
        return Fused(Weighted(self.weights_.weights))


@dataclass
class LateAdaptive(Combining):
    """Query-adaptive fusion, its reference curves learned from training images.

    Parameters
    ----------
    seed : int
        Of the sample where there are very many training images.
    """

    seed: int = 0
    learns = True
    compares = True

    def fit(self, training: Vectors, labels: Sequence[str], rounds: Sequence[Round] = ()) -> Self:
        """See `Combining`; see `retrieval.fusion.late.QueryAdaptive`."""
        cells, _ = among_themselves(training, labels, self.seed, rounds)
        others = ~np.eye(cells.shape[1], dtype=bool)
        if len(others) < 3:
            raise TooLittleError("reference curves are learned from at least 3 training images")
        self.fusion_ = QueryAdaptive(
            tuple(
                reference_curve(
                    -np.sort(-min_max(row[keep][None])[0])
                    for row, keep in zip(one, others, strict=True)
                )
                for one in cells
            )
        )
        return self

    @property
    def search(self) -> Search:
        """See `Combining`."""
        return Fused(self.fusion_)


@dataclass
class Early(Combining):
    """One vector of all: the extractors' vectors, each normalised, one behind the other.

    Parameters
    ----------
    normalised : bool
        False leaves each as long as it is, so that the longest decides alone: what happens if
        one just concatenates, here to be measured.
    weighted : bool
        Learn how much of the squared distance each contributes, by leave-one-out among training
        images.
    whitened : int
        Project on as many principal directions of the training images and scale each to unit
        variance; 0 for not.
    seed : int
        As of `LateWeighted`.

    References
    ----------
    H. Jégou, O. Chum (2012), Negative evidences and co-occurences in image retrieval: the
    benefit of PCA and whitening, ECCV, doi:10.1007/978-3-642-33709-3_55
    """

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
        """Whether it learns from how training images find each other."""
        return self.weighted

    def fit(self, training: Vectors, labels: Sequence[str], rounds: Sequence[Round] = ()) -> Self:
        """See `Combining`."""
        self.weights_: tuple[float, ...] = ()
        self.pca_: PCA | None = None
        if self.weighted:
            cells, classes = among_themselves(training, labels, self.seed, rounds)
            sums = partial(Weighted, normalise=as_is)
            self.weights_ = learn_weights(cells, classes, seed=self.seed, fusion=sums).weights
        if self.whitened:
            joined = self._joined(training)
            if joined.shape[0] < 2:
                raise TooLittleError("whitening learns from at least two training images")
            dims = min(self.whitened, joined.shape[0] - 1, joined.shape[1])
            self.pca_ = _whitening(joined[:], dims)
        return self

    @property
    def learned(self) -> Learned:
        """The weights, if they are."""
        return {"weights": list(self.weights_)} if self.weighted else {}

    def transform(self, vectors: Vectors) -> Vectors:
        """One matrix, joined when it is read."""
        return [self._joined(vectors)]

    @property
    def search(self) -> Search:
        """See `Combining`."""
        return single

    def _joined(self, vectors: Vectors) -> "Joined":
        weights = self.weights_ or (1.0,) * len(vectors)
        return Joined(vectors, weights, self.normalised, self.pca_)


@dataclass(frozen=True)
class Joined:
    """A matrix whose rows are those of several, joined when they are read: see `Rows`.

    Parameters
    ----------
    parts : sequence of Rows
        Of equally many rows.
    weights : tuple of float
        What each adds to a squared distance.
    normalised : bool
        Whether each part's rows are scaled to length 1 first.
    pca : PCA, optional
        Applied to the joined rows.
    """

    parts: Vectors
    weights: tuple[float, ...]
    normalised: bool
    pca: PCA | None = None

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
        whole = self.pca.transform(joined) if self.pca and len(joined) else joined
        return np.asarray(whole, np.float32)


def _whitening(vectors: NDArray[np.floating], dims: int) -> PCA:
    found = PCA(dims, whiten=True, svd_solver="full").fit(vectors)
    # A direction in which nothing varies would be noise, blown up: equal images span fewer.
    variances = found.explained_variance_
    spanned = max(1, int(np.count_nonzero(variances > _NOTHING * variances[0])))
    return found if spanned == dims else PCA(spanned, whiten=True, svd_solver="full").fit(vectors)


def among_themselves(
    training: Vectors, labels: Sequence[str], seed: int, rounds: Sequence[Round] = ()
) -> tuple[NDArray[np.int32], list[str]]:
    """Compare training images with each other, by each extractor.

    Returns
    -------
    cells : ndarray of int32, shape (n_extractors, n_images, n_images)
        Squared distances, see `retrieval.knn.Block`; a row for each image that asks.
    labels : list of str
        Of these images; `LEARNED_FROM` drawn at random where there are more.
    """
    count = training[0].shape[0]
    chosen = np.arange(count)
    if count > LEARNED_FROM:
        chosen = np.sort(np.random.default_rng(seed).permutation(count)[:LEARNED_FROM])
    cells = np.empty((len(training), len(chosen), len(chosen)), np.int32)
    for one in rounds or [Round(chosen, training)]:
        asking = np.flatnonzero(np.isin(chosen, one.asking))
        for number, part in enumerate(one.vectors):
            searched = part[:][chosen]
            cells[number, asking] = _compared(searched[asking], searched)
    return cells, [labels[index] for index in chosen.tolist()]


def _compared(queries: Rows, gallery: Rows) -> Cells:
    found = [block.cells for block in distances(queries, gallery)]
    return np.concatenate(found) if found else np.empty((0, gallery.shape[0]), np.int32)


LEARNED = "weighted"
"""What ``a+b`` means where nothing else is said."""

COMBININGS: dict[str, Combining] = {
    LEARNED: LateWeighted(),
    "adaptive": LateAdaptive(),
    **{name: Late(fusion) for name, fusion in FUSIONS.items()},
    "concat-raw": Early(normalised=False),
    "concat": Early(),
    "concat-weighted": Early(weighted=True),
    "concat-whitened": Early(whitened=128),
}
"""Ways of combining extractors, by the name that stands behind theirs in a row's name."""


FusionMethod = Combining
FUSION_METHODS = COMBININGS
EarlyFusion = Early
