"""The page's files: what is in them, that none can harm, and which pictures they have."""

import base64
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from paged import QUIET, ROWS, fabricate, fill_parted
from pictures import picture

from benchmarks import evaluate_vectors
from benchmarks.pipeline.records.results import ImageEntry, read_results
from benchmarks.report.__main__ import main
from benchmarks.report.pages.table import write_tables
from benchmarks.report.plots.book import Plot
from benchmarks.report.site.build import build_page, script
from benchmarks.report.site.neighbours import FIRST, RIGHT, UNJUDGED, WRONG, rightness
from benchmarks.report.site.tables import plot_data, title
from benchmarks.report.site.thumbnails import SIDE, Pictures
from benchmarks.report.tables import USUAL
from benchmarks.report.write import Written
from datasets.errors import InputError
from datasets.reading import read_image
from datasets.task import Image, Relevance
from retrieval.knn import Block
from retrieval.protocol import judge
from retrieval.ranking import summarise


@pytest.fixture
def out(tmp_path):
    fabricate(tmp_path / "out", str(fill_parted(tmp_path / "parted")), tmp_path / "cache")
    return tmp_path / "out"


@pytest.fixture
def build(out, tmp_path):
    """Build the page, by default from the pictures that the results came from."""

    def build_it(*given):
        folders = sorted(path.parent for path in out.glob("*/dataset.json"))
        written = {f: Written(write_tables(f, read_results(f)), [], USUAL) for f in folders}
        return build_page(out, written, Pictures(given, tmp_path / "cache"), QUIET)

    return build_it


def read(path):
    """The name and the JSON in a data file."""
    text = path.read_text(encoding="ascii")
    name, content = re.fullmatch(
        r"\(self\.BENCHMARK \?\?= \{\}\)\[(.*?)\] = (.*);\n", text
    ).groups()
    return json.loads(name), json.loads(content)


def contents(page):
    return {path.relative_to(page): path.read_bytes() for path in page.rglob("*.*")}


def decode(data, name):
    """Neighbours of every query: (image id, state)."""
    codes = np.frombuffer(base64.b64decode(data["neighbours"][name]), f"<u{data['bytes']}")
    return [
        [(data["images"][(code - 1) // 3][0], (code - 1) % 3) if code else None for code in line]
        for line in codes.reshape(-1, data["first"]).tolist()
    ]


@pytest.mark.parametrize("text", ["</script>", "a\u2028b", '"', "\\", "<!--", "é\ud800", "'"])
def test_no_name_can_leave_its_string(text):
    made = script("x.js", {text: text})
    assert made.isascii()
    assert "<" not in made
    assert json.loads(made.partition("= {})")[2].partition(" = ")[2][:-2]) == {text: text}


def test_the_page_has_every_row_and_what_it_found(build, out, tmp_path):
    page = build(str(tmp_path / "parted")).file.parent
    name, index = read(page / "data" / "index.js")
    assert name == "index.js"
    [about] = index["datasets"]
    assert [one["title"] for one in about["querySets"]] == ["Pictures", "Sketch"]
    assert [one["isDrawn"] for one in about["querySets"]] == [False, True]
    _, table = read(page / "data" / "1-1-table.js")
    assert {method["name"] for method in table["methods"]} == {"chance", "gone", *ROWS}
    by_name = {method["name"]: method for method in table["methods"]}
    assert by_name["gone"]["absent"] == "skipped: no weights"
    assert by_name["lbp"]["cells"]["bytes_per_image"] == [40, "40", ""]
    value, text, detail = by_name["lbp"]["cells"]["top1"]
    assert (round(value, 3), text) == (0.167, "0.167")
    assert re.fullmatch(r"\(.*–.*\) [a-z]+", detail)
    assert [by_name[row]["isDeep"] for row in ROWS] == [False, False, True, True, True]
    families = ["colour", "texture", "network", "re-ranked", "fused"]
    assert [by_name[row]["family"] for row in ROWS] == families
    _, found = read(page / "data" / "1-1-neighbours.js")
    results = read_results(out / "parted")
    for row, (_, _, tops) in ROWS.items():
        lines = decode(found, row)
        states = "".join("wr"[line[0][1] == RIGHT] for line in lines)
        assert states == tops.replace("d", "w")
        nearest = results.tasks["query"].rankings[row].neighbours[:, :FIRST]
        ids = [[results.gallery[place].id for place in places] for places in nearest]
        assert [[image for image, _ in line] for line in lines] == ids
    assert all(query[4] for query in found["queries"])


def test_what_is_right_follows_the_judgements_not_the_classes():
    gallery = [ImageEntry(f"g{n}", label, None, f"g{n}") for n, label in enumerate("aabb")]
    queries = [
        ImageEntry("q0", "a", None, "q0"),
        ImageEntry("q1", None, None, "q1"),
        ImageEntry("q2", "z", None, "q2"),
    ]
    judged = Relevance(frozenset({"g3", "g1"}))
    images = [
        [Image(entry.id, Path(entry.id), entry.sha256, entry.label) for entry in entries]
        for entries in (queries, gallery)
    ]
    judgements = judge(*images, {"q0": judged, "q1": judged})
    distances = np.array([[1, 2, 3, 4], [4, 3, 3, 3], [1, 2, 3, 4]], np.int32)
    made = rightness(summarise([Block(0, distances)], judgements), queries, gallery)
    assert made[0, :4].tolist() == [WRONG, RIGHT, WRONG, RIGHT]
    assert made[1, :4].tolist() == [UNJUDGED] * 3 + [WRONG]  # three are tied, two of them right
    assert made[2].tolist() == [UNJUDGED] * FIRST  # nothing is right for it


def test_thumbnails_are_small_and_of_what_is_shown_only(build, tmp_path):
    for seed, path in enumerate((tmp_path / "parted").rglob("query/*/00.png")):
        picture(seed, 300).crop((0, 0, 300, 200)).save(path)
    fabricate(tmp_path / "out", str(tmp_path / "parted"), tmp_path / "cache")
    built = build(str(tmp_path / "parted"))
    made = list((built.file.parent / "thumbnails").iterdir())
    sizes = [read_image(path).shape[:2] for path in made]
    assert max(max(size) for size in sizes) == SIDE
    assert (64, SIDE) in sizes
    _, found = read(built.file.parent / "data" / "1-1-neighbours.js")
    shown = {image[3] for image in found["images"]} | {query[3] for query in found["queries"]}
    assert None not in shown
    assert shown < {path.name for path in made}
    assert built.thumbnails == len(made) == 6 + 4 + len(found["images"])
    assert built.thumbnail_bytes == sum(path.stat().st_size for path in made)


def test_the_same_results_give_the_same_page_and_no_picture_is_made_twice(build, tmp_path):
    page = build(str(tmp_path / "parted")).file.parent
    before = contents(page)
    times = {path: path.stat().st_mtime_ns for path in (page / "thumbnails").iterdir()}
    (page / "data" / "9-9-table.js").write_text("old")
    (page / "thumbnails" / "old.webp").write_text("old")
    shutil.rmtree(tmp_path / "parted")
    build()  # needs no pictures: all thumbnails are there
    assert contents(page) == before
    assert {path: path.stat().st_mtime_ns for path in (page / "thumbnails").iterdir()} == times


def test_without_pictures_names_stand_for_them(build, capsys, monkeypatch):
    monkeypatch.setattr(QUIET.console, "quiet", False)
    built = build()
    assert built.thumbnails == 0
    said = capsys.readouterr().err
    assert "parted: " in said
    assert "--dataset parted=PATH" in said
    _, index = read(built.file.parent / "data" / "index.js")
    [about] = index["datasets"]
    assert about["lacking"] == about["pictures"] > 0
    _, found = read(built.file.parent / "data" / "1-1-neighbours.js")
    assert all(image[3] is None for image in found["images"])


def test_a_picture_that_changed_or_broke_goes_without(build, tmp_path):
    paths = sorted((tmp_path / "parted" / "validation" / "query" / "apple").iterdir())
    paths[0].write_bytes(b"no picture")
    paths[1].unlink()
    built = build(str(tmp_path / "parted"))
    _, found = read(built.file.parent / "data" / "1-1-neighbours.js")
    assert [query[3] is None for query in found["queries"]] == [True, True] + 4 * [False]


def test_plots_are_listed_before_other_pictures(tmp_path):
    folder = tmp_path / 'it"s #1'
    folder.mkdir()
    for name in ("query-sketch.png", "leaks.png"):
        (folder / name).touch()
    drawn = [
        Plot("map-query-sketch", "query-sketch", "Mean average precision.", None),
        Plot("training-cnn", "training", "How cnn was trained.", None),
    ]
    assert plot_data(folder, drawn, ["query", "query-sketch"]) == [
        {"file": f"../it%22s%20%231/{file}.png", "caption": caption, "querySet": query_set}
        for file, caption, query_set in (
            ("plots/map-query-sketch", "Mean average precision.", "query-sketch"),
            ("plots/training-cnn", "How cnn was trained.", None),
            ("leaks", "leaks", None),
            ("query-sketch", "query-sketch", "query-sketch"),
        )
    ]


def test_query_sets_are_named_for_people():
    assert [title(name) for name in ("query", "query-edges", "by-night")] == [
        *("Pictures", "Edges", "By night")
    ]


def test_the_command_builds_it(out, tmp_path, capsys):
    folders = ["--out", str(out), "--cache", str(tmp_path / "cache")]
    assert main([*folders, "--html", "--dataset", str(tmp_path / "parted")]) == 0
    assert str(out / "page" / "index.html") in capsys.readouterr().err.replace("\n", "")
    assert (out / "page" / "index.html").exists()
    assert len(list((out / "page" / "thumbnails").iterdir())) > 10


def test_drawings_of_the_queries_are_found_in_the_cache(tmp_path, run):
    fill_parted(tmp_path / "parted")
    assert run("--extractor", "rgb-histogram", "--dataset", tmp_path / "parted", "--edges") == 0
    folders = ["--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    assert main([*folders, "--html", "--dataset", str(tmp_path / "parted")]) == 0
    _, index = read(tmp_path / "out" / "page" / "data" / "index.js")
    assert "query-edges" in [one["name"] for one in index["datasets"][0]["querySets"]]
    assert index["datasets"][0]["lacking"] == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--dataset", "openmoji"], "--dataset says where the pictures of --html are"),
        (["--html", "--dataset", "animals"], "animals=PATH"),
        (["--html", "--dataset", "nowhere"], "neither a folder nor one of"),
    ],
)
def test_bad_input_is_one_clear_error(out, tmp_path, capsys, arguments, complaint):
    assert main(["--out", str(out), "--cache", str(tmp_path / "cache"), *arguments]) == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert said.count("\n") == 1
    assert not (out / "page").exists()


def test_images_of_arrays_are_not_missed(tmp_path, capsys):
    rng, out = np.random.default_rng(0), tmp_path / "out"
    evaluate_vectors(
        rng.normal(size=(12, 4)), rng.normal(size=(12, 4)), "abc" * 4, "abc" * 4, out=out
    )
    assert main(["--out", str(out), "--cache", str(tmp_path / "cache"), "--html"]) == 0
    assert "are not there" not in capsys.readouterr().err


def test_a_dataset_called_page_is_refused(out, build):
    shutil.move(out / "parted", out / "page")
    with pytest.raises(InputError, match="a dataset is called 'page'"):
        build()
