"""An error of one extractor or picture is recorded, and stops no other."""

import json
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from pictures import scene
from PIL import Image
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler, minmax_scale

import extractors
from benchmarks import evaluate
from benchmarks.evaluation.foreign import EachPicture
from benchmarks.pipeline.cache.making import UnlikeError
from benchmarks.pipeline.cache.store import ArrayStore
from benchmarks.pipeline.evaluation import fitted_method
from benchmarks.pipeline.evaluation.fitted_method import postprocess
from benchmarks.pipeline.extraction import describe as describing
from benchmarks.pipeline.extraction import encode, networks
from benchmarks.pipeline.extraction import extract as extracting
from benchmarks.pipeline.loading import dataset as loading
from benchmarks.pipeline.loading.training import LeakError
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from extractors.base import Descriptor, Extractor, NothingToLearnError
from extractors.conformance import Candidate, run_checks
from extractors.hand_crafted.colour import ColourHistogram
from extractors.local_features.encoders import BagOfWords
from extractors.local_features.sift import Sift
from extractors.preprocessing import LongestSide, Preprocess
from extractors.whitening import Whitening


@pytest.mark.parametrize(
    ("error", "status"), [(NothingToLearnError("too few"), "skipped"), (KeyError("x"), "failed")]
)
def test_a_row_that_cannot_be_fitted_stops_no_other(
    parted, run, tmp_path, monkeypatch, error, status
):
    def fit(*_):
        raise error

    monkeypatch.setattr(Whitening, "fit", fit)
    assert run("--extractor", "sift-vlad", "lbp", "--dataset", parted) == (status == "failed")
    records = tmp_path / "out" / "parted" / "records" / "query"
    assert json.loads((records / "lbp.json").read_text())["status"] == "ok"
    assert json.loads((records / "sift-vlad.json").read_text())["status"] == status


class FailsToLearn(Extractor):
    """Learns from pictures, or tries to."""

    def __init__(self, error=""):
        self.error = error

    def fit(self, images, y=None):
        errors = {"too little": NothingToLearnError("too few"), "leak": LeakError("not yours")}
        if self.error == "exit":
            sys.exit(0)
        raise errors.get(self.error, KeyError("x"))

    def transform(self, images):
        raise AssertionError("never fitted")


GIVEN = {
    "writes": (lambda image, means: np.add(image, 1, image), "read-only"),
    "too-few": (lambda _, means: means[1:], "this is 0 x 3"),
    "no-numbers": (lambda _, means: means[:, :0], "1 x 0 of float64"),
    "texts": (lambda _, means: means.astype(str), "of <U"),
    "objects": (lambda _, means: [object() for _ in means], "of object"),
    "a-dict": (lambda _, means: dict(enumerate(means)), "of int64"),
    "complex": (lambda _, means: means * 1j, "of complex128"),
    "masked": (lambda _, means: np.ma.masked_array(means, means > 0), "masked"),
    "other-lengths": (lambda _, means: [one[: 1 + n % 2] for n, one in enumerate(means)], "shape"),
    "very-small": (lambda _, means: means * 1e-60, "single precision"),
    "very-close": (lambda _, means: means + 1e9, "single precision"),
    "equal": (lambda _, means: means + 1e12, "single precision"),
    "exits": (lambda *_: sys.exit("no weights"), "SystemExit on "),
    "beside": (lambda _, means: means - means.mean(axis=0), "on the pictures beside it or on"),
    "chance": (lambda _, means: means * np.random.default_rng().normal(size=3), "or on chance"),
}


class Gives(Extractor):
    """The mean colour, as something that no vector is made of."""

    def __init__(self, what=""):
        self.what = what

    def transform(self, images):
        images = list(images)
        means = np.stack([image.mean(axis=(0, 1)) for image in images])
        return GIVEN[self.what][0](images[0], means)


class Fractions(Sift):
    """Descriptors of length 1, which whole numbers do not hold."""

    def find(self, plane):
        points, descriptors = super().find(plane)
        return points, descriptors / 512


def test_what_gives_no_vectors_stops_and_changes_no_other(parted, run, tmp_path, monkeypatch):
    assert run("--extractor", "rgb-histogram", "--dataset", parted, cache="other") == 0
    before = (tmp_path / "out/parted/records/query/rgb-histogram.npz").read_bytes()
    for name in GIVEN:
        monkeypatch.setitem(extractors.MENU, name, Gives(name))
    local = make_pipeline(Fractions(), BagOfWords(4))
    monkeypatch.setitem(extractors.MENU, "fractions", local)
    names = ("writes", "rgb-histogram", *GIVEN, "fractions")
    assert run("--extractor", *names, "--dataset", parted, "--force") == 1
    found = tmp_path / "out" / "parted"
    assert (found / "records/query/rgb-histogram.npz").read_bytes() == before
    expected = {name: message for name, (_, message) in GIVEN.items()}
    for name, message in (expected | {"fractions": "whole numbers from 0 to 255"}).items():
        record = json.loads((found / "records" / "query" / f"{name}.json").read_text())
        assert record["status"] == "failed", name
        assert message in record["reason"]


VECTORS = {
    "centres": (lambda vectors: vectors - vectors.mean(axis=0), "on the pictures beside it"),
    "in-complex-numbers": (lambda vectors: vectors * 1j, "of complex64"),
    "in-one-number": (lambda vectors: vectors.sum(axis=1), "one for each picture"),
    "in-no-numbers": (lambda vectors: np.full_like(vectors, np.nan), "vectors must be finite"),
}


class Maps(TransformerMixin, BaseEstimator):
    """Maps vectors to something that is none of each alone."""

    def __init__(self, what=""):
        self.what = what

    def fit(self, vectors, y=None):
        self.is_fitted_ = True
        return self

    def transform(self, vectors):
        return VECTORS[self.what][0](vectors)


def test_what_makes_no_vectors_of_vectors_fails(parted, run, tmp_path, monkeypatch):
    for name in VECTORS:
        mapped = make_pipeline(ColourHistogram("rgb"), Maps(name))
        monkeypatch.setitem(extractors.MENU, name, mapped)
    assert run("--extractor", *VECTORS, "--dataset", parted) == 1
    for name, (_, message) in VECTORS.items():
        record = json.loads((tmp_path / f"out/parted/records/query/{name}.json").read_text())
        assert message in record["reason"]


class BesideOthers(BagOfWords):
    """Words less the mean of those that are asked for together."""

    def transform(self, features):
        made = super().transform(features)
        return made - made.mean(axis=0)


def test_what_looks_at_a_batch_fails_whatever_it_is_wrapped_in(parted, run, tmp_path, monkeypatch):
    colours, centres = ColourHistogram("rgb"), Maps("centres")
    wrapped = {
        "scaled": make_pipeline(colours, FunctionTransformer(minmax_scale)),
        "joined": make_pipeline(colours, FeatureUnion([("centres", centres)])),
        "words": make_pipeline(Sift(), BesideOthers(4)),
    }
    for name, made in wrapped.items():
        monkeypatch.setitem(extractors.MENU, name, made)
        failures = dict(run_checks(Candidate(name, made)))
        assert "when others are beside it" in failures["describes_each_picture_alone"], name
    for number, path in enumerate(sorted(parted.rglob("*.png"))):
        Image.fromarray(scene(number)).save(path)
    assert run("--extractor", *wrapped, "--dataset", parted) == 1
    for name in wrapped:
        record = json.loads((tmp_path / f"out/parted/records/query/{name}.json").read_text())
        assert "on the pictures beside it" in record["reason"], name


@pytest.mark.parametrize("name", ["colour-moments", "gabor"])
def test_black_pictures_are_alike_where_zero_is_a_value_like_any_other(parted, name):
    for number, path in enumerate(sorted(parted.rglob("apple/*.png"))):
        Image.new("RGB", (40 + number, 40)).save(path)
    found = evaluate(name, parted)
    asked = np.array([query.label for query in found.queries]) == "apple"
    assert (found.values["map"][asked] == 1).all()
    assert found.counts["zero vectors"] == 0


class Weighted(Extractor):
    """The mean colour, with weights that lie where its code does not say."""

    def __init__(self, place=""):
        self.place = place

    def transform(self, images):
        return np.stack([image.mean(axis=(0, 1)) for image in images]) * np.load(
            f"{self.place}.npy"
        )


def test_vectors_of_former_weights_are_not_mixed_with_new_ones(
    parted, run, tmp_path, monkeypatch, capsys
):
    weights = tmp_path / "weights.npy"
    monkeypatch.setitem(extractors.MENU, "own", Weighted(str(weights.with_suffix(""))))
    np.save(weights, np.array([1, 1, 1]))
    assert run("--extractor", "own", "--dataset", parted) == 0
    np.save(weights, np.array([3, 0, 1]))
    (parted / "validation/gallery/apple/00.png").rename(parted / "training/apple/new.png")
    capsys.readouterr()
    assert run("--extractor", "own", "--dataset", parted) == 1
    assert "not those that it made before" in capsys.readouterr().err
    assert run("--extractor", "own", "--dataset", parted, "--force") == 0


@dataclass(eq=False, repr=False)
class Reusing(Descriptor):
    """Means of the channels, in one array for all pictures."""

    prepare: Preprocess = LongestSide(16)

    def describe(self, image):
        self._all = getattr(self, "_all", np.zeros(3))
        self._all[:] = image.mean(axis=(0, 1))
        return self._all


def test_an_array_that_is_filled_again_is_copied():
    pictures = [np.full((4, 4, 3), value, np.uint8) for value in (1, 2)]
    for rows in (Reusing().transform(pictures), EachPicture(Reusing().describe)(pictures)):
        assert rows.tolist() == [[1] * 3, [2] * 3]


def test_vectors_of_one_store_have_one_length(tmp_path):
    store = ArrayStore(tmp_path, "mine", {})
    store.add(["a"], [np.zeros(2)], 0.0)
    with pytest.raises(UnlikeError, match=r"unlike shapes: \[\(2,\), \(3,\)\]"):
        store.add(["b"], [np.zeros(3)], 0.0)


@pytest.mark.parametrize(
    ("error", "status"), [("too little", "skipped"), ("any", "failed"), ("exit", "failed")]
)
def test_an_extractor_whose_own_fit_raises_stops_no_other(
    parted, run, tmp_path, monkeypatch, error, status
):
    monkeypatch.setitem(extractors.MENU, "own", FailsToLearn(error))
    assert run("--extractor", "own", "own+lbp", "lbp", "--dataset", parted) == (status == "failed")
    records = tmp_path / "out" / "parted" / "records" / "query"
    found = {name: json.loads((records / f"{name}.json").read_text()) for name in ("own", "lbp")}
    assert found["own"]["status"] == status
    assert found["lbp"]["status"] == "ok"


def test_a_leak_ends_the_run_wherever_it_comes_up(parted, run, monkeypatch, own_weights):
    monkeypatch.setitem(extractors.MENU, "own", FailsToLearn("leak"))
    with pytest.raises(LeakError, match="not yours"):
        run("--extractor", "own", "--dataset", parted)

    def leak(*_):
        raise LeakError("not yours")

    monkeypatch.setattr(networks, "require_training", leak)
    with pytest.raises(LeakError, match="not yours"):
        run("--extractor", "cnn-compact", "--dataset", parted)
    monkeypatch.setattr(encode, "require_training", leak)
    with pytest.raises(LeakError, match="not yours"):
        run("--extractor", "sift-bovw", "--dataset", parted)
    monkeypatch.setattr(fitted_method, "require_training", leak)
    with pytest.raises(LeakError, match="not yours"):
        run("--extractor", "lbp+hog", "--dataset", parted)


@pytest.mark.parametrize("other", [None, "01.png"])
def test_a_picture_that_changes_while_it_runs_is_one_line(parted, run, capsys, monkeypatch, other):
    changed = parted / "validation/gallery/apple/00.png"
    original = describing.describe_all

    def describe(*given):
        changed.unlink()
        if other:
            changed.write_bytes(changed.with_name(other).read_bytes())
        return original(*given)

    with monkeypatch.context() as context:
        context.setattr(extracting, "describe_all", describe)
        assert run("--extractor", "lbp", "--dataset", parted) == 2
    printed = capsys.readouterr().err
    assert f"{changed}: {'other bytes than before' if other else 'no such file'}" in printed
    assert "run again" in printed
    assert run("--extractor", "lbp", "--dataset", parted) == 0


def test_a_picture_that_goes_before_it_is_decoded_is_no_broken_one(
    parted, run, capsys, monkeypatch, tmp_path
):
    gone = parted / "validation/gallery/apple/00.png"
    kept = gone.read_bytes()
    hashed = loading.file_hashes

    def leave(*given, **more):
        found = hashed(*given, **more)
        gone.unlink()
        return found

    with monkeypatch.context() as context:
        context.setattr(loading, "file_hashes", leave)
        assert run("--extractor", "lbp", "--dataset", parted) == 2
    assert f"{gone}: no such file; it has changed meanwhile, run again" in capsys.readouterr().err
    gone.write_bytes(kept)
    assert run("--extractor", "lbp", "--dataset", parted) == 0
    assert str(gone.name) not in (tmp_path / "out" / "parted" / "problems.csv").read_text()


def test_zero_vectors_stay_zero_behind_what_is_learned():
    scaler = StandardScaler(copy=False)  # which writes into what it is given
    row = ExtractorSteps("scaled", make_pipeline(ColourHistogram("rgb"), scaler))
    found = np.random.default_rng(0).normal(5, 1, (6, 3)).astype(np.float32)
    row.postprocessing.fit(found)
    found[2] = 0
    made = postprocess(row, found)
    assert not made[2].any()
    assert made[[0, 1, 3, 4, 5]].any(axis=1).all()
