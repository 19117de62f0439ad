"""Networks: extraction beside one picture a call, and training at the freeze boundary.

ResNet152 at its full size, with seeded weights: they take as long as the real ones.
"""

import keras
import numpy as np
import pytest

from extractors import backbone as backbone_module
from extractors import weights
from extractors.backbone import Backbone
from extractors.engine import compiled_how, run_padded
from extractors.finetuning import FineTuned
from extractors.pretrained import Pretrained, Stem
from extractors.training import Recipe, train

RESNET152 = Backbone("ResNet152", cut="conv4_block36_out")
OPERATIONS = 23.1e9
"""Floating-point operations of ResNet152 on one picture, without its classifier."""

PICTURES = np.random.default_rng(0).integers(0, 256, (32, 224, 224, 3)).astype(np.uint8)
LABELS = np.arange(32) % 10


@pytest.fixture(scope="module", autouse=True)
def seeded_weights(tmp_path_factory):
    """No file is read."""
    with pytest.MonkeyPatch.context() as patch:
        empty = tmp_path_factory.mktemp("weights") / "none.h5"
        empty.write_bytes(b"")
        patch.setenv(weights.variable("resnet152"), str(empty))
        every = {layer.name for layer in RESNET152.build().layers}
        patch.setattr(backbone_module, "_fill", lambda whole, path: every)
        yield


def once(benchmark, work):
    work()  # graphs are built
    benchmark.pedantic(work, rounds=3)


def matmul_peak():
    """As many operations as the network needs, as products of large float32 matrices."""
    side = 4096
    matrix = keras.ops.ones((side, side), "float32")
    for _ in range(round(OPERATIONS * len(PICTURES) / (2 * side**3))):
        product = keras.ops.matmul(matrix, matrix)
    return keras.ops.convert_to_numpy(product)


def one_picture_a_call():
    whole = RESNET152.load().whole
    return [whole.predict(RESNET152.scale(one[None]), verbose=0) for one in PICTURES]


EXTRACTION = {
    "ours, batches of 32": lambda: Pretrained(RESNET152).run(PICTURES),
    "model.predict, one picture a call": one_picture_a_call,
    "the same operations as float32 matrix products": matmul_peak,
}


@pytest.mark.parametrize("peer", EXTRACTION)
def test_extract(benchmark, peer):
    benchmark.group = "ResNet152: vectors of 32 pictures"
    benchmark.extra_info["peer"] = peer
    once(benchmark, EXTRACTION[peer])


class Inputs:
    """Pictures or maps, without copies."""

    variants = 1

    def __init__(self, inputs):
        self.inputs = inputs

    def __len__(self):
        return len(self.inputs)

    def sample(self, picture, variant, epoch):
        return self.inputs[picture]


def whole_classifier():
    """The recipe without the boundary: one network, its stem frozen, from picture to class."""
    loaded = RESNET152.load()
    loaded.stem.trainable = False
    inputs = keras.Input(loaded.stem.input.shape[1:])
    maps = loaded.stem(inputs, training=False)
    return keras.Model(inputs, FineTuned(RESNET152).classifier(10)(maps))


def recipe(epochs):
    return Recipe(epochs=epochs, patience=99)


def on_maps(folder, epochs, maps):
    build = lambda: FineTuned(RESNET152).classifier(10)  # noqa: E731
    train(build, Inputs(maps), LABELS, recipe(epochs), folder)


def on_pictures(folder, epochs):
    train(whole_classifier, Inputs(RESNET152.scale(PICTURES)), LABELS, recipe(epochs), folder)


@pytest.mark.parametrize("peer", ["ours, on stored maps", "the whole network"])
def test_epochs(benchmark, peer):
    """Epochs alone: graphs are built, and maps made, before the clock starts."""
    benchmark.group = "ResNet152: an epoch of fine-tuning conv5, 32 pictures"
    benchmark.extra_info["peer"] = peer
    scaled = RESNET152.scale(PICTURES)
    if peer.startswith("ours"):
        model = FineTuned(RESNET152).classifier(10)
        inputs = run_padded(RESNET152.load().stem.predict_on_batch, scaled)
    else:
        model, inputs = whole_classifier(), scaled
    model.compile(keras.optimizers.Adam(1e-5), "sparse_categorical_crossentropy", **compiled_how())
    once(benchmark, lambda: model.fit(inputs, LABELS, batch_size=16, epochs=1, verbose=0))


@pytest.mark.parametrize("peer", ["ours, making the maps included", "the whole network"])
def test_whole_fit(benchmark, peer, tmp_path):
    benchmark.group = "ResNet152: a fit of 10 epochs, 32 pictures"
    benchmark.extra_info["peer"] = peer
    if peer.startswith("ours"):
        run = lambda: on_maps(tmp_path, 10, Stem(RESNET152).run(PICTURES))  # noqa: E731
        benchmark.pedantic(run, rounds=1)
    else:
        benchmark.pedantic(lambda: on_pictures(tmp_path, 10), rounds=1)
