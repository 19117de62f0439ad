"""Domain centring: photographs and drawings less the means of their kind, of training images."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from pictures import scene
from PIL import Image

import extractors
from benchmarks.approximate import main as approximate
from benchmarks.export.__main__ import main as export
from benchmarks.pipeline.evaluation.fitted_method import FittedMethod
from benchmarks.pipeline.evaluation.stored import fitted
from benchmarks.pipeline.extraction.inputs import training_drawings
from benchmarks.pipeline.extraction.transformed import extract_for
from benchmarks.pipeline.loading.training import LeakError
from benchmarks.pipeline.methods.names import parse_method
from benchmarks.pipeline.records.card import protocol_card
from benchmarks.pipeline.workers import Workforce
from datasets.errors import InputError
from datasets.reading import read_image
from extractors.base import NothingToLearnError
from extractors.centring import DomainCentring
from extractors.hand_crafted.lines import Lines

QUIET = Workforce(quiet=True)


@pytest.fixture
def parted(parted):
    """Of pictures that have edges to draw."""
    for number, path in enumerate(sorted(parted.rglob("*.png"))):
        Image.fromarray(scene(number)).resize((48, 48)).save(path)
    return parted


def record(tmp_path, name, query_set="query-sketch", out="out"):
    path = tmp_path / out / "parted" / "records" / query_set / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def stored(folder):
    """Keys of all vectors that are stored."""
    return {key for path in folder.rglob("vectors/**/*.npz") for key in np.load(path)["keys"]}


def test_each_domain_loses_its_own_mean_and_nothing_stays_nothing():
    rng = np.random.default_rng(3)
    photographs, drawings = rng.random((6, 5)) + 9, rng.random((6, 5)) * 40
    photographs[2] = 0
    step = DomainCentring().fit(photographs, drawings)
    lengths = [np.linalg.norm(one, axis=1, keepdims=True) for one in (photographs, drawings)]
    photograph, drawing = photographs / np.maximum(lengths[0], 1), drawings / lengths[1]
    given = np.stack([photographs[0], photographs[2], drawings[3]])
    found = step.transform(given, np.array([False, False, True]))
    np.testing.assert_allclose(found[0], photograph[0] - np.delete(photograph, 2, 0).mean(axis=0))
    np.testing.assert_array_equal(found[1], 0)
    np.testing.assert_allclose(found[2], drawing[3] - drawing.mean(axis=0))
    alone = DomainCentring().fit(photographs)
    np.testing.assert_array_equal(*alone.means_)


@pytest.mark.parametrize(
    ("photographs", "drawings", "whose"),
    [(np.eye(3)[:1], None, "two training images"), (np.eye(3), np.zeros((3, 3)), "two drawings")],
)
def test_one_picture_has_no_mean(photographs, drawings, whose):
    with pytest.raises(NothingToLearnError, match=whose):
        DomainCentring().fit(photographs, drawings)


def test_means_are_those_of_training_images_and_of_their_drawings(parted, load_dataset, tmp_path):
    """Computed once more, from the pictures."""
    data, method = load_dataset(parted), parse_method("hog+centred")
    made = extract_for([method], data, tmp_path / "cache", False, QUIET)
    ready = FittedMethod(method, data, made, tmp_path / "cache")

    def described(pictures):
        vectors = extractors.MENU["hog"].transform(list(pictures))
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def pictures(images):
        return [read_image(image.path) for image in images]

    photographs = described(pictures(data.training)).mean(axis=0)
    drawings = described(map(Lines(), pictures(data.training))).mean(axis=0)
    for images, mean in (
        (data.gallery, photographs),
        (data.queries["query"], photographs),
        (data.queries["query-sketch"], drawings),
    ):
        [found] = ready.vectors(images)
        np.testing.assert_allclose(found[:], described(pictures(images)) - mean, atol=1e-6)
    leaking = replace(data, gallery=(*data.gallery, data.training[0]))
    for work in (
        lambda: FittedMethod(method, leaking, made, tmp_path / "cache"),
        lambda: training_drawings(leaking, Lines()),
    ):
        with pytest.raises(LeakError, match="never fit on it"):
            work()


def test_other_methods_and_their_vectors_are_untouched(parted, run, tmp_path):
    names = ["hog", "hog+alpha-qe"]
    assert run("--extractor", *names, "--dataset", parted) == 0
    before = stored(tmp_path / "cache")
    assert not any("drawn" in key for key in before)
    more = ["hog+centred", "hog+pca32+centred+k-reciprocal"]
    words = ("--extractor", *names, *more, "--dataset", parted)
    assert run(*words, out="other", cache="fresh") == 0
    assert len(stored(tmp_path / "fresh") - before) == 8  # of hog alone
    folder = tmp_path / "out" / "parted" / "records"
    kept = [path for path in folder.rglob("*.*") if ".costs." not in path.name]
    assert len(kept) == 2 * 2 * len(names)
    for path in kept:
        other = tmp_path / "other" / "parted" / "records" / path.relative_to(folder)
        assert other.read_bytes() == path.read_bytes(), path
    found, plain = (record(tmp_path, name, out="other") for name in ("hog+centred", "hog"))
    assert found["dimensions"] == plain["dimensions"]
    assert found["bytes_per_image"] == plain["bytes_per_image"]
    assert found["scores"] != plain["scores"]
    assert found["card"]["fitted on"] == "8 training images, as they are and drawn"
    assert found["card"]["extractor"]["steps"][0]["version"] == DomainCentring.version
    assert record(tmp_path, more[1], out="other")["status"] == "ok"


def test_without_drawn_queries_nothing_is_drawn(parted, load_dataset):
    shutil.rmtree(parted / "validation" / "query-sketch")
    data, method = load_dataset(parted), parse_method("hog+centred")
    assert training_drawings(data, Lines()) == []
    [task] = data.tasks
    assert protocol_card(task, method, 0)["fitted on"] == "8 training images"
    untaught = method.untaught(replace(data, training=()))
    assert untaught == "learns from training images, and there are none"


def test_its_vectors_are_exported_and_refused_where_they_are_not_its_own(
    parted, load_dataset, run, tmp_path, capsys
):
    data, cache, method = load_dataset(parted), tmp_path / "cache", parse_method("hog+centred")
    extract_for([method], data, cache, False, QUIET)
    folders = ["--cache", str(cache), "--out", str(tmp_path / "taken")]
    words = ["--dataset", str(parted), "--extractor", "hog+centred", *folders]
    assert export(["vectors", *words, "--format", "npz"]) == 0
    path = tmp_path / "taken" / "parted" / "vectors" / "hog+centred.npz"
    with np.load(path) as file:
        found = dict(zip(file["ids"].tolist(), file["vectors"], strict=True))
    for images in (data.gallery, *data.queries.values()):
        [wanted] = fitted(method, data, cache).vectors(images)
        np.testing.assert_array_equal([found[image.id] for image in images], wanted[:])
    run("--vectors", f"mine={path}", "--extractor", "mine+centred", "--dataset", parted)
    assert "none of drawn training images" in record(tmp_path, "mine+centred")["reason"]
    capsys.readouterr()
    assert approximate(words) == 2
    assert "an index holds one vector of each image" in capsys.readouterr().err


def test_what_the_cache_lacks_is_named(parted, load_dataset, tmp_path):
    data, cache = load_dataset(parted), tmp_path / "cache"
    extract_for([parse_method("hog")], data, cache, False, QUIET)
    with pytest.raises(InputError, match=r"lacks 8 of .* --force --extractor hog\+centred,"):
        fitted(parse_method("hog+centred"), data, cache)


def test_an_index_does_not_know_drawings(parted, ask):
    picture = next(parted.rglob("*.png"))
    code, lines = ask(picture, "--dataset", parted, "--extractor", "hog+centred")
    assert code == 2
    assert "photographs and drawings are centred by benchmarks.run only" in lines


@pytest.mark.parametrize(
    "name", ["hog+lbp+centred", "hog+alpha-qe+centred", "hog+centred+int8", "hog+lbp+centred+rrf"]
)
def test_it_stands_behind_one_extractor(name):
    with pytest.raises(InputError, match=r"right behind"):
        parse_method(name)
