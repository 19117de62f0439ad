"""Small convolutional networks, trained from scratch on the training images alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from extractors.base import Extractor
from extractors.matrices import scratch_matrix
from extractors.networks.augmentation import Augmentation, with_copies
from extractors.networks.engine import Model, dropout, engine, load_keras
from extractors.networks.pretrained import Network
from extractors.networks.training import Recipe, Track, TrainedNetwork, untracked
from extractors.preprocessing import Pixels, Preprocess, Square


@dataclass(frozen=True)
class _FixedCopies:
    """Prepared pictures and their copies, on disk."""

    pixels: NDArray[np.uint8]

    @property
    def variants(self) -> int:
        return self.pixels.shape[1]

    def __len__(self) -> int:
        return len(self.pixels)

    def sample(self, picture: int, variant: int, epoch: int) -> NDArray[np.number]:
        del epoch
        return self.pixels[picture, variant]


@dataclass(frozen=True)
class _FreshCopies(_FixedCopies):
    """A new variant of each picture in every epoch; in validation (epoch -1) the picture."""

    augmentation: Augmentation
    seed: int

    def sample(self, picture: int, variant: int, epoch: int) -> NDArray[np.number]:
        image = self.pixels[picture, 0]
        if epoch < 0:
            return image
        rng = np.random.default_rng((self.seed, epoch, picture))
        return self.augmentation.vary(image, rng)


class ScratchNetwork(TrainedNetwork, Network, Extractor):
    """A network trained as a classifier of the training images; a layer of it is the feature.

    A subclass is a dataclass of its parameters, among them `prepare`, `recipe`, `augmentation`
    and `fresh`, with one method, `classifier`, that builds the network, on RGB values of 0 to 255.
    """

    vector_layer = "feature"

    augmentation: Augmentation | None
    fresh: bool

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Rows, columns and channels of a prepared picture."""
        return self.prepare(np.zeros((8, 8, 3), np.uint8)).shape

    @property
    def implementation(self) -> dict[str, str]:
        """Keras and its backend."""
        return engine()

    def fit(  # type: ignore[override]
        self,
        images: Sequence[Pixels],
        y: Sequence[str],
        folder: Path | None = None,
        track: Track = untracked,
    ) -> Self:
        """Train on pictures and their class names; parameters as of `FineTuned.fit`."""
        return self._learn(partial(self._samples, images), y, folder, track)

    def _samples(self, images: Sequence[Pixels], folder: Path) -> _FixedCopies:
        """Prepare pictures and copies once, into a matrix on disk that is read piece by piece."""
        folder.mkdir(parents=True, exist_ok=True)
        varied = None if self.fresh else self.augmentation
        variants = 1 + (varied.copies if varied else 0)
        pixels = scratch_matrix(folder, np.uint8, (len(images), variants, *self.input_shape))
        for number, image in enumerate(with_copies(images, varied, self.recipe.seed)):
            pixels[divmod(number, variants)] = self.prepare(image)
        if self.fresh and self.augmentation:
            return _FreshCopies(pixels, self.augmentation, self.recipe.seed)
        return _FixedCopies(pixels)

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the trained network up to its feature layer; shape (n_images, n_dims)."""
        return self.output(batch)


@dataclass(eq=False, repr=False)
class PlainCnn(ScratchNetwork):
    """The first network of a course: raw values in, flattened convolutions out.

    Kept as the competition entry that this suite redoes had it: no scaling of the input,
    penalties on every kernel, and a learning rate that hardly moves them.

    Parameters
    ----------
    penalty : float
        Factor of every kernel's L1 and of its L2 penalty.
    dropout : float
        Share dropped after each stage.
    prepare : Preprocess
        Applied first, to a square.
    recipe : Recipe
        How it is trained.
    augmentation : Augmentation or None
        Variants of the training pictures to learn from as well.
    fresh : bool
        A new variant of every picture in each epoch, instead of fixed copies beside it.
    """

    summary = "Five convolutions on raw values, trained on the training images' classes"
    reference = (
        "LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to document "
        "recognition, Proceedings of the IEEE, doi:10.1109/5.726791"
    )
    version = "plain-cnn 1"

    penalty: float = 0.01
    dropout: float = 0.2
    prepare: Preprocess = Square(224)
    recipe: Recipe = Recipe(patience=5, plateau=3)
    augmentation: Augmentation | None = Augmentation()
    fresh: bool = False

    def classifier(self, classes: int) -> Model:
        """Build the untrained network."""
        keras = load_keras()
        layers = keras.layers
        # The string 'l1_l2' of older Keras means no penalty at all in Keras 3.
        penalty = keras.regularizers.L1L2(self.penalty, self.penalty)

        def conv(filters: int, kernel: int, stride: int = 1) -> list[Model]:
            return [
                layers.Conv2D(
                    filters, kernel, stride, activation="relu", kernel_regularizer=penalty
                ),
                layers.BatchNormalization(),
            ]

        return keras.Sequential(
            [
                keras.Input(self.input_shape),
                *conv(8, 7, 3),
                dropout(self.dropout),
                *conv(16, 3, 2),
                *conv(16, 3),
                dropout(self.dropout),
                *conv(32, 3, 2),
                *conv(32, 3),
                dropout(self.dropout),
                layers.AveragePooling2D(2),
                layers.Flatten(name="feature"),
                layers.Dense(classes, activation="softmax", kernel_regularizer=penalty),
            ]
        )


@dataclass(eq=False, repr=False)
class CompactCnn(ScratchNetwork):
    """A modern small network, with the parameters and minutes of the plain one.

    Input scaled to ±1, separable convolutions, global average pooling, a normalised embedding
    whose cosines are the class scores, and a new variant of every picture in each epoch.

    Parameters
    ----------
    widths : tuple of int
        Channels of the stages; each halves the map.
    sharpness : float
        Factor of the cosines before the softmax.
    prepare : Preprocess
        Applied first, to a square.
    recipe : Recipe
        How it is trained.
    augmentation : Augmentation or None
        Variants of the training pictures to learn from as well.
    fresh : bool
        A new variant of every picture in each epoch, instead of fixed copies beside it.
    """

    summary = "A small normalised embedding, trained on the training images' classes"
    reference = (
        "Wang, Xiang, Cheng and Yuille (2017), NormFace: L2 Hypersphere Embedding for Face "
        "Verification, ACM Multimedia, doi:10.1145/3123266.3123359"
    )
    version = "compact-cnn 1"

    widths: tuple[int, ...] = (24, 48, 76, 120)
    sharpness: float = 16.0
    prepare: Preprocess = Square(128)
    recipe: Recipe = Recipe(epochs=120, batch=32, rate=2e-3, patience=30, min_delta=0.0, plateau=8)
    augmentation: Augmentation | None = Augmentation(rotation=15, shift=0.1, shear=5, zoom=0.15)
    fresh: bool = True

    def classifier(self, classes: int) -> Model:
        """Build the untrained network."""
        keras = load_keras()
        layers = keras.layers
        inputs = keras.Input(self.input_shape)
        x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
        x = layers.Conv2D(self.widths[0], 3, 2, "same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        for width in self.widths[1:]:
            x = layers.MaxPooling2D(2)(x)
            x = layers.SeparableConv2D(width, 3, padding="same", use_bias=False)(x)
            x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.SeparableConv2D(self.widths[-1], 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.UnitNormalization(name="feature")(layers.GlobalAveragePooling2D()(x))
        x = layers.Dense(classes, use_bias=False, kernel_constraint=keras.constraints.UnitNorm())(
            x
        )
        return keras.Model(inputs, layers.Softmax()(layers.Rescaling(self.sharpness)(x)))
