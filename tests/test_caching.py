"""Identities: what must, and what must not, make stored work stale."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import extractors
from benchmarks.pipeline.cache.fingerprint import closure, code_hash, digest, identity, libraries
from benchmarks.pipeline.cache.store import DamagedError, VectorStore
from benchmarks.pipeline.methods.extractor import Row
from benchmarks.pipeline.workers import Workforce, cut
from extractors.hand_crafted.colour import ColourHistogram
from extractors.preprocessing import LongestSide, Square

CODE = '''"""A module."""
from extractors.preprocessing import cells

def answer():
    """Say it."""
    return 42
'''


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module's code and hash it anew."""
    monkeypatch.syspath_prepend(tmp_path)

    def hash_of(code: str) -> str:
        from benchmarks.pipeline.cache import fingerprint as module_

        (tmp_path / "written.py").write_text(code)
        for cached in (module_._imports, module_._meaning, module_.closure):
            cached.cache_clear()
        sys.modules.pop("written", None)
        return code_hash("written")

    yield hash_of
    sys.modules.pop("written", None)


def test_parameters_and_preprocessing_are_part_of_the_identity():
    found = {
        digest(identity(extractor))
        for extractor in (
            ColourHistogram("rgb"),
            ColourHistogram("hsv"),
            ColourHistogram("rgb", grid=2),
            ColourHistogram("rgb", prepare=LongestSide(100)),
            ColourHistogram("rgb", prepare=Square(256)),
        )
    }
    assert len(found) == 5
    assert identity(ColourHistogram("rgb")) == identity(ColourHistogram("rgb"))


def test_identity_is_json_and_names_code_and_libraries():
    found = identity(ColourHistogram("rgb"))
    assert json.loads(json.dumps(found))["params"]["bins"] == [8, 8, 8]
    assert {"numpy", "opencv-contrib-python-headless"} <= set(found["libraries"])
    assert "scikit-learn" in identity(StandardScaler())["libraries"]


def test_code_counts_and_comments_do_not(module):
    first = module(CODE)
    assert module(CODE.replace("Say it.", "Tell it.") + "# a comment\n") == first
    assert module(CODE.replace("42", "43")) != first


def test_code_of_imported_modules_counts():
    from benchmarks.pipeline.cache.fingerprint import closure

    found = closure("extractors.hand_crafted.colour")
    assert {"extractors.base", "extractors.preprocessing"} <= set(found)
    assert "extractors.hand_crafted.texture" not in found
    assert "numpy" not in found


def test_libraries_of_a_module():
    assert "mahotas" in libraries("extractors.hand_crafted.texture")
    assert "mahotas" not in libraries("extractors.hand_crafted.colour")


def test_a_parameter_without_a_form_is_refused():
    with pytest.raises(TypeError, match="use plain values"):
        identity(ColourHistogram("rgb", prepare=object()))


def test_store_keeps_what_it_was_given(tmp_path):
    store = VectorStore(tmp_path, "a", {"x": 1})
    assert store.missing(["k1", "k2", "k1"]) == ["k1", "k2"]
    store.add(["k1", "k2"], list(np.array([[1, 2], [3, 4]], np.float32)), 0.5)
    again = VectorStore(tmp_path, "a", {"x": 1})
    assert again.missing(["k1", "k3"]) == ["k3"]
    [block] = again.blocks(["k2", "k1", "k2"])
    assert block.tolist() == [[3, 4], [1, 2], [3, 4]]
    assert again.seconds(["k1"]) == 0.25
    assert again.seconds(["k1", "unknown"]) is None
    assert VectorStore(tmp_path, "a", {"x": 2}).missing(["k1"]) == ["k1"]
    assert VectorStore(tmp_path, "a", {"x": 1}, forget=True).missing(["k1"]) == ["k1"]


def test_what_was_made_anew_counts(tmp_path):
    keys = [f"k{number}" for number in range(20)]
    for part in (keys[:3], keys[3:5], keys[5:]):  # in the names of segments they sort at random
        VectorStore(tmp_path, "a", {}).add(part, [np.zeros(1, np.float32)] * len(part), 1.0)
    os.utime(next(tmp_path.rglob("*.npz")), (1, 1))
    for part in (keys[:7], keys[7:]):
        anew = VectorStore(tmp_path, "a", {}, forget=True)
        anew.add(part, [np.ones(1, np.float32)] * len(part), 1.0)
    [block] = VectorStore(tmp_path, "a", {}).blocks(keys)
    assert block.all()


def test_a_segment_that_cannot_be_read_is_made_again(tmp_path):
    store = VectorStore(tmp_path, "a", {})
    store.add(["k"], [np.arange(9, dtype=np.float32)], 1.0)
    (path,) = tmp_path.rglob("*.npz")
    content = path.read_bytes()
    place = content.index(np.arange(9, dtype=np.float32).tobytes())
    path.write_bytes(content[:place] + b"\xff" + content[place + 1 :])
    damaged = VectorStore(tmp_path, "a", {})
    with pytest.raises(DamagedError, match="is removed; run again"):
        list(damaged.blocks(["k"]))
    assert VectorStore(tmp_path, "a", {}).missing(["k"]) == ["k"]
    store.add(["k"], [np.arange(9, dtype=np.float32)], 1.0)
    path.write_bytes(b"")
    assert VectorStore(tmp_path, "a", {}).missing(["k"]) == ["k"]


def test_how_pictures_are_read_is_part_of_the_identity():
    for row in (Row("lbp", extractors.MENU["lbp"]), Row("sift", extractors.MENU["sift-bovw"])):
        assert row.identity["reading"]["code"] == code_hash(*closure("datasets.reading"))


def test_store_gives_many_rows_in_blocks(tmp_path):
    store = VectorStore(tmp_path, "a", {})
    keys = [f"k{number}" for number in range(5000)]
    for number, chunk in enumerate(cut(keys, 1000)):
        store.add(chunk, list(np.full((1000, 2), number, np.float32)), 0.0)
    blocks = list(store.blocks(keys))
    assert [len(block) for block in blocks] == [2048, 2048, 904]
    assert np.concatenate(blocks)[::1000, 0].tolist() == [0, 1, 2, 3, 4]


def test_nothing_is_left_of_a_write_that_failed(tmp_path):
    from benchmarks.formats.files import write_whole

    def fail(part: Path) -> None:
        part.write_text("half")
        raise OSError("disk full")

    (tmp_path / "a.json").write_text("old")
    with pytest.raises(OSError, match="disk full"):
        write_whole(tmp_path / "a.json", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "old"


def double(number: int) -> int:
    return 2 * number


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_order_whatever_the_workers(jobs):
    workforce = Workforce(jobs=jobs, quiet=True)
    assert list(workforce.each(double, list(range(100)), "")) == list(range(0, 200, 2))
    assert list(workforce.each(double, [], "")) == []


@pytest.mark.parametrize("name", ["hog", "sift-bovw", "efficientnet-lite0", "cnn-compact"])
def test_a_new_row_in_the_menu_makes_no_other_row_stale(name):
    row = extractors.MENU[name]
    first = row.steps[0][1] if isinstance(row, Pipeline) else row
    modules = closure(type(first).__module__)
    assert "extractors" not in modules
    assert not {"extractors.hand_crafted.texture", "extractors.hand_crafted.gist"} & set(modules)
    assert ("mahotas" in identity(first)["libraries"]) == (name == "hog")
