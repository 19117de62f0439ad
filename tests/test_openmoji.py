"""The embedded dataset: a task that is worth something, and no query with a twin."""

import hashlib
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.workers import Workforce
from benchmarks.run import main
from datasets import openmoji
from datasets.locks import workshop
from datasets.reading import read_image
from datasets.svg import Pose, plain, render, soft
from datasets.task import Dataset

ROOT = Path(__file__).resolve().parents[1]
SQUARE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72">
<g id="color"><rect x="16" y="16" width="40" height="40" fill="#f00"/></g>
<g id="line"><path d="M16 16h40v40h-40z" fill="none" stroke="#000" stroke-width="2"/></g></svg>"""


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def dataset(cache) -> Dataset:
    """The whole dataset, rendered once for all tests."""
    return load("openmoji", cache, Workforce(jobs=2, quiet=True))


def drawing_of(image) -> str:
    return image.path.stem


def test_parts_and_their_sizes(dataset):
    assert len(dataset.gallery) > 2500
    assert {image.label for image in dataset.gallery if image.label} == {
        image.label for image in dataset.queries["query"]
    }
    assert len({image.label for image in dataset.queries["query"]}) > 150
    assert sum(image.distractor is not None for image in dataset.gallery) > 2000
    assert dataset.problems == ()


def test_every_class_is_in_every_part(dataset):
    labels = {image.label for image in dataset.queries["query"]}
    for part in (dataset.training, dataset.gallery, dataset.queries["query-sketch"]):
        assert {image.label for image in part if image.label} == labels


def test_each_drawing_plays_one_part(dataset):
    parts = defaultdict(set)
    for part, image in dataset.images:
        parts[drawing_of(image)].add(part.removesuffix("-sketch"))
    assert Counter(len(used) for used in parts.values()).keys() == {1}


def test_no_query_has_a_pixel_twin(dataset):
    """Also upright and on white: "person" and "man" emoji are often the same drawing."""

    def look(image):
        upright = render(openmoji._read(drawing_of(image)), Pose(), plain(96))
        return hashlib.sha256(upright.tobytes()).hexdigest()

    classes = [image for image in (*dataset.gallery, *dataset.training) if image.label]
    searched = {(image.label, look(image)) for image in classes}
    assert not [q.id for q in dataset.queries["query"] if (q.label, look(q)) in searched]


def test_sketches_are_lines_on_white(dataset):
    for image in dataset.queries["query-sketch"][::10]:
        pixels = read_image(image.path)
        assert (pixels == 255).all(axis=2).mean() > 0.6
        assert 0.005 < (pixels < 128).all(axis=2).mean() < 0.35


def test_poses_and_backgrounds_differ(dataset):
    corners = np.array([read_image(image.path)[0, 0] for image in dataset.gallery[:60]])
    assert len(np.unique(corners, axis=0)) > 40
    rng = random.Random(0)
    poses = [Pose.draw(rng, may_mirror=True) for _ in range(200)]
    assert all(abs(pose.rotation) <= 15 and 0.7 <= pose.scale <= 1 for pose in poses)
    assert 50 < sum(pose.mirrored for pose in poses) < 150
    assert not any(Pose.draw(rng, may_mirror=False).mirrored for _ in range(50))


@pytest.fixture(scope="session")
def plan():
    return openmoji.plan(Workforce(jobs=2, quiet=True).each)


def test_what_would_change_its_meaning_is_not_mirrored(plan):
    flags = [rendering for rendering in plan if "/distractor/flags/" in rendering.target]
    assert flags
    assert not any(rendering.may_mirror for rendering in flags)
    plan = {rendering.target.split("/")[-2]: rendering for rendering in plan}
    for name in ("backhand-index-pointing-left", "person-walking", "person-walking-facing-right"):
        assert not plan[name].may_mirror
    assert plan["waving-hand"].may_mirror


def test_rendering_again_gives_the_same_bytes(dataset, plan, tmp_path):
    for rendering in plan[::40]:
        openmoji._make((rendering, tmp_path / rendering.target))
        again = (tmp_path / rendering.target).read_bytes()
        assert again == (dataset.root / rendering.target).read_bytes()


def test_rendered_files_that_are_gone_or_emptied_are_made_again(plan, tmp_path, monkeypatch):
    few = [one for one in plan if "/distractor/" not in one.target][:20]
    monkeypatch.setattr(openmoji, "plan", lambda each: few)
    found = openmoji.OpenMoji().collect(tmp_path)
    contents = {item.id: item.path.read_bytes() for item in found.items}
    assert len(contents) == 20
    first, second = (item.path for item in found.items[:2])
    first.unlink()
    second.write_bytes(b"")
    again = openmoji.OpenMoji().collect(tmp_path)
    assert {item.id: item.path.read_bytes() for item in again.items} == contents
    before = first.stat().st_mtime_ns
    openmoji.OpenMoji().collect(tmp_path)
    assert first.stat().st_mtime_ns == before


def test_what_was_being_made_by_a_killed_process_goes_and_what_is_being_made_stays(tmp_path):
    code = "import os, pathlib, sys\nfrom datasets.locks import workshop\n"
    code += "with workshop(pathlib.Path(sys.argv[1]), '.made-') as place:\n"
    code += "    (place / 'picture.png').touch()\n    os.kill(os.getpid(), 9)\n"
    killed = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, check=False)
    assert killed.returncode != 0
    [left] = tmp_path.iterdir()
    with workshop(tmp_path, ".made-") as first, workshop(tmp_path, ".made-") as second:
        assert sorted(tmp_path.iterdir()) == sorted([first, second])
        assert left not in (first, second)
    assert list(tmp_path.iterdir()) == []


def test_attribution_lies_with_the_pictures_and_in_the_table(dataset, cache, tmp_path):
    [text] = [path.read_text() for path in (cache / "datasets").glob("*/ATTRIBUTION.txt")]
    arguments = ["--cache", str(cache), "--out", str(tmp_path), "--quiet"]
    assert main(["--extractor", "tiny-image", "hog", *arguments]) == 0
    for page in (text, (tmp_path / "openmoji" / "table.md").read_text()):
        assert re.search(r"OpenMoji.*CC BY-SA 4\.0", page, re.DOTALL)


def test_render_poses_the_drawing():
    upright = np.array(render(SQUARE, Pose(), plain(72)))
    assert upright[36, 36].tolist() == [255, 0, 0]
    assert upright[5, 5].tolist() == [255, 255, 255]
    small = np.array(render(SQUARE, Pose(scale=0.5, x=0.25, y=0.25), plain(72)))
    assert small[18, 18].tolist() == [255, 0, 0]
    assert small[36, 36].tolist() == [255, 255, 255]
    lines = np.array(render(SQUARE, Pose(), plain(72), lines_only=True))
    assert lines[36, 36].tolist() == [255, 255, 255]
    assert lines[16, 36].tolist() == [0, 0, 0]


def test_backgrounds_are_mild():
    for seed in range(20):
        ground = soft(64, random.Random(seed)).astype(int)
        assert ground.min() > 190
        assert np.abs(np.diff(ground, axis=0)).max() < 12


def test_concepts():
    assert openmoji.concept_of("1F9D1-1F3FD-200D-1F680") == "1F9D1-200D-1F680"
    assert openmoji.concept_of("1F469-200D-1F680") == "1F9D1-200D-1F680"
    assert openmoji.concept_of("1F6B6-1F3FB-200D-2640-FE0F-200D-27A1-FE0F") == "1F6B6-200D-27A1"
    assert openmoji.concept_name("1F9D1-200D-1F680") == "astronaut"
    assert openmoji.concept_name("E000") == "e000"
