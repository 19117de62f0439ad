"""Domain centring: photographs and drawings are moved to a mean in common."""

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from extractors.base import NothingToLearnError
from extractors.compression import Vectors, unit_vectors
from extractors.hand_crafted.lines import Lines


@dataclass
class DomainCentring:
    """Remove from photographs the mean of photographs, from drawings that of drawings.

    Drawings lie elsewhere than photographs in the space of a network, all of them to the same
    side. What a whole domain has in common tells no class from another, but decides which vectors
    are near. Both means are those of the training images, as they are and drawn, so that nothing
    is learned from what is searched or asked. Vectors are divided by their lengths first; the
    zero vector, of a picture in which nothing was found, stays the zero vector.

    This is the first half of correlation alignment, which aligns covariances, too.

    Parameters
    ----------
    lines : Lines
        Draws the training images.

    Attributes
    ----------
    means_ : ndarray, shape (2, n_dims)
        Of photographs and of drawings; of photographs twice where there are no drawings.
    """

    version: ClassVar[str] = "domain-centring 1"
    summary: ClassVar[str] = "Less the mean of its domain, photographs or drawings"
    reference: ClassVar[str] = (
        "Sun, Feng and Saenko (2016), Return of frustratingly easy domain adaptation, AAAI, "
        "doi:10.1609/aaai.v30i1.10306; Mu and Viswanath (2018), All-but-the-top: simple and "
        "effective postprocessing for word representations, ICLR, doi:10.48550/arXiv.1702.01417"
    )

    lines: Lines = field(default_factory=Lines)

    def fit(self, photographs: Vectors, drawings: Vectors | None = None) -> Self:
        """Learn the means.

        Parameters
        ----------
        photographs : ndarray, shape (n_images, n_dims)
            Vectors of the training images.
        drawings : ndarray, shape (n_images, n_dims), optional
            Vectors of these images, drawn.

        Raises
        ------
        NothingToLearnError
            If something was found in fewer than two of the images, or of their drawings.
        """
        mean = _mean(photographs, "training images")
        drawn = mean if drawings is None else _mean(drawings, "drawings of training images")
        self.means_ = np.stack([mean, drawn])
        return self

    def transform(self, vectors: Vectors, drawn: NDArray[np.bool_]) -> Vectors:
        """Remove the means.

        Parameters
        ----------
        vectors : ndarray, shape (n_images, n_dims)
            Vectors of any images.
        drawn : ndarray of bool, shape (n_images,)
            Whether each is a drawing.
        """
        centred = unit_vectors(vectors) - self.means_[drawn.astype(np.intp)]
        centred[~vectors.any(axis=1)] = 0
        return centred


def _mean(vectors: Vectors, whose: str) -> Vectors:
    found = unit_vectors(vectors[vectors.any(axis=1)])
    if len(found) < 2:
        raise NothingToLearnError(f"means are learned from at least two {whose} with features")
    return np.asarray(found.mean(axis=0))
