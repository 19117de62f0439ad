"""Describing a folder with two worker processes beside one."""

import pytest
from pictures import scene
from PIL import Image

from benchmarks.pipeline.cache.feature_store import FeatureStore
from benchmarks.pipeline.cache.store import ArrayStore
from benchmarks.pipeline.extraction.describe import describe_all
from benchmarks.pipeline.extraction.inputs import PictureInput
from benchmarks.pipeline.workers import Workforce
from datasets import task
from datasets.reading import content_hash
from extractors.hand_crafted.gist import Gist
from extractors.local_features.sift import Sift

COUNT = 256


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Seeded pictures as files."""
    folder = tmp_path_factory.mktemp("pictures")
    made = []
    for number in range(COUNT):
        path = folder / f"{number}.png"
        Image.fromarray(scene(number)).save(path)
        made.append(task.Image(path.name, path, content_hash(path)))
    return made


MAKERS = {"gist": (Gist(), ArrayStore), "sift keypoints": (Sift(), FeatureStore)}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("jobs", [1, 2])
def test_describe_a_folder(benchmark, images, tmp_path, jobs, name):
    benchmark.group = f"{name} of {COUNT} pictures, decoding and storing included"
    benchmark.extra_info["peer"] = f"ours, workers: {jobs}"
    workforce = Workforce(jobs, quiet=True)
    inputs = [PictureInput(image) for image in images]
    maker, kind_of_store = MAKERS[name]

    def describe(round_: int) -> None:
        store = kind_of_store(tmp_path, "made", {"round": round_})
        assert describe_all({name: store}, {name: (maker,)}, inputs, workforce, "") == {}

    rounds = iter(range(10))
    # The warm-up starts the workers, which then stay.
    benchmark.pedantic(lambda: describe(next(rounds)), rounds=3, warmup_rounds=1)
