"""Compression: vectors of fewer dimensions, or of fewer bits a number, as a search may hold them.

Each step gives what decoding its codes gives back, so that the search that follows ranks as one
by the codes would. Vectors are divided by their lengths first, as the search does.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import sparray, spmatrix

from extractors.base import NothingToLearnError, Step

Vectors = NDArray[np.floating]

_LEVELS = 255


class Compression(Step):
    """A step that makes vectors smaller; it learns from vectors of training images, if at all.

    Attributes
    ----------
    bits : int
        Bits that each number of a vector takes.
    """

    bits: ClassVar[int] = 32

    def fit(self, vectors: Vectors, y: object = None) -> Self:
        """Learn from vectors of training images; nothing, unless a subclass says otherwise.

        Parameters
        ----------
        vectors : ndarray, shape (n_images, n_dims)
            Vectors of training images.
        y : object
            Ignored, here for scikit-learn's pipelines.

        Raises
        ------
        NothingToLearnError
            If there are fewer than two training images to learn from.
        """
        return self

    def transform(self, vectors: Vectors) -> Vectors:
        """Give the vectors that their codes stand for.

        Parameters
        ----------
        vectors : ndarray, shape (n_images, n_dims)
            Vectors of any images.
        """
        raise NotImplementedError


@dataclass(eq=False, repr=False)
class PrincipalComponents(Compression):
    """Projection on the directions in which training images vary most, without whitening.

    Parameters
    ----------
    dims : int
        Dimensions wanted; there are no more than training images tell apart.

    Attributes
    ----------
    pca_ : PCA
        scikit-learn's.
    """

    summary = "Reduced by PCA to few dimensions"
    reference = (
        "Jégou and Chum (2012), Negative evidences and co-occurences in image retrieval: the "
        "benefit of PCA and whitening, ECCV, doi:10.1007/978-3-642-33709-3_55"
    )
    version = "principal-components 1"

    dims: int = 128

    def fit(self, vectors: Vectors, y: object = None) -> Self:
        """Learn mean and directions; parameters as of `Compression.fit`."""
        _require_two(vectors)
        from sklearn.decomposition import PCA  # here, so that listings need not wait for it

        units = unit_vectors(vectors)
        dims = min(self.dims, len(units) - 1, units.shape[1])
        self.pca_ = PCA(dims, svd_solver="full").fit(units)
        return self

    def transform(self, vectors: Vectors) -> Vectors:
        """Project."""
        return np.asarray(self.pca_.transform(unit_vectors(vectors)))


class HalfPrecision(Compression):
    """Numbers of 16 bits, IEEE 754's binary16."""

    summary = "Numbers rounded to 16 bits"
    version = "half-precision 1"
    bits = 16

    def __sklearn_is_fitted__(self) -> bool:
        """There is nothing to fit."""
        return True

    def transform(self, vectors: Vectors) -> Vectors:
        """Round."""
        return unit_vectors(vectors).astype(np.float16).astype(np.float32)


class EightBits(Compression):
    """Numbers of 8 bits: 256 even steps between the ends of each dimension (scalar quantisation).

    Attributes
    ----------
    least_, most_ : ndarray, shape (n_dims,)
        Ends of each dimension among the training images; what lies beyond is moved there.
    """

    summary = "Numbers rounded to 256 steps of each dimension's range"
    reference = "Douze et al. (2024), The Faiss library, doi:10.48550/arXiv.2401.08281"
    version = "eight-bits 1"
    bits = 8

    def fit(self, vectors: Vectors, y: object = None) -> Self:
        """Learn the ends of each dimension; parameters as of `Compression.fit`."""
        _require_two(vectors)
        units = unit_vectors(vectors)
        self.least_, self.most_ = units.min(axis=0), units.max(axis=0)
        return self

    def transform(self, vectors: Vectors) -> Vectors:
        """Round."""
        step = (self.most_ - self.least_) / _LEVELS
        step[step == 0] = 1
        code = np.rint((unit_vectors(vectors) - self.least_) / step).clip(0, _LEVELS)
        return self.least_ + code * step


class Signs(Compression):
    """One bit a dimension: whether it is above the training images' mean.

    Vectors of 1 and -1 are compared, whose Euclidean distance is in the order of Hamming's.

    Attributes
    ----------
    mean_ : ndarray, shape (n_dims,)
        Mean of the training images.
    """

    summary = "One bit a dimension: above the training images' mean or not"
    reference = (
        "Charikar (2002), Similarity estimation techniques from rounding algorithms, STOC, "
        "doi:10.1145/509907.509965"
    )
    version = "signs 1"
    bits = 1

    def fit(self, vectors: Vectors, y: object = None) -> Self:
        """Learn the mean; parameters as of `Compression.fit`."""
        _require_two(vectors)
        self.mean_ = unit_vectors(vectors).mean(axis=0)
        return self

    def transform(self, vectors: Vectors) -> Vectors:
        """Give 1 and -1."""
        return np.where(unit_vectors(vectors) > self.mean_, 1.0, -1.0)


COMPRESSIONS: dict[str, Compression] = {
    "pca128": PrincipalComponents(128),
    "pca32": PrincipalComponents(32),
    "float16": HalfPrecision(),
    "int8": EightBits(),
    "binary": Signs(),
}
"""Names in those of methods, and steps; they follow one another in this order."""


def _require_two(vectors: Vectors) -> None:
    if len(vectors) < 2:
        raise NothingToLearnError("compression learns from at least two training images")


def unit_vectors(vectors: Vectors) -> Vectors:
    """Vectors of length 1, but for those of length 0."""
    given = vectors.toarray() if isinstance(vectors, sparray | spmatrix) else vectors
    dense = np.asarray(given, np.result_type(given, np.float32))
    lengths = np.linalg.norm(dense, axis=1, keepdims=True)
    return np.divide(dense, lengths, where=lengths > 0, out=np.zeros_like(dense))
