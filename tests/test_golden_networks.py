"""Golden numbers of networks: every declared version computes what it did when recorded.

Weights are set here, or come with the packages, so that no training takes part; backends and
processors round differently, which the tolerance allows for.
"""

import numpy as np
import pytest
from golden import declaring
from networks_as_onnx import colours
from reference import PICTURES

import extractors.networks
from extractors.networks.augmentation import Augmentation
from extractors.networks.backbone import Backbone
from extractors.networks.engine import load_keras
from extractors.networks.finetuning import FineTuned
from extractors.networks.hub import ImageEncoder, Preset
from extractors.networks.model_file import Declaration, ModelExtractor, model_extractor
from extractors.networks.preparation import ToSize, Values
from extractors.networks.pretrained import MapPooling, Pretrained, Stem
from extractors.networks.runners import ModelFile
from extractors.networks.scratch import CompactCnn, PlainCnn
from extractors.networks.training import Recipe
from extractors.preprocessing import Square

TOLERANCE = 1e-3
LITE = Backbone("EfficientNetLite0", cut="_blocks_3__bn2")
CHECKED = (
    *(Augmentation, Backbone, CompactCnn, FineTuned, MapPooling, PlainCnn, Pretrained),
    *(ModelExtractor, ModelFile, Recipe, Stem, ToSize, Values),
)
BESIDE = (ImageEncoder, Preset)
"""Those of keras-hub: compared with its own answers, see `test_hub`."""


def maps(count: int = 3) -> np.ndarray:
    return np.random.default_rng(3).normal(0.2, 1, (count, 4, 5, 6)).astype(np.float32)


def filled(network):
    """The network with seeded weights that no library draws."""
    rng = np.random.default_rng(0)
    values = [rng.normal(0.05, 0.2, weight.shape) for weight in network.get_weights()]
    network.set_weights([np.abs(value) if value.ndim == 1 else value for value in values])
    return network


def test_every_declared_version_is_checked():
    every = (*CHECKED, *BESIDE)
    assert declaring(extractors.networks) == set(every)
    assert len({kind.version for kind in every}) == len(every)


@pytest.mark.parametrize(
    "network", [CompactCnn((4, 6, 8), prepare=Square(64)), PlainCnn(prepare=Square(112))]
)
def test_networks_trained_from_scratch(golden, network):
    model = filled(network.classifier(3))
    inner = load_keras().Model(model.inputs[0], model.get_layer("feature").output)
    batch = np.stack([network.prepare(image) for image in PICTURES]).astype(np.float32)
    for case, part in (("feature", inner), ("classes", model)):
        golden.check(network.version, part.predict_on_batch(batch), case, TOLERANCE)


def test_a_pretrained_network_by_its_packaged_weights(golden):
    found = Pretrained(LITE).transform(PICTURES[:3])
    golden.check(Pretrained.version, found, "", TOLERANCE)
    golden.check(Stem.version, Stem(LITE).transform(PICTURES[:2]), "", TOLERANCE)


@pytest.mark.parametrize("name", ["EfficientNetLite0", "ResNet152", "DenseNet169"])
def test_backbones_prepare_and_scale(golden, name):
    backbone = Backbone(name, side=64)
    batch = np.stack([backbone.prepare(image) for image in PICTURES[:3]])
    golden.check(Backbone.version, backbone.scale(batch), name)


@pytest.mark.parametrize("way", ["area", "nearest", "bilinear", "bicubic", "lanczos"])
def test_pictures_are_scaled_for_networks_of_files(golden, way):
    made = [ToSize(40, 60, 0.8, way)(image) for image in PICTURES[:3]]
    golden.check(ToSize.version, made, way, TOLERANCE)


def test_networks_of_files(golden, tmp_path):
    batch = np.stack([ToSize(8, 12)(image) for image in PICTURES[:3]])
    values = Values(1 / 255, (0.5, 0.4, 0.3), 0.2, "BGR")
    golden.check(Values.version, values(batch), "BGR")
    file = ModelFile.at(colours(tmp_path / "colours.onnx"))
    declared = Declaration(values, (8, 12), pooling="gem")
    found = model_extractor(file, declared).transform(PICTURES[:3])
    golden.check(ModelExtractor.version, found, "gem")
    golden.check(ModelFile.version, file.open().run(values(batch).transpose(0, 3, 1, 2), "map"))


@pytest.mark.parametrize("power", [1.0, 3.0])
def test_maps_are_pooled(golden, power):
    golden.check(MapPooling.version, MapPooling(power).transform(maps()), f"power {power:g}")


@pytest.mark.parametrize("feature", ["mean", "flatten"])
def test_the_last_map_of_a_fine_tuned_network(golden, feature):
    keras = load_keras()
    head = FineTuned(LITE, feature)
    inputs = keras.Input((4, 5, 6))
    head.network_ = filled(keras.Model(inputs, keras.layers.Conv2D(3, 2)(inputs)))
    golden.check(FineTuned.version, head.transform(maps()), feature, TOLERANCE)


@pytest.mark.parametrize(
    ("case", "augmentation"),
    [
        ("as declared", Augmentation()),
        ("gentle", Augmentation(rotation=15, shift=0.1, shear=5, zoom=0.15, mirror=False)),
    ],
)
def test_augmented_copies(golden, case, augmentation):
    copies = [
        augmentation.vary(image, np.random.default_rng((number, 7)))
        for number, image in enumerate(PICTURES)
    ]
    golden.check(Augmentation.version, copies, case, TOLERANCE)


def test_a_recipe_decides_the_same(golden):
    losses = [2.0, 1.5, 1.45, 1.44, 1.6, 1.3, 1.31, 1.32, 1.33, 1.2, 1.25, 1.24]
    recipe = Recipe(epochs=11, patience=4, min_delta=0.05, plateau=2, seed=3)
    heads = [losses[:count] for count in range(len(losses) + 1)]
    learned, held_out = recipe.split(23)
    rates = np.array([recipe.next_rate(head) for head in heads])
    ends = np.array([recipe.is_over(head) for head in heads], float)
    golden.check(Recipe.version, [learned, held_out, rates, ends])
