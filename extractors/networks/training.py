"""Training of networks by a recipe; an interrupted training goes on.

All that decides an epoch (learning rate, order of samples, whether it is the last) is computed
from the recipe and the history so far, which stands in a file. Keras' callbacks decide the same,
as the tests show, but forget their patience when a training is interrupted: ``BackupAndRestore``
keeps the model and not them.
"""

import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from extractors.base import NothingToLearnError
from extractors.networks.engine import BATCH, Model, compiled_how, load_keras, run_padded, seed_all
from extractors.networks.history import Epoch, read_history, write_history
from extractors.networks.saving import (
    NETWORK,
    PART,
    STATE,
    DamagedNetworkError,
    copy_state,
    load_trained,
    read_state,
    restore_network,
    save_network,
    save_state,
    take_state,
)

_BEST = f"best{STATE}"


Track = Callable[[Iterable[int], int, str], Iterator[int]]
"""Passes items on, while somebody is shown how many of the total have passed, under a label."""


def untracked(items: Iterable[int], total: int, label: str) -> Iterator[int]:
    """Show nothing."""
    del total, label
    yield from items


@dataclass(frozen=True)
class Recipe:
    """Length and speed of a training, and the share of training images that it learns from.

    Parameters
    ----------
    epochs : int
        At most.
    batch : int
        Samples per step.
    rate : float
        Adam's learning rate at the beginning.
    patience : int
        Epochs without a validation loss lower by `min_delta` after which training ends.
    min_delta : float
        See `patience`.
    plateau : int
        Epochs without a lower validation loss after which the learning rate is multiplied by
        `factor`; 0 for never.
    factor : float
        See `plateau`.
    held_out : float
        Share of the training images that only validate.
    seed : int
        Of the split, the initial weights, dropout and the order of samples.

    References
    ----------
    D. P. Kingma, J. Ba (2015), Adam: A Method for Stochastic Optimization, ICLR,
    doi:10.48550/arXiv.1412.6980
    """

    version: ClassVar[str] = "recipe 1"

    epochs: int = 50
    batch: int = 16
    rate: float = 1e-5
    patience: int = 3
    min_delta: float = 0.1
    plateau: int = 0
    factor: float = 0.5
    held_out: float = 0.2
    seed: int = 0

    def split(self, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers of the pictures to learn from, and of those that validate; at least one each.

        Raises
        ------
        NothingToLearnError
            If there are fewer than two.
        """
        if count < 2:
            raise NothingToLearnError(f"training needs at least 2 training images, not {count}")
        order = np.random.default_rng(self.seed).permutation(count)
        held_out = min(max(1, round(self.held_out * count)), count - 1)
        return np.sort(order[held_out:]), np.sort(order[:held_out])

    def is_over(self, losses: Sequence[float]) -> bool:
        """Whether training ends after epochs of these validation losses (early stopping)."""
        best, waited = np.inf, 0
        for loss in losses:
            improved = loss < best - self.min_delta
            best, waited = (loss, 0) if improved else (best, waited + 1)
            if waited >= self.patience:
                return True
        return len(losses) >= self.epochs

    def next_rate(self, losses: Sequence[float]) -> float:
        """Learning rate after epochs of these validation losses (reduced on a plateau)."""
        rate, best, waited = self.rate, np.inf, 0
        for loss in losses:
            improved = loss < best - 1e-4  # Keras' own threshold
            best, waited = (loss, 0) if improved else (best, waited + 1)
            if self.plateau and waited >= self.plateau:
                rate, waited = rate * self.factor, 0
        return rate


class Samples(Protocol):
    """Training pictures as inputs, in several variants each, of which the first is itself."""

    @property
    def variants(self) -> int:
        """Network inputs per picture."""
        ...

    def __len__(self) -> int:
        """Number of pictures."""
        ...

    def sample(self, picture: int, variant: int, epoch: int) -> NDArray[np.number]:
        """One network input; the epoch is -1 in validation."""
        ...


class TrainedNetwork(ABC):
    """Base of what trains a classifier by a recipe and takes its vectors from one of the layers.

    Attributes
    ----------
    network_ : keras.Model
        The classifier up to the layer that gives the vectors.
    """

    is_supervised = True

    vector_layer: ClassVar[str]
    """Name of the layer that gives the vectors."""

    recipe: Recipe

    @abstractmethod
    def classifier(self, classes: int) -> Model:
        """Build the untrained network, from inputs to the probabilities of so many classes."""

    def _learn(
        self,
        samples: Callable[[Path], Samples],
        y: Sequence[str],
        folder: Path | None,
        track: Track,
    ) -> Self:
        """Train on samples that are made in the folder, a temporary one if none is given."""
        classes, labels = np.unique(np.asarray(y), return_inverse=True)
        with tempfile.TemporaryDirectory() as scratch:
            place = folder or Path(scratch)
            build = partial(self.classifier, len(classes))
            return self.use(train(build, samples(place), labels, self.recipe, place, track))

    def load(self, folder: Path) -> Self:
        """Take the network of a finished training instead of training one.

        Raises
        ------
        DamagedNetworkError
            If its file is damaged.
        OSError
            If its file cannot be read.
        """
        return self.use(load_trained(folder))

    def save(self, folder: Path) -> None:
        """Write the trained classifier, as `load` takes it.

        Raises
        ------
        NotFittedError
            If nothing is trained or loaded yet.
        """
        check_is_fitted(self)
        folder.mkdir(parents=True, exist_ok=True)
        save_network(self._classifier, folder / NETWORK)

    def use(self, classifier: Model) -> Self:
        """Take a trained classifier.

        Parameters
        ----------
        classifier : keras.Model
            Inputs to class probabilities.
        """
        self._classifier = classifier
        layer = classifier.get_layer(self.vector_layer)
        self.network_ = load_keras().Model(classifier.inputs[0], layer.output)
        return self

    def output(self, batch: NDArray[np.number]) -> NDArray[np.float32]:
        """Run the network up to the layer that gives the vectors.

        Parameters
        ----------
        batch : ndarray, shape (n, ...), 1 <= n <= BATCH
            Inputs of the network.

        Raises
        ------
        NotFittedError
            If nothing is trained or loaded yet.
        """
        check_is_fitted(self)
        return run_padded(self.network_.predict_on_batch, batch.astype(np.float32))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")


def train(
    build: Callable[[], Model],
    samples: Samples,
    labels: NDArray[np.int64],
    recipe: Recipe,
    folder: Path,
    track: Track,
) -> Model:
    """Train a classifier, or go on where an earlier call was stopped, or just load the result.

    Parameters
    ----------
    build : callable
        Makes the network, from inputs to class probabilities, with seeded weights.
    samples : Samples
        Of training images alone. The validation part is never varied.
    labels : ndarray of int, shape (n_pictures,)
        Numbers of the pictures' classes, from 0.
    recipe : Recipe
        Length, speed, seed and validation part.
    folder : Path
        Keeps the history (``history.json``), the last epoch's state and in the end the network
        of the epoch with the lowest validation loss (``network.keras``). No other process may
        write there meanwhile. What is damaged there is made again.
    track : Track
        Shows progress.

    Returns
    -------
    keras.Model
        The network of the best epoch.
    """
    if trained := restore_network(folder / NETWORK):
        return trained
    folder.mkdir(parents=True, exist_ok=True)
    model, best = _compiled(build, recipe), folder / _BEST
    history = _resumed(model, folder)
    learn, validate = recipe.split(len(samples))
    for epoch in track(range(len(history), recipe.epochs), recipe.epochs, "training"):
        losses = [one.val_loss for one in history]
        if recipe.is_over(losses):
            break
        model.optimizer.learning_rate.assign(recipe.next_rate(losses))
        history.append(_epoch(model, samples, labels, recipe, epoch, learn, validate))
        last = _last(folder, len(history))
        save_state(model, last)
        if history[-1].val_loss <= min(one.val_loss for one in history):
            copy_state(last, best)
        # The history says which of the last states counts, whenever this is stopped.
        write_history(folder, history)
        _last(folder, epoch).unlink(missing_ok=True)
    if (state := read_state(best)) is None:
        raise DamagedNetworkError(f"{best}: damaged while the network was trained; run again")
    take_state(model, state)
    save_network(model, folder / NETWORK)
    for left in (*folder.glob(f"last-*{STATE}"), best, folder / PART):
        left.unlink(missing_ok=True)
    return load_trained(folder)


def _compiled(build: Callable[[], Model], recipe: Recipe) -> Model:
    """The untrained network, ready to be trained."""
    seed_all(recipe.seed)
    model = build()
    optimizer = load_keras().optimizers.Adam(recipe.rate)
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizer, loss, metrics=["accuracy"], **compiled_how())
    optimizer.build(model.trainable_variables)
    return model


def _resumed(model: Model, folder: Path) -> list[Epoch]:
    """The epochs of a training that was stopped, whose state the network takes; or none."""
    history = read_history(folder)
    state = read_state(_last(folder, len(history))) if history else None
    if state is None or read_state(folder / _BEST) is None:
        return []
    take_state(model, state)
    return history


def _last(folder: Path, epochs: int) -> Path:
    """The network's state after so many epochs."""
    return folder / f"last-{epochs}{STATE}"


def _epoch(
    model: Model,
    samples: Samples,
    labels: NDArray[np.int64],
    recipe: Recipe,
    epoch: int,
    learn: NDArray[np.int64],
    validate: NDArray[np.int64],
) -> Epoch:
    began = time.perf_counter()
    pairs = np.array([(p, v) for p in learn for v in range(samples.variants)])
    rng = np.random.default_rng((recipe.seed, epoch))
    rate = float(load_keras().ops.convert_to_numpy(model.optimizer.learning_rate))
    _reseed(model, recipe.seed, epoch)
    with _batches(samples, rng.permutation(pairs), labels, recipe.batch, epoch) as learned:
        fitted = model.fit(learned, epochs=1, shuffle=False, verbose=0)
    held_out = np.array([(p, 0) for p in validate])
    with _batches(samples, held_out, labels, BATCH, -1) as validated:
        judged = model.evaluate(validated, verbose=0, return_dict=True)
    return Epoch(
        epoch,
        float(fitted.history["loss"][0]),
        float(fitted.history["accuracy"][0]),
        float(judged["loss"]),
        float(judged["accuracy"]),
        rate,
        round(time.perf_counter() - began, 3),
    )


def _all(layer: Model) -> Iterator[Model]:
    """A layer, then those inside it."""
    yield layer
    for inner in getattr(layer, "layers", ()):
        yield from _all(inner)


def _reseed(model: Model, seed: int, epoch: int) -> None:
    """Make dropout depend on seed and epoch alone, so that a resumed training is the same."""
    inputs = load_keras().layers.InputLayer
    parts = [one for layer in model.layers if not isinstance(layer, inputs) for one in _all(layer)]
    # From 2, after the model and its input, which not every kind of model lists.
    for number, layer in enumerate(parts, start=2):
        if generator := getattr(layer, "seed_generator", None):
            generator.state.assign(np.array([seed * 1000 + number, epoch], np.uint32))


@contextmanager
def _batches(
    samples: Samples,
    pairs: NDArray[np.int64],
    labels: NDArray[np.int64],
    size: int,
    epoch: int,
) -> Iterator[Model]:
    """A Keras data set of (picture, variant) pairs, made ready when they are asked for."""
    keras = load_keras()

    class Pairs(keras.utils.PyDataset):  # type: ignore[name-defined]
        source: Any = samples

        def __len__(self) -> int:
            return -(-len(pairs) // size)

        def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
            part = pairs[index * size : (index + 1) * size]
            made = [self.source.sample(int(p), int(v), epoch) for p, v in part]
            return np.stack(made).astype(np.float32), labels[part[:, 0]]

    try:
        yield Pairs(workers=1, use_multiprocessing=False, max_queue_size=4)
    finally:
        # TensorFlow keeps every data set for ever, and with it all that hangs on it.
        Pairs.source = None
