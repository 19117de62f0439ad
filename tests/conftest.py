"""Small datasets of seeded pictures, and the command run in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pictures import fill

from benchmarks import run as run_module
from benchmarks.loading import load
from benchmarks.progress import Workforce

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


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
def classes(tmp_path: Path) -> Path:
    """Three classes of ten pictures, no parts."""
    root = tmp_path / "classes"
    for number, name in enumerate(("apple", "berry", "cherry")):
        fill(root / name, 10, 60 + number, number)
    return root


@pytest.fixture
def load_dataset(tmp_path: Path) -> Callable:
    """Load a dataset with a cache of the test's own."""
    return lambda text, seed=0: load(str(text), tmp_path / "cache", Workforce(quiet=True), seed)


@pytest.fixture
def run(tmp_path: Path) -> Callable:
    """Run the command with folders of the test's own; returns the exit code."""

    def run_command(*arguments: object, out: str = "out", cache: str = "cache") -> int:
        folders = ["--out", tmp_path / out, "--cache", tmp_path / cache]
        jobs = [] if "--jobs" in arguments else ["--jobs", "1"]
        return run_module.main([str(a) for a in (*arguments, *folders, *jobs)])

    return run_command


@pytest.fixture
def shared() -> Path:
    """Real pictures beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"the real pictures are not there ({SHARED})")
    return SHARED
