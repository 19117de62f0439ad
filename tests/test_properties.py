"""Properties of whatever people may have: metrics of any ranking, any folder, any file."""

import json
import math
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_metrics import EVERY, ranking_of, slow

import datasets
from benchmarks import score
from benchmarks.formats.files import read_checked, write_checked
from benchmarks.formats.vectors import read_vectors
from benchmarks.pipeline.records.record import RecordPath
from datasets.errors import InputError
from retrieval.metrics import mean_scores

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)
GRADED = st.lists(
    st.tuples(st.sampled_from([0, 0, 1, 2, 3]), st.integers(0, 4)), min_size=1, max_size=14
)
"""Grades of a gallery's images and their distances from a query."""


@given(GRADED)
def test_every_metric_is_between_nothing_and_its_best(images):
    grades, distances = zip(*images, strict=True)
    assume(any(grades))
    for name, value in mean_scores(ranking_of(grades, distances), EVERY).items():
        assert -1e-12 <= value <= EVERY[name].best + 1e-12, name


@given(GRADED)
def test_metrics_without_ties_are_their_definitions(images):
    grades = [grade for grade, _ in images]
    assume(any(grades))
    scores = mean_scores(ranking_of(grades, range(len(grades))), EVERY)
    graded = {name: value for name, value in slow(grades).items() if "ndcg" in name}
    for name, value in (slow([grade > 0 for grade in grades]) | graded).items():
        assert math.isclose(scores[name], value, abs_tol=1e-12), name


@given(GRADED, st.randoms(use_true_random=False))
def test_the_order_of_the_gallery_changes_no_metric(images, rng):
    assume(any(grade for grade, _ in images))
    shuffled = rng.sample(images, len(images))
    one, other = (
        mean_scores(ranking_of(*zip(*order, strict=True)), EVERY) for order in (images, shuffled)
    )
    assert all(math.isclose(one[name], other[name], abs_tol=1e-12) for name in one)


@given(GRADED, st.integers(0, 2**32 - 1))
@settings(max_examples=15)
def test_a_tie_is_worth_the_mean_of_its_orders(images, seed):
    grades, distances = map(np.array, zip(*images, strict=True))
    assume(grades.any())
    rng, drawn = np.random.default_rng(seed), 2000
    orders = [np.lexsort((rng.random(len(grades)), distances)) for _ in range(drawn)]
    top1, reciprocal = [], []
    for order in orders:
        ranks = np.flatnonzero(grades[order]) + 1
        top1.append(ranks[0] == 1)
        reciprocal.append(1 / ranks[0])
    scores = mean_scores(ranking_of(grades, distances), EVERY)
    for name, values in (("top1", top1), ("mrr", reciprocal)):
        error = 5 * max(np.std(values), 0.01) / drawn**0.5
        assert abs(scores[name] - np.mean(values)) < error, name


NAMES = st.sampled_from(
    [
        *("training", "validation", "gallery", "query", "query-sketch", "train", "val", "test"),
        *("apple", "berry", "Berry", "distractor", "images", "ähre", "a b", "--out", "0"),
    ]
)
FILES = st.sampled_from(["a.jpg", "b.png", "c.JPEG", "notes.txt", "labels.csv", "data.json"])
TREES = st.lists(
    st.tuples(st.lists(NAMES, max_size=3), FILES), min_size=1, max_size=12, unique_by=str
)
LINES = st.lists(
    st.lists(st.sampled_from(["id", "path", "label", "part", "a.jpg", "0", "x", '"']))
)
SYSTEMS = (".DS_Store", "Thumbs.db", "desktop.ini")


def grown(root, tree, content, more=()):
    for parts, name in tree:
        place = root.joinpath(*parts)
        place.mkdir(parents=True, exist_ok=True)
        for file in (name, *more):
            (place / file).write_text(content)


def understood(root):
    """What a folder is taken for; the reason if for nothing."""
    try:
        source, found_root = datasets.resolve(str(root), [])
        found = source.collect(found_root)
    except InputError as error:
        return str(error).replace(str(root), "ROOT")
    items = [(item.id, item.part, item.label, item.distractor) for item in found.items]
    return items, found.layout


@given(TREES, LINES, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_any_folder_is_understood_or_refused_whoever_made_it_in_which_order(tree, lines, rng):
    content = "\n".join(map(",".join, lines))
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        roots = [Path(place) / "fruit" for place in (one, other)]
        grown(roots[0], tree, content)
        grown(roots[1], rng.sample(tree, len(tree)), content, SYSTEMS)
        assert understood(roots[0]) == understood(roots[1])


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """The record of a run."""
    from pictures import fill

    from benchmarks.run import main

    root = tmp_path_factory.mktemp("run")
    for number, name in enumerate(("apple", "berry")):
        fill(root / "fruit" / name, 6, number, number)
    places = ["--dataset", root / "fruit", "--out", root / "out", "--cache", root / "cache"]
    words = ["--extractor", "lbp", *places, "--jobs", "1", "--no-plots", "--quiet"]
    assert main([str(word) for word in words]) == 0
    return RecordPath(root / "out/fruit/records/query", "lbp")


@given(st.dictionaries(st.text(max_size=5), JSON))
@settings(max_examples=30)
def test_what_is_written_with_a_checksum_is_read_again(content):
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "content.json"
        try:
            write_checked(path, content)
        except ValueError:  # NaN, or half of a surrogate pair: nothing was written
            assert not list(Path(place).iterdir())
            return
        assert read_checked(path, dict) == {k: v for k, v in content.items() if k != "checksum"}


@given(st.data())
@settings(max_examples=150)
def test_a_changed_record_is_absent_or_what_it_was(record, data):
    whole = record.file(".json").read_bytes()
    before = record.read()
    place = data.draw(st.integers(0, len(whole) - 1))
    length = data.draw(st.sampled_from([0, 1, 1, 40]))
    changed = whole[:place] + data.draw(st.binary(max_size=3)) + whole[place + length :]
    try:
        record.file(".json").write_bytes(changed)
        found = record.read()
        assert found is None or before.items() <= found.items()
    finally:
        record.file(".json").write_bytes(whole)


@given(st.data(), JSON)
@settings(max_examples=150)
def test_a_forged_record_is_absent_or_goes_with_a_ranking(record, data, value):
    whole = record.file(".json").read_bytes()
    content = json.loads(whole)
    del content["checksum"]
    inside = content
    key = data.draw(st.sampled_from(sorted(inside)))
    while isinstance(inside[key], dict) and inside[key] and data.draw(st.booleans()):
        inside = inside[key]
        key = data.draw(st.sampled_from(sorted(inside)))
    inside[key] = value
    try:
        record.file(".json").write_text(json.dumps(content))
        found = record.read()
        if found is not None and found["status"] == "ok":
            record.read_ranking(found)
    finally:
        record.file(".json").write_bytes(whole)


@given(st.fixed_dictionaries({"images": JSON | st.dictionaries(st.text(max_size=3), JSON)}) | JSON)
def test_answers_are_scored_or_refused(content):
    right = {"q": ["g"], "r": ["h", "g"]}
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "answers.json"
        path.write_text(json.dumps(content))
        try:
            scores = score.score_answers(score.read_images(path), right, path)
        except InputError as error:
            assert str(error).startswith(str(path))  # noqa: PT017
        else:
            assert 0 <= scores["top1"] <= 1


NUMBERS = st.sampled_from(
    ["id", "a.jpg", "b/c.png", "1", "-0.5", "1e999", "nan", '"', "x", "é", ""]
)


@given(
    st.lists(st.lists(NUMBERS, max_size=4), max_size=6),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
)
@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_tables_of_vectors_are_understood_or_refused(kind, lines, mark, encoding):
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / f"vectors.{kind}"
        path.write_bytes("\n".join(map(mark.join, lines)).encode(encoding, "replace"))
        try:
            table = read_vectors(str(path))
        except InputError as error:
            assert str(error).startswith(str(path))  # noqa: PT017
        else:
            assert np.isfinite(table.matrix).all()
            assert len(table.ids) == len(table.matrix) == len(set(table.ids))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_of_vectors_or_none(content):
    with tempfile.TemporaryDirectory() as place:
        for name in ("a.csv", "a.npz", "a.npy", "a.parquet"):
            path = Path(place) / name
            path.write_bytes(content)
            path.with_suffix(".txt").write_text("a\n")
            with suppress(InputError):
                read_vectors(str(path))
