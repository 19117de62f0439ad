"""PyTorch's legacy files are read without it, and nothing in them is run."""

import collections
import io
import pickle
import sys
import types

import numpy as np
import pytest

from extractors.networks import efficientnet_lite
from extractors.networks.torchfile import TorchFileError, read_torch

MAGIC = 0x1950A86A20F9469CFC6C


class Tensor:
    def __init__(self, key, array, strides=None):
        self.key, self.array = key, array
        self.strides = strides or tuple(s // array.itemsize for s in array.strides)


@pytest.fixture
def torch(monkeypatch):
    """Names to pickle by; the real package is not needed."""
    package, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage", "Evil"):
        setattr(package, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2(*_):
        raise AssertionError("nobody calls this")

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    package._utils = utils
    monkeypatch.setitem(sys.modules, "torch", package)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return package


def save(path, torch, content, magic=MAGIC, lie=0):
    """What ``torch.save(..., _use_new_zipfile_serialization=False)`` writes."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, thing):
            return thing.pid if isinstance(thing, Storage) else None

        def reducer_override(self, thing):
            if isinstance(thing, Tensor):
                parts = (Storage(thing), 0, thing.array.shape, thing.strides, False, None)
                return torch._utils._rebuild_tensor_v2, parts
            return NotImplemented

    class Storage:
        def __init__(self, tensor):
            kinds = {"f": torch.FloatStorage, "i": torch.LongStorage}
            kind = kinds[tensor.array.dtype.kind]
            self.pid = ("storage", kind, tensor.key, "cpu", tensor.array.size, None)

    buffer = io.BytesIO()
    for header in (magic, 1001, {"little_endian": True}):
        pickle.dump(header, buffer, 2)
    Pickler(buffer, 2).dump(content)
    tensors = [value for value in content.values() if isinstance(value, Tensor)]
    pickle.dump([tensor.key for tensor in tensors], buffer, 2)
    for tensor in tensors:
        buffer.write(np.int64(tensor.array.size + lie).tobytes())
        buffer.write(tensor.array.tobytes())
    path.write_bytes(buffer.getvalue())
    return path


def test_tensors_come_back(torch, tmp_path):
    weights = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    turned = np.arange(6, dtype=np.float32)
    content = collections.OrderedDict(
        a=Tensor("1", weights), b=Tensor("2", np.array([7, 8])), c=Tensor("3", turned)
    )
    content["c"].array = turned.reshape(3, 2)
    content["c"].strides = (1, 3)
    found = read_torch(save(tmp_path / "x.pth", torch, content))
    assert np.array_equal(found["a"], weights)
    assert found["b"].tolist() == [7, 8]
    assert np.array_equal(found["c"], turned.reshape(2, 3).T)


def test_anything_but_tensors_is_refused(torch, tmp_path):
    for number, evil in enumerate((print, torch.Evil, io.BytesIO)):
        path = save(tmp_path / f"{number}.pth", torch, {"a": evil})
        with pytest.raises(TorchFileError, match="no plain tensor"):
            read_torch(path)


def test_damaged_files_are_one_clear_error(torch, tmp_path):
    content = {"a": Tensor("1", np.zeros(5, np.float32))}
    whole = save(tmp_path / "whole.pth", torch, content)
    for name, path in {
        "no legacy": save(tmp_path / "magic.pth", torch, content, magic=5),
        "not as long": save(tmp_path / "lie.pth", torch, content, lie=1),
    }.items():
        with pytest.raises(TorchFileError, match=name):
            read_torch(path)
    cut = tmp_path / "cut.pth"
    cut.write_bytes(whole.read_bytes()[:-4])
    with pytest.raises(TorchFileError, match="damaged"):
        read_torch(cut)
    far = {"a": Tensor("1", np.zeros(5, np.float32), strides=(9,))}
    with pytest.raises(TorchFileError, match="beyond"):
        read_torch(save(tmp_path / "far.pth", torch, far))


def test_efficientnet_lite_reads_its_package():
    tensors = read_torch(efficientnet_lite.packaged_file())
    assert tensors["_fc.weight"].shape == (1000, 1280)
    model = efficientnet_lite.build(64)
    layers = efficientnet_lite.keras_weights(tensors)
    wanted = {layer.name for layer in model.layers if layer.weights}
    assert wanted == layers.keys()
    for layer in model.layers:
        if layer.weights:
            shapes = [tuple(w.shape) for w in layer.weights]
            assert [array.shape for array in layers[layer.name]] == shapes


def test_efficientnet_lite_knows_what_is_in_a_picture(shared):
    """The classifier left out of the network, put back: ImageNet's classes on real photographs."""
    from datasets.reading import read_image
    from extractors.networks.backbone import Backbone
    from extractors.networks.pretrained import Pretrained

    tensors = read_torch(efficientnet_lite.packaged_file())
    paths = sorted((shared / "animals/validation/query/lion").iterdir())[:8]
    features = Pretrained(Backbone("EfficientNetLite0")).transform(map(read_image, paths))
    scores = features @ tensors["_fc.weight"].T + tensors["_fc.bias"]
    lion = 291
    assert (scores.argmax(axis=1) == lion).mean() >= 0.6
