"""PCA whitening, the step behind long aggregated vectors."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from extractors.base import NothingToLearnError, Step

_ROUNDING = 1e-9
"""Share of the first direction's variance below which a variance is rounding."""


@dataclass(eq=False, repr=False)
class Whitening(Step):
    """PCA to few dimensions, each scaled to unit variance.

    scikit-learn's PCA, with the one difference that training images that span fewer dimensions
    are no error: then there are as many dimensions as the images can tell apart.

    Parameters
    ----------
    dims : int
        Dimensions wanted.

    Attributes
    ----------
    pca_ : PCA
        scikit-learn's, of as many dimensions as the training images span.
    """

    summary = "Reduced by PCA to few dimensions of equal variance"
    reference = (
        "Jégou and Chum (2012), Negative evidences and co-occurences in image retrieval: the "
        "benefit of PCA and whitening, ECCV, doi:10.1007/978-3-642-33709-3_55"
    )
    version = "whitening 1"

    dims: int = 128

    def fit(self, vectors: NDArray[np.floating], y: object = None) -> Self:
        """Learn mean, directions and variances.

        Parameters
        ----------
        vectors : ndarray, shape (n_images, n_dims)
            Vectors of training images.
        y : object
            Ignored, here for scikit-learn's pipelines.

        Raises
        ------
        NothingToLearnError
            If there are fewer than two training images.
        """
        if len(vectors) < 2:
            raise NothingToLearnError("whitening learns from at least two training images")
        from sklearn.decomposition import PCA  # here, so that listings need not wait for it

        dims = min(self.dims, len(vectors) - 1, vectors.shape[1])
        self.pca_ = PCA(dims, whiten=True, svd_solver="full").fit(vectors)
        # A direction in which nothing varies would be noise, blown up: equal images span fewer.
        variances = self.pca_.explained_variance_
        spanned = max(1, int(np.count_nonzero(variances > _ROUNDING * variances[0])))
        if spanned < dims:
            self.pca_ = PCA(spanned, whiten=True, svd_solver="full").fit(vectors)
        return self

    def transform(self, vectors: NDArray[np.floating]) -> NDArray[np.floating]:
        """Project and scale.

        Parameters
        ----------
        vectors : ndarray, shape (n_images, n_dims)
            Vectors of any images.

        Returns
        -------
        ndarray, shape (n_images, at most `dims`)
            The whitened vectors.
        """
        return np.asarray(self.pca_.transform(vectors))
