"""Folders beside the parts of a dataset, and classes that hardly can be some."""

import pytest
from pictures import fill, picture

from datasets.class_folders import doubts
from datasets.errors import InputError
from datasets.recognition import read_layout
from datasets.walk import walk


def tree(root, *folders):
    """Make folders with two pictures each."""
    for seed, name in enumerate(folders):
        fill(root / name, 2, seed)
    return root


TRAIN_TEST = ("train/a", "train/b", "test/a", "test/b")
GALLERY_QUERY = ("gallery/a", "gallery/b", "query/a", "query/b")


@pytest.mark.parametrize(
    ("folders", "searched"),
    [
        ((*TRAIN_TEST, "distractor"), "test"),
        ((*GALLERY_QUERY, "Distractors/wolf"), "gallery"),
        ((*(f"validation/{name}" for name in GALLERY_QUERY), "distractor"), "validation/gallery"),
    ],
)
def test_distractors_beside_the_parts_are_refused(tmp_path, folders, searched):
    with pytest.raises(InputError, match=f"lies beside the parts, .* move it into {searched}/"):
        read_layout(walk(tree(tmp_path, *folders)))


@pytest.mark.parametrize("folders", [(*GALLERY_QUERY, "val/a"), (*TRAIN_TEST, "val")])
def test_pictures_that_play_no_part_are_warned_of(tmp_path, folders):
    found = read_layout(walk(tree(tmp_path, *folders)))
    assert found.layout.warnings == ("pictures in 'val' play no part and are left out",)
    assert len(found.items) == 8


def test_a_cover_makes_no_class_of_a_folder_of_folders(tmp_path):
    for seed, name in enumerate(("amazon/cup", "amazon/pen", "dslr/cup", "dslr/pen")):
        fill(tmp_path / name, 8, seed)
    picture(9).save(tmp_path / "dslr" / "cover.png")
    with pytest.raises(InputError, match="'amazon' and 'dslr' hold folders, not pictures"):
        read_layout(walk(tmp_path))


@pytest.mark.parametrize("folders", [("images",), ("train", "test")])
def test_a_table_in_the_folder_of_the_pictures_is_named(tmp_path, folders):
    tree(tmp_path, *folders)
    (tmp_path / folders[0] / "metadata.csv").write_text("file_name,label\n00.png,cat\n")
    with pytest.raises(InputError, match=rf"NAME=.*{folders[0]}.metadata.csv"):
        read_layout(walk(tmp_path))


def test_files_beside_a_wrapper_are_counted_by_folder(tmp_path):
    tree(tmp_path, "Images/cat", "Images/dog")
    for number in range(3):
        (tmp_path / "Annotation" / "cat").mkdir(parents=True, exist_ok=True)
        (tmp_path / "Annotation" / "cat" / f"{number}").write_text("<annotation>")
    [row] = read_layout(walk(tmp_path)).problems
    assert (row.id, row.outcome) == ("../Annotation/", "3 files left out")


def test_any_number_of_classes_is_looked_at_once_each():
    looked_at = 0

    class Name(str):
        __slots__ = ()

        def __hash__(self):
            nonlocal looked_at
            looked_at += 1
            return super().__hash__()

    names = [Name(f"person {number}") for number in range(500)]
    assert doubts([(name, "0.png") for name in names]) == ([], [])
    assert looked_at < 50 * len(names)
