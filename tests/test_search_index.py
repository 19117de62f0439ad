"""An index that is kept: brought up to date, searched alone, and told from others."""

import json
import os
import shutil

import numpy as np
import pytest
from pictures import picture, scene
from PIL import Image
from skops.io import dump

from benchmarks.pipeline.cache.estimators import load, save
from benchmarks.pipeline.loading import dataset as loading
from benchmarks.search import build as building
from benchmarks.search import open_index, search
from benchmarks.search.__main__ import main
from benchmarks.search.files import INDEX
from datasets.errors import InputError
from extractors.local_features.encoders import BagOfWords

QUERY = "validation/query/apple/00.png"


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


@pytest.mark.parametrize(
    "row", ["rootsift-bovw", "sift-vlad+lbp", "colour-moments", "cnn-compact"]
)
def test_what_was_learned_is_kept_with_the_index(
    row, scenes, ask, tmp_path, short_training, capsys
):
    index = tmp_path / "index"
    code, first = ask("--query-id", "02.png", "--dataset", scenes, "--extractor", row)
    assert code == 0
    ask("--dataset", scenes, "--extractor", row, "--index", index)
    shutil.rmtree(tmp_path / "cache")
    asked = scenes / "validation" / "query" / "class-0" / "02.png"
    code, again = ask(asked, "--index", index)
    assert code == 0
    found, expected = (
        [(one["id"], pytest.approx(one["distance"], abs=1e-3)) for one in answer["neighbours"]]
        for answer in (again, first)
    )
    assert found == expected


def test_only_what_is_new_is_looked_at(mixed, ask, tmp_path, monkeypatch):
    index = tmp_path / "index"
    options = ("--pictures", mixed, "--extractor", "lbp", "--index", index)
    looked = []
    original = building.extract

    def watched(rows, dataset, *rest):
        looked.append([image.id for image in dataset.gallery])
        return original(rows, dataset, *rest)

    monkeypatch.setattr(building, "extract", watched)
    ask(mixed / "0.jpg", *options)
    assert len(looked.pop()) == 9
    before = json.loads((index / INDEX).read_text())["generation"]
    ask(mixed / "0.jpg", *options)
    assert looked == []
    assert json.loads((index / INDEX).read_text())["generation"] == before
    (mixed / "1.png").unlink()
    shutil.copy(mixed / "0.jpg", mixed / "copy.jpg")  # the same content needs no look
    picture(99, 40).save(mixed / "new.png")
    picture(98, 40).save(mixed / "3.gif")
    answer = ask(mixed / "0.jpg", *options, "-k", 20)[1]
    assert looked == [["3.gif", "new.png"]]
    ids = [one["id"] for one in answer["neighbours"]]
    assert {"0.jpg", "copy.jpg"} == set(ids[:2])
    assert "1.png" not in ids
    assert len(ids) == 10
    assert len([path for path in index.iterdir() if path.is_dir()]) == 1
    fresh = ask(mixed / "0.jpg", *options[:4], "--index", tmp_path / "other", "-k", 20)[1]
    assert fresh["neighbours"] == answer["neighbours"]


def test_an_index_alone_needs_no_dataset_and_no_cache(parted, ask, tmp_path):
    index = tmp_path / "index"
    assert main(["--dataset", str(parted), "--extractor", "hog", "--index", str(index)]) == 0
    asked = tmp_path / "asked.png"
    shutil.copy(parted / QUERY, asked)
    expected = ask(asked, "--dataset", parted, "--extractor", "hog")[1]["neighbours"]
    shutil.rmtree(parted)
    assert ask(asked, "--index", index)[1]["neighbours"] == expected
    opened = open_index(index)
    assert len(opened) == 13
    assert [one.id for one in opened.search(asked, 3)] == [one["id"] for one in expected[:3]]
    pixels = np.asarray(Image.open(asked).convert("RGB"))
    assert opened.search(pixels, 3) == opened.search(str(asked), 3)


def test_an_interrupted_update_leaves_the_old_index(mixed, ask, tmp_path, monkeypatch):
    index = tmp_path / "index"
    options = ("--pictures", mixed, "--extractor", "lbp", "--index", index)
    before = ask(mixed / "0.jpg", *options)[1]
    picture(99, 40).save(mixed / "new.png")
    monkeypatch.setattr(building, "_write_matrix", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ask(mixed / "0.jpg", *options)
    assert ask(mixed / "0.jpg", "--index", index)[1]["neighbours"] == before["neighbours"]
    assert len([path for path in index.iterdir() if path.is_dir()]) == 1


def test_a_replaced_picture_is_described_anew(tmp_path, ask):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        picture(number, hue=number).save(folder / f"{number}.bmp")
    given = ("--pictures", folder, "--extractor", "hsv-histogram", "--index", tmp_path / "index")
    assert ask(folder / "2.bmp", *given)[1]["neighbours"][0]["id"] == "2.bmp"
    old = (folder / "0.bmp").stat()
    shutil.copy(folder / "2.bmp", folder / "0.bmp")
    os.utime(folder / "0.bmp", ns=(old.st_atime_ns, old.st_mtime_ns))
    assert (folder / "0.bmp").stat().st_size == old.st_size
    found = ask(folder / "2.bmp", *given)[1]["neighbours"][:2]
    assert [(one["id"], one["distance"]) for one in found] == [("0.bmp", 0), ("2.bmp", 0)]


def test_everything_is_looked_at_anew_on_demand(mixed, ask, tmp_path, monkeypatch):
    options = ("--pictures", mixed, "--extractor", "hsv-histogram", "--index", tmp_path / "index")
    monkeypatch.setattr(loading, "_state", str)  # a disk whose files never seem to change
    before = ask(mixed / "1.png", *options)[1]["neighbours"]
    shutil.copy(mixed / "2.webp", mixed / "1.png")
    assert ask(mixed / "2.webp", *options)[1]["neighbours"][1]["distance"] > 0
    assert ask(mixed / "2.webp", *options, "--reread")[1]["neighbours"][1]["distance"] == 0
    found = ask(mixed / "2.webp", *options)[1]["neighbours"]
    assert [(one["id"], one["distance"]) for one in found[:2]] == [("1.png", 0), ("2.webp", 0)]
    assert before != found


def test_an_index_alone_marks_pictures_that_are_gone(mixed, ask, tmp_path):
    index = tmp_path / "index"
    ask("--pictures", mixed, "--extractor", "lbp", "--index", index)
    (mixed / "1.png").unlink()
    found = search(mixed / "0.jpg", index=index, k=20)
    assert [one.id for one in found.neighbours if one.is_gone] == ["1.png"]
    lines = found.to_text().splitlines()
    assert [line.split()[-2] for line in lines if line.endswith(" (gone)")] == ["1.png"]
    assert any(line.startswith("gone: moved, deleted or changed since") for line in lines)
    assert ask(mixed / "0.jpg", "--index", index, "-k", 20)[1]["gone"] == ["1.png"]
    shutil.copy(mixed / "0.jpg", mixed / "1.png")  # another, in its place
    shown = ("--index", index, "-k", 20, "--show", tmp_path / "shown.png")
    assert ask(mixed / "0.jpg", *shown)[1]["gone"] == ["1.png"]
    replaced = (tmp_path / "shown.png").read_bytes()
    (mixed / "1.png").unlink()
    ask(mixed / "0.jpg", *shown)
    assert (tmp_path / "shown.png").read_bytes() == replaced  # left blank


def test_from_python_an_index_is_searched_by_its_own_method(mixed, tmp_path):
    index = tmp_path / "index"
    made = search(mixed / "0.jpg", pictures=mixed, extractor="lbp", index=index)
    found = search(mixed / "0.jpg", index=index)
    assert found.extractor == "lbp"
    assert found.neighbours == made.neighbours
    with pytest.raises(InputError, match="is an index by lbp"):
        search(mixed / "0.jpg", index=index, extractor="hog")


def test_another_row_and_another_version_are_told(mixed, ask, tmp_path):
    index = tmp_path / "index"
    ask(mixed / "0.jpg", "--pictures", mixed, "--extractor", "lbp", "--index", index)
    code, printed = ask(mixed / "0.jpg", "--index", index, "--extractor", "hog")
    assert code == 2
    assert "is an index by lbp" in printed
    about = json.loads((index / INDEX).read_text())
    del about["checksum"]
    (index / INDEX).write_text(json.dumps(about | {"identity": "other"}))
    code, printed = ask(mixed / "0.jpg", "--index", index)
    assert code == 2
    assert "bring it up to date with --pictures or --dataset" in printed
    code, _ = ask(mixed / "0.jpg", "--pictures", mixed, "--extractor", "lbp", "--index", index)
    assert code == 0  # made anew
    (index / INDEX).write_text(json.dumps(about | {"format": 0}))
    assert "of another version" in ask(mixed / "0.jpg", "--index", index)[1]


def test_a_vocabulary_is_learned_once(parted, run, tmp_path, monkeypatch):
    for number, path in enumerate(sorted(parted.rglob("*.png"))):
        Image.fromarray(scene(number)).save(path)
    run("--extractor", "orb-bovw", "--dataset", parted)
    Image.fromarray(scene(177)).save(parted / "validation" / "gallery" / "apple" / "new.png")
    monkeypatch.setattr(BagOfWords, "fit", lambda *_: 1 / 0)
    assert run("--extractor", "orb-bovw", "--dataset", parted) == 0
    assert run("--extractor", "orb-bovw", "--dataset", parted, "--force") == 1


class Foreign:
    """Something that no extractor consists of."""


def test_nothing_foreign_is_restored(tmp_path):
    path = tmp_path / "head.skops"
    with path.open("wb") as file:
        dump({"words": Foreign()}, file)
    with pytest.raises(InputError, match=r"it holds .*Foreign"):
        load(path, BagOfWords)
    save(BagOfWords(words=3), path)
    assert load(path, BagOfWords).words == 3
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match="remove it and run again"):
        load(path, BagOfWords)
