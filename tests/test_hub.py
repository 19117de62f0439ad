"""Image encoders of keras-hub, with seeded weights in presets that the test writes."""

import sys

import numpy as np
import pytest
from pictures import picture

from extractors import MENU
from extractors.networks import hub, weights
from extractors.networks.hub import ImageEncoder, Preset
from extractors.networks.preparation import ToSize
from extractors.networks.weights import NoWeightsError

PICTURES = [np.array(picture(seed, 50)) for seed in range(3)]
ROWS = [name for name, entry in MENU.items() if isinstance(entry, ImageEncoder)]
DINO = {
    "patch_size": 16,
    "num_layers": 1,
    "hidden_dim": 16,
    "num_heads": 2,
    "intermediate_dim": 16,
    "image_shape": (64, 64, 3),
}


@pytest.fixture
def library():
    """keras-hub, if it is installed."""
    return pytest.importorskip("keras_hub", reason="keras-hub is an extra")


def backbone(library, kind):
    """A tiny network of a kind, its weights seeded."""
    import keras

    keras.utils.set_random_seed(0)
    models = library.models
    if kind == "DINOV2Backbone":
        return models.DINOV2Backbone(**DINO, position_embedding_shape=(64, 64, 3))
    if kind == "DINOV3Backbone":
        return models.DINOV3Backbone(**DINO)
    size = {key: DINO[key] for key in ("num_layers", "hidden_dim", "num_heads")}
    size["intermediate_dim"] = 16
    words = {"vocabulary_size": 20, "embedding_dim": 16, **size}
    pixels = {"patch_size": 16, "image_shape": (32, 32, 3), **size}
    if kind == "CLIPBackbone":
        text = models.CLIPTextEncoder(**words, max_sequence_length=8)
        return models.CLIPBackbone(models.CLIPVisionEncoder(**pixels), text, 12)
    text = models.SigLIPTextEncoder(**words, max_sequence_length=8, projection_dim=16)
    return models.SigLIPBackbone(models.SigLIPVisionEncoder(**pixels), text)


@pytest.mark.parametrize(
    ("kind", "dims"),
    [("DINOV2Backbone", 16), ("DINOV3Backbone", 16), ("CLIPBackbone", 12), ("SigLIPBackbone", 16)],
)
def test_a_preset_gives_the_networks_own_vectors(library, tmp_path, monkeypatch, kind, dims):
    network = backbone(library, kind)
    network.save_to_preset(str(tmp_path / "preset"))
    monkeypatch.setenv(weights.variable("tiny"), str(tmp_path / "preset"))
    preset = Preset("tiny", kind, "x/tiny/1", ToSize(32, 32, None, "bicubic"))
    step = ImageEncoder(preset)
    step.require()
    made = step.transform(PICTURES)
    assert made.shape == (3, dims)
    values = preset.scale(np.stack([preset.prepare(one) for one in PICTURES]))
    if hasattr(network, "vision_encoder"):
        own = network.get_vision_embeddings(values)
    else:  # trained on pictures of another size
        folder = str(tmp_path / "preset")
        smaller = type(network).from_preset(folder, image_shape=(32, 32, 3))
        own = smaller(dict.fromkeys(smaller.input, values))[:, 0]
    np.testing.assert_allclose(made, np.asarray(own), rtol=1e-4, atol=1e-5)
    assert made.std(axis=0).max() > 0
    assert set(step.implementation) >= {"weights sha256", "keras-hub", "keras"}


def test_another_networks_preset_is_refused(library, tmp_path, monkeypatch):
    backbone(library, "DINOV3Backbone").save_to_preset(str(tmp_path / "preset"))
    monkeypatch.setenv(weights.variable("dinov2-small"), str(tmp_path / "preset"))
    with pytest.raises(NoWeightsError, match="is a DINOV3Backbone; give the folder of its preset"):
        MENU["dinov2-small"].require()
    (tmp_path / "preset" / "model.weights.h5").unlink()
    monkeypatch.setenv(weights.variable("dinov3-small"), str(tmp_path / "preset"))
    with pytest.raises(NoWeightsError, match="is without weights"):
        MENU["dinov3-small"].require()
    monkeypatch.setenv(weights.variable("dinov3-small"), str(tmp_path))
    with pytest.raises(NoWeightsError, match="is no preset of keras-hub"):
        MENU["dinov3-small"].require()


@pytest.mark.parametrize("name", ROWS)
def test_kind_and_preset_are_keras_hubs_own(library, name):
    preset = MENU[name].backbone
    known = getattr(library.models, preset.kind).presets
    named = preset.handle.split("/")[1]
    collection, _, release = preset.handle.partition(f"/{named}/")
    handle = f"kaggle://keras/{collection}/keras/{named}/{release}"
    assert known[named]["kaggle_handle"] == handle


@pytest.mark.parametrize("name", ROWS)
def test_without_keras_hub_or_weights_the_remedy_is_told(name, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    remedy = rf"--weights {name}=FOLDER or \w+, from https://www.kaggle.com/models/keras/"
    with pytest.raises(NoWeightsError, match=f"pip install keras-hub .*{remedy}"):
        MENU[name].require()
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path))
    monkeypatch.setattr(hub, "_SERVER", "http://127.0.0.1:9")
    with pytest.raises(NoWeightsError, match=f"no weights of {name}: the download failed"):
        MENU[name].backbone.folder()
