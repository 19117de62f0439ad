"""The leak audit finds what was planted, says what it is worth, and shows no private picture."""

import json
import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmarks.audit.__main__ import main
from benchmarks.audit.duplicates import (
    Pair,
    are_near,
    find_pairs,
    most_telling_first,
    without_leaks,
)
from benchmarks.pipeline.evaluation import evaluate
from benchmarks.report.__main__ import main as report
from datasets.perceptual import hash_distances, perceptual_hash
from retrieval.protocol import Judgement, Judgements

RNG = np.random.default_rng(0)


def scene(seed):
    """A picture with large structure, as photographs have."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3)).astype(np.uint8)
    return cv2.resize(coarse, (200, 160), interpolation=cv2.INTER_CUBIC)


def test_near_duplicates_have_near_hashes_and_others_have_not():
    first = scene(1)
    smaller = cv2.resize(first, (90, 70), interpolation=cv2.INTER_AREA)
    noisy = np.clip(first + RNG.normal(0, 4, first.shape), 0, 255).astype(np.uint8)
    pictures = [first, smaller, noisy, first[:, ::-1], *(scene(n) for n in range(2, 8))]
    [(start, bits)] = list(hash_distances(np.stack([perceptual_hash(p) for p in pictures])))
    assert start == 0
    assert (bits[0, :4] <= 6).all()
    assert (bits[0, 4:] > 12).all()
    np.testing.assert_array_equal(np.diag(bits), 0)


def test_each_way_of_the_rule_finds_its_pairs_once():
    contents = ["same", "same", "c", "d", "e", "f"]
    hashes = RNG.integers(0, 256, (6, 2, 8)).astype(np.uint8)
    hashes[1] = hashes[0]
    hashes[3] = hashes[2]
    hashes[3, :, 0] ^= 0b111
    vectors = np.eye(6, dtype=np.float32)
    vectors[3] += 2 * vectors[2]
    vectors[5] = vectors[4] + np.float32(0.1) * vectors[0]
    found = find_pairs(contents, hashes, vectors)
    pairs = [(p.one, p.other, p.exact) for p in found]
    assert pairs == [(0, 1, True), (4, 5, False), (2, 3, False)]
    assert found[2].bits == 3
    bits, cosine = (
        np.array([10, 11, 10, 20, 21, 64, 64]),
        np.array([0.7] * 2 + [0.69] + [0.84] * 2 + [0.9, 0.89]),
    )
    np.testing.assert_array_equal(are_near(bits, cosine), [1, 0, 0, 1, 0, 1, 0])


def test_leaked_images_become_junk_for_their_queries_alone():
    nobody = np.array([], np.intp)
    judged = Judgements((Judgement(np.array([0, 1, 2]), nobody),) * 2, 5, 0)
    # Images 0 to 3 train, 4 to 8 are the gallery, 9 and 10 ask.
    pairs = [Pair(5, 9, 0, 1.0, True), Pair(9, 8, 3, 0.9, False), Pair(0, 10, 0, 1.0, True)]
    found = without_leaks(judged, pairs, 9, 4)
    np.testing.assert_array_equal(found.of[0].positive, [0, 2])
    np.testing.assert_array_equal(found.of[0].excluded, [1, 4])
    assert found.of[1] is judged.of[1]


def test_pairs_that_change_scores_come_first():
    parts = ["training", "gallery", "gallery", "query", "query-sketch"]
    within, trained, asked, learned = (
        Pair(1, 2, 0, 1.0, True),
        Pair(0, 1, 0, 0.99, False),
        Pair(2, 4, 9, 0.91, False),
        Pair(0, 3, 9, 0.95, False),
    )
    found = most_telling_first([within, trained, asked, learned], parts)
    assert found == [asked, learned, trained, within]


@pytest.fixture
def leaky(parted):
    """A query whose shrunken twin is in the gallery, and one in training."""
    for name in ("apple", "berry"):
        for number in range(3):
            Image.fromarray(scene(len(name) * 100 + ord(name[0]) + number)).save(
                parted / "validation" / "query" / name / f"scene{number}.png"
            )
    query = parted / "validation" / "query" / "apple" / "leak.png"
    Image.fromarray(scene(5000)).save(query)
    with Image.open(query) as picture:
        picture.resize((100, 80)).save(parted / "validation" / "gallery" / "apple" / "twin.png")
        picture.save(parted / "training" / "apple" / "copy.jpg", quality=80)
    return parted


def audit(leaky, tmp_path, *more):
    folders = ["--out", tmp_path / "out", "--cache", tmp_path / "cache"]
    rows = ["--extractor", "rgb-histogram", "hog", "--embedding", "tiny-image", "--jobs", "1"]
    return main([str(a) for a in (leaky, *rows, *folders, *more)])


def test_planted_leaks_are_found_and_what_they_are_worth(leaky, tmp_path, run):
    run("--extractor", "hog", "--dataset", leaky)
    assert audit(leaky, tmp_path) == 0
    folder = tmp_path / "out" / "parted"
    found = json.loads((folder / "leaks.json").read_text())
    listed = {
        frozenset((p["id"].split("/")[-1], p["other id"].split("/")[-1])) for p in found["pairs"]
    }
    assert {frozenset(("leak.png", "twin.png")), frozenset(("leak.png", "copy.jpg"))} <= listed
    assert found["counts"]["gallery – query"] >= 1
    assert found["counts"]["training – query"] >= 1
    assert found["queries"]["query"] >= 1
    row = found["scores"]["query"]["hog"]["map"]
    assert row["change"] == pytest.approx(row["without"] - row["with"])
    assert row["low"] <= row["change"] <= row["high"]
    assert row["change"] < 0
    page = (folder / "leaks.md").read_text()
    assert "twin.png" in page
    assert "| hog |" in page
    (folder / "leaks.md").unlink()
    assert report(["--out", str(tmp_path / "out")]) == 0
    assert (folder / "leaks.md").read_text() == page


def test_methods_that_cannot_be_scored_are_named(leaky, tmp_path, capsys):
    for name in ("apple", "berry"):
        for path in sorted((leaky / "training" / name).iterdir())[1:]:
            path.unlink()
    asked = (leaky, "--embedding", "tiny-image", "--extractor", "hog", "rgb-histogram+lbp")
    folders = ("--out", tmp_path / "out", "--cache", tmp_path / "cache", "--jobs", "1")
    assert main([str(one) for one in (*asked, *folders)]) == 0
    said = "is left out: weights are learned from classes of at least two training images"
    assert f"rgb-histogram+lbp {said}" in capsys.readouterr().err
    page = tmp_path / "out" / "parted" / "leaks.md"
    assert "| hog |" in page.read_text()
    shutil.rmtree(leaky / "training")
    asked = (leaky, "--embedding", "tiny-image", "--extractor", "colour-moments", "hog+lbp")
    assert main([str(one) for one in (*asked, *folders)]) == 0
    said = "is left out: learns from training images, and there are none"
    errors = capsys.readouterr().err
    assert f"colour-moments {said}" in errors
    assert f"hog+lbp {said}" in errors
    assert "or no method could run" in page.read_text()


def test_verified_methods_are_verified_in_the_audit_as_well(leaky, tmp_path, monkeypatch):
    def last_agrees(method, queries, gallery, first, *others):
        return np.where(np.arange(first.shape[1]) == (first >= 0).sum(axis=1)[:, None] - 1, 99, 0)

    monkeypatch.setattr(evaluate, "count_inliers", last_agrees)
    rows = ("orb-bovw", "orb-bovw+geometry")
    assert audit(leaky, tmp_path, "--extractor", *rows) == 0
    found = json.loads((tmp_path / "out" / "parted" / "leaks.json").read_text())
    plain, verified = (found["scores"]["query"][row]["map"]["with"] for row in rows)
    assert plain != verified


def test_pages_tell_of_no_pictures_that_were_there_before(leaky, tmp_path, run):
    assert audit(leaky, tmp_path, "--quiet") == 0
    folder = tmp_path / "out" / "parted"
    chosen = ("--extractor", "hog", "--dataset", leaky)
    for more in ((), ("--edges",)):  # which changes nothing about these pictures
        assert run(*chosen, *more) == 0
        assert "(leaks.md)" in (folder / "table.md").read_text()
    assert report(["--out", str(tmp_path / "out")]) == 0
    assert run(*chosen, "--edges") == 0
    assert 'src="plots/' in (folder / "plots.md").read_text()
    for path in (leaky / "validation" / "query").rglob("*.png"):  # of the same names
        Image.fromarray(scene(len(str(path)) + 7000)).save(path)
    assert run(*chosen, "--edges") == 0
    assert "(leaks.md)" not in (folder / "table.md").read_text()
    assert not (folder / "leaks.md").exists()
    assert not (folder / "plots.md").exists()
    assert not any((folder / "plots").iterdir())
    assert audit(leaky, tmp_path, "--quiet") == 0
    assert report(["--out", str(tmp_path / "out"), "--no-plots"]) == 0
    assert "(leaks.md)" in (folder / "table.md").read_text()


def test_an_audit_of_a_former_age_is_known_by_the_names_of_its_pictures(leaky, tmp_path, run):
    assert audit(leaky, tmp_path, "--quiet") == 0
    folder = tmp_path / "out" / "parted"
    found = json.loads((folder / "leaks.json").read_text())
    del found["card"]
    (folder / "leaks.json").write_text(json.dumps(found))
    chosen = ("--extractor", "hog", "--dataset", leaky)
    assert run(*chosen) == 0
    assert "(leaks.md)" in (folder / "table.md").read_text()
    (leaky / "validation" / "gallery" / "apple" / "twin.png").unlink()
    assert run(*chosen) == 0
    assert "(leaks.md)" not in (folder / "table.md").read_text()


def test_pictures_stay_out_of_the_results(leaky, tmp_path):
    assert audit(leaky, tmp_path, "--pictures", tmp_path / "mine") == 0
    with Image.open(tmp_path / "mine" / "parted-leaks.png") as sheet:
        assert sheet.width > 100
    assert not list((tmp_path / "out").rglob("*.png"))


def test_no_leak_is_said(tmp_path):
    root = tmp_path / "clean"
    for number, name in enumerate(("apple", "berry")):
        for part, count in (("training", 2), ("validation/gallery", 2), ("validation/query", 1)):
            (root / part / name).mkdir(parents=True)
            for n in range(count):
                Image.fromarray(scene(1000 * number + 10 * len(part) + n)).save(
                    root / part / name / f"{n}.png"
                )
    assert audit(root, tmp_path) == 0
    assert "None found" in (tmp_path / "out" / "clean" / "leaks.md").read_text()


def test_vectors_by_which_most_is_alike_are_warned_of(leaky, tmp_path, caplog):
    folders = ["--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    assert main([str(leaky), "--embedding", "lbp", "--extractor", "hog", *folders]) == 0
    assert "pairs are near duplicates by it; the limits are those of" in caplog.text


def test_the_tables_tell_of_an_audit_at_once(leaky, tmp_path, run):
    assert run("--extractor", "hog", "--dataset", leaky, "--no-plots") == 0
    table = tmp_path / "out" / "parted" / "table.md"
    assert "Near duplicates: not looked for" in table.read_text()
    assert audit(leaky, tmp_path) == 0
    assert "Near duplicates: not looked for" not in table.read_text()


def test_bad_names_give_one_line(leaky, tmp_path, capsys):
    assert main([str(leaky), "--embedding", "no-such"]) == 2
    assert "no-such: no such extractor" in capsys.readouterr().err


@pytest.fixture
def plain(leaky, tmp_path):
    """A folder of pictures without classes, some of which are in the other set as well."""
    folder = tmp_path / "plain"
    folder.mkdir()
    Image.fromarray(scene(5000)).save(folder / "again.jpg", quality=90)
    (folder / "copy.png").write_bytes(
        (leaky / "validation" / "query" / "berry" / "scene0.png").read_bytes()
    )
    for number in range(4):
        Image.fromarray(scene(9000 + number)).save(folder / f"own{number}.jpg", quality=95)
    with Image.open(folder / "own0.jpg") as picture:
        picture.resize((120, 96)).save(folder / "smaller.jpg")
    return folder


def test_a_plain_folder_without_classes_is_audited(plain, tmp_path):
    assert audit(plain, tmp_path) == 0
    found = json.loads((tmp_path / "out" / "plain" / "leaks.json").read_text())
    [pair] = found["pairs"]
    assert {pair["id"], pair["other id"]} == {"own0.jpg", "smaller.jpg"}
    page = (tmp_path / "out" / "plain" / "leaks.md").read_text()
    assert "smaller.jpg" in page
    assert "Scores" not in page


def test_near_duplicates_between_two_sets_are_found_and_those_within_are_not(
    leaky, plain, tmp_path, capsys
):
    assert audit(leaky, tmp_path, "--against", plain) == 0
    folder = tmp_path / "out" / "parted-against-plain"
    found = json.loads((folder / "leaks.json").read_text())
    assert all(p["part"].startswith("parted: ") for p in found["pairs"])
    assert all(p["other part"] == "plain: gallery" for p in found["pairs"])
    pairs = {(p["id"].split("/")[-1], p["other id"], p["exact"]) for p in found["pairs"]}
    assert ("scene0.png", "copy.png", True) in pairs
    assert ("twin.png", "again.jpg", False) in pairs
    assert {other for _, other, _ in pairs} == {"copy.png", "again.jpg"}
    assert "parted: query – plain: gallery" in found["counts"]
    assert "# parted against plain: near duplicates" in (folder / "leaks.md").read_text()
    assert main([str(plain), "--against", str(plain), "--cache", str(tmp_path / "cache")]) == 2
    assert "is called 'plain', too" in capsys.readouterr().err


def test_pairs_between_are_those_of_first_and_others_only():
    hashes = np.zeros((4, 2, 8), np.uint8)
    found = find_pairs(["a"] * 4, hashes, np.ones((4, 3), np.float32), first=2)
    assert {(pair.one, pair.other) for pair in found} == {(0, 2), (0, 3), (1, 2), (1, 3)}
