"""Pretrained weights: where they come from, what a file holds, and what is said of it."""

import functools
import hashlib
import http.server
import json
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest

import extractors
from benchmarks.pipeline.methods.own import use_weights
from benchmarks.run import main
from datasets.errors import InputError
from datasets.reading import read_image
from extractors.networks import efficientnet_lite, weights
from extractors.networks.architectures import KerasApplication
from extractors.networks.backbone import Backbone
from extractors.networks.engine import load_keras
from extractors.networks.pretrained import Pretrained, Stem
from extractors.networks.weights import NoWeightsError, Official


def write_layers(path, layers):
    """A file in the layout that Keras publishes."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in layers]
        for name, arrays in layers.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{part}:0".encode() for part in arrays]
            for part, array in arrays.items():
                group[f"{name}/{part}:0"] = array


def write_network(path, model, without=()):
    layers = {}
    for layer in model.layers:
        if layer.name not in without:
            names = [weight.name for weight in layer.weights]
            layers[layer.name] = dict(zip(names, layer.get_weights(), strict=True))
    write_layers(path, layers)


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refuse)


@pytest.fixture
def server(tmp_path):
    """A server of a folder on this machine, and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()


def test_what_the_user_gave_comes_first_then_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    cached = tmp_path / "models" / weights.OFFICIAL["resnet50"].file
    cached.parent.mkdir()
    cached.write_bytes(b"cached")
    monkeypatch.delenv(weights.variable("resnet50"), raising=False)
    assert weights.find("resnet50") == cached
    given = tmp_path / "given.h5"
    given.write_bytes(b"given")
    monkeypatch.setenv(weights.variable("resnet50"), str(given))
    assert weights.find("resnet50") == given


def test_a_missing_file_names_the_remedy(tmp_path, monkeypatch, no_network):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv(weights.variable("resnet50"), raising=False)
    with pytest.raises(NoWeightsError, match=r"no network.*--weights resnet50=FILE.*https://"):
        weights.find("resnet50")
    monkeypatch.setenv(weights.variable("resnet50"), str(tmp_path / "gone.h5"))
    with pytest.raises(NoWeightsError, match=r"gone\.h5 is not a file"):
        weights.find("resnet50")
    with pytest.raises(NoWeightsError, match="--weights resnet101=FILE"):
        weights.find("resnet101")


def serve(monkeypatch, tmp_path, address, content, md5):
    home = tmp_path / "home"
    home.mkdir()  # Keras takes /tmp instead of a folder that it cannot write to
    monkeypatch.setenv("KERAS_HOME", str(home))
    monkeypatch.setattr(weights, "_KERAS_STORE", address)
    monkeypatch.setitem(weights.OFFICIAL, "tiny", Official("net", "tiny.h5", md5, 1))
    # Keras reads its home when it is imported.
    from keras.src.utils import file_utils

    original = file_utils.get_file
    there = functools.partial(original, cache_dir=str(home))
    monkeypatch.setattr("keras.utils.get_file", there)


def test_a_download_goes_into_the_cache_and_is_checked(server, tmp_path, monkeypatch, capsys):
    folder, address = server
    (folder / "net").mkdir()
    content = b"weights" * 1000
    (folder / "net" / "tiny.h5").write_bytes(content)
    serve(monkeypatch, tmp_path, address, content, hashlib.md5(content).hexdigest())
    found = weights.find("tiny")
    assert found == tmp_path / "home" / "models" / "tiny.h5"
    assert found.read_bytes() == content
    (folder / "net" / "tiny.h5").unlink()
    assert weights.find("tiny") == found  # from the cache now


def test_a_damaged_download_is_refused(server, tmp_path, monkeypatch):
    folder, address = server
    (folder / "net").mkdir()
    (folder / "net" / "tiny.h5").write_bytes(b"something else")
    serve(monkeypatch, tmp_path, address, b"", "0" * 32)
    with pytest.raises(NoWeightsError, match="no weights of tiny: the download failed"):
        weights.find("tiny")


def test_the_official_file_is_known_by_size_and_must_have_its_hash(tmp_path, monkeypatch):
    content = b"12345678"
    path = tmp_path / "official.h5"
    path.write_bytes(content)
    monkeypatch.setenv(weights.variable("tiny"), str(path))
    right = hashlib.md5(content).hexdigest()
    monkeypatch.setitem(weights.OFFICIAL, "tiny", Official("net", "tiny.h5", right, 1, 8))
    assert weights.find("tiny") == path
    monkeypatch.setitem(weights.OFFICIAL, "tiny", Official("net", "tiny.h5", "0" * 32, 1, 8))
    with pytest.raises(NoWeightsError, match="not its hash"):
        weights.find("tiny")
    path.write_bytes(b"partial")  # of another size, so it need not be the official one
    assert weights.find("tiny") == path
    assert weights.OFFICIAL["resnet152"].size == 234_698_864
    assert weights.OFFICIAL["resnet152"].hash == "ee4c566cf9a93f14d82f913c2dc6dd0c"


def test_a_file_of_another_kind_is_one_clear_error(tmp_path, monkeypatch):
    path = tmp_path / "text.h5"
    path.write_text("hello")
    monkeypatch.setenv(weights.variable("resnet50"), str(path))
    with pytest.raises(NoWeightsError, match=r"text\.h5: not a weights file"):
        Pretrained(Backbone("ResNet50")).require()
    for names in (7, [[1, 2]], [b"\xff"]):
        with h5py.File(path, "w") as file:
            file.attrs["layer_names"] = names
        with pytest.raises(NoWeightsError, match=r"text\.h5: not a weights file"):
            Pretrained(Backbone("ResNet50")).require()
    write_layers(path, {"elsewhere": {"kernel": np.zeros((2, 2))}})
    with pytest.raises(NoWeightsError, match="holds no layer of"):
        Backbone("ResNet50", side=32).load()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """ResNet50 at 32 pixels with weights of its own, as a complete and as a partial file."""
    folder = tmp_path_factory.mktemp("weights")
    model = Backbone("ResNet50", side=32, seed=5).build()
    write_network(folder / "complete.h5", model)
    last = [layer.name for layer in model.layers if layer.name.startswith("conv5")]
    write_network(folder / "partial.h5", model, without=last)
    first = [layer.name for layer in model.layers if layer.name.startswith("conv3")]
    write_network(folder / "holed.h5", model, without=first)
    return folder, model


def test_a_complete_file_gives_its_network(small, monkeypatch):
    folder, model = small
    monkeypatch.setenv(weights.variable("resnet50"), str(folder / "complete.h5"))
    extractor = Pretrained(Backbone("ResNet50", side=32))
    extractor.require()
    loaded = extractor.backbone.load()
    assert loaded.note == ""
    assert loaded.share == 1
    pairs = zip(model.get_weights(), loaded.whole.get_weights(), strict=True)
    assert all(np.array_equal(ours, theirs) for ours, theirs in pairs)


def test_a_partial_file_is_named_as_such_and_the_rest_is_seeded(small, monkeypatch):
    folder, model = small
    monkeypatch.setenv(weights.variable("resnet50"), str(folder / "partial.h5"))
    cut = Backbone("ResNet50", cut="conv4_block6_out", side=32)
    Stem(cut).require()
    loaded = cut.load()
    assert loaded.note == "conv5 not pretrained, 36% of the parameters from the file"
    fresh = cut.build()
    for layer in (layer for layer in loaded.whole.layers if layer.weights):
        source = fresh if layer.name.startswith("conv5") else model
        for ours, theirs in zip(
            layer.get_weights(), source.get_layer(layer.name).get_weights(), strict=True
        ):
            assert np.array_equal(ours, theirs), layer.name


def test_an_output_that_needs_what_is_missing_is_refused(small, monkeypatch):
    folder, _ = small
    monkeypatch.setenv(weights.variable("resnet50"), str(folder / "partial.h5"))
    with pytest.raises(NoWeightsError, match=r"needs all 23,587,712 .* holds 8,5\d\d,\d\d\d"):
        Pretrained(Backbone("ResNet50", side=32)).require()
    monkeypatch.setenv(weights.variable("resnet50"), str(folder / "holed.h5"))
    with pytest.raises(NoWeightsError, match="lacks conv3_block1"):
        Backbone("ResNet50", cut="conv4_block6_out", side=32).load()


def test_weights_are_part_of_the_identity(small, monkeypatch):
    folder, _ = small
    found = []
    for name in ("complete.h5", "partial.h5"):
        monkeypatch.setenv(weights.variable("resnet50"), str(folder / name))
        found.append(Backbone("ResNet50", side=32).implementation())
    assert found[0] != found[1]
    assert found[0]["keras"] == found[1]["keras"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("resnet152", "write NAME=FILE"),
        ("vgg=x", "no such network"),
        ("resnet152=/nowhere.h5", "/nowhere.h5 is not a file"),
    ],
)
def test_a_bad_option_is_one_line_and_code_2(given, message, capsys):
    assert main(["--extractor", "hog", "--weights", given]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_resnet152_is_the_network_of_the_recipe():
    network = Backbone("ResNet152", cut="conv4_block36_out").build()
    assert network.count_params() == 58_370_944
    behind = [layer for layer in network.layers if layer.name.startswith("conv5")]
    trainable = sum(int(np.prod(w.shape)) for layer in behind for w in layer.trainable_weights)
    assert trainable == 14_976_000
    names = [layer.name for layer in network.layers]
    assert len(names) == 515
    assert names.index("conv4_block36_out") == 482
    assert all(name.startswith("conv5") for name in names[483:])
    assert network.output.shape == (None, 7, 7, 2048)


def test_densenet169_is_complete_and_efficientnet_comes_with_the_packages(real_weights):
    Pretrained(Backbone("DenseNet169")).require()
    held = weights.file_hash(efficientnet_lite.packaged_file())
    assert held.startswith("57934424")


def test_a_line_in_the_menu_is_all_that_weights_need(
    real_weights, parted, run, tmp_path, monkeypatch
):
    monkeypatch.setitem(extractors.MENU, "vgg16", Pretrained(Backbone("VGG16", side=64)))
    monkeypatch.setenv(weights.variable("vgg16"), "")  # so that what the command sets goes again
    assert "vgg16" in extractors.pretrained_networks()
    file = real_weights / "vgg16_notop.h5"
    method = ("--dataset", parted, "--extractor", "vgg16", "--weights", f"vgg16={file}")
    assert run(*method) == 0
    (path,) = (tmp_path / "out" / "parted" / "records" / "query").glob("vgg16.json")
    record = json.loads(path.read_text())
    assert record["dimensions"] == 512
    network = record["card"]["extractor"]["network"]
    assert network["weights sha256"] == weights.file_hash(file)


@pytest.mark.parametrize(
    "function", ["Xception", "MobileNetV3Large", "EfficientNetV2B0", "ConvNeXtTiny"]
)
def test_layers_that_keras_numbers_are_filled_whatever_was_built_before(tmp_path, function):
    kind = KerasApplication(function)
    load_keras().utils.set_random_seed(3)
    first = kind.build(96)
    path = tmp_path / "no-top.h5"
    write_network(path, first)
    second = kind.build(96)  # its numbers go on where the first one's ended
    known = kind.fill(second, path)
    assert known == {layer.name for layer in second.layers if layer.weights}
    assert all(map(np.array_equal, first.get_weights(), second.get_weights()))


def test_official_files_are_those_that_keras_names():
    from keras.src.applications import convnext, efficientnet_v2, mobilenet_v3, vgg16, xception

    official = weights.OFFICIAL
    for module, name in ((vgg16, "vgg16"), (xception, "xception")):
        assert official[name].url == module.WEIGHTS_PATH_NO_TOP
        assert official[name].hash in Path(module.__file__).read_text()
    hashes = {
        "efficientnetv2b0": efficientnet_v2.WEIGHTS_HASHES["b0"],
        "mobilenetv3large": mobilenet_v3.WEIGHTS_HASHES["large_224_1.0_float"],
        "convnexttiny": convnext.WEIGHTS_HASHES["convnext_tiny"],
    }
    assert all(official[name].hash == found[1] for name, found in hashes.items())


@pytest.mark.parametrize(("name", "dims"), [("vgg16", 512), ("xception", 2048)])
def test_real_networks_tell_classes_apart(real_weights, shared, name, dims):
    files = [shared / "corel1000" / f"{c}{n}.jpg" for c in ("Buses", "Food") for n in range(1, 5)]
    made = extractors.MENU[name].transform([read_image(file) for file in files])
    assert made.shape == (8, dims)
    unit = made / np.linalg.norm(made, axis=1, keepdims=True)
    alike = unit @ unit.T - 2 * np.eye(8)
    assert (alike.argmax(axis=1) // 4 == np.arange(8) // 4).all()


def test_weights_of_one_network_are_given_once(tmp_path):
    (tmp_path / "a.h5").touch()
    pair = f"vgg16={tmp_path / 'a.h5'}"
    with pytest.raises(InputError, match="vgg16 is given twice; keep one"):
        use_weights([pair, pair])
