"""Transfer learning: the rest of a pretrained network, trained on its stem's feature maps."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from extractors.networks.augmentation import Augmentation
from extractors.networks.backbone import Backbone
from extractors.networks.engine import Model, batches, dropout, load_keras
from extractors.networks.pretrained import MapHead, pool
from extractors.networks.training import Recipe, Track, TrainedNetwork, untracked


@dataclass(frozen=True)
class _StoredMaps:
    """Feature maps of each picture and its copies."""

    maps: Sequence[NDArray[np.floating]]

    @property
    def variants(self) -> int:
        return len(self.maps[0]) if self.maps[0].ndim == 4 else 1

    def __len__(self) -> int:
        return len(self.maps)

    def sample(self, picture: int, variant: int, epoch: int) -> NDArray[np.number]:
        del epoch  # the copies are fixed
        return self.maps[picture][variant] if self.maps[picture].ndim == 4 else self.maps[picture]


@dataclass(eq=False, repr=False)
class FineTuned(TrainedNetwork, MapHead):
    """Trains what lies behind a backbone's cut as a classifier; its last map is the feature.

    Behind the network stand Flatten, Dropout and a softmax layer with L1 and L2 penalties. Batch
    normalisation keeps its statistics. The stem is frozen, so its maps, of the pictures and of
    their augmented copies, are computed once and this part alone is run in every epoch.

    Parameters
    ----------
    backbone : Backbone
        The one in the stem, with its cut.
    feature : {"mean", "flatten"}
        The last map, averaged over its places or as it is.
    dropout : float
        Share of the inputs of the softmax layer that are dropped in training.
    dropout_after_softmax : bool
        Drop probabilities instead, as the recipe's source did. Where a sample's right class is
        dropped, it teaches nothing.
    penalty : float
        Factor of the softmax layer's L1 and of its L2 penalty.
    augmentation : Augmentation or None
        Whose copies of the training images are learned from as well.
    recipe : Recipe
        How it is trained.

    Attributes
    ----------
    network_ : keras.Model
        From a map at the cut to the last map.
    """

    summary = "The rest of the network, trained further on the training images' classes"
    reference = (
        "Yosinski, Clune, Bengio and Lipson (2014), How transferable are features in deep neural "
        "networks?, NIPS, doi:10.48550/arXiv.1411.1792"
    )
    version = "fine-tuned 1"
    vector_layer = "maps"

    backbone: Backbone
    feature: Literal["mean", "flatten"] = "mean"
    dropout: float = 0.1
    dropout_after_softmax: bool = False
    penalty: float = 0.01
    augmentation: Augmentation | None = Augmentation()
    recipe: Recipe = Recipe()

    @property
    def note(self) -> str:
        """Remark of the network that it continues."""
        return self.backbone.load().note

    @property
    def variants(self) -> int:
        """Maps per training image: its own, and one for each copy."""
        return 1 + (self.augmentation.copies if self.augmentation else 0)

    def fit(  # type: ignore[override]
        self,
        maps: Sequence[NDArray[np.floating]],
        y: Sequence[str],
        folder: Path | None = None,
        track: Track = untracked,
    ) -> Self:
        """Train.

        Parameters
        ----------
        maps : sequence of ndarray, shape (variants, rows, columns, channels)
            Of each training image: its map, then those of its copies. Without that first axis
            there are no copies.
        y : sequence of str
            Class names.
        folder : Path, optional
            See `extractors.networks.training.train`.
        track : Track
            Shows progress.
        """
        return self._learn(lambda _: _StoredMaps(maps), y, folder, track)

    def classifier(self, classes: int) -> Model:
        """Build the untrained classifier, from maps at the cut to probabilities."""
        keras = load_keras()
        layers = keras.layers
        rest = self.backbone.load().rest
        # A copy: what this method trains must not change what another one finds.
        rest = _copied(rest)
        inputs = keras.Input(rest.input.shape[1:])
        last = layers.Identity(name="maps")(rest(inputs, training=False))
        x = layers.Flatten()(last)
        if not self.dropout_after_softmax:
            x = dropout(self.dropout)(x)
        # The string 'l1_l2' of older Keras means no penalty at all in Keras 3.
        penalty = keras.regularizers.L1L2(self.penalty, self.penalty)
        x = layers.Dense(classes, activation="softmax", kernel_regularizer=penalty)(x)
        if self.dropout_after_softmax:
            x = dropout(self.dropout)(x)
        return keras.Model(inputs, x)

    def transform(self, maps: Iterable[NDArray[np.floating]]) -> NDArray[np.float32]:
        """Run the trained part; shape (n_images, n_dims)."""
        made = []
        for part in batches(maps):
            last = self.output(np.stack(part))
            made.append(pool(last) if self.feature == "mean" else last.reshape(len(last), -1))
        return np.concatenate(made)


def _copied(model: Model) -> Model:
    twin = load_keras().models.clone_model(model)
    twin.set_weights(model.get_weights())
    return twin
