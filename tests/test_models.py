"""Networks in files, ONNX and Keras, as extractors of their own."""

import json
import re

import keras
import numpy as np
import onnx
import pytest
from networks_as_onnx import VERSIONS, colours, save, write_keras
from onnx import TensorProto, helper
from pictures import fill, picture

import extractors
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from benchmarks.pipeline.methods.own import load_model, use_models
from datasets.errors import InputError
from datasets.reading import read_image
from extractors.networks import inference
from extractors.networks.preparation import IMAGENET, ToSize, Values
from extractors.spaces import SPACES

ENGINES = pytest.mark.parametrize("engine", inference.ENGINES)


@pytest.fixture(autouse=True)
def own_menu():
    """Every test begins with the menu alone."""
    yield
    use_models([])


@pytest.fixture
def engine_of(monkeypatch):
    return lambda name: monkeypatch.setenv(inference.VARIABLE, name)


def vectors(*words, pictures=None):
    """Vectors by the last network that is given."""
    name = use_models([str(word) for word in words])[-1]
    given = pictures or [np.array(picture(seed, 50)) for seed in range(3)]
    return extractors.MENU[name].transform(given)


def refused(*words):
    with pytest.raises(InputError) as error:
        use_models([str(word) for word in words])
    assert "\n" not in str(error.value)
    return str(error.value)


@ENGINES
def test_efficientnet_as_onnx_makes_the_menus_own_vectors_and_ranking(
    tmp_path, engine_of, shared, engine
):
    own = extractors.MENU["efficientnet-lite0"]
    path = write_keras(own.backbone.load().whole, tmp_path / "lite.onnx")
    (tmp_path / "lite.json").write_text(json.dumps({"scale": 1 / 128, "mean": 127 / 128}))
    names = ("Africa", "Beach", "Buses", "Dinosaurs", "Food")
    files = [shared / "corel1000" / f"{name}{n}.jpg" for name in names for n in range(1, 5)]
    pictures = [read_image(file) for file in files]
    menu = own.transform(pictures)
    engine_of(engine)
    theirs = vectors(f"lite={path}", pictures=pictures)
    a, b = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (menu, theirs))
    assert (a * b).sum(axis=1).min() > 1 - 1e-6
    assert np.array_equal(np.argsort(-a @ a.T), np.argsort(-b @ b.T))


def test_values_are_scaled_then_shifted_in_the_networks_own_order_of_channels(tmp_path):
    path = colours(tmp_path / "colours.onnx")
    red = [np.full((9, 9, 3), (255, 0, 51), np.uint8)]
    given = (f"a={path}", "size=4", "scale=1/255", "mean=0.5,0,0", "std=1,1,2")
    np.testing.assert_allclose(vectors(*given, pictures=red), [[0.5, 0, 0.1]], atol=1e-6)
    np.testing.assert_allclose(
        vectors(*given, "order=BGR", pictures=red), [[-0.3, 0, 0.5]], atol=1e-6
    )


@ENGINES
@pytest.mark.parametrize("batch", ["n", 1, 3])
def test_open_and_fixed_batches_give_the_same(tmp_path, engine_of, engine, batch):
    engine_of(engine)
    path = colours(tmp_path / "colours.onnx", batch, (8, 6))
    pictures = [np.full((9, 9, 3), seed, np.uint8) for seed in range(5)]
    made = vectors(f"a={path}", "scale=1", pictures=pictures * 20)
    np.testing.assert_allclose(made, [[seed] * 3 for seed in range(5)] * 20)


def test_channels_may_come_last_and_numbers_may_be_whole(tmp_path):
    nodes = [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)]
    shape = ["n", 4, 4, 3]
    path = save(tmp_path / "last.onnx", nodes, [("x", shape, TensorProto.UINT8)], [("y", shape)])
    red = [np.full((9, 9, 3), (255, 0, 51), np.uint8)]
    assert vectors(f"a={path}", "scale=1", pictures=red).tolist() == [[255, 0, 51]]
    assert vectors(f"a={path}", "scale=1", "order=BGR", pictures=red).tolist() == [[51, 0, 255]]
    assert "as they are" in refused(f"a={path}", "scale=1/255")


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [("mean", 2.5), ("max", 4), ("gem", (100 / 4) ** (1 / 3)), ("none", [1, 2, 3, 4])],
)
def test_maps_are_pooled_as_declared(tmp_path, pooling, expected):
    # Four places, and the values 1 to 4 in each channel.
    path = colours(tmp_path / "colours.onnx", size=(2, 2))
    grey = np.array([[1, 2], [3, 4]], np.uint8)[..., None].repeat(3, 2)
    made = vectors(f"a={path}", "scale=1", f"pooling={pooling}", pictures=[grey])
    if pooling == "none":
        expected = np.repeat(expected, 3)
    np.testing.assert_allclose(made[0], np.broadcast_to(expected, made[0].shape), rtol=1e-6)


def test_tokens_are_pooled_and_the_first_can_be_taken(tmp_path):
    nodes = [
        helper.make_node("Reshape", ["x", "shape"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["y"], perm=[0, 2, 1]),
    ]
    tensors = helper.make_tensor("shape", TensorProto.INT64, [3], [0, 3, 4])
    graph = helper.make_graph(
        nodes,
        "tokens",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 2, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4, 3])],
        [tensors],
    )
    path = tmp_path / "tokens.onnx"
    onnx.save(helper.make_model(graph, **VERSIONS), str(path))
    grey = [np.array([[1, 2], [3, 6]], np.uint8)[..., None].repeat(3, 2)]
    assert vectors(f"a={path}", "scale=1", pictures=grey).tolist() == [[3, 3, 3]]
    assert vectors(f"a={path}", "scale=1", "pooling=first", pictures=grey).tolist() == [[1, 1, 1]]


def test_one_of_several_outputs_is_chosen_by_name(tmp_path):
    nodes = [
        helper.make_node("Identity", ["x"], ["map"]),
        helper.make_node("GlobalMaxPool", ["x"], ["peak"]),
        helper.make_node("Flatten", ["peak"], ["vector"]),
    ]
    shape = ["n", 3, 4, 4]
    path = save(
        tmp_path / "two.onnx", nodes, [("x", shape)], [("map", shape), ("vector", ["n", 3])]
    )
    message = refused(f"a={path}", "scale=1")
    assert "map (open x 3 x 4 x 4), vector (open x 3)" in message
    assert vectors(f"a={path}", "scale=1", "output=vector").shape == (3, 3)
    assert "no output 'logits'" in refused(f"a={path}", "scale=1", "output=logits")
    assert "vectors already" in refused(f"a={path}", "scale=1", "output=vector", "pooling=gem")


@ENGINES
def test_a_keras_file_is_run_as_declared(tmp_path, engine_of, engine):
    engine_of(engine)
    inputs = keras.Input((None, None, 3))
    keras.utils.set_random_seed(0)
    maps = keras.layers.Conv2D(5, 3, name="maps")(inputs)
    vector = keras.layers.GlobalAveragePooling2D(name="vector")(maps)
    keras.Model(inputs, [maps, vector]).save(path := tmp_path / "net.keras")
    one = vectors(f"a={path}", "size=32,40", "scale=1/255", "output=maps")
    other = vectors(f"a={path}", "size=32,40", "scale=1/255", "output=vector")
    assert one.shape == (3, 5)
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_a_keras_file_with_code_is_not_run(tmp_path):
    inputs = keras.Input((8, 8, 3))
    made = keras.layers.Lambda(lambda x: x * 2)(inputs)
    keras.Model(inputs, made).save(path := tmp_path / "lambda.keras")
    assert "holds code (Lambda), which is not run" in refused(f"a={path}", "scale=1")

    class Mine(keras.layers.Layer):
        def call(self, x):
            return x

    keras.Model(inputs, Mine()(inputs)).save(path := tmp_path / "custom.keras")
    assert "needs Mine of" in refused(f"a={path}", "scale=1")


def onnx_of(inputs, path):
    given = [f"x{n}" for n in range(len(inputs))]
    node = helper.make_node("Sum", given, ["y"])
    return save(path, [node], list(zip(given, inputs, strict=True)), [("y", inputs[0])])


@pytest.mark.parametrize(
    ("inputs", "words", "message"),
    [
        ([["n", 3, 8, 8]] * 2, (), "takes 2 inputs (x0, x1)"),
        ([["n", 1, 8, 8]], (), "not the three channels"),
        ([["n", 8, 8, 4]], (), "not the three channels"),
        ([["n", 3, 8, 8]], ("layout=NHWC",), "three channels of a picture as NHWC"),
        ([["n", 3, 8]], (), "has four axes"),
        ([["n", "c", "h", "w"]], ("size=8",), "declare layout"),
        ([["n", 3, "h", "w"]], (), "declare size"),
        ([["n", 3, 8, 8]], ("size=9",), "8 pixels high, and size says 9"),
        ([["n", 3, 8, 8]], ("crop=2",), "crop"),
        ([["n", 3, 8, 8]], ("crop=0.0001",), "crop 0.0001 would scale pictures to 80,000 pixels"),
        ([["n", 3, 8, 8]], ("scale=2",), "scale is declared twice; keep one"),
        ([["n", 3, 8, 8]], ("colour=blue",), "nothing like colour can be declared; it is one of"),
        ([["n", 3, 8, 8]], ("std=0",), "cannot be 0"),
        ([["n", 3, 8, 8]], ("std=1e-30",), "make 2.55e+32 of 255; mend them"),
        ([["n", 3, 8, 8]], ("mean=1,2",), "mean"),
        ([["n", 3, 8, 8]], ("mean=nan",), "mean"),
        ([["n", 3, 8, 8]], ("order=GBR",), "order"),
        ([["n", 3, 8, 8]], ("pooling=first",), "no first token"),
    ],
)
def test_a_network_that_does_not_fit_is_one_clear_line(tmp_path, inputs, words, message):
    path = onnx_of(inputs, tmp_path / "net.onnx")
    found = refused(f"a={path}", "scale=1", *words)
    assert message in found
    assert str(path) in found


@ENGINES
@pytest.mark.parametrize(
    ("less", "message"),
    [("m", "depends on the pictures beside it"), ("x", "is zero for pictures of noise")],
)
def test_a_vector_is_of_its_picture_alone_and_not_zero(tmp_path, engine_of, engine, less, message):
    engine_of(engine)
    mean = helper.make_node("ReduceMean", ["x"], ["m"], axes=[0])  # of the batch
    nodes = [mean, helper.make_node("Sub", ["x", less], ["y"])]
    shape = ["n", 3, 4, 4]
    path = save(tmp_path / "net.onnx", nodes, [("x", shape)], [("y", shape)])
    assert message in refused(f"a={path}", "scale=1")


def test_a_network_that_gives_no_numbers_is_refused(tmp_path):
    nodes = [helper.make_node("Neg", ["x"], ["n"]), helper.make_node("Log", ["n"], ["y"])]
    shape = ["n", 3, 4, 4]
    path = save(tmp_path / "net.onnx", nodes, [("x", shape)], [("y", shape)])
    assert "y is not finite for pictures of noise" in refused(f"a={path}", "scale=1")


def test_what_is_no_network_is_one_clear_line(tmp_path):
    assert "is not a file" in refused(f"a={tmp_path / 'none.onnx'}", "scale=1")
    for name in ("text.onnx", "text.keras"):
        (tmp_path / name).write_text("hello")
        assert "no " in refused(f"a={tmp_path / name}", "scale=1")
    (tmp_path / "empty.onnx").touch()
    assert "no ONNX network" in refused(f"a={tmp_path / 'empty.onnx'}", "scale=1")
    assert "ends neither in .onnx" in refused(f"a={tmp_path / 'net.h5'}", "scale=1")
    assert "write NAME=FILE" in refused("a.onnx")
    assert "first NAME=FILE" in refused("scale=1")


def test_its_values_have_to_be_declared_and_nothing_else_may_be(tmp_path):
    path = colours(tmp_path / "net.onnx", size=(4, 4))
    assert "declare scale" in refused(f"a={path}")
    declared = tmp_path / "net.json"
    declared.write_text('{"scale": 1, "colour": "RGB"}')
    message = refused(f"a={path}")
    assert str(declared) in message
    assert "unknown field `colour`" in message
    declared.write_text('{"scale": "1/255", "size": [4, 4]}')
    assert vectors(f"a={path}").max() <= 1
    assert vectors(f"a={path}", "scale=1").max() > 1  # an option goes ahead of the file


@pytest.mark.parametrize("name", ["hog", "rrf", "a+b", "a/b", "..", "a@b", "CON"])
def test_a_name_that_is_taken_or_no_name_is_refused(tmp_path, name):
    assert name in refused(f"{name}={colours(tmp_path / 'net.onnx')}", "scale=1", "size=4")


def test_it_is_known_by_its_content_and_preparation_wherever_it_lies(tmp_path):
    def identity(path, *words):
        [name] = use_models([f"a={path}", "size=4", *words])
        return ExtractorSteps(name, extractors.MENU[name]).identity

    one = colours(tmp_path / "one.onnx")
    (tmp_path / "other").mkdir()
    two = (tmp_path / "other" / "two.onnx").resolve()
    two.write_bytes(one.read_bytes())
    assert identity(one, "scale=1") == identity(two, "scale=1")
    assert identity(one, "scale=1") != identity(one, "scale=1/255")
    three = colours(tmp_path / "three.onnx", 2)
    assert identity(one, "scale=1") != identity(three, "scale=1")


@pytest.mark.parametrize("name", ["net.data", f"{'n' * 140}.data", "é" * 125])
def test_tensors_beside_the_file_count_as_its_content(name, tmp_path):
    weights = helper.make_tensor("w", TensorProto.FLOAT, [3, 3, 1, 1], np.eye(3).ravel())
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "outside",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3, 4, 4])],
        [weights],
    )
    weights.raw_data = np.eye(3, dtype=np.float32).tobytes()
    weights.ClearField("float_data")
    graph.initializer[0].CopyFrom(weights)
    model = helper.make_model(graph, **VERSIONS)
    path = tmp_path / "net.onnx"
    onnx.save(model, str(path), save_as_external_data=True, location=name, size_threshold=0)
    before = use_models([f"a={path}", "scale=1"])[0]
    first = extractors.MENU[before].file
    data = np.fromfile(tmp_path / name, np.float32)
    (data * 2).tofile(tmp_path / name)
    use_models([f"a={path}", "scale=1"])
    assert extractors.MENU["a"].file != first


def test_a_network_in_a_file_is_run_fused_re_ranked_and_tuned(parted, tmp_path, run, tuned):
    path = colours(tmp_path / "net.onnx", size=(4, 4))
    given = ("--model", f"mine={path}", "scale=1/255")
    more = ("--extractor", "mine+lbp", "mine+lbp+rrf", "mine+alpha-qe", "lbp")
    assert run(*given, *more, "--dataset", parted) == 0
    table = (tmp_path / "out/parted/table.md").read_text()
    assert all(f"{name}" in table for name in ("mine", "mine+lbp+rrf", "mine+alpha-qe"))
    assert tuned(*given, "--extractor", "mine", "--dataset", parted) == 0
    assert (tmp_path / "out/parted/presets/mine.json").exists()
    assert SPACES["mine"]["pooling"] == ("mean", "max", "gem")
    assert run("--extractor", "lbp", "--dataset", parted, "--model", "mine=none.onnx") == 2


def test_a_folder_is_searched_by_a_network_in_a_file(ask, tmp_path):
    fill(tmp_path / "pictures", 4, 1, 1)
    path = colours(tmp_path / "net.onnx", size=(4, 4))
    wanted = next((tmp_path / "pictures").iterdir())
    given = ("--pictures", tmp_path / "pictures", "--extractor", "mine")
    code, found = ask(wanted, *given, "--model", f"mine={path}", "scale=1/255")
    assert code == 0
    assert found["neighbours"][0]["id"] == wanted.name


def test_numbers_of_numpy_are_declared_from_python(tmp_path):
    path = colours(tmp_path / "net.onnx", size=(4, 4))
    given = {"size": np.int64(4), "scale": np.float64(1 / 255), "mean": np.zeros(3)}
    grey = [np.full((4, 4, 3), 51, np.uint8)]
    made = load_model(path, **given, std=(np.float32(1), 1, np.float32(2))).transform(grey)
    plain = load_model(path, size=4, scale=1 / 255, mean=(0, 0, 0), std=(1, 1, 2))
    assert np.array_equal(made, plain.transform(grey))


@pytest.mark.parametrize("scale", ["1.2.3/1", "1e30", "1/2.2.2", "./3"])
def test_a_scale_that_is_none_is_one_clear_line(tmp_path, scale):
    path = colours(tmp_path / "net.onnx", size=(4, 4))
    message = refused(f"a={path}", f"scale={scale}")
    assert re.search(
        "scale is a number, or a fraction such as 1.255; |make 2.55e.32 of 255", message
    )


def test_a_picture_is_scaled_whole_or_cut_out_of_the_middle():
    wide = np.zeros((100, 200, 3), np.uint8)
    wide[:, 50:150] = 255
    assert ToSize(10, 10)(wide).mean() == pytest.approx(127.5, abs=20)
    assert ToSize(10, 10, 1.0)(wide).min() == 255
    assert ToSize(10, 20, 1.0)(wide).shape == (10, 20, 3)
    assert ToSize(5, 5, 0.5, "bicubic")(wide).shape == (5, 5, 3)
    tall = ToSize(224, 224, 0.875, "bilinear")(np.zeros((3, 1, 3), np.uint8))
    assert tall.shape == (224, 224, 3)


def test_imagenets_statistics_are_torchvisions():
    made = IMAGENET(np.full((1, 1, 1, 3), 255, np.uint8))
    np.testing.assert_allclose(made[0, 0, 0], [2.2489, 2.4286, 2.64], atol=1e-4)
    assert Values().is_raw
