"""The files of an index: damage is found, strangers are refused, others may work there as well."""

import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
import pytest
from damages import DAMAGES
from pictures import picture, scene
from PIL import Image

from benchmarks.search import open_index
from benchmarks.search.api import prepare_index
from benchmarks.search.files import INDEX, MARKER, FileSum
from benchmarks.search.generations import new_generation
from datasets.errors import DamagedError, InputError

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def bring(mixed, tmp_path):
    """Make an index of the folder or bring it up to date, and open it."""

    def build(index=tmp_path / "index", extractor="lbp", **options):
        cache = tmp_path / "cache"
        return prepare_index(
            pictures=mixed, index=index, extractor=extractor, cache=cache, **options
        )[0]

    return build


def generation(index):
    return index / json.loads((index / INDEX).read_text())["generation"]


def seal(index):
    """Give an index the checksums of its files, as a stranger can who changed them."""
    about = json.loads((index / INDEX).read_text())
    del about["checksum"]
    files = generation(index).rglob("*")
    about["files"] = {
        path.relative_to(generation(index)).as_posix(): msgspec.to_builtins(FileSum.of(path))
        for path in files
        if path.is_file() and path.name != MARKER
    }
    (index / INDEX).write_text(json.dumps(about))


DAMAGE = {
    name: lambda path, damage=damage: path.write_bytes(damage(path.read_bytes()))
    for name, damage in DAMAGES.items()
} | {"gone": Path.unlink}


def test_any_damaged_file_is_found_and_made_anew(tmp_path):
    for number in range(9):
        part = ("training", "validation/gallery", "validation/query")[number % 3]
        folder = tmp_path / "scenes" / part / f"class-{number % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene(number)).save(folder / f"{number:02}.png")
    options = {"dataset": str(tmp_path / "scenes"), "extractor": "rootsift-bovw"}
    options |= {"index": tmp_path / "index", "cache": tmp_path / "cache"}
    asked = tmp_path / "scenes" / "validation" / "query" / "class-0" / "02.png"
    expected = prepare_index(**options)[0].search(asked)
    names = sorted(
        path.relative_to(generation(tmp_path / "index")).as_posix()
        for path in generation(tmp_path / "index").rglob("*")
        if path.is_file() and path.name != MARKER
    )
    assert {"images.npy", "vectors-0.npy", "lengths-0.npy", "learned-0/head.skops"} <= set(names)
    for name in names:
        path = generation(tmp_path / "index") / name
        content = path.read_bytes()
        for damage in DAMAGE.values():
            damage(path)
            with pytest.raises(DamagedError) as raised:
                open_index(tmp_path / "index")
            assert str(raised.value).startswith(f"--index {tmp_path / 'index'}: damaged ({name} ")
            assert str(raised.value).endswith("; --pictures or --dataset makes it anew")
            path.write_bytes(content)
        assert open_index(tmp_path / "index").search(asked) == expected
        DAMAGE["flipped"](path)
        assert prepare_index(**options)[0].search(asked) == expected
    (generation(tmp_path / "index") / "learned-0" / "head.skops").write_text("a stranger's")
    seal(tmp_path / "index")
    with pytest.raises(
        DamagedError, match=r"head\.skops: .*--pictures or --dataset makes it anew"
    ):
        open_index(tmp_path / "index")
    assert prepare_index(**options)[0].search(asked) == expected


def changed(name, change):
    def write(place):
        np.save(place / name, change(np.load(place / name)))

    return write


def with_column(name, value):
    def change(table):
        table[name][1] = value
        return table

    return change


FORGED = {
    "float64": changed("vectors-0.npy", lambda rows: rows.astype(np.float64)),
    "complex": changed("vectors-0.npy", lambda rows: rows.astype(np.complex64)),
    "NaN": changed("vectors-0.npy", lambda rows: rows * np.float32(np.nan)),
    "infinite": changed("lengths-0.npy", lambda rows: rows / np.float32(0)),
    "one row less": changed("vectors-0.npy", lambda rows: rows[:-1]),
    "no rows": changed("vectors-0.npy", lambda rows: rows[:0]),
    "one dimension": changed("vectors-0.npy", lambda rows: rows[:, 0]),
    "no lengths": changed("lengths-0.npy", lambda rows: rows[:-1]),
    "another table": changed("images.npy", lambda rows: rows["label"]),
    "no table": changed("images.npy", lambda rows: rows[:0]),
    "ids no UTF-8": changed("images.npy", with_column("id", b"\xff")),
    "hashes no text": changed("images.npy", with_column("sha256", b"\xff" * 64)),
    "a class that is none": changed("images.npy", with_column("label", 99)),
    "a class below none": changed("images.npy", with_column("distractor", -2)),
    "text for a matrix": lambda place: (place / "vectors-0.npy").write_text("text"),
    "an archive for a matrix": lambda place: write_archive(place / "vectors-0.npy"),
}


def write_archive(path):
    with path.open("wb") as file:
        np.savez(file, np.zeros((9, 30), np.float32))


@pytest.mark.parametrize("case", FORGED)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_strangers_matrices_are_searched_only_if_they_can_be(case, mixed, bring, tmp_path):
    expected = bring().search(mixed / "0.jpg")
    FORGED[case](generation(tmp_path / "index"))
    seal(tmp_path / "index")
    with pytest.raises(DamagedError, match=r"damaged \(.+\); --pictures or --dataset makes it"):
        open_index(tmp_path / "index")
    assert bring().search(mixed / "0.jpg") == expected


@pytest.mark.parametrize("linked", ["the generation", "images.npy", "vectors-0.npy"])
def test_links_lead_nowhere(linked, mixed, bring, tmp_path):
    expected = bring().search(mixed / "0.jpg")
    place = generation(tmp_path / "index")
    own = place if linked == "the generation" else place / linked
    target = tmp_path / "mine" / own.name
    target.parent.mkdir()
    own.rename(target)
    own.symlink_to(target)
    before = sorted((tmp_path / "mine").rglob("*"))
    with pytest.raises(DamagedError, match="is missing"):
        open_index(tmp_path / "index")
    assert bring().search(mixed / "0.jpg") == expected
    assert sorted((tmp_path / "mine").rglob("*")) == before


def test_a_folder_that_looks_like_a_generation_stays(mixed, bring, tmp_path):
    bring()
    index = tmp_path / "index"
    for name, files in (
        ("20240101", ["images.npy"]),
        ("20240102", ["images.npy", MARKER, "IMG_1.JPG"]),
        ("photos", ["images.npy", MARKER]),
    ):
        (index / name).mkdir()
        for file in files:
            (index / name / file).write_bytes(b"mine")
    (index / "0badcafe").symlink_to(index / "photos")
    before = sorted(
        path for path in index.rglob("*") if path.is_file() and path.read_bytes() == b"mine"
    )
    picture(99, 40).save(mixed / "new.png")
    bring()
    assert (
        sorted(
            path for path in index.rglob("*") if path.is_file() and path.read_bytes() == b"mine"
        )
        == before
    )
    assert {"20240101", "20240102", "photos", "0badcafe"} < {p.name for p in index.iterdir()}


def test_what_cannot_be_read_is_not_called_damaged(mixed, bring, tmp_path, monkeypatch):
    bring()

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(FileSum, "of", refuse)
    before = sorted((tmp_path / "index").rglob("*"))
    for opened in (bring, lambda: open_index(tmp_path / "index")):
        with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)") as raised:
            opened()
        assert not isinstance(raised.value, DamagedError)
    assert sorted((tmp_path / "index").rglob("*")) == before


def test_an_open_index_stays_what_it_was(mixed, bring, tmp_path):
    bring()
    opened = open_index(tmp_path / "index")
    expected = opened.search(mixed / "0.jpg", 20)
    picture(99, 40).save(mixed / "new.png")
    assert len(bring()) == len(opened) + 1
    assert opened.search(mixed / "0.jpg", 20) == expected
    shutil.rmtree(tmp_path / "index")
    assert opened.search(mixed / "0.jpg", 20) == expected


def test_an_index_is_opened_while_others_bring_it_up_to_date(mixed, bring, tmp_path):
    bring()

    def rebuild(number):
        picture(100 + number, 40).save(mixed / f"new-{number}.png")
        return len(bring())

    with ThreadPoolExecutor(1) as others:
        rebuilt = [others.submit(rebuild, number) for number in range(4)]
        opened = []
        while not all(one.done() for one in rebuilt):
            opened.append(len(open_index(tmp_path / "index").search(mixed / "0.jpg", 99)))
    assert [one.result() for one in rebuilt] == [10, 11, 12, 13]
    assert opened == sorted(opened)
    assert len(opened) > 4


def test_two_build_at_once(mixed, bring, tmp_path):
    with ThreadPoolExecutor(2) as both:
        found = list(both.map(lambda _: bring().search(mixed / "0.jpg"), range(2)))
    assert found[0] == found[1] == open_index(tmp_path / "index").search(mixed / "0.jpg")
    picture(99, 40).save(mixed / "new.png")
    bring()
    assert len([path for path in (tmp_path / "index").iterdir() if path.is_dir()]) == 1


def test_what_killed_builders_left_is_removed_and_what_living_ones_make_is_not(
    mixed, bring, tmp_path
):
    bring()
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from benchmarks.search.generations import new_generation\n"
        "with new_generation(Path(sys.argv[1])) as place:\n"
        "    (place / 'learned-0').mkdir(); (place / 'images.npy').write_bytes(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code, tmp_path / "index"], cwd=ROOT, check=False)
    (tmp_path / "index" / ".half-written-x.part").write_bytes(b"{")
    assert len(list((tmp_path / "index").iterdir())) == 5
    picture(99, 40).save(mixed / "new.png")
    with new_generation(tmp_path / "index") as living:
        bring()
        left = {path for path in (tmp_path / "index").iterdir() if path.is_dir()}
        assert left == {living, generation(tmp_path / "index")}
        (living / "images.npy").write_bytes(b"whole")


def test_a_full_disk_leaves_the_old_index(mixed, bring, tmp_path):
    resource = pytest.importorskip("resource", reason="limits the size of files")
    expected = bring().search(mixed / "0.jpg")
    index = generation(tmp_path / "index")
    for number in range(40):
        picture(100 + number, 40).save(mixed / f"new-{number}.png")
    for path in mixed.rglob("*"):
        os.utime(path, (0, 0))
    time.sleep(2.1)  # until files are as they were, by the grain of their times
    bring(tmp_path / "other")  # so that nothing but the index is left to be written
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OSError, match="File too large") as raised:
            bring()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert raised.value.filename.startswith(str(tmp_path / "index"))
    assert [path for path in (tmp_path / "index").iterdir() if path.is_dir()] == [index]
    assert open_index(tmp_path / "index").search(mixed / "0.jpg") == expected
    assert len(bring()) == 49


@pytest.mark.skipif(os.name == "nt", reason="such names are not possible there")
def test_a_folder_whose_name_is_no_text_has_an_index(mixed, tmp_path):
    root = tmp_path / os.fsdecode(b"pictures \xff")
    mixed.rename(root)
    options = {"pictures": root, "index": tmp_path / "index", "cache": tmp_path / "cache"}
    prepare_index(extractor="lbp", **options)
    opened = open_index(tmp_path / "index")
    assert opened.about.name == "pictures \\xff"
    assert opened.search(root / "0.jpg", 1)[0].path == root / "0.jpg"
