"""Every file below a folder: systems' own, links, loops, depth and odd names."""

import os
import unicodedata

import pytest
from pictures import fill, picture
from test_recognition import parts, tree, understand

from datasets.errors import InputError
from datasets.walk import walk


def test_what_systems_and_programs_leave_is_passed_over_and_counted(tmp_path, load_dataset):
    root = tree(tmp_path / "f", cat=8, dog=8)
    for name in (".ipynb_checkpoints", ".thumbnails", "__MACOSX", "$RECYCLE.BIN", "lost+found"):
        fill(root / name, 3, 50)
    fill(root / "cat" / "@eaDir" / "0.png", 1, 51)
    fill(root / "System Volume Information" / "x", 1, 51)
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "._0.png", "._1.png"):
        picture(52).save(root / "dog" / name, "PNG")
    data = load_dataset(root)
    assert {image.label for _, image in data.images} == {"cat", "dog"}
    assert len(data.images) == 16
    counted = {problem.id: problem for problem in data.problems}
    assert set(counted) == {
        *(".ipynb_checkpoints", ".thumbnails", "__MACOSX", "$RECYCLE.BIN", "lost+found"),
        *("@eaDir", "System Volume Information", "Thumbs.db", "desktop.ini", ".DS_Store", "._*"),
    }
    assert counted["._*"].what == "hidden or the system's own (2 times, such as dog/._0.png)"
    assert {problem.outcome for problem in data.problems} == {"passed over"}


def test_a_number_or_version_behind_the_last_dot_is_no_ending(tmp_path):
    root = tree(tmp_path, a=1, recycled=1)
    next((root / "a").iterdir()).rename(root / "a" / "img.0.v2")
    assert parts(understand(root)) == {("", "a"): 1, ("", "recycled"): 1}


def test_names_compare_in_one_unicode_form(tmp_path, load_dataset):
    composed, apart = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    root = tmp_path / "nfd" / "validation"
    fill(root / "gallery" / composed, 4, 0)
    fill(root / "query" / apart, 2, 1)
    fill(root / "gallery" / "tea", 4, 2)
    fill(root / "query" / "tea", 2, 3)
    data = load_dataset(tmp_path / "nfd")
    assert {image.label for image in data.queries["query"]} == {composed, "tea"}
    assert not data.problems
    assert f"validation/query/{composed}/00.png" in {i.id for i in data.queries["query"]}


def test_files_whose_names_differ_in_form_only_are_both_there(tmp_path):
    root = tree(tmp_path, a=1, b=1)
    for form in ("NFC", "NFD"):
        picture(7).save(root / "a" / f"{unicodedata.normalize(form, 'é')}.png")
    found = understand(root)
    assert len({item.id for item in found.items}) == len(found.items) == 4


def test_a_folder_reached_twice_is_there_twice_and_only_a_loop_is_cut(tmp_path):
    fill(tmp_path / "pool", 6, 1)
    root = tree(tmp_path / "f", cat=6)
    (root / "dog").symlink_to(tmp_path / "pool")
    (root / "hound").symlink_to("../pool")
    (root / "cat" / "again").symlink_to(root)
    found = understand(root)
    assert parts(found) == {("", "cat"): 6, ("", "dog"): 6, ("", "hound"): 6}
    assert [(one.id, one.what) for one in found.problems] == [
        ("again", "a link to a folder above it (cat/again)")
    ]


def test_links_that_multiply_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.walk._MOST_LINKED", 500)
    for number in range(12):
        (tmp_path / "f" / str(number)).mkdir(parents=True)
    for number in range(12):
        for other in range(12):
            (tmp_path / "f" / str(number) / f"to{other}").symlink_to(tmp_path / "f" / str(other))
    with pytest.raises(InputError, match="links in it lead to more than 500 folders"):
        walk(tmp_path / "f")


def test_folders_beside_a_link_are_no_linked_ones(tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.walk._MOST_LINKED", 3)
    for number in range(9):
        (tmp_path / "f" / str(number) / "inner").mkdir(parents=True)
    (tmp_path / "f" / "link").symlink_to(tmp_path / "f" / "0")
    assert len(walk(tmp_path / "f").folders) == 20


def test_very_deep_folders_are_listed(tmp_path):
    deep = tmp_path / "f"
    deep.mkdir()
    here = os.open(deep, os.O_RDONLY)
    for _ in range(600):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    assert len(walk(deep).folders) == 600
