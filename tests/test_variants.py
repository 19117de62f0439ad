"""Query sets of drawings, and the original project's leak as an option."""

import json

import numpy as np
import pytest
from pictures import fill

from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.loading.variants import with_copies, with_edges
from benchmarks.pipeline.workers import Workforce
from benchmarks.run import main
from datasets.errors import InputError
from datasets.reading import read_image
from extractors.hand_crafted.lines import Lines
from extractors.networks.augmentation import Augmentation

QUIET = Workforce(quiet=True)


def box(ground, ink, side=120):
    picture = np.full((side, side, 3), ground, np.uint8)
    picture[30:90, 40:80] = ink
    return picture


@pytest.mark.parametrize(("ground", "ink"), [(30, 200), (220, 90), (110, 170)])
def test_a_drawing_has_ink_at_edges_and_nowhere_else(ground, ink):
    drawn = Lines()(box(ground, ink))
    assert drawn.shape == (256, 256, 3)
    assert drawn.dtype == np.uint8
    dark = drawn[..., 0] < 128
    scale = 256 / 120
    near = np.zeros_like(dark)
    top, bottom, left, right = (round(scale * x) for x in (30, 90, 40, 80))
    near[top - 8 : bottom + 8, left - 8 : right + 8] = True
    near[top + 8 : bottom - 8, left + 8 : right - 8] = False
    assert dark[near].mean() > 0.1
    assert not dark[~near].any()


def test_flat_pictures_are_empty_paper_and_drawings_stay_drawings():
    for shade in (0, 100, 255):
        assert (Lines()(np.full((50, 70, 3), shade, np.uint8)) == 255).all()
    once = Lines()(box(30, 200))
    twice = Lines()(once)
    ink, again = once[..., 0] < 128, twice[..., 0] < 128
    assert (ink & again).sum() > 0.5 * ink.sum()


def test_edges_are_a_query_set_on_the_same_gallery(parted, load_dataset, tmp_path):
    dataset = load_dataset(parted)
    made = with_edges(dataset, tmp_path / "cache", QUIET)
    assert set(made.queries) == {"query", "query-sketch", "query-edges"}
    assert made.gallery == dataset.gallery
    assert made.training == dataset.training
    photos, edges = made.queries["query"], made.queries["query-edges"]
    assert [e.id for e in edges] == [f"query-edges/{p.id}" for p in photos]
    assert [e.label for e in edges] == [p.label for p in photos]
    for photo, drawing in zip(photos, edges, strict=True):
        np.testing.assert_array_equal(read_image(drawing.path), Lines()(read_image(photo.path)))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.png")}
    assert with_edges(dataset, tmp_path / "cache", QUIET) == made
    assert before == {p: p.stat().st_mtime_ns for p in (tmp_path / "cache").rglob("*.png")}
    with pytest.raises(InputError, match="--edges: parted has a set 'query-edges' already"):
        with_edges(made, tmp_path / "cache", QUIET)


def test_damaged_drawings_and_those_of_others_are_made_anew(parted, load_dataset, tmp_path):
    dataset = load_dataset(parted)
    made = with_edges(dataset, tmp_path / "cache", QUIET)
    first, second, third = (image.path for image in made.queries["query-edges"][:3])
    right = [path.read_bytes() for path in (first, second, third)]
    first.write_bytes(b"")
    second.write_bytes(right[2])
    third.unlink()
    assert with_edges(dataset, tmp_path / "cache", QUIET) == made
    assert [path.read_bytes() for path in (first, second, third)] == right


def test_a_drawing_does_not_find_the_photograph_it_was_made_of(parted, load_dataset, tmp_path):
    photo = next((parted / "validation/query/apple").iterdir())
    twin = parted / "validation/gallery/apple/twin.png"
    twin.write_bytes(photo.read_bytes())
    made = with_edges(load_dataset(parted), tmp_path / "cache", QUIET)
    drawing = f"query-edges/validation/query/apple/{photo.name}"
    assert made.relevance[drawing].junk == {"validation/gallery/apple/twin.png"}
    assert len(made.relevance[drawing].positive) == 5


def test_nor_in_place_of_it_a_copy_in_another_class(classes, tmp_path):
    first, second = (classes / name / "copy.png" for name in ("apple", "berry"))
    for path in (first, second):
        fill(path.parent, 1, 99)
        (path.parent / "00.png").rename(path)
    dataset = load(str(classes), tmp_path / "cache", QUIET, leave_one_out=True)
    made = with_edges(dataset, tmp_path / "cache", QUIET)
    assert made.relevance["query-edges/berry/copy.png"].junk == {"berry/copy.png"}


def test_edges_run_from_the_command(parted, run, tmp_path):
    assert run("--extractor", "hog", "hog-lines", "--edges", "--dataset", parted) == 0
    folder = tmp_path / "out" / "parted" / "records"
    assert {path.name for path in folder.iterdir()} == {"query", "query-sketch", "query-edges"}
    assert (folder / "query-edges" / "hog-lines.json").exists()
    # Pictures of a folder stay on this machine.
    assert not list((tmp_path / "out").rglob("query-edges.png"))
    [sheet] = (tmp_path / "cache").rglob("query-edges.png")
    assert read_image(sheet).shape[1] > 500


def test_the_original_protocol_copies_gallery_and_queries(parted, load_dataset, tmp_path):
    dataset = load_dataset(parted)
    made = with_copies(dataset, tmp_path / "cache", QUIET, Augmentation(copies=2), 0)
    assert made.name == "parted-original-protocol"
    assert made.training == dataset.training
    assert len(made.gallery) == 3 * len(dataset.gallery)
    assert len(made.queries["query"]) == 3 * len(dataset.queries["query"])
    assert [image.id for image in made.gallery] == sorted(image.id for image in made.gallery)
    assert sum(i.distractor is not None for i in made.gallery) == 9
    again = with_copies(dataset, tmp_path / "other", QUIET, Augmentation(copies=2), 0)
    assert again.fingerprint == made.fingerprint
    assert "a leak, for comparison only" in made.split


def test_copies_are_judged_as_what_they_were_made_of(parted, load_dataset, tmp_path):
    query, other = (f"validation/query/apple/0{n}.png" for n in range(2))
    right, junk = (f"validation/gallery/berry/0{n}.png" for n in range(2))
    (parted / "validation/gallery/berry/own.png").write_bytes((parted / query).read_bytes())
    content = {query: {"positive": {right: 2}, "junk": [junk]}, other: {"junk": [junk]}}
    (parted / "relevance.json").write_text(json.dumps(content))
    made = with_copies(load_dataset(parted), tmp_path, QUIET, Augmentation(copies=1), 0)
    own = "validation/gallery/berry/own.png"
    for name in (query, f"{query}-copy-1"):
        judged = made.relevance[name]
        assert judged.positive == {right, f"{right}-copy-1", own, f"{own}-copy-1"}
        assert judged.junk == {junk, f"{junk}-copy-1"}
        assert judged.grades == {right: 2, f"{right}-copy-1": 2}
    assert made.relevance[f"{other}-copy-1"].positive is None


def test_the_leak_shows_in_results_of_its_own(parted, run, tmp_path, capsys):
    fill(parted / "validation" / "query" / "apple", 1, 77, 0)
    assert run("--extractor", "hog", "--original-protocol", "--dataset", parted) == 0
    assert (tmp_path / "out" / "parted-original-protocol" / "table.md").exists()
    assert not (tmp_path / "out" / "parted").exists()
    assert main(["--extractor", "hog", "--edges", "--dataset", str(tmp_path / "gone")]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_leave_one_out_lets_every_picture_ask_all_others(classes, run, tmp_path):
    given = ("--dataset", classes, "--extractor", "hsv-histogram", "--leave-one-out")
    assert run(*given, "--quiet") == 0
    folder = tmp_path / "out" / "classes-leave-one-out"
    record = json.loads((folder / "records" / "query" / "hsv-histogram.json").read_text())
    assert record["counts"]["gallery images"] == record["counts"]["queries scored"] == 30
    assert record["counts"]["queries found in gallery"] == 30
    assert "every gallery image of a class asks all others" in (folder / "table.md").read_text()


def test_leave_one_out_learns_from_training_folders_only(parted, tmp_path):
    data = load(str(parted), tmp_path / "cache", Workforce(quiet=True), leave_one_out=True)
    assert (len(data.training), len(data.gallery), len(data.queries["query"])) == (8, 13, 10)
    assert [(problem.id, problem.outcome) for problem in data.problems] == [
        ("query", "6 left out"),
        ("query-sketch", "4 left out"),
    ]
