"""What the pages beside the tables say: the gap, confusion images, classes and hubs."""

import csv
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import skew

from benchmarks.pipeline.records.results import ImageEntry, TaskResults
from benchmarks.report.__main__ import main
from benchmarks.report.comparisons import rank_change
from benchmarks.report.format import render
from benchmarks.report.pages.classes import DISTRACTOR, class_scores, first_answers, hubs
from benchmarks.report.pages.distractors import curves, intruders
from benchmarks.report.pages.sketch_gap import gap_rows
from retrieval.bootstrap import difference_intervals
from retrieval.knn import grid_distances
from retrieval.metrics import METRICS, mean_scores
from retrieval.protocol import LEVELS, judge
from retrieval.ranking import summarise


def one(name, label, distractor):
    return ImageEntry(name, label, distractor, sha256=name)


GALLERY = tuple(
    [one(f"g/{n:02}", "ab"[n % 2], None) for n in range(12)]
    + [one(f"x/{n:02}", None, ["wolf", "deer"][n % 3 == 0]) for n in range(9)]
)


def ranked(order, queries):
    """A ranking that lists the gallery in a given order for every query."""
    place = np.argsort(order)
    angle = (place / len(place) * 1.5).astype(np.float32)
    gallery = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    asked = np.repeat(np.array([[1, 0]], np.float32), len(queries), axis=0)
    return summarise(grid_distances(asked, gallery), judge(queries, GALLERY, {}))


def task(prefix, **orders):
    queries = tuple(one(f"validation/{prefix}/{n}", "ab"[n % 2], None) for n in range(6))
    rankings = {name: ranked(order, queries) for name, order in orders.items()}
    record = {"status": "ok", "method": "one", "chance": dict.fromkeys(METRICS, 0.1)}
    record["card"] = {"extractor": {}}
    return TaskResults([record], rankings, queries)


STRAIGHT = np.arange(21)
CONFUSED = STRAIGHT[::-1].copy()


def test_the_gap_is_the_difference_of_the_means_best_on_sketches_first():
    photos = task("query", one=STRAIGHT, other=CONFUSED)
    sketches = task("query-sketch", one=CONFUSED, other=STRAIGHT)
    rows, paired = gap_rows(photos, sketches, "map")
    assert paired
    assert [row["method"] for row in rows] == ["other", "one"]
    for row in rows:
        was = mean_scores(photos.rankings[row["method"]])["map"]
        now = mean_scores(sketches.rankings[row["method"]])["map"]
        assert row["photos"] == pytest.approx(was)
        assert row["change"] == pytest.approx(now - was)
        assert row["low"] <= row["change"] <= row["high"]
        assert row["kept"] == pytest.approx((now - 0.1) / (was - 0.1))
    for record in photos.records:
        record["chance"] = dict.fromkeys(METRICS, 0.999)
    assert all(row["kept"] is None for row in gap_rows(photos, sketches, "map")[0])


def test_pairs_are_found_by_name_whatever_the_order():
    photos = task("query", one=STRAIGHT)
    edges = tuple(one(f"query-edges/{q.id}", q.label, None) for q in photos.queries)[::-1]
    rankings = {"one": ranked(STRAIGHT, edges)}
    rows, paired = gap_rows(photos, TaskResults(photos.records, rankings, edges), "map")
    assert paired
    assert (rows[0]["low"], rows[0]["high"]) == pytest.approx((0, 0), abs=1e-12)
    foreign = tuple(one(f"sketch/{n}", "ab"[n % 2], None) for n in range(8))
    rankings = {"one": ranked(STRAIGHT, foreign)}
    rows, paired = gap_rows(photos, TaskResults(photos.records, rankings, foreign), "map")
    assert not paired
    assert rows[0]["low"] <= rows[0]["high"]


def test_difference_intervals_cover_what_is_known():
    rng = np.random.default_rng(0)
    one = rng.normal(0, 1, (400, 1))
    other = one + 0.5 + rng.normal(0, 0.01, (400, 1))
    [[low, high]] = difference_intervals(one, other, paired=True)
    assert low < (other - one).mean() < high
    assert high - low < 0.01
    [[low, high]] = difference_intervals(one, other, paired=False)
    expected = 2 * 1.96 * np.sqrt(2 / 400)
    assert high - low == pytest.approx(expected, rel=0.15)


def test_curves_end_at_the_tables_and_fall_with_distractors_images():
    rankings = task("query", one=STRAIGHT, other=CONFUSED).rankings
    found = curves(rankings)
    for name, ranking in rankings.items():
        for metric, value in mean_scores(ranking).items():
            assert found[metric][name].shape == (LEVELS + 1, 3)
            assert found[metric][name][-1, 0] == pytest.approx(value)
    assert found["map"]["one"][0, 0] == pytest.approx(found["map"]["one"][-1, 0])
    assert found["map"]["other"][0, 0] > found["map"]["other"][-1, 0]
    assert (np.diff(found["map"]["other"][:, 0]) <= 1e-12).all()


def test_intruders_by_hand():
    classes = np.array([{"deer": 0, "wolf": 1}.get(i.distractor, -1) for i in GALLERY])
    rankings = task("query", one=STRAIGHT, other=CONFUSED).rankings
    assert intruders(rankings["one"], classes, 2).tolist() == [0, 0]
    # The first ten are all nine distractors, three deer and six wolves, and one more.
    np.testing.assert_allclose(intruders(rankings["other"], classes, 2), [3 / 10, 6 / 10])


def test_first_answers_and_hubs_by_hand():
    made = task("query", one=STRAIGHT, other=CONFUSED)
    assert first_answers(made, "one", GALLERY) == ["a"] * 6
    assert first_answers(made, "other", GALLERY) == [DISTRACTOR] * 6
    times = np.array([6] * 10 + [0] * 90)
    of_100 = replace(made.rankings["one"], candidates=np.full(6, 100, np.int32))
    found = hubs(of_100, 100)
    assert found.limit == 5
    assert found.found == [(index, 6) for index in range(10)]
    assert found.skewness == pytest.approx(skew(times))


def test_an_image_of_several_classes_is_of_each():
    gallery = (replace(GALLERY[0], label="c", further=("a",)), *GALLERY[1:])
    made = task("query", one=STRAIGHT)
    queries = tuple(replace(query, further=("d",)) for query in made.queries)
    made = replace(made, queries=queries)
    assert first_answers(made, "one", gallery) == ["a", "c"] * 3
    _, [scores] = class_scores(made, ["a", "b", "d"])
    assert scores[2] == pytest.approx(scores[:2].mean())


def test_an_order_that_turns_round_is_said_with_its_pairs():
    rng = np.random.default_rng(0)
    base = rng.uniform(0, 0.3, 200)
    better, worse = base + 0.3, base + rng.normal(0, 0.01, 200)
    found = rank_change({"a": better, "b": worse}, {"a": worse, "b": better})
    assert found.tau == -1
    assert found.reversed == [("a", "b")]
    text = render("rank_change", change=found, before="x", after="y")
    assert "significantly so in both: 1:\n\n| better with x | better with y |\n" in text
    assert text.endswith("| a | b |\n")
    same = rank_change({"a": better, "b": worse}, {"a": better, "b": worse})
    assert same.tau == 1
    text = render("rank_change", change=same, before="x", after="y")
    assert "No pair of methods changes places significantly." in text


def test_the_pages_are_written_with_every_run_and_rebuilt_by_the_report(parted, run, tmp_path):
    run("--extractor", "rgb-histogram", "hog", "lbp", "--edges", "--dataset", parted)
    folder = tmp_path / "out" / "parted"
    pages = {
        *("gap.md", "gap.csv", "confusion.md", "confusion.csv", "classes.md", "classes.csv"),
        "mistakes.csv",
    }
    before = {name: (folder / name).read_bytes() for name in pages}
    for name in pages:
        (folder / name).unlink()
    assert main(["--out", str(tmp_path / "out"), "--no-plots"]) == 0
    assert {name: (folder / name).read_bytes() for name in pages} == before
    rows = list(csv.DictReader((folder / "confusion.csv").read_text().splitlines()))
    table = json.loads((folder / "table.json").read_text())["query-sketch"]
    for row in table[1:]:
        [last] = [
            float(one["mean"])
            for one in rows
            if (one["query_set"], one["method"], one["metric"], one["distractors"])
            == ("query-sketch", row["method"], "map", "3")
        ]
        assert last == pytest.approx(row["map"], abs=1e-5)
    page = (folder / "table.md").read_text()
    for name in ("gap.md", "confusion.md", "classes.md"):
        assert f"]({name})" in page
    assert "plots" not in page  # none were drawn
    assert "Near duplicates: not looked for" in page
    found = re.findall(
        r"\| (0\.\d{3}) \| cherry \((\d\.\d) times\)", (folder / "confusion.md").read_text()
    )
    for rate, times in found:  # 3 of the 13 images of the gallery are distractors
        assert float(times) == pytest.approx(float(rate) / (3 / 13), abs=0.06)
    assert len(found) == 9
    gap = (folder / "gap.md").read_text()
    assert "## query-edges: mAP" in gap
    assert "the same images in another form, so the comparison is paired" in gap
    assert "are taken for other images, so the comparison is unpaired" in gap


def test_no_confusion_images_and_one_query_set_write_no_such_pages(classes, run, tmp_path):
    run("--extractor", "lbp", "hog", "--dataset", classes)
    names = {path.name for path in (tmp_path / "out" / "classes").iterdir()}
    assert not names & {"gap.md", "confusion.md", "confusion.csv"}
    assert "classes.md" in names
    page = (tmp_path / "out" / "classes" / "table.md").read_text()
    assert "](classes.md)" in page
    assert "](gap.md)" not in page
