"""Describing a folder with two worker processes beside one."""

import numpy as np
import pytest
from PIL import Image

from benchmarks.describing import describe_all
from benchmarks.progress import Workforce
from benchmarks.store import VectorStore
from datasets import task
from datasets.reading import content_hash
from extractors.gist import Gist

COUNT = 512


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Seeded pictures as files."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    made = []
    for number in range(COUNT):
        coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3)).astype(np.uint8))
        path = folder / f"{number}.png"
        coarse.resize((224, 224), Image.Resampling.BICUBIC).save(path)
        made.append(task.Image(path.name, path, content_hash(path)))
    return made


@pytest.mark.parametrize("jobs", [1, 2])
def test_describe_a_folder(benchmark, images, tmp_path, jobs):
    benchmark.group = f"description of {COUNT} pictures: gist, decoding and storing included"
    benchmark.extra_info["peer"] = f"ours, workers: {jobs}"
    workforce = Workforce(jobs, quiet=True)

    def describe(round_: int) -> None:
        store = VectorStore(tmp_path, "gist", {"round": round_})
        assert describe_all({"gist": store}, {"gist": Gist()}, images, workforce, "") == {}

    rounds = iter(range(10))
    # The warm-up starts the workers, which then stay.
    benchmark.pedantic(lambda: describe(next(rounds)), rounds=3, warmup_rounds=1)
