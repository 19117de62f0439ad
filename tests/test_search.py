"""Searching for one picture: in a folder, in a dataset, in an index."""

import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from pictures import fill, picture
from PIL import Image

from benchmarks.pipeline.methods.names import parse_method
from benchmarks.pipeline.records.record import RecordPath
from benchmarks.search import open_index, search
from benchmarks.search.__main__ import main
from benchmarks.search.api import EXTRACTOR, prepare_index
from datasets.errors import InputError
from retrieval.knn import GRID, nearest, nearest_on_grid
from retrieval.ranking import Ranking
from retrieval.rows import lengths

QUERY = "validation/query/apple/00.png"


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


def test_one_pass_finds_what_the_exact_search_finds():
    rng = np.random.default_rng(3)
    gallery = rng.normal(size=(500, 24)).astype(np.float32)
    gallery[100:140] = gallery[7]  # ties
    gallery[200:210] = 0
    gallery[300:320] = gallery[7] * np.float32(3) + rng.normal(0, 1e-7, (20, 24))
    queries = [gallery[7:8], rng.normal(size=(1, 24)).astype(np.float32), np.zeros((1, 24), "f4")]
    for query in queries:
        for k in (1, 10, 45, 499, 500, 600):
            [indices], [distances] = nearest_on_grid(query, gallery, k, lengths(gallery))
            expected, found = nearest(query, gallery, k)
            assert indices.tolist() == expected[0].tolist()
            assert np.sqrt(distances * GRID) == pytest.approx(found[0])


def test_a_folder_of_mixed_formats(mixed, ask, tmp_path):
    code, answer = ask(mixed / "2.webp", "--pictures", mixed, "--extractor", "lbp", "-k", 20)
    assert code == 0
    assert answer["size"] == len(answer["neighbours"]) == 9
    best = answer["neighbours"][0]
    assert (best["id"], best["distance"], best["right"]) == ("2.webp", 0.0, None)
    assert answer["top"] == {}
    labels = {one["id"]: one["label"] for one in answer["neighbours"]}
    assert labels["a b/é/deep <script>.png"] == "é"
    assert labels["a b/grey.JPG"] == "a b"
    assert labels["0.jpg"] is None
    distances = [one["distance"] for one in answer["neighbours"]]
    assert distances == sorted(distances)
    assert all(Path(one["path"]).exists() for one in answer["neighbours"])


def test_what_is_no_picture_is_said(mixed, tmp_path, capsys):
    main([str(mixed / "0.jpg"), "--pictures", str(mixed), "--extractor", "lbp"])
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        "broken.jpg: cannot be decoded (rare or damaged from the start; save it as PNG)",
        "a b/sixteen.png: it is a single colour",
        "notes.txt: no picture (text)",
    ]
    assert "0.jpg: the nearest 9 of 9 pictures in mixed by lbp" in printed.out


@pytest.mark.parametrize("row", ["lbp", "lbp+hog", "hog+lbp+rrf", "lbp+hog+concat", "lbp+dba"])
def test_a_query_finds_what_the_benchmark_finds(row, parted, run, ask, tmp_path):
    run("--extractor", row, "--dataset", parted)
    place = RecordPath(tmp_path / "out" / "parted" / "records" / "query", row)
    ranking = Ranking.load(place.file(".npz"))
    code, answer = ask("--query-id", QUERY, "--dataset", parted, "--extractor", row)
    assert code == 0
    gallery = sorted((parted / "validation" / "gallery").rglob("*.png"))
    expected = [gallery[n].relative_to(parted).as_posix() for n in ranking.neighbours[0][:10]]
    assert [one["id"] for one in answer["neighbours"]] == expected
    assert answer["label"] == "apple"
    right = [one["right"] for one in answer["neighbours"]]
    assert right == [one["label"] == "apple" for one in answer["neighbours"]]
    assert {1.0, 0.0} >= set(answer["top"].values())
    assert answer["top"]["top3"] == float(any(right[:3]))


def test_the_python_words_are_those_of_the_command(mixed, ask):
    found = search(mixed / "0.jpg", pictures=mixed, extractor="lbp", k=4)
    answer = ask(mixed / "0.jpg", "--pictures", mixed, "--extractor", "lbp", "-k", 4)[1]
    made = json.loads(json.dumps(found.to_json()))
    for one in (made, answer):
        one.pop("describe_ms")
        one.pop("search_ms")
    assert made == answer
    assert [one.rank for one in found.neighbours] == [1, 2, 3, 4]
    with pytest.raises(InputError, match=r"no picture \(text\); give a picture"):
        search(mixed / "notes.txt", pictures=mixed, extractor="lbp")


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        ("nothing.jpg", r"nothing\.jpg: no such file; give a picture"),
        (
            "https://example.org/a.jpg",
            "https://example.org/a.jpg: a web address; save the picture",
        ),
    ],
)
def test_a_picture_that_is_not_there_is_told_so(mixed, ask, picture, message):
    code, error = ask(picture, "--pictures", mixed, "--extractor", "lbp")
    assert code == 2
    assert re.search(message, error)


def test_the_layout_of_a_dataset_can_be_said(tmp_path, ask):
    for part in ("photo", "sketch"):
        for number, label in enumerate(("a", "b")):
            fill(tmp_path / "f" / part / label, 2, number, number)
    given = ("--dataset", tmp_path / "f", "--layout", "gallery=photo", "query=sketch")
    picture = tmp_path / "f" / "sketch" / "a" / "00.png"
    code, answer = ask(picture, *given, "--extractor", "hsv-histogram", "-k", 1)
    assert code == 0
    assert answer["neighbours"][0]["id"].startswith("photo/")


@pytest.mark.parametrize("option", ["pictures", "dataset", "index"])
def test_an_empty_path_is_not_the_embedded_set(mixed, option):
    with pytest.raises(InputError, match="no path given"):
        search(mixed / "0.jpg", **{option: ""})


def test_an_empty_picture_is_not_none(mixed, tmp_path, ask):
    index = ("--index", tmp_path / "index")
    assert main(["--pictures", str(mixed), "--extractor", "lbp", *map(str, index)]) == 0
    for option in ("PICTURE", "--query-id", "--host", "--learn-from"):
        code, said = ask(*[option] * option.startswith("-"), "", *index)
        assert code == 2
        assert f"{option}: nothing given (is a variable empty?)" in said


def test_pictures_of_any_kind_are_taken_or_refused_with_the_way(mixed, tmp_path):
    index, _ = prepare_index(pictures=mixed, extractor="hsv-histogram", index=tmp_path / "index")
    image = Image.open(mixed / "1.png")
    pixels = np.array(image)
    for given in (mixed / "1.png", str(mixed / "1.png"), image, pixels):
        first = index.search(given, k=1)[0]
        assert (first.id, first.distance) == ("1.png", 0)
    for given in (pixels.astype("float32"), pixels / 255, pixels[None], pixels.astype("uint16")):
        with pytest.raises(InputError, match="give "):
            index.search(given)


def test_the_sheet_is_not_drawn_into_the_searched_folder(mixed, ask):
    given = ("--pictures", mixed, "--extractor", "lbp", "--show", mixed / "found.png")
    code, error = ask(mixed / "0.jpg", *given)
    assert code == 2
    assert "choose a place elsewhere" in error


def test_from_python_a_picture_is_a_file_an_image_or_an_array(mixed, tmp_path):
    options = {"pictures": mixed, "extractor": "hsv-histogram", "cache": tmp_path / "cache"}
    image = Image.open(mixed / "1.png")
    pixels = np.asarray(image.convert("RGB"))
    expected = search(mixed / "1.png", **options).neighbours
    assert expected[0].id == "1.png"
    for picture_of_it in (str(mixed / "1.png"), image, pixels):
        found = search(picture_of_it, index=tmp_path / "index", **options)
        assert found.neighbours == expected
    assert found.query is None
    assert found.to_text().startswith("the picture: the nearest 9 of 9 pictures")
    assert found.to_json()["query"] is None
    assert len(found.to_cells()) == 9
    opened = open_index(tmp_path / "index")
    with pytest.raises(InputError, match=r"float64 .*\(array \* 255\)\.round\(\)\.astype"):
        opened.search(pixels / 255)
    with pytest.raises(InputError, match=r"float32 .*array\.round\(\)\.astype\('uint8'\)"):
        search(pixels.astype(np.float32), **options)


@pytest.mark.parametrize("method", ["lbp", "lbp+hog+rrf", "lbp+dba"])
def test_a_picture_is_left_out_with_its_copies(method, mixed, ask, tmp_path):
    shutil.copy(mixed / "0.jpg", mixed / "a b" / "copy.jpg")
    options = ("--pictures", mixed, "--extractor", method, "-k", 3)
    with_it = ask(mixed / "0.jpg", *options[:-1], 9)[1]["neighbours"]
    answer = ask(mixed / "0.jpg", *options, "--leave-out-query")[1]["neighbours"]
    assert {one["id"] for one in with_it[:2]} == {"0.jpg", "a b/copy.jpg"}
    assert [one["rank"] for one in answer] == [1, 2, 3]
    assert not {"0.jpg", "a b/copy.jpg"} & {one["id"] for one in answer}
    if method == "lbp":  # the distances of others depend on what is searched
        assert [one["id"] for one in answer] == [one["id"] for one in with_it[2:5]]
    with pytest.raises(InputError, match="left out by its file's bytes; give its path"):
        search(picture(3), pictures=mixed, extractor="lbp", leave_out_query=True)


def test_a_picture_whose_name_looks_like_an_option(mixed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(mixed / "0.jpg", "-x.jpg")
    assert search("-x.jpg", pictures=mixed, extractor="lbp").neighbours[0].id == "0.jpg"


def test_the_contact_sheet(mixed, parted, ask, tmp_path, capsys):
    sheet = tmp_path / "sheets" / "sheet.png"
    ask("--query-id", QUERY, "--dataset", parted, "--extractor", "lbp", "--show", sheet)
    drawn = np.asarray(Image.open(sheet))
    colours = {tuple(colour) for colour in drawn.reshape(-1, 3).tolist()}
    assert {(0x00, 0x9E, 0x73), (0xD5, 0x5E, 0x00), (0, 0, 0)} <= colours
    (mixed / "5.tiff").unlink(missing_ok=True)
    ask(mixed / "0.jpg", "--pictures", mixed, "--extractor", "lbp", "--show", sheet)
    colours = {tuple(c) for c in np.asarray(Image.open(sheet)).reshape(-1, 3).tolist()}
    assert (0x99, 0x99, 0x99) in colours
    assert (0xD5, 0x5E, 0x00) not in colours


def test_the_table_on_the_terminal(parted, capsys):
    main(["--query-id", QUERY, "--dataset", str(parted), "--extractor", "lbp", "-k", "3"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "00.png (apple): the nearest 3 of 13 pictures in parted by lbp"
    assert lines[1][:5] in ("  1 ○", "  1 ✕")
    assert lines[4].startswith("top-1 ")
    assert lines[4].count("○") + lines[4].count("✕") == 4
    assert len(lines) == 6


@pytest.mark.skipif(os.name == "nt", reason="such names are not possible there")
def test_strange_names_play_no_tricks(tmp_path, ask, capsys):
    root = tmp_path / "strange"
    root.mkdir()
    for number, name in enumerate((b"line\nbreak.png", b"\x1b[31mred.png", b"bytes\xff.png")):
        picture(number, 30).save(root / os.fsdecode(name), format="PNG")
    first = root / os.fsdecode(b"bytes\xff.png")
    sheet = tmp_path / "sheet.png"
    code, answer = ask(first, "--pictures", root, "--extractor", "lbp", "--show", sheet)
    assert code == 0
    assert answer["neighbours"][0]["id"] == "bytes\\xff.png"
    main([str(first), "--pictures", str(root), "--extractor", "lbp"])
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert len(printed.splitlines()) == 5


def test_a_folder_is_searched_by_what_a_dataset_of_any_layout_taught(mixed, ask, tmp_path):
    for hue, name in enumerate(("yes", "no")):
        for seed, (part, count) in enumerate((("learn", 4), ("shelf", 2), ("asks", 2)), 1):
            fill(tmp_path / "odd" / part / name, count, seed, hue)
    source = ("--pictures", mixed, "--learn-from", tmp_path / "odd")
    layout = ("--layout", "training=learn", "gallery=shelf", "query=asks")
    code, answer = ask(mixed / "0.jpg", *source, "--extractor", "lbp+hog", *layout)
    assert code == 0
    assert answer["neighbours"][0]["id"] == "0.jpg"


BAD = {
    "nothing to do": [],
    "exclude each other": ["x.png", "--query-id", "x"],
    "no index there": ["x.png", "--index", "NOWHERE"],
    "such picture|cannot be": ["missing.png", "--pictures", "PICTURES", "--extractor", "lbp"],
    "did you mean": ["x.png", "--pictures", "PICTURES", "--extractor", "lpb"],
    "with --learn-from": ["x.png", "--pictures", "PICTURES", "--extractor", "sift-bovw"],
    "leave \\+geometry away": ["x", "--pictures", "PICTURES", "--extractor", "orb-bovw+geometry"],
    "only a --dataset has queries": ["--query-id", "x", "--pictures", "PICTURES"],
    "--pictures and --dataset exclude": ["x", "--pictures", "PICTURES", "--dataset", "openmoji"],
    "goes with --pictures": ["x", "--learn-from", "openmoji"],
    "--epochs goes with --pictures or": ["x", "--index", "NOWHERE", "--epochs", "1"],
    "--seed goes with --pictures or": ["x", "--index", "NOWHERE", "--seed", "1"],
    "--reread goes with --pictures or": ["x", "--index", "NOWHERE", "--reread"],
    "--layout goes with --pictures or": ["x", "--index", "NOWHERE", "--layout", "flat"],
    "--layout goes with --dataset or": ["x", "--pictures", "PICTURES", "--layout", "flat"],
    "0 is less than 1": ["x", "-k", "0"],
    "no such folder": ["x", "--pictures", "NOWHERE"],
}


@pytest.mark.parametrize("complaint", BAD)
def test_bad_input_is_one_line(complaint, mixed, tmp_path, capsys):
    places = {"PICTURES": str(mixed), "NOWHERE": str(tmp_path / "nowhere")}
    given = [places.get(one, one) for one in BAD[complaint]]
    if "--query-id" in given and "--pictures" in given:
        given += ["--extractor", "lbp"]
    assert main(given) == 2
    printed = capsys.readouterr().err
    assert printed.splitlines()[-1].startswith("error: ")
    import re

    assert re.search(complaint, printed)


def test_a_query_that_is_not_there(parted, ask):
    code, printed = ask("--query-id", "pear.png", "--dataset", parted, "--extractor", "lbp")
    assert code == 2
    assert f"no such query; one is {QUERY}" in printed
    code, printed = ask("--query-id", "00.png", "--dataset", parted, "--extractor", "lbp")
    assert "4 queries end so; write more of the path" in printed


def test_the_menu_says_where_searching_begins():
    assert parse_method(EXTRACTOR).name == EXTRACTOR


def test_many_pictures_of_one_class(tmp_path, ask):
    fill(tmp_path / "many" / "one", 40, 3)
    path = tmp_path / "many" / "one" / "00.png"
    code, answer = ask(path, "--pictures", tmp_path / "many", "--extractor", "lbp", "-k", 100)
    assert code == 0
    assert len(answer["neighbours"]) == 40


@pytest.mark.parametrize("k", [0, -1, 1.5, "3", None, True])
def test_the_number_of_neighbours_is_one_that_the_command_takes(tmp_path, k):
    fill(tmp_path / "pictures", 3, 1)
    picture = next((tmp_path / "pictures").iterdir())
    given = {"pictures": tmp_path / "pictures", "extractor": "lbp", "cache": tmp_path / "cache"}
    index, _ = prepare_index(**given)
    for refused in (lambda: search(picture, k=k, **given), lambda: index.search(picture, k)):
        with pytest.raises(InputError, match=f"k={k!r} is no whole number of at least 1"):
            refused()
    assert len(index.search(picture, np.int64(2))) == 2
