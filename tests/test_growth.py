"""How growth with the number of pictures is measured and told; not how fast anything is."""

import sys
from pathlib import Path

import numpy as np
import pytest
from measured import MEBIBYTE, dying, failing, holding

from benchmarks.pipeline.evaluation.evaluate import count_zeros
from benchmarks.pipeline.loading.dataset import content_hash
from benchmarks.pipeline.workers import Workforce
from benchmarks.search.build import _write_matrix
from benchmarks.search.files import Generation
from benchmarks.speed.growth import __main__ as growth
from benchmarks.speed.growth import process, rates
from benchmarks.speed.growth.cost_model import cost_model
from benchmarks.speed.growth.fit import exponent, last_exponent, steeper
from benchmarks.speed.growth.gallery import make_gallery
from benchmarks.speed.growth.process import Measured, measure
from benchmarks.speed.growth.steps import STEPS
from datasets.errors import InputError
from extractors.matrices import open_matrix
from retrieval.knn import nearest
from retrieval.rows import release

needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


def test_exponents_are_slopes_over_the_sizes_that_count():
    squares = {size: 3e-6 * size**2 for size in (100, 1000, 10_000, 100_000)}
    assert exponent(squares) == pytest.approx(2)
    hidden = squares | {100: 1e6}  # plays no part
    assert exponent(hidden) == pytest.approx(2)
    bent = {1000: 1.0, 10_000: 1.0, 100_000: 30.0}
    assert last_exponent(bent) == pytest.approx(np.log10(30))
    assert exponent(bent) == pytest.approx(np.log10(30) / 2)
    linear = {size: 1e-3 * size for size in squares}
    assert steeper({"square": squares, "linear": linear, "bent": bent}) == ["square", "bent"]
    assert exponent({100: 1.0, 1000: 2.0}) is None
    assert last_exponent({10: 1.0, 100: 9.0}) is None


def test_every_picture_of_a_gallery_is_another(tmp_path):
    quiet = Workforce(1, quiet=True)
    make_gallery(tmp_path / "one", 300, quiet)
    paths = sorted((tmp_path / "one").rglob("*.jpg"))
    assert len({content_hash(path) for path in paths}) == len(paths) == 400
    make_gallery(tmp_path / "two", 40, quiet)  # pictures do not depend on the size
    for path in (tmp_path / "two").rglob("*.jpg"):
        other = tmp_path / "one" / path.relative_to(tmp_path / "two")
        assert path.read_bytes() == other.read_bytes()


@needs_proc
def test_memory_is_that_of_the_process_and_its_workers():
    size = 300 * MEBIBYTE
    found = measure(holding, size)
    assert found.told == {"size": size}
    assert found.peak_bytes > 3 * size
    assert found.seconds > 0
    assert found.processor_seconds > 0


@needs_proc
def test_a_step_that_fails_is_one_line():
    with pytest.raises(InputError, match="failing: ValueError: nothing at all"):
        measure(failing, "all")
    with pytest.raises(InputError, match="dying: its process ended with code 7"):
        measure(dying, None)


def here(step, place):
    """Measure in this process, which is faster."""
    return Measured(2.0, 1.5, 300 * MEBIBYTE, step(place)() or {})


def test_the_command_measures_every_step_at_every_size(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(growth, "measure", here)
    monkeypatch.setattr(growth, "require_measurable", lambda: None)
    monkeypatch.setattr(growth, "MILLION", 300)
    monkeypatch.setattr(rates, "_GALLERY", 1500)
    monkeypatch.setattr(rates, "_COPIED", 1000)
    words = ["--sizes", "60", "40", "--million", "--jobs", "1", "--quiet"]
    assert growth.main([*words, "--out", str(tmp_path)]) == 0
    page = (tmp_path / "growth.md").read_text()
    for name in STEPS:
        assert f"| {name} | 1.50 | 1.50 | – | – |" in page
        assert f"| {name} | 300 | 300 | – |" in page
    assert "ten nearest of 300 vectors" in page
    assert "0.29 GiB resident at most" in page
    assert "| 1 core |" in page
    assert "ivf-pq was not measured" in page
    assert (tmp_path / "plots" / "growth.png").stat().st_size > 1000


def test_a_model_is_its_formulas():
    measured = {"picture": 0.01, "bandwidth": 8e9, "one": 2e9, "many": 20e9}
    measured |= {"hnsw seconds": 1e-4, "hnsw recall": 0.98, "hnsw effort": 128, "hnsw build": 1e-3}
    measured["dims"] = 512
    page = cost_model(measured, 1000)
    lines = {line.split(" | ")[0].strip("| "): line for line in page.splitlines()}
    assert lines["16 cores"] == "| 16 cores | 10.4 min | 17.4 h | 7.23 days |"
    assert lines["float16"] == "| float16 | 4.1 GB | 410 GB | 4.1 TB |"
    assert lines["IVF-PQ codes"] == "| IVF-PQ codes | 264 MB | 26.4 GB | 264 GB |"
    assert lines["exact, one query: n d / R₁"].endswith("| 1.02 s | 1.71 min | 17.1 min |")
    assert lines["hnsw: ∝ d log n"].endswith("| 800 µs | 1.07 ms | 1.2 ms |")
    assert lines["10 Gbit/s"] == "| 10 Gbit/s | 1.33 min | 2.22 h | 22.2 h |"
    assert "ivf-pq was not measured" in page


@pytest.mark.parametrize("extractor", ["lbp+hog+rrf", "sift-bovw"])
def test_what_the_galleries_cannot_teach_is_refused(extractor, tmp_path, capsys):
    assert growth.main(["--out", str(tmp_path), "--extractor", extractor]) == 2
    assert "is fused or learns" in capsys.readouterr().err


def test_without_proc_it_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(process, "_PROCESSES", tmp_path)
    assert growth.main(["--out", str(tmp_path)]) == 2
    assert "which Linux alone has" in capsys.readouterr().err


def mapped():
    """Bytes of files that are resident in this process."""
    status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return sum(1024 * int(status[name].split()[0]) for name in ("RssFile", "RssShmem"))


@needs_proc
def test_vectors_that_were_written_checked_or_searched_do_not_stay_in_memory(tmp_path):
    size, dims, rng = 16_000, 1024, np.random.default_rng(0)
    made = open_matrix(tmp_path / "made.npy", np.float32, (size, dims))
    for start in range(0, size, 1000):
        made[start : start + 1000] = rng.standard_normal((1000, dims), np.float32)
        release(made[start : start + 1000])
    before = mapped()
    _write_matrix(tmp_path, 0, [str(number) for number in range(size)], made, None, {})
    assert mapped() - before < made.nbytes / 4
    written = np.load(tmp_path / "vectors-0.npy", mmap_mode="r")
    assert (written[:: size // 16] == made[:: size // 16]).all()
    release(written)
    release(made)
    before = mapped()
    generation = object.__new__(Generation)
    generation.images = np.empty(size)
    generation._check_numbers(written)
    assert count_zeros([written]) == 0
    nearest(rng.standard_normal((50, dims), np.float32), written, 10)
    assert mapped() - before < made.nbytes / 4
