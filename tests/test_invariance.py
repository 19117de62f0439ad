"""Transformed queries: judged as their photographs are, searched by what a run has fitted."""

import csv
import pickle

import msgspec
import numpy as np
import pytest
from pictures import fill, scene, use_unchanged
from PIL import Image

from benchmarks.pipeline.evaluation import invariance
from benchmarks.pipeline.evaluation.invariance import choose_queries
from benchmarks.pipeline.extraction import encode
from benchmarks.pipeline.extraction.inputs import TransformedQuery
from benchmarks.pipeline.loading.training import LeakError
from benchmarks.pipeline.records.invariance import (
    Changed,
    Measured,
    Study,
    read_invariance,
    read_measured,
)
from benchmarks.pipeline.records.results import read_results
from benchmarks.report import __main__ as report
from benchmarks.report.pages import invariance as page
from benchmarks.report.pages.invariance import Profiles, fusion_rows, pair_rows
from benchmarks.report.plots.book import PlotBook
from datasets import transformations
from datasets.errors import InputError
from extractors import MENU
from extractors.hand_crafted.colour import ColourHistogram
from extractors.local_features.encoders import BagOfWords
from retrieval.bootstrap import ratio_intervals
from retrieval.metrics import score

FEW = ("jpeg", "rotation", "mirror")
METHODS = ("rgb-histogram", "rgb-histogram+lbp+rrf", "lbp", "lbp+alpha-qe")


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Three transformations are enough."""
    chosen = tuple(o for o in transformations.TRANSFORMATIONS if o.name in FEW)
    for module in (transformations, invariance):
        monkeypatch.setattr(module, "TRANSFORMATIONS", chosen)


@pytest.fixture
def measured(parted, run, tmp_path):
    """Everything of a small run, then the transformed queries, with a folder of the results."""
    assert run("--extractor", *METHODS, "--dataset", parted, "--invariance", "4") == 0
    return tmp_path / "out" / "parted"


def content(folder):
    """Bytes of all that is kept, costs aside."""
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "costs" not in path.name
    }


def test_copies_are_judged_as_their_photographs_and_no_method_is_measured_twice(
    measured, parted, run, monkeypatch
):
    study, found = read_invariance(measured)
    task = read_results(measured).tasks["query"]
    ids = [query.id for query in task.queries]
    places = [ids.index(query) for query in study.queries]
    assert len(places) == 4
    assert set(found) == {*METHODS} - {"lbp+alpha-qe"}
    assert "re-ranks" in study.left_out["lbp+alpha-qe"]
    for name, one in found.items():
        values = score(task.rankings[name])["map"][places]
        np.testing.assert_allclose(one.clean, values, rtol=1e-6)
        shape = [sum(np.isfinite(row[:, 0])) for row in one.scores]
        assert shape == [len(how.values) for how in study.transformations]
    names = [how.name for how in study.transformations]
    histogram = found["rgb-histogram"]
    np.testing.assert_array_equal(histogram.scores[names.index("mirror"), 0], histogram.clean)
    mean = task.records[0]["chance"]["map"]
    assert np.mean(study.chance) == pytest.approx(mean, abs=0.05)
    before = content(measured)
    monkeypatch.setattr(invariance._Work, "search", None)  # would fail
    assert run("--extractor", *METHODS, "--dataset", parted, "--invariance", "4") == 0
    assert content(measured) == before


def test_a_worker_makes_the_same_copy_under_the_same_key(parted, load_dataset):
    image = load_dataset(parted).queries["query"][0]
    made = [TransformedQuery(image, *copy) for copy in transformations.copies()]
    assert len({one.key for one in made}) == len(made)
    for one in made:
        other = pickle.loads(pickle.dumps(one))
        assert other.key == one.key
        np.testing.assert_array_equal(other.pixels(), one.pixels())


@pytest.fixture
def scenes(tmp_path):
    """Two classes of pictures with keypoints, in parts."""
    for number, part in enumerate(["training"] * 4 + ["gallery"] * 4 + ["query"] * 2):
        path = tmp_path / "scenes" / part / ("left" if number % 2 else "right") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene(number)).save(path)
    return tmp_path / "scenes"


def test_an_unchanged_copy_scores_as_its_photograph_and_nothing_is_fitted_for_it(
    scenes, run, tmp_path, monkeypatch
):
    words = ["--extractor", "orb-bovw", "orb-bovw+hog", "--dataset", scenes]
    assert run(*words) == 0
    use_unchanged(monkeypatch)

    def fit(*_):
        raise LeakError("fitted anew")

    monkeypatch.setattr(BagOfWords, "fit", fit)
    assert run(*words, "--invariance") == 0
    _, found = read_invariance(tmp_path / "out" / "scenes")
    assert set(found) == {"orb-bovw", "orb-bovw+hog"}
    for one in found.values():
        np.testing.assert_array_equal(one.scores[0, 0], one.clean)
    kept = [path for path in (tmp_path / "cache").rglob("*.npz") if "files" not in path.parts]
    keys = {path: np.load(path)["keys"].tolist() for path in kept}
    copied = {path.parent.parent.name for path, own in keys.items() if len(own[0]) > 64}
    assert copied == {"vectors"}  # and neither copies nor their local features


def test_numbers_of_another_extractor_leave_the_page(measured, parted, run, monkeypatch):
    assert "rgb-histogram" in (measured / "invariance.csv").read_text()
    monkeypatch.setitem(MENU, "rgb-histogram", ColourHistogram("rgb", (2, 2, 2)))
    assert run("--extractor", "rgb-histogram", "--dataset", parted) == 0
    assert "rgb-histogram," not in (measured / "invariance.csv").read_text()
    page = (measured / "invariance.md").read_text()
    assert "Left out: rgb-histogram (its row is of something else by now" in page


def test_no_leak_is_let_pass(parted, run, monkeypatch):
    assert run("--extractor", "lbp", "--dataset", parted) == 0

    def leak(*_):
        raise LeakError("not yours")

    monkeypatch.setattr(encode, "require_training", leak)
    with pytest.raises(LeakError, match="not yours"):
        run("--extractor", "lbp", "--dataset", parted, "--invariance", "1")


def test_a_method_is_there_whole_or_not_at_all(measured, parted, run, caplog, monkeypatch):
    before = content(measured)
    broken = measured / "invariance" / "lbp.npz"
    broken.write_bytes(broken.read_bytes()[:200])
    study = Study.read(measured)
    assert read_measured(measured, study, "lbp") is None
    assert "counts as absent" in caplog.text
    original, done = invariance._Work.search, []

    def stop(self, method, extracted):
        done.append(method.name)
        if method.name == "rgb-histogram":
            raise KeyboardInterrupt
        return original(self, method, extracted)

    monkeypatch.setattr(invariance._Work, "search", stop)
    (measured / "invariance" / "rgb-histogram.npz").unlink()
    again = ["--extractor", "lbp", "rgb-histogram", "--dataset", parted, "--invariance", "4"]
    assert run(*again) == 130
    assert done == ["lbp", "rgb-histogram"]
    monkeypatch.setattr(invariance._Work, "search", original)
    assert run(*again) == 0
    after = content(measured)
    assert {p: after[p] for p in before if p.suffix == ".npz"} == {
        p: before[p] for p in before if p.suffix == ".npz"
    }


@pytest.mark.parametrize("kind", [ValueError, SystemExit])
def test_what_fails_is_told_and_the_others_go_on(parted, run, tmp_path, monkeypatch, capsys, kind):
    original = invariance._Work.search

    def fail(self, method, extracted):
        if method.name == "lbp":
            raise kind("no such thing")
        return original(self, method, extracted)

    monkeypatch.setattr(invariance._Work, "search", fail)
    words = ["--extractor", "lbp", "rgb-histogram", "--dataset", parted, "--invariance", "1"]
    assert run(*words) == 1
    told = f"lbp, transformed queries: failed: {kind.__name__}: no such thing"
    assert told in capsys.readouterr().err
    study, found = read_invariance(tmp_path / "out" / "parted")
    assert set(found) == {"rgb-histogram"}
    assert "no such thing" in study.left_out["lbp"]


def test_the_photograph_itself_never_takes_part(tmp_path, load_dataset):
    root = tmp_path / "twice"
    for number, name in enumerate(("apple", "berry")):
        fill(root / "training" / name, 2, 10 + number, number)
        fill(root / "gallery" / name, 4, 20 + number, number)
        fill(root / "query" / name, 4, 20 + number, number)
    dataset = load_dataset(root)
    asked = choose_queries(dataset, 5, 0)
    assert len(asked.queries) == 5
    for query, judged in zip(asked.queries, asked.judgements.of, strict=True):
        (own,) = [dataset.gallery[place].sha256 for place in judged.excluded]
        assert own == query.sha256
        assert len(judged.positive) == 3
    few = choose_queries(dataset, 3, 0)
    assert set(few.queries) < set(asked.queries)
    assert {choose_queries(dataset, 3, seed).queries for seed in range(9)} != {few.queries}


def test_queries_without_right_answers_are_one_line(tmp_path, run, capsys, load_dataset):
    root = tmp_path / "unknown"
    fill(root / "gallery", 2, 1)
    fill(root / "query", 2, 2)
    with pytest.raises(InputError, match="no query photographs"):
        choose_queries(load_dataset(root), 5, 0)
    assert run("--extractor", "lbp", "--dataset", root, "--invariance") == 2
    assert "error: --invariance: unknown has no query photographs" in capsys.readouterr().err


def test_the_page_is_made_anew_from_what_is_kept(measured, tmp_path, monkeypatch):
    file, table = measured / "invariance.md", measured / "invariance.csv"
    text, lines = file.read_text(), table.read_text()
    assert "](invariance.md)" in (measured / "table.md").read_text()
    rows = list(csv.DictReader(lines.splitlines()))
    assert len(rows) == 3 * (1 + 2 * 5 + 1)
    file.unlink()
    table.unlink()
    monkeypatch.chdir(tmp_path)
    assert report.main(["--out", "out", "--no-plots"]) == 0
    assert (file.read_text(), table.read_text()) == (text, lines)
    assert "Left out: lbp+alpha-qe" in text
    assert "| rgb-histogram+lbp+rrf | " in text.partition("## What fusion gains")[2]
    study = Study.read(measured)
    msgspec.structs.replace(study, split_hash="another").write(measured)
    assert report.main(["--out", "out", "--no-plots"]) == 0
    assert not file.exists()


@pytest.fixture
def profiles():
    """Methods whose leads are known: of 0.6, 0.4 and none, chance being 0.2."""
    rng = np.random.default_rng(0)
    changes = [
        Changed("hard", "light", [1.0, 2.0], "", "own"),
        Changed("easy", "light", [1.0], "", "own"),
    ]
    ids = [str(number) for number in range(40)]
    study = Study("split", ids, [0.2] * 40, 0, "test", changes)

    def made(clean, hard, easy):
        noise = rng.normal(0, 0.02, 40)
        noise -= noise.mean()
        scores = np.full((2, 2, 40), np.nan, np.float32)
        scores[0] = np.add.outer(hard, noise)
        scores[1, 0] = easy + noise
        return Measured("key", (clean + noise).astype(np.float32), scores)

    return Profiles(
        study,
        {
            "strong": made(0.8, [0.4, 0.2], 0.8),
            "other": made(0.6, [0.6, 0.6], 0.2),
            "none": made(0.2, [0.2, 0.3], 0.2),
            "fused": made(0.8, [0.6, 0.6], 0.8),
        },
    )


def test_kept_is_the_share_of_the_lead_over_chance(profiles):
    assert profiles.leads.tolist() == [True, True, False, True]
    kept = profiles.kept
    np.testing.assert_allclose(kept[0, :, 0], [(1 / 6 + 1) / 2, 1 / 6, 1], atol=1e-6)
    np.testing.assert_allclose(kept[1, :, 0], [0.5, 1, 0], atol=1e-6)
    assert np.isnan(kept[2]).all()
    known = kept[[0, 1, 3]]
    assert (known[..., 1] <= known[..., 0] + 1e-9).all()
    assert (known[..., 0] <= known[..., 2] + 1e-9).all()
    assert [profiles.methods[m] for m in profiles.order] == ["fused", "strong", "other", "none"]
    assert [one["name"] for one in profiles.worst(0)] == ["hard", "easy"]
    assert profiles.worst(2) == []


def test_a_lead_that_may_be_half_as_large_is_no_measure(profiles):
    study = profiles.study
    few = np.zeros((2, 40))
    few[0, :4], few[1, :30] = 1, 1  # 0.1 and 0.75, of which the first may be 0.025
    measured = {
        name: Measured("key", (0.2 + clean).astype(np.float32), np.zeros((2, 2, 40), np.float32))
        for name, clean in zip(("few", "many"), few, strict=True)
    }
    assert Profiles(study, measured).leads.tolist() == [False, True]


def test_plots_show_what_methods_with_a_lead_keep(profiles, tmp_path):
    book = PlotBook(tmp_path / "set")
    page.draw_kept(profiles, book)
    page.draw_curves(profiles, {"strong": "shape", "fused": "fused"}, book)
    kept, curves = (plot.chart for plot in book.plots)
    assert list(kept.rows) == ["fused", "strong", "other"]
    assert list(kept.columns) == ["all", "hard", "easy"]
    assert kept.values.min() == 0
    names = ["shape: strong", "fused: fused", "other: other"]
    assert [one.name for one in curves.series] == names
    assert np.isnan(curves.series[0].values[1, 2]).all()
    book.finish("set")
    for plot in book.plots:
        assert (tmp_path / "set" / "plots" / f"{plot.name}.png").stat().st_size > 5000


def test_fusions_and_pairs_are_compared_by_what_was_measured(profiles):
    (row,) = fusion_rows(profiles, {"fused": ["strong", "other"], "lost": ["strong", "absent"]})
    assert (row["method"], row["best"], row["most"]) == ("fused", "strong", "hard")
    assert row["clean"][0] == pytest.approx(0, abs=1e-6)
    assert row["gain"][0] == pytest.approx(0.3, abs=1e-6)
    (pair,) = pair_rows(profiles, ["strong", "other", "none"])
    assert pair["pair"] == ["strong", "other"]
    assert pair["alone"] == pytest.approx(0.55, abs=1e-6)
    assert pair["by_transformation"] == pytest.approx(0.7, abs=1e-6)
    assert pair["by_query"] == pytest.approx(0.7, abs=0.01)
    assert pair["correlation"] < -0.9


def test_intervals_of_ratios_hold_the_ratio_and_know_equal_columns():
    rng = np.random.default_rng(1)
    others = rng.random((60, 3)) + 0.5
    values = others * [1, 0.5, 0.5] + rng.normal(0, [0, 0, 0.1], (60, 3))
    found = ratio_intervals(values, others)
    np.testing.assert_allclose(found[:2], [[1, 1], [0.5, 0.5]])
    ratio = values[:, 2].mean() / others[:, 2].mean()
    assert found[2, 0] < ratio < found[2, 1]
    assert found[2, 1] - found[2, 0] < 0.1
