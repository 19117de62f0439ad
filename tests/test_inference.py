"""What runs pretrained networks: OpenVINO must give Keras' vectors, and say that it ran."""

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.pipeline.cache.fingerprint import identity
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from extractors import MENU
from extractors.networks import inference
from extractors.networks.engine import BATCH, backend, load_keras, run_padded

ROW = "efficientnet-lite0"
PICTURES = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3)).astype(np.uint8)


@pytest.fixture
def openvino(monkeypatch):
    pytest.importorskip("openvino", reason="the extra is not installed")
    if backend() == "jax":
        pytest.skip("OpenVINO cannot read what JAX exports")
    monkeypatch.setenv(inference.VARIABLE, inference.OPENVINO)


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    """What a command sets in the environment goes when the test ends."""
    monkeypatch.setenv(inference.VARIABLE, "")


def cosines(these, those):
    these, those = (vectors.astype(np.float64) for vectors in (these, those))
    lengths = np.linalg.norm(these, axis=1) * np.linalg.norm(those, axis=1)
    return (these * those).sum(1) / lengths


def test_vectors_are_those_of_keras(openvino, monkeypatch):
    fast = MENU[ROW].run(PICTURES)
    monkeypatch.setenv(inference.VARIABLE, inference.KERAS)
    exact = MENU[ROW].run(PICTURES)
    assert fast.shape == exact.shape
    assert not np.array_equal(fast, exact)  # so it was not Keras again
    assert (1 - cosines(fast, exact)).max() < 1e-9


def test_it_reports_to_nobody(openvino):
    code = (
        "import sys; from extractors import MENU; import numpy as np\n"
        f"MENU['{ROW}'].run(np.zeros((1, 224, 224, 3), np.uint8))\n"
        "assert 'openvino' in sys.modules and sys.modules['openvino_telemetry'] is None"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_later_batch_leaves_earlier_outputs_alone(openvino):
    keras = load_keras()
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    run = inference.forward(model)
    first = run_padded(run, np.ones((2, 4), np.float32))
    kept = first.copy()
    second = run_padded(run, np.full((BATCH, 4), 2, np.float32))
    assert first.shape == (2, 2)
    assert np.array_equal(first, kept)
    np.testing.assert_allclose(second[:2], 2 * first, rtol=1e-6)


def test_identity_names_the_engine_that_ran(openvino, monkeypatch):
    import openvino as library

    chosen = ExtractorSteps(ROW, MENU[ROW]).identity
    assert library.__version__.startswith(chosen["network"]["openvino"])
    monkeypatch.setenv(inference.VARIABLE, "")
    usual = ExtractorSteps(ROW, MENU[ROW]).identity
    assert "openvino" not in json.dumps(usual)
    del chosen["network"]["openvino"]
    assert chosen == usual


def test_an_engine_that_is_only_installed_decides_nothing(openvino, monkeypatch):
    monkeypatch.setenv(inference.VARIABLE, "")
    assert "openvino" not in identity(MENU[ROW])["libraries"]


def test_a_run_ranks_alike_and_its_card_says_so(run, parted, tmp_path, openvino):
    row = ("--dataset", parted, "--extractor", ROW)
    assert run(*row, "--engine", "openvino", out="fast", cache="shared") == 0
    assert run(*row, "--engine", "keras", out="exact", cache="shared") == 0
    rankings = []
    for name, told in (("fast", True), ("exact", False)):
        (record,) = (tmp_path / name).glob(f"*/records/query/{ROW}.json")
        card = json.loads(record.read_text())["card"]
        assert ("openvino" in card["extractor"]["network"]) is told
        rankings.append(dict(np.load(record.with_suffix(".npz"))))
    fast, exact = rankings
    assert fast.keys() == exact.keys()
    for name, values in exact.items():
        compare = (
            np.testing.assert_allclose
            if values.dtype.kind == "f"
            else np.testing.assert_array_equal
        )
        compare(fast[name], values)


def test_an_index_is_asked_by_the_engine_that_made_it(parted, tmp_path, openvino, capsys):
    from benchmarks.search.__main__ import main

    (picture, *_) = sorted((parted / "validation" / "query" / "apple").iterdir())
    index, cache = tmp_path / "index", tmp_path / "cache"
    made = (picture, "--pictures", parted, "--index", index, "--cache", cache, "--quiet")
    assert main([str(one) for one in (*made, "--engine", "openvino")]) == 0
    asked = (picture, "--index", index, "--cache", cache, "--quiet")
    assert main([str(one) for one in (*asked, "--engine", "openvino")]) == 0
    assert main([str(one) for one in (*asked, "--engine", "keras")]) == 2
    assert "another engine" in capsys.readouterr().err


def test_an_engine_that_is_not_there_is_one_clear_error(run, classes, monkeypatch, capsys):
    row = ("--dataset", classes, "--extractor", ROW)
    assert run(*row, "--engine", "magic") == 2
    assert "keras" in capsys.readouterr().err
    monkeypatch.setenv(inference.VARIABLE, "magic")
    assert run(*row) == 2
    assert f"{inference.VARIABLE}: no such engine as 'magic'" in capsys.readouterr().err
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert run(*row, "--engine", "openvino") == 2
    assert "no networks from Keras' backend jax; choose tensorflow" in capsys.readouterr().err
    monkeypatch.setattr(inference.importlib.util, "find_spec", lambda name: None)
    assert run(*row, "--engine", "openvino") == 2
    assert "--engine openvino: openvino is not installed; pip" in capsys.readouterr().err
