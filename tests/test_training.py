"""Training: the recipe's rules, histories, resuming, and networks that come back from disk."""

import gc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from extractors.base import NothingToLearnError, SavesItself
from extractors.networks import engine, training
from extractors.networks.augmentation import Augmentation
from extractors.networks.history import HISTORY, read_history
from extractors.networks.saving import NETWORK, DamagedNetworkError, load_trained
from extractors.networks.scratch import CompactCnn, PlainCnn
from extractors.networks.training import Recipe
from extractors.preprocessing import Square

LOSSES = [np.random.default_rng(seed).normal(3, 0.4, 30).cumsum() / 40 for seed in range(5)]
LOSSES += [np.random.default_rng(seed).normal(1, 0.2, 30) for seed in range(5)]
LOSSES += [np.linspace(9, 1, 30), np.full(30, 2.0)]


class FakeModel:
    """As much of a model as Keras' callbacks ask for."""

    def __init__(self):
        from types import SimpleNamespace

        import keras

        self.stop_training = False
        self.optimizer = SimpleNamespace(learning_rate=keras.Variable(0.01))


@pytest.mark.parametrize("losses", LOSSES)
def test_stopping_is_that_of_keras(losses):
    import keras

    callback = keras.callbacks.EarlyStopping("val_loss", min_delta=0.1, patience=3, mode="min")
    callback.set_model(FakeModel())
    callback.on_train_begin()
    recipe = Recipe(patience=3, min_delta=0.1, epochs=30)
    for epoch, loss in enumerate(losses):
        assert not recipe.is_over(losses[:epoch])
        callback.on_epoch_end(epoch, {"val_loss": loss})
        if callback.model.stop_training:
            assert recipe.is_over(losses[: epoch + 1])
            return
    assert recipe.is_over(losses)  # by the number of epochs


@pytest.mark.parametrize("losses", LOSSES)
def test_the_plateau_rule_is_that_of_keras(losses):
    import keras

    callback = keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=3)
    callback.set_model(FakeModel())
    callback.on_train_begin()
    recipe = Recipe(rate=0.01, plateau=3, factor=0.5)
    for epoch, loss in enumerate(losses):
        rate = float(callback.model.optimizer.learning_rate)
        assert recipe.next_rate(losses[:epoch]) == pytest.approx(rate)
        callback.on_epoch_end(epoch, {"val_loss": loss})


def test_the_split_is_seeded_and_keeps_both_parts():
    learn, held_out = Recipe().split(100)
    assert (len(learn), len(held_out)) == (80, 20)
    assert sorted([*learn, *held_out]) == list(range(100))
    assert np.array_equal(Recipe().split(100)[0], learn)
    assert not np.array_equal(Recipe(seed=1).split(100)[0], learn)
    assert [len(part) for part in Recipe().split(2)] == [1, 1]
    with pytest.raises(NothingToLearnError, match="at least 2 training images, not 1"):
        Recipe().split(1)


@pytest.fixture
def pictures():
    """Two classes that differ in colour."""
    rng = np.random.default_rng(0)
    made = rng.integers(0, 120, (24, 40, 40, 3)).astype(np.uint8)
    made[12:, ..., 0] += 120
    return list(made), ["blue"] * 12 + ["red"] * 12


def compact(epochs, **more):
    recipe = Recipe(epochs=epochs, batch=8, rate=5e-3, patience=50, min_delta=0.0, **more)
    return CompactCnn(widths=(8, 16), prepare=Square(32), recipe=recipe)


def plain(epochs):
    recipe = Recipe(epochs=epochs, batch=8, rate=1e-3)
    return PlainCnn(prepare=Square(112), augmentation=Augmentation(copies=1), recipe=recipe)


def test_training_learns(pictures, tmp_path):
    extractor = compact(40).fit(*pictures, folder=tmp_path)
    history = read_history(tmp_path)
    assert len(history) == 40
    assert history[-1].accuracy > 0.9
    assert max(one.val_accuracy for one in history) == 1.0
    vectors = extractor.transform(pictures[0])
    within = np.linalg.norm(vectors[:12] - vectors[0], axis=1).mean()
    across = np.linalg.norm(vectors[12:] - vectors[0], axis=1).mean()
    assert across > 2 * within


@pytest.mark.parametrize("make", [compact, plain])
def test_training_is_the_same_from_run_to_run(make, pictures, tmp_path):
    made = [make(2).fit(*pictures, folder=tmp_path / name).transform(pictures[0]) for name in "ab"]
    assert np.array_equal(*made)


@pytest.mark.parametrize("stop", [1, 2, 3])
@pytest.mark.parametrize("make", [compact, plain])
def test_a_training_stopped_after_any_epoch_ends_with_the_same_network(
    make, stop, pictures, tmp_path, monkeypatch
):
    whole = make(4).fit(*pictures, folder=tmp_path / "whole")
    original, ran = training._epoch, []

    def interrupted(model, samples, labels, recipe, epoch, *rest):
        if epoch == stop and len(ran) == stop:
            ran.append("stop")
            raise KeyboardInterrupt
        ran.append(epoch)
        return original(model, samples, labels, recipe, epoch, *rest)

    monkeypatch.setattr(training, "_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(4).fit(*pictures, folder=tmp_path / "cut")
    assert len(read_history(tmp_path / "cut")) == stop
    resumed = make(4).fit(*pictures, folder=tmp_path / "cut")
    assert ran == [*range(stop), "stop", *range(stop, 4)]
    histories = [
        [replace(epoch, seconds=0.0) for epoch in read_history(tmp_path / name)]
        for name in ("whole", "cut")
    ]
    assert histories[0] == histories[1]
    weights = [extractor.network_.get_weights() for extractor in (whole, resumed)]
    assert all(map(np.array_equal, *weights))
    assert np.array_equal(resumed.transform(pictures[0]), whole.transform(pictures[0]))


def test_a_stop_between_network_and_history_changes_nothing(pictures, tmp_path, monkeypatch):
    whole = compact(4).fit(*pictures, folder=tmp_path / "whole").transform(pictures[0])
    original = training.write_history

    def stop_at_2(folder, history):
        if len(history) == 2:
            raise KeyboardInterrupt
        original(folder, history)

    monkeypatch.setattr(training, "write_history", stop_at_2)
    with pytest.raises(KeyboardInterrupt):
        compact(4).fit(*pictures, folder=tmp_path / "cut")
    monkeypatch.setattr(training, "write_history", original)
    resumed = compact(4).fit(*pictures, folder=tmp_path / "cut")
    assert len(read_history(tmp_path / "cut")) == 4
    np.testing.assert_allclose(resumed.transform(pictures[0]), whole, rtol=1e-4, atol=1e-5)
    left = sorted(path.name for path in (tmp_path / "cut").iterdir())
    assert left == [HISTORY, NETWORK]


def test_a_trained_network_is_loaded_and_not_trained_again(pictures, tmp_path, monkeypatch):
    first = compact(2).fit(*pictures, folder=tmp_path).transform(pictures[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == [HISTORY, NETWORK]
    monkeypatch.setattr(training, "_epoch", None)
    assert np.array_equal(compact(2).load(tmp_path).transform(pictures[0]), first)
    assert np.array_equal(compact(2).fit(*pictures, folder=tmp_path).transform(pictures[0]), first)


@pytest.mark.parametrize("make", [compact, plain])
def test_a_network_writes_what_it_loads(make, pictures, tmp_path):
    trained = make(1).fit(*pictures)
    assert isinstance(trained, SavesItself)
    assert trained.is_supervised
    trained.save(tmp_path / "once")
    loaded = make(1).load(tmp_path / "once")
    loaded.save(tmp_path / "twice")
    for extractor in (loaded, make(1).load(tmp_path / "twice")):
        assert np.array_equal(extractor.transform(pictures[0]), trained.transform(pictures[0]))
    assert [path.name for path in (tmp_path / "twice").iterdir()] == [NETWORK]
    with pytest.raises(NotFittedError):
        make(1).save(tmp_path / "never")


def flipped(content, place=0.5):
    """The same bytes, but for one bit."""
    where = int(len(content) * place)
    return content[:where] + bytes([content[where] ^ 16]) + content[where + 1 :]


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("last-2.npz", flipped),
        ("best.npz", lambda content: content[:-100]),
        (HISTORY, lambda content: content.replace(b"0.", b"1.", 1)),
        (HISTORY, lambda content: bytes(len(content))),
    ],
)
def test_what_is_damaged_of_a_stopped_training_is_made_again(
    name, damage, pictures, tmp_path, monkeypatch, caplog
):
    whole = compact(3).fit(*pictures, folder=tmp_path / "whole").transform(pictures[0])
    original = training._epoch

    def stopped(model, samples, labels, recipe, epoch, *rest):
        if epoch == 2:
            raise KeyboardInterrupt
        return original(model, samples, labels, recipe, epoch, *rest)

    monkeypatch.setattr(training, "_epoch", stopped)
    with pytest.raises(KeyboardInterrupt):
        compact(3).fit(*pictures, folder=tmp_path / "cut")
    monkeypatch.setattr(training, "_epoch", original)
    path = tmp_path / "cut" / name
    path.write_bytes(damage(path.read_bytes()))
    again = compact(3).fit(*pictures, folder=tmp_path / "cut")
    assert str(path) in caplog.text
    assert np.array_equal(again.transform(pictures[0]), whole)
    assert len(read_history(tmp_path / "cut")) == 3


def test_a_damaged_network_is_known_and_one_that_cannot_be_read_is_not_damaged(
    pictures, tmp_path, caplog
):
    first = compact(1).fit(*pictures, folder=tmp_path).transform(pictures[0])
    path = tmp_path / NETWORK
    whole = path.read_bytes()
    for damaged in (flipped(whole), flipped(whole, 0.1), whole[:2000], b"", bytes(len(whole))):
        path.write_bytes(damaged)
        with pytest.raises(DamagedNetworkError, match=f"^{path}: damaged"):
            compact(1).load(tmp_path)
    (tmp_path / HISTORY).unlink()
    assert np.array_equal(compact(1).fit(*pictures, folder=tmp_path).transform(pictures[0]), first)
    assert "it is trained again" in caplog.text
    path.unlink()
    path.mkdir()
    for method in (compact(1).load, lambda folder: compact(1).fit(*pictures, folder=folder)):
        with pytest.raises(IsADirectoryError):
            method(tmp_path)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="lists what is open")
def test_a_training_leaves_nothing_open(pictures, tmp_path):
    def kept_open():
        places = [path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
        return [place for place in places if tmp_path in place.parents]

    for number in range(2):
        compact(1).fit(*pictures, folder=tmp_path / str(number))
    gc.collect()
    assert kept_open() == []


def test_the_best_epoch_is_kept(pictures, tmp_path, monkeypatch):
    original = training._epoch
    kept = {}

    def worse_from_2(model, *rest):
        made = original(model, *rest)
        kept[made.epoch] = model.get_weights()[0].copy()
        return training.Epoch(**{**vars(made), "val_loss": (3.0, 1.0, 2.0, 5.0)[made.epoch]})

    monkeypatch.setattr(training, "_epoch", worse_from_2)
    compact(4).fit(*pictures, folder=tmp_path)
    loaded = load_trained(tmp_path)
    assert np.array_equal(loaded.get_weights()[0], kept[1])
    assert not np.array_equal(loaded.get_weights()[0], kept[3])


def test_validation_pictures_are_neither_varied_nor_learned_from(pictures, tmp_path, monkeypatch):
    seen = []
    from extractors.networks import scratch

    original = scratch._FreshCopies.sample

    def note(self, picture, variant, epoch):
        seen.append((picture, variant, epoch))
        return original(self, picture, variant, epoch)

    monkeypatch.setattr(scratch._FreshCopies, "sample", note)
    compact(2).fit(*pictures, folder=tmp_path)
    learn, held_out = Recipe().split(24)
    assert {picture for picture, _, epoch in seen if epoch >= 0} == set(learn)
    assert {picture for picture, _, epoch in seen if epoch < 0} == set(held_out)


def test_the_plain_network_is_the_original_one():
    model = PlainCnn().classifier(10)
    kinds = [type(layer).__name__ for layer in model.layers]
    wanted = "Conv2D BatchNormalization Dropout Conv2D BatchNormalization Conv2D "
    wanted += "BatchNormalization Dropout Conv2D BatchNormalization Conv2D BatchNormalization "
    wanted += "Dropout AveragePooling2D Flatten Dense"
    assert kinds == wanted.split()
    convolutions = [layer for layer in model.layers if type(layer).__name__ == "Conv2D"]
    assert [layer.filters for layer in convolutions] == [8, 16, 16, 32, 32]
    assert [layer.kernel_size[0] for layer in convolutions] == [7, 3, 3, 3, 3]
    assert [layer.strides[0] for layer in convolutions] == [3, 2, 1, 2, 1]
    assert model.input_shape == (None, 224, 224, 3)
    assert model.get_layer("feature").output.shape == (None, 1568)
    for layer in (*convolutions, model.layers[-1]):
        assert float(layer.kernel_regularizer.l1) == pytest.approx(0.01)
        assert float(layer.kernel_regularizer.l2) == pytest.approx(0.01)
    recipe = PlainCnn().recipe
    assert (recipe.rate, recipe.batch, recipe.epochs) == (1e-5, 16, 50)
    assert (recipe.min_delta, recipe.patience) == (0.1, 5)
    assert (recipe.factor, recipe.plateau, recipe.held_out) == (0.5, 3, 0.2)
    assert PlainCnn().augmentation == Augmentation(5, 40, 0.2, 0.2, 0.2, True)


def test_the_compact_network_has_no_more_parameters():
    assert CompactCnn().classifier(10).count_params() <= PlainCnn().classifier(10).count_params()


def test_engine_names_backend_and_version():
    import keras

    named = engine.engine()
    assert named["keras"] == keras.__version__
    assert keras.backend.backend() in named


def test_the_users_configuration_of_keras_is_named_or_has_no_influence(monkeypatch, tmp_path):
    keras = engine.load_keras()
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert engine.backend() == "tensorflow"
    (tmp_path / "keras.json").write_text('{"backend": "torch", "floatx": "float16"}')
    assert "torch" in engine.engine()
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert "jax" in engine.engine()
    keras.config.set_image_data_format("channels_first")
    keras.config.set_floatx("float16")
    assert engine.load_keras().config.image_data_format() == "channels_last"
    assert keras.config.floatx() == "float32"
