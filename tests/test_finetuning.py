"""The freeze boundary: training the rest on stored maps is training the whole network."""

import numpy as np
import pytest
from pictures import scene
from sklearn.exceptions import NotFittedError

from extractors.base import SavesItself
from extractors.networks.augmentation import Augmentation
from extractors.networks.backbone import Backbone
from extractors.networks.engine import engine
from extractors.networks.finetuning import FineTuned
from extractors.networks.history import read_history
from extractors.networks.pretrained import MapPooling, Pretrained, Stem, pool
from extractors.networks.training import Recipe

SMALL = Backbone("ResNet50", cut="conv4_block6_out", side=64, seed=3)


def pictures(count, side=64):
    return np.stack([SMALL.prepare(scene(seed)) for seed in range(count)])


def whole_classifier(head, classes):
    """The recipe as one network from picture to probabilities, its stem frozen."""
    import keras

    loaded = head.backbone.load()
    trained = head.classifier(classes)
    loaded.stem.trainable = False
    inputs = keras.Input(loaded.stem.input.shape[1:])
    maps = loaded.stem(inputs, training=False)
    return keras.Model(inputs, trained(maps)), trained


def loss_and_gradients(model, variables, inputs, labels):
    import keras
    import tensorflow as tf

    with tf.GradientTape() as tape:
        made = model(inputs, training=False)
        loss = keras.ops.mean(keras.losses.sparse_categorical_crossentropy(labels, made))
        loss += sum(model.losses)
    return float(loss), [np.array(one) for one in tape.gradient(loss, variables)]


@pytest.mark.skipif(
    "tensorflow" not in engine(), reason="gradients are taken with TensorFlow's tape"
)
def test_outputs_loss_and_gradients_equal_the_whole_networks(own_weights):
    head = FineTuned(SMALL)
    batch, labels = SMALL.scale(pictures(3)), np.array([0, 1, 1])
    whole, trained = whole_classifier(head, 2)
    maps = SMALL.load().stem.predict(batch, verbose=0)
    np.testing.assert_allclose(
        whole.predict(batch, verbose=0), trained.predict(maps, verbose=0), rtol=1e-5, atol=1e-6
    )
    variables = trained.trainable_variables
    ours = loss_and_gradients(trained, variables, maps, labels)
    theirs = loss_and_gradients(whole, variables, batch, labels)
    assert ours[0] == pytest.approx(theirs[0], rel=1e-5)
    for one, other in zip(ours[1], theirs[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_only_what_lies_behind_the_cut_is_trained(own_weights):
    trained = FineTuned(SMALL).classifier(3)
    names = [layer.name for layer in SMALL.load().rest.layers if layer.weights]
    assert names
    assert all(name.startswith("conv5") for name in names)
    counts = sum(int(np.prod(w.shape)) for w in trained.trainable_variables)
    assert counts == 14_976_000 + 2 * 2 * 2048 * 3 + 3


@pytest.mark.parametrize("after", [False, True])
def test_dropout_stands_before_the_softmax_unless_as_the_original_had_it(own_weights, after):
    model = FineTuned(SMALL, dropout_after_softmax=after).classifier(3)
    kinds = [type(layer).__name__ for layer in model.layers][-3:]
    assert kinds == (["Flatten", "Dense", "Dropout"] if after else ["Flatten", "Dropout", "Dense"])
    dense = next(layer for layer in model.layers if type(layer).__name__ == "Dense")
    assert float(dense.kernel_regularizer.l1) == pytest.approx(0.01)
    assert float(dense.kernel_regularizer.l2) == pytest.approx(0.01)


def test_the_recipe_is_the_original_one():
    recipe, augmentation = FineTuned(SMALL).recipe, FineTuned(SMALL).augmentation
    assert (recipe.rate, recipe.epochs, recipe.min_delta, recipe.patience) == (1e-5, 50, 0.1, 3)
    assert FineTuned(SMALL).dropout == 0.1
    assert augmentation == Augmentation(5, 40, 0.2, 0.2, 0.2, True)


def test_training_changes_the_features_and_not_the_backbone(own_weights, tmp_path):
    maps = Stem(SMALL).transform(pictures(8))
    before = [array.copy() for array in SMALL.load().whole.get_weights()]
    recipe = Recipe(epochs=3, batch=4, rate=1e-3, patience=9)
    head = FineTuned(SMALL, recipe=recipe).fit(list(maps), ["a", "b"] * 4, folder=tmp_path)
    assert len(read_history(tmp_path)) == 3
    made = head.transform(maps)
    assert made.shape == (8, 2048)
    untrained = pool(SMALL.load().rest.predict(maps, verbose=0))
    assert not np.allclose(made, untrained, rtol=1e-2)
    after = SMALL.load().whole.get_weights()
    assert all(map(np.array_equal, before, after))


def test_features_are_the_pooled_or_the_flattened_last_map(own_weights, tmp_path):
    maps = Stem(SMALL).transform(pictures(4))
    recipe = Recipe(epochs=1, batch=4)
    flat = FineTuned(SMALL, feature="flatten", recipe=recipe)
    made = flat.fit(list(maps), ["a", "b"] * 2, folder=tmp_path).transform(maps)
    assert made.shape == (4, 2 * 2 * 2048)
    mean = FineTuned(SMALL, recipe=recipe).load(tmp_path).transform(maps)
    np.testing.assert_allclose(mean, made.reshape(4, 4, 2048).mean(axis=1), rtol=1e-4, atol=1e-6)


def test_a_head_writes_what_it_loads(own_weights, tmp_path):
    maps = Stem(SMALL).transform(pictures(4))
    recipe = Recipe(epochs=1, batch=4)
    head = FineTuned(SMALL, recipe=recipe).fit(list(maps), ["a", "b"] * 2)
    assert isinstance(head, SavesItself)
    assert head.is_supervised
    assert not isinstance(MapPooling(), SavesItself)
    assert not MapPooling.is_supervised
    head.save(tmp_path / "once")
    FineTuned(SMALL).load(tmp_path / "once").save(tmp_path / "twice")
    loaded = FineTuned(SMALL).load(tmp_path / "twice")
    assert np.array_equal(loaded.transform(maps), head.transform(maps))
    with pytest.raises(NotFittedError):
        FineTuned(SMALL).save(tmp_path / "never")


def test_copies_are_learned_from_but_not_validated_on(own_weights, tmp_path, monkeypatch):
    from extractors.networks import finetuning

    seen = []
    original = finetuning._StoredMaps.sample

    def note(self, picture, variant, epoch):
        seen.append((picture, variant, epoch < 0))
        return original(self, picture, variant, epoch)

    monkeypatch.setattr(finetuning._StoredMaps, "sample", note)
    maps = Stem(SMALL).transform(pictures(5))
    stack = np.repeat(maps[:, None], 3, axis=1)
    FineTuned(SMALL, recipe=Recipe(epochs=1)).fit(list(stack), list("aabbb"), folder=tmp_path)
    learn, held_out = Recipe().split(5)
    assert {(p, v) for p, v, validating in seen if not validating} == {
        (p, v) for p in learn for v in range(3)
    }
    assert {(p, v) for p, v, validating in seen if validating} == {(p, 0) for p in held_out}


def test_pooling():
    maps = np.array([[[1.0, 0.0], [3.0, 0.0]], [[2.0, 4.0], [2.0, -4.0]]], np.float32)[None]
    np.testing.assert_allclose(pool(maps), [[2.0, 0.0]])
    cubes = [(1 + 27 + 8 + 8) / 4, 64 / 4]
    np.testing.assert_allclose(pool(maps, 3.0), [np.cbrt(cubes)], rtol=1e-6)
    np.testing.assert_allclose(MapPooling().transform(list(maps)), pool(maps))


def test_a_whole_network_is_its_stem_and_its_rest(own_weights):
    batch = pictures(3)
    whole = Pretrained(SMALL).run(batch)
    maps = Stem(SMALL).run(batch)
    again = pool(np.array(SMALL.load().rest.predict(maps, verbose=0)))
    np.testing.assert_allclose(whole, again, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("application", "first"),
    [("ResNet50", (255 - 103.939, 0 - 116.779, 0 - 123.68)), ("DenseNet169", None)],
)
def test_values_are_scaled_as_the_network_was_trained(application, first):
    """Blue pictures: ResNet wants BGR less ImageNet's means, DenseNet RGB standardised."""
    blue = np.zeros((1, 4, 4, 3), np.uint8)
    blue[..., 2] = 255
    made = Backbone(application).scale(blue)[0, 0, 0]
    wanted = first or ((0 - 0.485) / 0.229, (0 - 0.456) / 0.224, (1 - 0.406) / 0.225)
    np.testing.assert_allclose(made, wanted, rtol=1e-4)
