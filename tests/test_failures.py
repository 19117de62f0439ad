"""An error of one extractor or picture is recorded, and stops no other."""

import json

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import extractors
from benchmarks.pipeline.evaluation import fitted_method
from benchmarks.pipeline.evaluation.fitted_method import postprocess
from benchmarks.pipeline.extraction import describe as describing
from benchmarks.pipeline.extraction import encode, networks
from benchmarks.pipeline.extraction import extract as extracting
from benchmarks.pipeline.loading import dataset as loading
from benchmarks.pipeline.loading.training import LeakError
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from extractors.base import Extractor, NothingToLearnError
from extractors.hand_crafted.colour import ColourHistogram
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
        raise errors.get(self.error, KeyError("x"))

    def transform(self, images):
        raise AssertionError("never fitted")


@pytest.mark.parametrize(("error", "status"), [("too little", "skipped"), ("any", "failed")])
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
    row = ExtractorSteps("scaled", make_pipeline(ColourHistogram("rgb"), StandardScaler()))
    found = np.random.default_rng(0).normal(5, 1, (6, 3)).astype(np.float32)
    row.postprocessing.fit(found)
    found[2] = 0
    made = postprocess(row, found)
    assert not made[2].any()
    assert made[[0, 1, 3, 4, 5]].any(axis=1).all()
