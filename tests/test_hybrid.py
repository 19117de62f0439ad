"""The page of what extractors do together: by hand, and with every run."""

import csv
import re

import numpy as np
import pytest

from benchmarks.pipeline.records.results import ImageEntry, TaskResults
from benchmarks.report.__main__ import main
from benchmarks.report.comparisons import Difference, Scored, chosen, members
from benchmarks.report.format import change
from benchmarks.report.pages.fusion import compare_fused, verdict
from retrieval.statistics import holm, permutation_test, sign_flip_test, step_down

RNG = np.random.default_rng(5)
NOISE = RNG.normal(0, 0.05, (60, 3))
GOOD = 0.5 + NOISE[:, 0]
SCORED = Scored(
    {
        "hog": 0.3 + NOISE[:, 1],
        "lbp": GOOD,
        "hog+lbp": GOOD + 0.1 + 0.1 * NOISE[:, 2],
        "hog+lbp+rrf": GOOD - 0.2,
        "lbp+diffusion": GOOD + 0.05,
    },
    {"hog+lbp": ["hog", "lbp"], "hog+lbp+rrf": ["hog", "lbp"], "lbp+diffusion": ["lbp"]},
)


def test_rows_are_told_apart_and_ordered():
    assert SCORED.singles == ["lbp", "hog"]
    assert SCORED.fused == ["hog+lbp", "hog+lbp+rrf"]
    assert SCORED.reranked == ["lbp+diffusion"]


def test_fused_rows_are_compared_with_the_best_single_one():
    better, worse = compare_fused(SCORED)
    assert (better.method, better.other) == ("hog+lbp", "lbp")
    assert better.low < better.change < better.high
    assert better.change == pytest.approx((SCORED.values["hog+lbp"] - GOOD).mean())
    assert worse.change == pytest.approx(-0.2)
    assert worse.low == pytest.approx(worse.high) == pytest.approx(-0.2)
    both = permutation_test(SCORED.stack(["hog+lbp", "lbp"]))[0, 1]
    assert both <= better.p_value <= 2 * both


def test_the_verdict_counts_only_what_is_sure_and_worth_a_word():
    found = [
        Difference("a", "s", 0.02, 0.01, 0.03, 0.001),
        Difference("b", "s", 0.0002, 0.0001, 0.0003, 0.001),
        Difference("c", "s", -0.1, -0.2, 0.0, 0.06),
        Difference("d", "s", -0.1, -0.2, -0.1, 0.01),
    ]
    assert verdict(found) == {"better": 1, "worse": 1}


def test_the_fusion_is_chosen_by_what_training_images_say():
    def record(name, steps=1, **learned):
        card = {"extractor": {"steps": [{}] * steps}}
        return {"method": name, "card": card, "learned": learned} if learned else {"method": name}

    key = "training mAP, cross-validated"
    records = [
        record("a", **{key: 0.4}),
        record("b", **{key: 0.6}),
        record("c", weights=[1.0]),
        record("d"),
        record("e", **{key: 0.6}),
        record("f", steps=2, **{key: 0.6}),
    ]
    task = TaskResults(records, {}, (ImageEntry("q", "x", None, "q"),))
    # However the queries order them: of equal ones by name, and without what is re-ranked.
    assert chosen(task, "abcdef") == chosen(task, "fedcba") == "b"
    assert chosen(task, "cdf") is None


def test_members_are_in_the_order_of_the_name():
    card = {"extractor": {"extractors": {"hog": {}, "lbp": {}}}}
    record = {"method": "lbp+hog+rrf+dba", "status": "ok", "card": card}
    assert members(record) == ["lbp", "hog"]
    assert members(record | {"method": "lbp+hog+pca32+rrf"}) == ["lbp+pca32", "hog+pca32"]
    assert members({"method": "lbp", "status": "ok", "card": {"extractor": {"head": {}}}}) == []


def test_step_down_is_what_holm_did_by_hand():
    assert step_down(np.array([0.04, 0.01, 0.03])).tolist() == pytest.approx([0.06, 0.03, 0.06])
    assert step_down(np.array([])).tolist() == []
    pairs = np.array([[1, 0.04, 0.01], [0.04, 1, 0.03], [0.01, 0.03, 1]])
    assert holm(pairs)[0].tolist() == pytest.approx([1, 0.06, 0.03])


def test_signs_are_flipped_exactly_as_pairs_are_exchanged():
    values = RNG.random((30, 3))
    flipped = sign_flip_test(values[:, [0, 0, 1]] - values[:, [1, 2, 2]], seed=4)
    pairs = permutation_test(values, seed=4)
    assert flipped.tolist() == [pairs[0, 1], pairs[0, 2], pairs[1, 2]]


def test_the_page_comes_with_a_run_and_is_rebuilt_by_the_report(parted, run, tmp_path):
    rows = ("lbp", "hog", "lbp+hog", "lbp+hog+rrf", "lbp+dba")
    run("--extractor", *rows, "--dataset", parted)
    folder = tmp_path / "out" / "parted"
    page = (folder / "hybrid.md").read_text()
    with (folder / "hybrid.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert {(line["family"], line["method"]) for line in lines} == {
        ("fused", "lbp+hog"),
        ("fused", "lbp+hog+rrf"),
        ("re-ranked", "lbp+dba"),
    }
    assert "fusion chosen by training images: lbp+hog |" in page
    assert "oracle of all 2 single extractors" in page
    best = lines[0]
    difference = change(*(float(best[key]) for key in ("change", "low", "high")))
    assert f"Best fusion: {best['method']}, {difference} against {best['other']}, p " in page
    assert re.search(r"by at least 0.001: \d of 2 fused methods;", page)
    assert "plots/" not in page  # none were drawn
    assert "(hybrid.md)" in (folder / "table.md").read_text()
    (folder / "hybrid.md").unlink()
    main(["--out", str(tmp_path / "out"), "--no-plots"])
    assert (folder / "hybrid.md").read_text() == page


def test_nobody_is_the_best_member_where_one_did_not_run(parted, run, tmp_path):
    run("--extractor", "lbp", "lbp+hog", "--dataset", parted)
    page = (tmp_path / "out" / "parted" / "hybrid.md").read_text()
    line = next(line for line in page.splitlines() if line.startswith("| lbp+hog"))
    assert [cell.strip() for cell in line.split("|")[3:5]] == ["–", "–"]
    assert "oracle of lbp " not in page


def test_members_are_known_whatever_a_method_is_called():
    cards = {"hog": {}, "lbp": {}}
    record = {"method": "mine", "status": "ok", "card": {"extractor": {"extractors": cards}}}
    assert members(record) == ["hog", "lbp"]


def test_single_rows_alone_make_no_such_page(parted, run, tmp_path):
    run("--extractor", "lbp", "hog", "--dataset", parted)
    assert not (tmp_path / "out" / "parted" / "hybrid.md").exists()
