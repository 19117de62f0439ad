"""What goes wrong with one row or picture is told, and stops no other."""

import json

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.pipeline.evaluation.fitted_method import finish
from benchmarks.pipeline.extraction import describe as describing
from benchmarks.pipeline.extraction import extract as vectors
from benchmarks.pipeline.methods.extractor import Row
from extractors.base import NothingToLearnError
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


def test_a_picture_that_goes_while_it_runs_is_one_line(parted, run, capsys, monkeypatch):
    gone = parted / "validation/gallery/apple/00.png"
    original = describing.describe_all

    def describe(*given):
        gone.unlink()
        return original(*given)

    monkeypatch.setattr(vectors, "describe_all", describe)
    assert run("--extractor", "lbp", "--dataset", parted) == 2
    printed = capsys.readouterr().err
    assert f"{gone}: cannot be decoded" in printed
    assert "run again" in printed


def test_zero_vectors_stay_zero_behind_what_is_learned():
    row = Row("scaled", make_pipeline(ColourHistogram("rgb"), StandardScaler()))
    found = np.random.default_rng(0).normal(5, 1, (6, 3)).astype(np.float32)
    row.tail.fit(found)
    found[2] = 0
    made = finish(row, found)
    assert not made[2].any()
    assert made[[0, 1, 3, 4, 5]].any(axis=1).all()
