"""Tuning: by training images alone, honestly scored, kept as a preset that makes a row."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from pictures import picture

import extractors
from benchmarks.pipeline.evaluation.fitted_method import FittedMethod
from benchmarks.pipeline.extraction.extract import extract
from benchmarks.pipeline.loading import listed
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.loading.training import folds, load_training
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from benchmarks.pipeline.methods.names import parse_method
from benchmarks.pipeline.methods.presets import Trial, read_preset
from benchmarks.pipeline.methods.space import search_space
from benchmarks.pipeline.workers import Workforce
from benchmarks.tune import __main__ as tune
from benchmarks.tune.choose import choose, verdict
from benchmarks.tune.scoring import LeaveOneOut, compare, leave_one_out
from datasets.reading import read_image
from extractors.spaces import SPACES
from retrieval.fusion.methods import FUSION_METHODS
from retrieval.statistics import sign_flip_test

QUIET = Workforce(quiet=True)


def made_by(row, data, cache):
    return extract(row.extractors, data, cache, False, QUIET)


def trial(change, p_value, dimensions=10):
    return Trial({}, dimensions, 0.5 + change, 0.4, 0.6, 0.5, change, p_value)


@pytest.mark.parametrize("name", SPACES)
def test_declared_spaces_are_of_the_menu_and_can_be_built(name):
    tried = search_space(name)
    choices = tried.choices()
    assert choices[0] == tried.own
    assert 2 <= len(choices) <= 12
    built = [tried.build(choice, f"{name}@x").extractors[0] for choice in choices]
    assert built[0].identity == parse_method(name).extractors[0].identity
    assert len({json.dumps(row.identity, sort_keys=True) for row in built}) == len(choices)
    for row, choice in zip(built, choices, strict=True):
        assert {key: row.estimator.get_params()[key] for key in choice} == choice
    assert not ExtractorSteps(name, extractors.MENU[name]).head.is_supervised


@pytest.mark.parametrize(
    "name", [name for name in SPACES if not ExtractorSteps(name, extractors.MENU[name]).network]
)
def test_every_declared_choice_describes_a_picture(name):
    image = np.asarray(picture(1, 96))
    for choice in search_space(name).choices():
        row = search_space(name).build(choice, "row")
        if row.extractors[0].detector is None:
            assert np.isfinite(row.extractors[0].head.transform([image])).all()


def test_combinations_choose_how_they_are_combined():
    ways = search_space("lbp+hog")
    assert [choice["combining"] for choice in ways.choices()] == list(FUSION_METHODS)
    built = ways.build({"combining": "rrf"}, "lbp+hog@x")
    assert (built.name, built.fusion) == ("lbp+hog@x", FUSION_METHODS["rrf"])
    whitened = search_space("lbp+hog+concat-whitened")
    assert whitened.own == {"whitened": FUSION_METHODS["concat-whitened"].whitened}
    assert whitened.build({"whitened": 64}, "x").fusion.whitened == 64


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("cnn-compact", "cnn-compact is trained with the classes of the very images"),
        ("lbp+densenet169-finetuned", "densenet169-finetuned is trained with the classes"),
        ("lbq", "did you mean 'lbp'"),
        ("pftas", "nothing about it is declared to be tuned"),
        ("lbp+hog+weighted", "nothing about it is declared"),
        ("lbp+dba", "tune what is re-ranked, lbp, by itself"),
    ],
)
def test_rows_that_cannot_be_tuned_are_refused_in_one_line(name, complaint, parted, tuned, capsys):
    assert tuned("--extractor", name, "--dataset", parted) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: --extractor {name}: ")
    assert complaint in error
    assert error.count("\n") == 1


def test_training_images_must_be_able_to_ask(parted, tuned, capsys):
    for image in sorted((parted / "training" / "apple").iterdir())[1:]:
        image.unlink()
    shutil.rmtree(parted / "training" / "berry")
    assert tuned("--extractor", "lbp", "--dataset", parted) == 2
    assert "at least 3 training images, two of them of one class" in capsys.readouterr().err


def by_hand(vectors, labels):
    """Average precision of every image among the others, one distance and one rank at a time."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = []
    for query in range(len(unit)):
        others = [other for other in range(len(unit)) if other != query]
        others.sort(key=lambda other: np.sum((unit[query] - unit[other]) ** 2))
        hits, total = 0, 0.0
        for rank, other in enumerate(others, 1):
            if labels[other] == labels[query]:
                hits += 1
                total += hits / rank
        scores.append(total / hits if hits else np.nan)
    return np.array(scores)


def test_scores_are_those_of_leave_one_out_by_hand(parted, tmp_path):
    shutil.copy(parted / "training/apple/00.png", parted / "training/apple/copy.png")
    (parted / "training" / "lone").mkdir()
    picture(77).save(parted / "training" / "lone" / "00.png")
    data = load_training(str(parted), tmp_path / "cache", QUIET)
    row = parse_method("hsv-histogram")
    asked = leave_one_out(row, data, made_by(row, data, tmp_path / "cache"), tmp_path / "cache")
    images = [image for image in data.training if "copy" not in image.id]
    pictures = [read_image(image.path) for image in images]
    expected = by_hand(
        row.extractors[0].head.transform(pictures), [image.label for image in images]
    )
    assert np.isnan(expected).sum() == 1
    np.testing.assert_allclose(asked.scores["map"], expected, atol=1e-9)
    assert asked.dimensions == 256


def test_what_learns_from_vectors_has_not_seen_the_image_that_asks(parted, tmp_path):
    data = load_training(str(parted), tmp_path / "cache", QUIET)
    row = parse_method("colour-moments")
    asked = leave_one_out(row, data, made_by(row, data, tmp_path / "cache"), tmp_path / "cache")
    vectors = row.extractors[0].head.transform([read_image(i.path) for i in data.training])
    labels = [image.label for image in data.training]
    parts = folds(data.training)
    assert sorted(np.concatenate(parts)) == list(range(8))
    for part in parts:
        known = np.delete(vectors, part, axis=0)
        scaled = (vectors - known.mean(axis=0)) / np.where(known.std(axis=0) > 0, known.std(0), 1)
        expected = by_hand(scaled, labels)[part]
        np.testing.assert_allclose(asked.scores["map"][part], expected, atol=1e-6)


def test_weights_of_a_fusion_are_learned_without_the_images_that_ask(
    parted, tmp_path, monkeypatch
):
    data = load_training(str(parted), tmp_path / "cache", QUIET)
    row = parse_method("lbp+hog")
    seen = []
    original = FittedMethod.__init__

    def spy(self, combination, dataset, made, cache):
        seen.append({image.id for image in dataset.training})
        original(self, combination, dataset, made, cache)

    monkeypatch.setattr(FittedMethod, "__init__", spy)
    leave_one_out(row, data, made_by(row, data, tmp_path / "cache"), tmp_path / "cache")
    everyone = {image.id for image in data.training}
    assert len(seen) == 5
    assert sorted(one for known in seen for one in everyone - known) == sorted(everyone)


def test_candidates_are_compared_with_the_menu_by_corrected_tests():
    rng = np.random.default_rng(0)
    own = rng.random(60)
    values = [own, own + 0.1, own + rng.normal(0, 0.1, 60), own]
    asked = [
        LeaveOneOut({"map": np.r_[one, np.nan], "top1": np.r_[one, np.nan]}, 3) for one in values
    ]
    trials = compare([{"n": n} for n in range(4)], asked)
    alone = sign_flip_test(np.stack(values[1:], axis=1) - own[:, None])
    assert [one.p_value for one in trials[1:]] == pytest.approx(
        [min(1, 3 * alone[0]), min(1, 2 * alone[1]), 1.0]
    )
    assert trials[1].change == pytest.approx(0.1)
    assert trials[0].map == pytest.approx(own.mean())
    assert trials[0].low < own.mean() < trials[0].high
    assert (trials[0].change, trials[0].p_value) == (0.0, 1.0)


def test_the_choice_is_the_menus_unless_another_is_significantly_better():
    own = trial(0.0, 1.0)
    assert choose([own, trial(0.2, 0.06), trial(-0.3, 0.001)]) is own
    assert choose([own]) is own
    better = [trial(0.1, 0.01), trial(0.2, 0.04, 20), trial(0.2, 0.04, 5), trial(0.3, 0.2)]
    assert choose([own, *better]) is better[2]


def test_the_menus_choice_stays_where_no_other_can_be_scored():
    scores = {name: np.array([0.5, 0.25, 1.0]) for name in ("map", "top1")}
    [own] = compare([{"bins": 8}], [LeaveOneOut(scores, 10)])
    assert (own.change, own.p_value) == (0.0, 1.0)
    assert verdict([own], own) == "the menu's own bins=8: none of 0 others scores higher"


def test_a_preset_says_what_was_tried_and_how(parted, tuned, tmp_path, capsys, preset_file):
    assert tuned("--extractor", "hsv-histogram", "lbp+hog", "--dataset", parted) == 0
    printed = capsys.readouterr()
    assert "hsv-histogram, 8 images of parted" in printed.out
    assert "the menu's own bins=(16, 4, 4), grid=1" in printed.out
    assert f"The preset is {preset_file('hsv-histogram')}\n" in printed.err
    content = json.loads(preset_file("hsv-histogram").read_text())
    tried = search_space("hsv-histogram")
    assert len(content["candidates"]) == len(tried.choices())
    assert content["candidates"][0]["choice"] == {"bins": [16, 4, 4], "grid": 1}
    assert content["card"]["training images"] == len(content["images"]) == 8
    assert content["card"]["training classes"] == 2
    assert {"training hash", "commit", "machine", "seed", "criterion"} <= set(content["card"])
    assert "numpy" in content["card"]["extractor"]["head"]["libraries"]
    page = (tmp_path / "out" / "parted" / "presets.md").read_text()
    assert "| bins=(16, 4, 4), grid=1 (chosen) | 256 | " in page
    assert "| combining=rrf | " in page


def test_tuning_again_gives_the_same_bytes_and_describes_nothing(
    parted, tuned, tmp_path, monkeypatch, preset_file
):
    rows = ("--extractor", "hsv-histogram", "colour-moments", "--dataset", parted, "--quiet")
    assert tuned(*rows) == tuned(*rows, out="fresh", cache="fresh-cache") == 0

    def refuse(image):
        raise AssertionError(f"{image.path} was read")

    monkeypatch.setattr(listed, "decode_listed", refuse)
    assert tuned(*rows, out="again") == 0
    for row in ("hsv-histogram", "colour-moments"):
        files = [preset_file(row, out=out) for out in ("out", "fresh", "again")]
        assert len({file.read_bytes() for file in files}) == 1


def test_gallery_and_queries_have_no_influence_and_are_never_decoded(
    parted, tuned, tmp_path, monkeypatch, preset_file
):
    read = []
    original = listed.decode_listed

    def note(image):
        read.append(image.path)
        return original(image)

    monkeypatch.setattr(listed, "decode_listed", note)
    arguments = ("--extractor", "hsv-histogram", "colour-moments", "--dataset", parted)
    assert tuned(*arguments) == 0
    assert read
    assert all("validation" not in path.parts for path in read)
    for path in (parted / "validation").rglob("*.png"):
        path.unlink()
    (parted / "validation/gallery/apple/00.png").write_text("no picture")
    assert tuned(*arguments, out="blind", cache="blind-cache") == 0
    for row in ("hsv-histogram", "colour-moments"):
        file, blind = (preset_file(row, out=out) for out in ("out", "blind"))
        assert file.read_bytes() == blind.read_bytes()


def test_the_material_is_what_a_run_learns_from_and_nothing_else(parted, classes, tmp_path):
    copied = parted / "training" / "apple" / "leak.png"
    shutil.copy(parted / "validation/gallery/apple/00.png", copied)
    (parted / "training" / "apple" / "broken.png").write_text("no picture")
    for root in (parted, classes):
        data = load_training(str(root), tmp_path / "cache", QUIET)
        assert data.training == load(str(root), tmp_path / "cache", QUIET).training
        assert {part for part, _ in data.images} == {"training"}


def test_a_row_that_cannot_be_scored_is_told_and_the_rest_is_tuned(
    parted, tuned, tmp_path, capsys, preset_file
):
    assert tuned("--extractor", "orb-bovw", "lbp", "--dataset", parted) == 1
    told = capsys.readouterr()
    assert "orb-bovw cannot be tuned: no keypoints" in told.err
    assert preset_file("lbp").exists()
    assert not preset_file("orb-bovw").exists()


def test_a_candidate_that_cannot_be_scored_is_listed_with_its_reason(
    parted, tuned, tmp_path, monkeypatch, preset_file
):
    class Picky(type(extractors.MENU["lbp"])):
        def describe(self, image):
            if self.octaves == 4:
                raise RuntimeError("no")
            return super().describe(image)

    monkeypatch.setitem(extractors.MENU, "lbp", Picky())
    assert tuned("--extractor", "lbp", "--dataset", parted, "--quiet") == 0
    preset = read_preset(preset_file("lbp"))
    assert len(preset.candidates) == 6
    assert len(preset.failed) == 2
    assert all("RuntimeError" in reason for reason in preset.failed.values())
    assert "octaves=4" in (tmp_path / "out/parted/presets.md").read_text()


def test_weights_that_are_missing_are_told_before_any_work(parted, tuned, capsys, monkeypatch):
    def never(*arguments):
        raise AssertionError("work began")

    monkeypatch.setattr(tune, "load_training", never)
    blocked = replace(parse_method("lbp"), name="lbp")
    monkeypatch.setattr(type(blocked), "obstacle", property(lambda _: "no weights; give some"))
    assert tuned("--extractor", "lbp", "--dataset", parted) == 2
    assert "error: --extractor lbp: no weights; give some" in capsys.readouterr().err
