"""Small datasets of seeded pictures, and the command run in this process."""

import json
from collections.abc import Callable
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from golden import Golden
from pictures import fill, picture, scene
from PIL import Image
from sklearn.base import clone

import extractors
from benchmarks import run as run_module
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.workers import Workforce
from benchmarks.search.__main__ import main as search_command
from benchmarks.tune import __main__ as tune
from extractors.networks import backbone as backbone_module
from extractors.networks import weights
from extractors.networks.architectures import KerasApplication
from extractors.networks.training import Recipe

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
WEIGHTS = SHARED.parent / "weights"

hypothesis.settings.register_profile(
    "suite",
    derandomize=True,  # the same examples everywhere
    database=None,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let golden numbers of new versions be recorded, see `golden`."""
    parser.addoption("--record-golden", action="store_true", help="add numbers of new versions")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """The golden numbers of a test module: ``golden/<name>.json`` of ``test_golden_<name>``."""
    name = request.module.__name__.rpartition("test_golden_")[2]
    return Golden(name, request.config.getoption("--record-golden"))


@pytest.fixture
def parted(tmp_path: Path) -> Path:
    """Two classes and confusion images in the full layout, with two query sets."""
    root = tmp_path / "parted"
    for number, name in enumerate(("apple", "berry")):
        fill(root / "training" / name, 4, 10 + number, number)
        fill(root / "validation" / "gallery" / name, 5, 20 + number, number)
        fill(root / "validation" / "query" / name, 3, 30 + number, number)
        fill(root / "validation" / "query-sketch" / name, 2, 40 + number, number)
    fill(root / "validation" / "gallery" / "distractor" / "cherry", 3, 50, 2)
    return root


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """Two classes of pictures with keypoints, four in each part."""
    root = tmp_path / "scenes"
    for number in range(12):
        part = ("training", "validation/gallery", "validation/query")[number % 3]
        folder = root / part / f"class-{number // 3 % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene(number)).save(folder / f"{number:02}.png")
    return root


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    """Three classes of ten pictures, no parts."""
    root = tmp_path / "classes"
    for number, name in enumerate(("apple", "berry", "cherry")):
        fill(root / name, 10, 60 + number, number)
    return root


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder of twelve pictures in no order."""
    fill(tmp_path / "album" / "images", 12, 7)
    return tmp_path / "album"


@pytest.fixture
def ask(tmp_path, capsys):
    """Run benchmarks.search; returns the exit code and, from JSON, the answer."""

    def run_command(*arguments):
        cache = ["--cache", tmp_path / "cache", "--jobs", 1, "--json"]
        capsys.readouterr()
        code = search_command([str(one) for one in (*arguments, *cache)])
        printed = capsys.readouterr()
        assert (code == 0) == (printed.err.count("error:") == 0)
        return code, json.loads(printed.out) if printed.out else printed.err

    return run_command


@pytest.fixture
def mixed(tmp_path):
    """A folder as people have it: formats, depths and files that are no pictures."""
    root = tmp_path / "mixed"
    (root / "a b" / "é").mkdir(parents=True)
    for number, ending in enumerate(("jpg", "png", "webp", "gif", "bmp", "tiff")):
        picture(number, 40, number).save(root / f"{number}.{ending}")
    picture(7, 40).convert("RGBA").save(root / "a b" / "é" / "deep <script>.png")
    picture(8, 40).convert("L").save(root / "a b" / "grey.JPG")
    Image.fromarray(np.full((9, 9), 40_000, np.uint16)).save(root / "a b" / "sixteen.png")
    (root / "notes.txt").write_text("no picture")
    (root / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    return root


@pytest.fixture
def load_dataset(tmp_path: Path) -> Callable:
    """Load a dataset with a cache of the test's own."""
    return lambda text, seed=0: load(str(text), tmp_path / "cache", Workforce(quiet=True), seed)


@pytest.fixture
def run(tmp_path: Path) -> Callable:
    """Run the command with folders of the test's own, without plots; returns the exit code."""

    def run_command(*arguments: object, out: str = "out", cache: str = "cache") -> int:
        folders = ["--out", tmp_path / out, "--cache", tmp_path / cache]
        jobs = [] if "--jobs" in arguments else ["--jobs", "1"]
        return run_module.main([str(a) for a in (*arguments, *folders, *jobs, "--no-plots")])

    return run_command


@pytest.fixture
def tuned(tmp_path: Path) -> Callable:
    """Tune with folders of the test's own; returns the exit code."""

    def command(*arguments: object, out: str = "out", cache: str = "cache") -> int:
        folders = ["--out", tmp_path / out, "--cache", tmp_path / cache, "--jobs", "1"]
        return tune.main([str(argument) for argument in (*arguments, *folders)])

    return command


@pytest.fixture
def preset_file(tmp_path: Path) -> Callable:
    """Where `tuned` puts the preset of a row."""
    return lambda row, dataset="parted", out="out": (
        tmp_path / out / dataset / "presets" / f"{row}.json"
    )


@pytest.fixture
def real_weights(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Real weights beside the checkout, given as a user would."""
    if not WEIGHTS.is_dir():
        pytest.skip(f"the real weights are not there ({WEIGHTS})")
    whole = ("densenet169", "vgg16", "xception")
    files = {name: f"{name}_notop.h5" for name in whole}
    files["resnet152"] = "resnet152_notop_conv1-conv4.h5"
    for name, file in files.items():
        monkeypatch.setenv(weights.variable(name), str(WEIGHTS / file))
    return WEIGHTS


@pytest.fixture
def shared() -> Path:
    """Real pictures beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"the real pictures are not there ({SHARED})")
    return SHARED


@pytest.fixture
def own_weights(tmp_path, monkeypatch):
    """Seeded weights for two networks, of any size, so that no file is needed."""
    path = tmp_path / "seeded.h5"
    path.write_bytes(b"")
    for name in ("resnet50", "mobilenetv2"):
        monkeypatch.setenv(weights.variable(name), str(path))
    monkeypatch.delitem(weights.OFFICIAL, "resnet50")
    monkeypatch.setattr(
        KerasApplication,
        "fill",
        lambda _, whole, __: {layer.name for layer in whole.layers if layer.weights},
    )
    backbone_module._load.cache_clear()
    yield
    backbone_module._load.cache_clear()


@pytest.fixture
def short_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks from scratch are trained for one epoch."""
    for name in ("cnn-plain", "cnn-compact"):
        short = clone(extractors.MENU[name]).set_params(recipe=Recipe(epochs=1))
        monkeypatch.setitem(extractors.MENU, name, short)
