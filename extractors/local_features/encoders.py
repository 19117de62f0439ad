"""Encoders of a picture's local features as one vector: bag of words, VLAD, Fisher vector."""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import skimage
from numpy.typing import NDArray

from extractors.base import Step
from extractors.local_features.detector import LocalFeatures
from extractors.local_features.vocabulary import (
    as_floats,
    learn_vocabulary,
    sample_descriptors,
)

_FISHER_REGULARISATION = 1e-4
"""Added to the variances of the mixture; descriptors are scaled to about unit length."""


class Encoder(Step):
    """Turns the local features of a picture into a vector.

    An encoder stands behind a detector in a pipeline and learns from the local features of
    training images. A subclass is a dataclass of its parameters, with two methods.
    """

    family = "local"

    @abstractmethod
    def fit(self, features: Iterable[LocalFeatures], y: object = None) -> Self:
        """Learn; all that is learned is stored in attributes that end in an underscore.

        Parameters
        ----------
        features : iterable of LocalFeatures
            Of the training images; iterated over more than once, they need not be in memory.
        y : object
            Ignored, here for scikit-learn's pipelines.

        Raises
        ------
        NoKeypointsError
            If no picture has a keypoint.
        """

    @abstractmethod
    def encode(self, features: LocalFeatures) -> NDArray[np.floating]:
        """Encode one picture.

        Parameters
        ----------
        features : LocalFeatures
            The local features of the picture.

        Returns
        -------
        ndarray, shape (n_dims,)
            The vector; zeros for a picture without keypoints.
        """

    def transform(self, features: Iterable[LocalFeatures]) -> NDArray[np.float32]:
        """Encode pictures.

        Parameters
        ----------
        features : iterable of LocalFeatures
            The local features of each picture.

        Returns
        -------
        ndarray of float32, shape (n_images, n_dims)
            A row for each picture.
        """
        return np.stack([self.encode(one) for one in features]).astype(np.float32)


class WordEncoder(Encoder):
    """An encoder by visual words; a subclass has `words`, `root`, `sample` and `seed`.

    Attributes
    ----------
    vocabulary_ : Vocabulary
        The visual words.
    """

    words: int
    root: bool
    sample: int
    seed: int

    def fit(self, features: Iterable[LocalFeatures], y: object = None) -> Self:
        """Learn the vocabulary; parameters as of `Encoder.fit`."""
        drawn, binary = _draw(features, self.sample, self.seed, self.root)
        self.vocabulary_ = learn_vocabulary(drawn, self.words, binary, self.seed)
        return self


@dataclass(eq=False, repr=False)
class BagOfWords(WordEncoder):
    """Histogram of visual words, over the picture or over the cells of a pyramid.

    Parameters
    ----------
    words : int
        Size of the vocabulary.
    root : bool
        Whether the descriptors' square roots are taken first (RootSIFT).
    power : float
        Exponent of the counts; 0.5 compares them as Hellinger distance does.
    grids : tuple of int
        Levels of the pyramid; a level g has histograms of g x g cells, so ``(1, 2)`` is a
        pyramid of 1 + 4 cells.
    sample : int
        Descriptors that the vocabulary is learned from.
    seed : int
        Seed of the sample and the clustering.

    Attributes
    ----------
    vocabulary_ : Vocabulary
        The visual words.

    Notes
    -----
    ``words * sum(g * g)`` dimensions. For tf-idf put scikit-learn's ``TfidfTransformer`` behind
    it.
    """

    summary = "Counts of the visual words of a learned vocabulary"
    reference = (
        "Sivic and Zisserman (2003), Video Google: a text retrieval approach to object matching "
        "in videos, ICCV, doi:10.1109/ICCV.2003.1238663; Lazebnik, Schmid and Ponce (2006), "
        "Beyond bags of features, CVPR, doi:10.1109/CVPR.2006.68; Arandjelović and Zisserman "
        "(2012), Three things everyone should know to improve object retrieval, CVPR, "
        "doi:10.1109/CVPR.2012.6248018"
    )
    version = "bag-of-words 1"

    words: int = 1000
    root: bool = False
    power: float = 1.0
    grids: tuple[int, ...] = (1,)
    sample: int = 200_000
    seed: int = 0

    def encode(self, features: LocalFeatures) -> NDArray[np.floating]:
        """Histogram of words per cell, end to end."""
        count = len(self.vocabulary_)
        words = self.vocabulary_.assign(rootsift(features.descriptors, self.root))
        places = features.points[:, :2] / np.array(features.frame, np.float32)
        histograms = []
        for grid in self.grids:
            column, row = np.clip((places * grid).astype(np.intp), 0, grid - 1).T
            bins = (row * grid + column) * count + words
            histograms.append(np.bincount(bins, minlength=grid * grid * count))
        return np.concatenate(histograms).astype(np.float64) ** self.power


@dataclass(eq=False, repr=False)
class Vlad(WordEncoder):
    """Sums of the differences of descriptors from their visual words.

    Parameters
    ----------
    words : int
        Size of the vocabulary.
    root : bool
        Whether the descriptors' square roots are taken first (RootSIFT).
    sample : int
        Descriptors that the vocabulary is learned from.
    seed : int
        Seed of the sample and the clustering.

    Attributes
    ----------
    vocabulary_ : Vocabulary
        The visual words.

    Notes
    -----
    ``words * n_descriptor_dims`` dimensions. Each word's sum is L2-normalised
    (intra-normalisation), against words that burst, and then the whole.
    """

    summary = "Summed differences of the descriptors from their visual words (VLAD)"
    reference = (
        "Jégou, Douze, Schmid and Pérez (2010), Aggregating local descriptors into a compact "
        "image representation, CVPR, doi:10.1109/CVPR.2010.5540039; Arandjelović and Zisserman "
        "(2013), All about VLAD, CVPR, doi:10.1109/CVPR.2013.207"
    )
    version = "vlad 1"

    words: int = 64
    root: bool = False
    sample: int = 200_000
    seed: int = 0

    def encode(self, features: LocalFeatures) -> NDArray[np.floating]:
        """Normalised sum of differences of every word, end to end."""
        descriptors = rootsift(features.descriptors, self.root)
        nearest = self.vocabulary_.assign(descriptors)
        differences = as_floats(descriptors, features.binary) - self.vocabulary_.words[nearest]
        sums = self.vocabulary_.sums(differences.astype(np.float64), nearest)
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        np.divide(sums, length, out=sums, where=length > 0)
        return sums.ravel() / max(float(np.linalg.norm(sums)), 1e-12)


@dataclass(eq=False, repr=False)
class Fisher(Encoder):
    """Gradient of the likelihood of the descriptors under a Gaussian mixture.

    Parameters
    ----------
    components : int
        Gaussians of the mixture.
    dims : int
        Dimensions to which descriptors are first reduced by PCA.
    root : bool
        Whether the descriptors' square roots are taken first (RootSIFT).
    sample : int
        Descriptors that PCA and mixture are learned from.
    seed : int
        Seed of the sample and the mixture.

    Attributes
    ----------
    scale_ : float
        Mean length of a descriptor, by which all are divided.
    pca_ : PCA
        scikit-learn's, of the descriptors.
    mixture_ : GaussianMixture
        scikit-learn's, with diagonal covariances, of the reduced descriptors.

    Notes
    -----
    ``components * (2 * dims + 1)`` dimensions, improved by power (0.5) and L2 normalisation.
    """

    summary = "Direction in which a learned Gaussian mixture would fit the descriptors better"
    reference = (
        "Perronnin, Sánchez and Mensink (2010), Improving the Fisher kernel for large-scale image "
        "classification, ECCV, doi:10.1007/978-3-642-15561-1_11"
    )
    version = "fisher 1"

    components: int = 64
    dims: int = 64
    root: bool = False
    sample: int = 100_000
    seed: int = 0

    def fit(self, features: Iterable[LocalFeatures], y: object = None) -> Self:
        """Learn PCA and mixture; parameters as of `Encoder.fit`."""
        # Here, so that listings need not wait for them.
        from sklearn.decomposition import PCA
        from sklearn.mixture import GaussianMixture

        drawn, binary = _draw(features, self.sample, self.seed, self.root)
        values = as_floats(drawn, binary)
        self.scale_ = float(np.linalg.norm(values, axis=1).mean())
        self.pca_ = PCA(min(self.dims, *values.shape), svd_solver="covariance_eigh")
        reduced = self.pca_.fit_transform(values / self.scale_)
        self.mixture_ = GaussianMixture(
            min(self.components, len(reduced)),
            covariance_type="diag",
            reg_covar=_FISHER_REGULARISATION,
            max_iter=50,
            tol=1e-2,
            init_params="k-means++",
            random_state=self.seed,
        ).fit(reduced)
        return self

    def encode(self, features: LocalFeatures) -> NDArray[np.floating]:
        """Gradients by weights, means and variances of the mixture, end to end."""
        descriptors = rootsift(features.descriptors, self.root)
        if not len(descriptors):
            n_components, n_dims = self.mixture_.means_.shape
            return np.zeros(n_components * (2 * n_dims + 1))
        values = as_floats(descriptors, features.binary) / self.scale_
        reduced = self.pca_.transform(values)
        return np.asarray(skimage.feature.fisher_vector(reduced, self.mixture_, improved=True))


def _draw(
    features: Iterable[LocalFeatures], size: int, seed: int, root: bool
) -> tuple[NDArray[np.number], bool]:
    """Sample descriptors; the second value says whether they are bits."""
    drawn = sample_descriptors(features, size, seed)
    return rootsift(drawn, root), next(iter(features)).binary


def rootsift(descriptors: NDArray[np.number], root: bool) -> NDArray[np.number]:
    """Descriptors, on request as RootSIFT.

    Parameters
    ----------
    descriptors : ndarray of uint8, shape (n, n_dims)
        Whole numbers, or packed bits where `root` is False.
    root : bool
        Whether they become shares of their sum, square-rooted, times 512 and rounded.
    """
    if not root:
        return descriptors
    total = descriptors.sum(axis=1, keepdims=True, dtype=np.float64)
    share = np.divide(descriptors, total, out=np.zeros(descriptors.shape), where=total > 0)
    return np.minimum(np.rint(512 * np.sqrt(share)), 255).astype(np.uint8)
