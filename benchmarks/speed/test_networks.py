"""Networks: extraction beside one picture a call, engines, and training at the freeze boundary.

At their full size, with seeded weights (but EfficientNet-Lite0's): they take as long as real ones.
"""

import keras
import numpy as np
import pytest

from extractors.networks import inference, weights
from extractors.networks.architectures import KerasApplication
from extractors.networks.backbone import Backbone
from extractors.networks.engine import compiled_how, run_padded
from extractors.networks.finetuning import FineTuned
from extractors.networks.pretrained import Pretrained, Stem
from extractors.networks.training import Recipe, train

RESNET152 = Backbone("ResNet152", cut="conv4_block36_out")
OPERATIONS = 23.1e9
"""Floating-point operations of ResNet152 on one picture, without its classifier."""

PICTURES = np.random.default_rng(0).integers(0, 256, (32, 224, 224, 3)).astype(np.uint8)
LABELS = np.arange(32) % 10
RECIPE = Recipe(epochs=10, patience=99)

ENGINES_RUN = (RESNET152, Backbone("DenseNet169"), Backbone("EfficientNetLite0"))


@pytest.fixture(scope="module", autouse=True)
def seeded_weights(tmp_path_factory):
    """No file is read."""
    with pytest.MonkeyPatch.context() as patch:
        empty = tmp_path_factory.mktemp("weights") / "none.h5"
        empty.write_bytes(b"")
        for name in ("resnet152", "densenet169"):
            patch.setenv(weights.variable(name), str(empty))
        every = lambda _, whole, path: {layer.name for layer in whole.layers}  # noqa: E731
        patch.setattr(KerasApplication, "fill", every)
        yield


def timed(benchmark, work, rounds=3):
    work()  # graphs are built
    benchmark.pedantic(work, rounds=rounds)


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


def by_openvino():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(inference.VARIABLE, inference.OPENVINO)
        return Pretrained(RESNET152).run(PICTURES)


EXTRACTION = {
    "ours, batches of 32": lambda: Pretrained(RESNET152).run(PICTURES),
    "ours, with --engine openvino": by_openvino,
    "model.predict, one picture a call": one_picture_a_call,
    "the same operations as float32 matrix products": matmul_peak,
}


@pytest.mark.parametrize("peer", EXTRACTION)
def test_extract(benchmark, peer):
    benchmark.group = "ResNet152: vectors of 32 pictures"
    benchmark.extra_info["peer"] = peer
    timed(benchmark, EXTRACTION[peer])


@pytest.mark.parametrize("engine", [inference.OPENVINO, inference.KERAS])
@pytest.mark.parametrize("backbone", ENGINES_RUN, ids=lambda backbone: backbone.name)
def test_engines(benchmark, backbone, engine, monkeypatch):
    """The same network by each engine, and how far the vectors are apart."""
    network = Pretrained(backbone)
    vectors = network.run(PICTURES).astype(np.float64)
    monkeypatch.setenv(inference.VARIABLE, engine)
    others = network.run(PICTURES).astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(others, axis=1)
    apart = max(0.0, 1 - ((vectors * others).sum(axis=1) / lengths).min())
    benchmark.group = f"{backbone.application}: engines, vectors of 32 pictures"
    benchmark.extra_info["peer"] = (
        f"--engine openvino (1 - cosine to Keras' vectors: at most {apart:.0e})"
        if engine == inference.OPENVINO
        else "--engine keras"
    )
    timed(benchmark, lambda: network.run(PICTURES), rounds=5)


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


def on_maps(folder):
    build = lambda: FineTuned(RESNET152).classifier(10)  # noqa: E731
    train(build, Inputs(Stem(RESNET152).run(PICTURES)), LABELS, RECIPE, folder)


def on_pictures(folder):
    train(whole_classifier, Inputs(RESNET152.scale(PICTURES)), LABELS, RECIPE, folder)


FITS = {"ours, making the maps included": on_maps, "the whole network": on_pictures}


@pytest.mark.parametrize("peer", ["ours, on stored maps", "the whole network"])
def test_epochs(benchmark, peer):
    """Epochs alone: graphs are built, and maps made, before the clock starts."""
    benchmark.group = "ResNet152: an epoch of fine-tuning conv5, 64 pictures"
    benchmark.extra_info["peer"] = peer
    scaled = RESNET152.scale(PICTURES)
    if peer.startswith("ours"):
        model = FineTuned(RESNET152).classifier(10)
        inputs = run_padded(RESNET152.load().stem.predict_on_batch, scaled)
    else:
        model, inputs = whole_classifier(), scaled
    inputs, labels = np.concatenate([inputs, inputs]), np.concatenate([LABELS, LABELS])
    model.compile(keras.optimizers.Adam(1e-5), "sparse_categorical_crossentropy", **compiled_how())
    timed(
        benchmark, lambda: model.fit(inputs, labels, batch_size=16, epochs=1, verbose=0), rounds=5
    )


@pytest.mark.parametrize("peer", FITS)
def test_whole_fit(benchmark, peer, tmp_path):
    benchmark.group = "ResNet152: a fit of 10 epochs, 32 pictures"
    benchmark.extra_info["peer"] = peer
    benchmark.pedantic(FITS[peer], args=(tmp_path,), rounds=1)
