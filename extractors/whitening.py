"""Fewer dimensions, decorrelated: what stands behind long aggregated vectors."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA


@dataclass(eq=False, repr=False)
class Whitening(BaseEstimator):
    """PCA to few dimensions, each scaled to unit variance.

    scikit-learn's PCA, with the one difference that fewer training images than dimensions are
    no error: then there are as many dimensions as the images can tell apart.

    Parameters
    ----------
    dims : int
        Dimensions wanted.

    References
    ----------
    H. Jégou, O. Chum (2012), Negative evidences and co-occurences in image retrieval: the
    benefit of PCA and whitening, ECCV, doi:10.1007/978-3-642-33709-3_55
    """

    dims: int = 128

    def fit(self, vectors: NDArray[np.floating], y: object = None) -> Self:
        """Learn mean, directions and variances.

        Raises
        ------
        ValueError
            If there are fewer than two training images.
        """
        if len(vectors) < 2:
            raise ValueError("whitening learns from at least two training images")
        # n centred vectors span n - 1 dimensions; another would be noise, blown up.
        dims = min(self.dims, len(vectors) - 1, vectors.shape[1])
        self.pca_ = PCA(dims, whiten=True, svd_solver="full").fit(vectors)
        return self

    def transform(self, vectors: NDArray[np.floating]) -> NDArray[np.floating]:
        """Project and scale, shape (n_images, at most `dims`)."""
        return np.asarray(self.pca_.transform(vectors))
