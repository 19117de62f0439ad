"""Rows of local features through the command: found once, learned on training images, verified."""

import json
import shutil

import numpy as np
import pytest
from pictures import scene
from PIL import Image

from benchmarks.pipeline.cache.feature_store import FeatureStore
from benchmarks.pipeline.extraction import describe as describing
from benchmarks.pipeline.methods.extractor import ExtractorSteps, feature_store
from extractors import DETECTORS, MENU
from extractors.local_features.encoders import WordEncoder

ROWS = ("orb-bovw", "orb-bovw+geometry")


def save(path, picture):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).resize((240, 240), Image.Resampling.LANCZOS).save(path)


@pytest.fixture
def scenes(tmp_path):
    """Four scenes as classes; each asked for by a turned view, among one more and a confusion."""
    root = tmp_path / "scenes"
    for number in range(4):
        name = f"scene-{number}"
        for copy, degrees in enumerate((90, 180)):
            view = np.rot90(scene(number), degrees // 90)
            save(root / "validation" / "gallery" / name / f"{copy}.png", view)
        turned = np.array(Image.fromarray(scene(number)).rotate(20, fillcolor=(255, 255, 255)))
        save(root / "validation" / "query" / name / "asked.png", turned)
        save(root / "training" / name / "learn.png", scene(100 + number))
        save(root / "validation" / "gallery" / "distractor" / f"{number}.png", scene(50 + number))
    Image.new("RGB", (60, 60)).save(root / "validation/gallery/distractor/blank.png")
    return root


def record(tmp_path, row, out="out"):
    folder = tmp_path / out / "scenes" / "records" / "query"
    return json.loads((folder / f"{row}.json").read_text())


@pytest.fixture
def detected(monkeypatch):
    """Count the pictures that are looked at, per maker."""
    counts: dict[str, int] = {}
    original = describing._describe

    def count(describers, job):
        names, paths = job
        for name in names:
            counts[name] = counts.get(name, 0) + len(paths)
        return original(describers, job)

    monkeypatch.setattr(describing, "_describe", count)
    return counts


def test_views_are_found_and_pictures_without_points_counted(scenes, run, tmp_path):
    assert run("--extractor", *ROWS, "--dataset", scenes) == 0
    plain, verified = (record(tmp_path, row) for row in ROWS)
    assert plain["scores"]["top1"] == 1
    assert verified["scores"]["map"] == 1
    assert plain["counts"]["images without keypoints"] == 1
    assert plain["keypoints per gallery image"] > 100
    assert verified["bytes_per_image"] > plain["bytes_per_image"] + 40 * 100
    seen = verified["verification"]
    assert seen["images verified"] == 4 * 13
    assert 4 * 2 <= seen["images moved ahead"] <= 4 * 3  # a few by chance, behind the right
    assert seen["mean inliers, right images"] > 50 > 3 > seen["mean inliers, wrong images"]
    page = (tmp_path / "out" / "scenes" / "table.md").read_text()
    assert "| orb-bovw+geometry | images moved ahead" in page
    card = verified["card"]["extractor"]
    assert card["steps"][-1]["model"] == "affine"
    assert card["extractors"]["orb-bovw"]["detector"]["implementation"].startswith("OpenCV")
    assert verified["card"]["fitted on"] == "4 training images"


def test_a_detector_looks_once_for_all_its_rows(scenes, run, tmp_path, detected):
    run("--extractor", *ROWS, "--dataset", scenes)
    [(name, count)] = detected.items()
    assert name.startswith("orb-")
    assert count == 4 + 13 + 4
    detected.clear()
    run("--extractor", *ROWS, "--dataset", scenes, out="again")
    assert not detected
    save(scenes / "validation" / "gallery" / "scene-0" / "2.png", scene(7))
    run("--extractor", *ROWS, "--dataset", scenes)
    assert list(detected.values()) == [1]


def test_workers_change_no_byte(scenes, run, tmp_path):
    run("--extractor", *ROWS, "--dataset", scenes, "--jobs", 1)
    run("--extractor", *ROWS, "--dataset", scenes, "--jobs", 2, out="two", cache="other")
    for row in ROWS:
        for ending in (".json", ".npz"):
            one, two = (
                (tmp_path / out / "scenes/records/query" / (row + ending)).read_bytes()
                for out in ("out", "two")
            )
            assert one == two


def test_words_are_learned_from_training_images_alone(scenes, run, monkeypatch):
    learned = []
    original = WordEncoder.fit

    def fit(self, features, y=None):
        learned.append(len(list(features)))
        return original(self, features)

    monkeypatch.setattr(WordEncoder, "fit", fit)
    run("--extractor", *ROWS, "--dataset", scenes)
    assert learned == [4]


def test_other_training_images_make_other_words(scenes, tmp_path, load_dataset):
    row = ExtractorSteps("orb-bovw", MENU["orb-bovw"])
    before = row.store(tmp_path, load_dataset(scenes)).folder
    save(scenes / "training" / "scene-0" / "more.png", scene(9))
    assert row.store(tmp_path, load_dataset(scenes)).folder != before


def test_feature_store_gives_back_what_it_was_given(tmp_path):
    found = DETECTORS["orb"].transform([scene(0), np.zeros((50, 50, 3), np.uint8), scene(1)])
    store = FeatureStore(tmp_path, "orb", {})
    store.add(["a", "blank", "b"], found, 0.3)
    again = FeatureStore(tmp_path, "orb", {})
    assert again.points("blank") == 0
    assert again.points("b") == len(found[2])
    for kept, given in zip(
        again.of(["b", "a", "blank"]), [found[2], found[0], found[1]], strict=True
    ):
        assert np.array_equal(kept.points, given.points)
        assert np.array_equal(kept.descriptors, given.descriptors)
        assert (kept.frame, kept.binary) == (given.frame, True)


def test_implementation_is_part_of_a_detectors_identity(tmp_path, monkeypatch):
    surf = DETECTORS["surf"]
    before = feature_store(surf, tmp_path).folder
    monkeypatch.setattr(type(surf), "implementation", "another")
    assert feature_store(surf, tmp_path).folder != before


def test_nothing_to_learn_from_skips_the_row(scenes, run, tmp_path):
    for number, path in enumerate(sorted((scenes / "training").rglob("*.png"))):
        Image.new("RGB", (60, 60), (number, 9, 9)).save(path)
    assert run("--extractor", *ROWS, "--dataset", scenes) == 0
    assert record(tmp_path, "orb-bovw+geometry")["status"] == "skipped"
    assert "no keypoints" in record(tmp_path, "orb-bovw")["reason"]


def test_lost_features_are_found_again(scenes, run, tmp_path):
    run("--extractor", *ROWS, "--dataset", scenes)
    folder = tmp_path / "out" / "scenes" / "records" / "query"
    before = {row: (folder / f"{row}.json").read_bytes() for row in ROWS}
    shutil.rmtree(tmp_path / "cache" / "features")
    for row in ROWS:
        (folder / f"{row}.json").unlink()
    assert run("--extractor", *ROWS, "--dataset", scenes) == 0
    assert {row: (folder / f"{row}.json").read_bytes() for row in ROWS} == before
