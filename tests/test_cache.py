"""Identities: what must, and what must not, make stored work stale."""

import importlib
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import extractors
from benchmarks.pipeline.cache import fingerprint
from benchmarks.pipeline.cache.fingerprint import digest, identity, imported_modules, libraries
from benchmarks.pipeline.cache.store import ArrayStore, DamagedError
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from benchmarks.pipeline.workers import Workforce, cut
from datasets import reading
from datasets.errors import UnreadableImageError
from extractors.hand_crafted.colour import ColourHistogram
from extractors.preprocessing import LongestSide, Square

BRIGHTNESS = '''"""An extractor of somebody's own."""
import numpy as np
from extractors.base import Extractor
from .lightness import lightness

class Brightness(Extractor):
    def transform(self, images):
        return np.array([[lightness(image)] for image in images], np.float32)
'''

LIGHTNESS = "def lightness(image):\n    return image.mean()\n"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Write a package with an extractor of somebody's own; gives its identity."""
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / "somebody"
    package.mkdir()
    (package / "__init__.py").write_text("")

    def forget():
        for name in [name for name in sys.modules if name.partition(".")[0] == "somebody"]:
            del sys.modules[name]
        for cached in (fingerprint._imports, fingerprint.imported_modules):
            cached.cache_clear()

    def identity_of(code=BRIGHTNESS, beside=LIGHTNESS, **other_files):
        (package / "brightness.py").write_text(code)
        (package / "lightness.py").write_text(beside)
        for name, text in other_files.items():
            (package / f"{name}.py").write_text(text)
        forget()
        importlib.invalidate_caches()
        return identity(importlib.import_module("somebody.brightness").Brightness())

    yield identity_of
    forget()


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


def test_identity_is_json_and_names_version_and_libraries():
    found = identity(ColourHistogram("rgb"))
    assert json.loads(json.dumps(found))["params"]["bins"] == [8, 8, 8]
    assert {"numpy", "opencv-contrib-python-headless"} <= set(found["libraries"])
    assert "scikit-learn" in identity(StandardScaler())["libraries"]
    assert "code" not in identity(StandardScaler())  # its release says all of it


def test_a_declared_version_is_the_key_and_the_code_is_not(monkeypatch):
    monkeypatch.setattr(ColourHistogram, "version", "colour-histogram 7", raising=False)
    monkeypatch.setattr(fingerprint, "code_hash", lambda *_: pytest.fail("code was hashed"))
    monkeypatch.setattr(LongestSide, "version", "longest-side 1", raising=False)
    found = identity(ColourHistogram("rgb"))
    assert found["version"] == "colour-histogram 7"
    assert found["params"]["prepare"] == {"version": "longest-side 1", "pixels": 128}
    name = ColourHistogram.__qualname__
    try:
        ColourHistogram.__qualname__ = "HistogramOfColours"
        assert identity(ColourHistogram("rgb")) == found
    finally:
        ColourHistogram.__qualname__ = name


def test_somebodys_own_extractor_is_keyed_by_its_code_and_what_lies_beside_it(own):
    first = own()
    assert own() == first
    assert own(BRIGHTNESS.replace("np.float32", "np.float64")) != first
    assert own(beside=LIGHTNESS.replace("mean", "max")) != first
    assert own(unused="answer = 42\n") == first
    assert own(unused="answer = 43\n") == first


def test_a_package_above_and_files_that_the_code_names_are_part_of_the_key(own, tmp_path):
    code = f"import somebody.settings\n{BRIGHTNESS}\nNAMES = 'weights.json', 'sub/more.json'\n"
    given = {"code": code, "settings": "from .lightness import lightness\n"}
    package = tmp_path / "somebody"
    (package / "other.json").write_text("1")
    found = [own(**given)]
    assert own(**given) == found[0]
    (package / "sub").mkdir()
    for name in ("weights.json", "weights.json", "sub/more.json", "__init__.py"):
        (package / name).write_text(f"A = {len(found)}\n")
        found.append(own(**given))
    assert len({digest(one) for one in found}) == 5
    (package / "other.json").write_text("2")  # which the code does not name
    assert own(**given) == found[-1]


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("os.path.join(os.path.dirname(__file__), 'data', 'w.npy')", "somebody/data/w.npy"),
        ("Path(__file__).parent / 'data' / 'more' / 'w.npy'", "somebody/data/more/w.npy"),
        ("Path(__file__).with_suffix('.npy')", "somebody/brightness.npy"),
        ("'weights/w.npy'", "weights/w.npy"),  # from the current folder
        ("os.path.join('weights', 'w.npy')", "weights/w.npy"),
        ("os.environ['WEIGHTS_OF_MINE']", "given.npy"),
    ],
)
def test_a_file_that_the_code_reads_is_part_of_the_key(own, tmp_path, monkeypatch, line, file):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WEIGHTS_OF_MINE", "given.npy")
    code = f"import os\nfrom pathlib import Path\n{BRIGHTNESS}\nREAD = {line}\n"
    found = [own(code)]
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    for content in ("1", "2"):
        (tmp_path / file).write_text(content)
        found.append(own(code))
        assert own(code) == found[-1]
    assert len({digest(one) for one in found}) == 3


def test_a_file_that_is_a_parameter_is_part_of_the_key(own, tmp_path):
    init = "\n    def __init__(self, paths=()):\n        self.paths = paths\n"
    own(BRIGHTNESS + init)
    kind = sys.modules["somebody.brightness"].Brightness
    found = [identity(kind((str(tmp_path / "w.npy"), "bins")))]
    for content in ("1", "2"):
        (tmp_path / "w.npy").write_text(content)
        found.append(identity(kind((str(tmp_path / "w.npy"), "bins"))))
    assert len({digest(one) for one in found}) == 3
    assert "files" not in identity(ColourHistogram("rgb"))


@pytest.mark.parametrize("read", ["environ.get('MINE', 4)", "environ['MINE']", "getenv('MINE')"])
def test_a_variable_that_the_code_reads_is_part_of_the_key(own, tmp_path, monkeypatch, read):
    code = f"import os\n{BRIGHTNESS}\ndef bins():\n    return os.{read}\n"
    plain = own(code)
    found = []
    for value in ("4", "8"):
        monkeypatch.setenv("MINE", value)
        monkeypatch.setenv("YOURS", value)
        found.append(own(code))
    assert len({digest(one) for one in (plain, *found)}) == 3
    monkeypatch.setenv("MINE", str(tmp_path))  # where a folder lies differs between machines
    assert own(code) == plain


def test_a_version_that_is_inherited_says_nothing_of_somebodys_own_class(own, monkeypatch):
    code = "from extractors.hand_crafted.colour import ColourHistogram\n\n"
    code += "class Brightness(ColourHistogram):\n    pass\n"
    monkeypatch.setattr(ColourHistogram, "version", "colour-histogram 7", raising=False)
    found = own(code)
    assert "version" not in found
    assert own(code + "\n    grid = 4\n")["code"] != found["code"]


def test_a_library_that_is_optional_may_be_missing(own):
    code = BRIGHTNESS + "\ndef later():\n    import no_such_library\n"
    assert own(code)["code"] != own()["code"]


def test_a_module_that_this_python_cannot_run_is_keyed_by_its_text(own):
    code = BRIGHTNESS + "\nif np is None:\n    from . import former\n"
    first = own(code, former='print "two"\n')
    assert own(code, former='print "three"\n')["code"] != first["code"]


def test_imported_modules_are_those_that_are_no_library():
    found = imported_modules("extractors.hand_crafted.colour")
    assert {"extractors.base", "extractors.preprocessing"} <= set(found)
    assert "extractors.hand_crafted.texture" not in found
    assert "numpy" not in found


def test_libraries_of_a_module():
    assert "mahotas" in libraries("extractors.hand_crafted.texture")
    assert "mahotas" not in libraries("extractors.hand_crafted.colour")


@pytest.mark.parametrize("value", [object(), lambda image: image])
def test_a_parameter_without_a_form_is_refused(value):
    with pytest.raises(TypeError, match="use plain values"):
        identity(ColourHistogram("rgb", prepare=value))


def test_store_keeps_what_it_was_given(tmp_path):
    store = ArrayStore(tmp_path, "a", {"x": 1})
    assert store.missing(["k1", "k2", "k1"]) == ["k1", "k2"]
    store.add(["k1", "k2"], list(np.array([[1, 2], [3, 4]], np.float32)), 0.5)
    again = ArrayStore(tmp_path, "a", {"x": 1})
    assert again.missing(["k1", "k3"]) == ["k3"]
    [block] = again.blocks(["k2", "k1", "k2"])
    assert block.tolist() == [[3, 4], [1, 2], [3, 4]]
    assert again.seconds(["k1"]) == 0.25
    assert again.seconds(["k1", "unknown"]) is None
    assert ArrayStore(tmp_path, "a", {"x": 2}).missing(["k1"]) == ["k1"]
    assert ArrayStore(tmp_path, "a", {"x": 1}, forget=True).missing(["k1"]) == ["k1"]


def test_what_was_made_anew_counts(tmp_path):
    keys = [f"k{number}" for number in range(20)]
    for part in (keys[:3], keys[3:5], keys[5:]):  # in the names of segments they sort at random
        ArrayStore(tmp_path, "a", {}).add(part, [np.zeros(1, np.float32)] * len(part), 1.0)
    os.utime(next(tmp_path.rglob("*.npz")), (1, 1))
    for part in (keys[:7], keys[7:]):
        anew = ArrayStore(tmp_path, "a", {}, forget=True)
        anew.add(part, [np.ones(1, np.float32)] * len(part), 1.0)
    [block] = ArrayStore(tmp_path, "a", {}).blocks(keys)
    assert block.all()


def test_what_was_made_anew_counts_after_the_clock_is_set_back(tmp_path):
    keys = [f"k{number}" for number in range(9)]
    ArrayStore(tmp_path, "a", {}).add(keys, [np.zeros(1, np.float32)] * 9, 1.0)
    (path,) = tmp_path.rglob("*.npz")
    os.utime(path, (4e9, 4e9))  # written in another century
    for number, part in ((1, keys[:4]), (1, keys[4:]), (2, keys[:5]), (2, keys[5:])):
        anew = ArrayStore(tmp_path, "a", {}, forget=True)
        anew.add(part, [np.full(1, number, np.float32)] * len(part), 1.0)
    [block] = ArrayStore(tmp_path, "a", {}).blocks(keys)
    assert (block == 2).all()


def test_a_segment_that_cannot_be_read_is_made_again(tmp_path):
    store = ArrayStore(tmp_path, "a", {})
    store.add(["k"], [np.arange(9, dtype=np.float32)], 1.0)
    (path,) = tmp_path.rglob("*.npz")
    content = path.read_bytes()
    place = content.index(np.arange(9, dtype=np.float32).tobytes())
    path.write_bytes(content[:place] + b"\xff" + content[place + 1 :])
    damaged = ArrayStore(tmp_path, "a", {})
    with pytest.raises(DamagedError, match=r"damaged \(.*\); run again"):
        list(damaged.blocks(["k"]))
    assert ArrayStore(tmp_path, "a", {}).missing(["k"]) == ["k"]
    store.add(["k"], [np.arange(9, dtype=np.float32)], 1.0)
    path.write_bytes(b"")
    assert ArrayStore(tmp_path, "a", {}).missing(["k"]) == ["k"]


def test_a_segment_of_another_store_is_made_again(tmp_path, caplog):
    for name, value in (("a", 1), ("b", 2)):
        store = ArrayStore(tmp_path, name, {"x": value})
        store.add(["k"], [np.array([value], np.float32)], 1.0)
    (mine,) = tmp_path.glob("a-*/*.npz")
    (other,) = tmp_path.glob("b-*/*.npz")
    mine.unlink()
    shutil.copy(other, mine.parent)
    assert ArrayStore(tmp_path, "a", {"x": 1}).missing(["k"]) == ["k"]
    assert "holds what another extractor made" in caplog.text


def test_how_pictures_are_read_is_part_of_the_identity():
    for row in (
        ExtractorSteps("lbp", extractors.MENU["lbp"]),
        ExtractorSteps("sift", extractors.MENU["sift-bovw"]),
    ):
        assert row.identity["reading"]["version"] == reading.VERSION


def halves(numbers):
    return [
        UnreadableImageError(f"{number} is odd")
        if number % 2
        else np.array([number // 2], np.int8)
        for number in numbers
    ]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_store_is_filled_with_what_it_lacks(tmp_path, jobs):
    workforce = Workforce(jobs, quiet=True)
    items = {f"k{number}": number for number in range(100)}
    store = ArrayStore(tmp_path, "a", {})
    store.add(["k2"], [np.array([77], np.int8)], 0.0)
    problems = store.fill(items, halves, workforce, "")
    assert problems == {f"k{number}": f"{number} is odd" for number in range(1, 100, 2)}
    again = ArrayStore(tmp_path, "a", {})
    assert again.missing(items) == list(problems)
    [block] = again.blocks(["k98", "k2", "k0"])
    assert block.dtype == np.int8
    assert block.ravel().tolist() == [49, 77, 0]


def test_store_gives_many_rows_in_blocks(tmp_path):
    store = ArrayStore(tmp_path, "a", {})
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
    modules = imported_modules(type(first).__module__)
    assert "extractors" not in modules
    assert not {"extractors.hand_crafted.texture", "extractors.hand_crafted.gist"} & set(modules)
    assert ("mahotas" in identity(first)["libraries"]) == (name == "hog")
