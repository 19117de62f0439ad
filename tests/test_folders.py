"""Folders beside the parts of a dataset, and classes that hardly can be some."""

import os

import pytest
from pictures import fill, picture

import datasets
from datasets.class_folders import doubts_about_folders
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


@pytest.mark.parametrize(
    "folders", [(*GALLERY_QUERY, "val/a"), (*TRAIN_TEST, "val"), (*TRAIN_TEST, "val/val")]
)
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


@pytest.mark.parametrize("above", ["", "data/"])
def test_folders_that_hold_nothing_but_one_of_their_name_are_looked_through(tmp_path, above):
    names = ("training_set/training_set", "test_set/test_set")
    tree(tmp_path, *(f"{above}{name}/{one}" for name in names for one in ("cats", "dogs")))
    found = read_layout(walk(tmp_path))
    assert found.layout.form == "train-test"
    assert {(item.part, item.label) for item in found.items} == {
        (part, label) for part in ("training", "held out") for label in ("cats", "dogs")
    }
    assert all((found.root / item.id).is_file() for item in found.items)
    assert not found.problems


def test_classes_that_are_unpacked_into_folders_of_their_name(tmp_path):
    found = read_layout(walk(tree(tmp_path, "cat/cat", "dog/dog", "cow")))
    assert {(item.id[:-6], item.label) for item in found.items} == {
        ("cat/cat/", "cat"),
        ("dog/dog/", "dog"),
        ("cow/", "cow"),
    }


@pytest.mark.parametrize("names", [("images",), ("images", "masks"), ("Photos", "resized")])
def test_folders_in_classes_that_are_no_classes_are_looked_through(tmp_path, names):
    for seed, name in enumerate(f"{label}/{name}" for label in "ab" for name in names):
        fill(tmp_path / name, 4, seed)
    found = read_layout(walk(tmp_path))
    assert {(item.id.split("/")[1], item.label) for item in found.items} == {
        (names[0], "a"),
        (names[0], "b"),
    }
    for label in "cd":
        fill(tmp_path / label / f"{label} only", 3, ord(label))
    assert {item.label for item in read_layout(walk(tmp_path)).items} == {*"abcd"}
    fill(tmp_path / "a" / names[0] / "cup", 2, 9)
    with pytest.raises(InputError, match="a table with columns path and label says that those in"):
        read_layout(walk(tmp_path))


def test_parts_whose_pictures_lie_in_one_folder_have_no_classes(tmp_path):
    tree(tmp_path, "train/a/images", "train/b/images", "val/images", "test/images")
    with pytest.raises(InputError, match=r"no class folders in 'test' and 'val', .*give .*/train"):
        read_layout(walk(tmp_path))


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("seg_train", "seg_test"),
        ("train_data", "validation"),
        ("2021_train_mini", "2021_valid"),
        ("train/train", "test_images"),
    ],
)
def test_parts_in_other_words_that_share_classes(tmp_path, train, test):
    tree(tmp_path, *(f"{part}/{one}" for part in (train, test) for one in ("cats", "dogs")))
    picture(9).save(tmp_path / train.split("/")[0] / "cover.png")
    fill(tmp_path / "to_predict", 2, 9)
    if "/" in train:
        (tmp_path / "train" / "cover.png").unlink()
    found = read_layout(walk(tmp_path))
    assert {(item.part, item.label) for item in found.items} == {
        (part, label) for part in ("training", "held out") for label in ("cats", "dogs")
    }
    assert found.layout.warnings == ("pictures in 'to_predict' play no part and are left out",)


def test_parts_in_other_words_that_share_no_classes_are_refused(tmp_path):
    tree(tmp_path, "seg_train/a", "seg_train/b", "seg_test/b", "seg_test/c")
    with pytest.raises(InputError, match="hold folders, not pictures"):
        read_layout(walk(tmp_path))


def test_the_table_beside_the_only_folder_is_named(tmp_path):
    (tree(tmp_path / "f", "img_align") / "list.csv").write_text("image_id,label\n00.png,cat\n")
    with pytest.raises(InputError, match=r"'img_align' would be the only class .*NAME=.*list.csv"):
        read_layout(walk(tmp_path / "f"))
    (tmp_path / "f" / "qrels.txt").write_text("x 0 y 1\n")
    assert len(read_layout(walk(tmp_path / "f")).items) == 2


@pytest.mark.parametrize("folders", [("images",), ("train", "test")])
def test_a_table_in_the_folder_of_the_pictures_is_named(tmp_path, folders):
    tree(tmp_path, *folders)
    (tmp_path / folders[0] / "metadata.csv").write_text("file_name,label\n00.png,cat\n")
    with pytest.raises(InputError, match=rf"NAME=.*{folders[0]}.metadata.csv"):
        read_layout(walk(tmp_path))


def test_the_table_beside_folders_called_like_parts_is_named(tmp_path):
    tree(tmp_path, "train_images", "test_images")
    for name in ("sample_submission.csv", "train.csv"):
        (tmp_path / name).write_text("image_id,label\n00.png,cat\n")
    with pytest.raises(InputError, match=r"sound like parts, .*\(.*, NAME=.*train.csv\); say"):
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
    assert doubts_about_folders([(name, "0.png") for name in names]) == ([], [])
    assert looked_at < 50 * len(names)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("images_001", "images_002"), "sound like parts"),
        (("HAM10000_images_part_1", "HAM10000_images_part_2"), "sound like parts"),
        (("part_0001", "part_0002"), "sound like parts"),
        (("shard-00001-of-00002", "shard-00002-of-00002"), "sound like parts"),
        (("train_0", "train_1"), "sound like parts"),
        (("train_a", "train_b", "train_0"), "sound like parts"),
        (("train_small", "train_large"), "sound like parts"),
        (("drive-download-20240101T1-001", "drive-download-20240101T1-002"), "sound like parts"),
        (("Photos Part 1 of 2", "Photos Part 2 of 2"), "sound like parts"),
        (("holiday", "holiday (1)"), "sound like parts"),
        (("100APPLE", "101APPLE"), "sound like parts"),
        (("trainimages", "testimages"), "sound like parts"),
        (("querydata", "gallerydata"), "sound like parts"),
        (("cat", "dog", "thumbs_128"), "'thumbs_128': not the name of a class"),
        (
            ("cat", "cat_masks", "dog", "dog-256x256"),
            "sound like what was made of 'cat' and 'dog'",
        ),
        (("Shoe_photo", "Shoe_sketch"), "sound like views"),
        (("photo_cat", "photo_dog", "sketch_cat", "sketch_dog"), "sound like views"),
        (("RGB", "thermal_8_bit"), "sound like views"),
        (("HR", "LR"), "sound like views"),
        (("2023-05-01", "2023-06-12"), "sound like parts"),
        (("202305_a", "202306__"), "sound like parts"),
        (("01.05.2023", "17.06.2023"), "sound like parts"),
        (("05-17-2023", "06-01-2023"), "sound like parts"),
        (("May 17, 2023", "June 1, 2023"), "sound like parts"),
        (("2023-05-17 Rome", "2023-06-01 Paris"), "sound like parts"),
        (("Rome, Lazio, 17 May 2023", "Paris, 1 June 2023"), "sound like parts"),
        (("3. März 2023", "17. Oktober 2023"), "sound like parts"),
        (("OneDrive_2023-05-01", "OneDrive_2023-06-01"), "sound like parts"),
        (("wetransfer_a_2023-05-01_1200", "wetransfer_b_2023-05-02_1300"), "sound like parts"),
        (("Januar", "März"), "sound like parts"),
        (("WhatsApp Images", "Sent"), "sound like parts"),
        (("January", "February"), "sound like parts"),
        (("Camera", "Screenshots", "WhatsApp Images"), "sound like parts"),
        (("cat", "dog", "cat (1)"), "'cat \\(1\\)' sound like what was made of 'cat'"),
        (("cat", "dog", "dog - Copy", "cat copy 2"), "made of 'cat' and 'dog'"),
        (("cat", "dog", "cat_augmented", "dog_old"), "made of 'cat' and 'dog'"),
    ],
)
def test_names_that_say_they_are_no_classes_are_refused(tmp_path, names, reason):
    with pytest.raises(InputError, match=reason):
        read_layout(walk(tree(tmp_path, *names)))
    assert read_layout(walk(tmp_path), ["classes"]).layout.form == "classes"


@pytest.mark.parametrize(
    "names",
    [
        ("class1", "class2"),
        ("person_1", "person_2"),
        ("n01440764", "n02102040"),
        ("0", "1", "2"),
        ("001.Albatross", "002.Auklet"),
        ("sketchbook", "photographer", "mother"),
        ("steam_train", "freight_train_a"),
        ("cat", "small cat", "dog_small"),
        ("2001", "2002"),
        ("BMW 3 Series 2012", "Audi 100 Wagon 1994", "Acura TL 2012"),
        ("2023-05-17", "sunset"),
        ("12 Angry Men 1957", "8 Mile 2002"),
        ("marble", "octopus", "sepia"),
        ("camera", "phone", "laptop"),
        ("may", "april", "june", "rose"),
    ],
)
def test_names_of_classes_are_taken_for_some(tmp_path, names):
    found = read_layout(walk(tree(tmp_path, *names)))
    assert {item.label for item in found.items} == {*names}
    assert found.layout.warnings == ()


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("test1", "'test1' is taken for a class, not for a part"),
        ("images_val", "'images_val' is taken for a class, not for a part"),
        ("257.clutter", "if its pictures have nothing in common"),
        ("other", "if its pictures have nothing in common"),
        ("negatives", "if its pictures have nothing in common"),
        ("New folder (2)", "if its pictures have nothing in common"),
        ("_to_delete", "if its pictures have nothing in common"),
    ],
)
def test_a_class_that_may_be_none_is_warned_of(tmp_path, name, warning):
    [told] = read_layout(walk(tree(tmp_path, "cat", "dog", name))).layout.warnings
    assert warning in told


@pytest.mark.parametrize(("first", "told"), [(100, 1), (0, 0), (1, 0)])
def test_numbered_folders_of_consecutive_numbers_are_warned_of(tmp_path, first, told):
    for folder in range(3):
        (tmp_path / str(folder)).mkdir()
        for number in range(3):
            seed = 10 * folder + number
            picture(seed).save(tmp_path / str(folder) / f"{first * folder + number}.png")
    warnings = read_layout(walk(tmp_path)).layout.warnings
    assert sum("portions of one whole rather than classes?" in one for one in warnings) == told


def test_a_test_part_of_other_classes_than_validation_is_refused(tmp_path):
    root = tree(tmp_path, "train/a", "train/b", "val/a", "val/b", "test/x0", "test/x1")
    with pytest.raises(InputError, match=r"'test' .*none of the classes.*held-out=val"):
        read_layout(walk(root))
    found = read_layout(walk(root), ["training=train", "held-out=val"])
    assert {item.label for item in found.items} == {"a", "b"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cifar-10/data_batch_1", "no picture among 1 files, such as 'cifar-10/data_batch_1'"),
        ("shards/0.tar", "archives are not opened, unpack them first"),
    ],
)
def test_what_is_there_in_place_of_pictures_is_named(tmp_path, name, said):
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_bytes(b"\x80\x02}q")
    with pytest.raises(InputError, match=said):
        read_layout(walk(tmp_path))


def test_a_folder_with_a_background_class_is_caltechs(tmp_path):
    root = tree(tmp_path / "x", "BACKGROUND_Google", "ant", "bonsai")
    with pytest.raises(InputError, match="caltech101="):
        datasets.resolve(str(root))[0].collect(root)
    source, _ = datasets.resolve(f"caltech101={root}")
    assert {item.label for item in source.collect(root).items} == {"ant", "bonsai"}


def test_pipes_are_no_pictures_and_wait_for_nobody(tmp_path):
    os.mkfifo(tree(tmp_path, "a", "b") / "a" / "pipe")
    assert len(read_layout(walk(tmp_path)).items) == 5


def test_pictures_that_are_still_in_the_cloud_are_told(tmp_path):
    (tree(tmp_path, "a", "b") / "a" / ".x.jpg.icloud").touch()
    [row] = read_layout(walk(tmp_path)).problems
    assert row.what == "still in iCloud; download it (a/.x.jpg.icloud)"


def test_a_picture_called_like_a_readme_is_a_picture(tmp_path):
    tree(tmp_path, "a", "b")
    picture(5).save(tmp_path / "license.1.png")
    [row] = read_layout(walk(tmp_path)).problems
    assert (row.id, row.what) == ("license.1.png", "lies in no class folder")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("7.jpg", "7.jpg_original"),
        ("7.jpg", "7.jpg~"),
        ("7.jpg", "7.jpg.bak"),
        ("7.jpg", "7-edited.jpg"),
        ("7.jpg", "7 copy.jpg"),
        ("7.jpg", "7 - Copy (2).jpg"),
        ("7.jpg", "7 (1).jpg"),
        ("7.jpg", "7 (Bob's conflicted copy 2023-01-02).jpg"),
        ("7.jpg", "7@2x.jpg"),
        ("7.jpg", "7-scaled.jpg"),
        ("7.jpg", "7_flipped.jpg"),
        ("7.jpg", "7_aug_3.png"),
        ("IMG_7.jpg", "IMG_E7.jpg"),
        (f"7_jpg.rf.{'0a' * 16}.jpg", f"7_jpg.rf.{'b1' * 16}.jpg"),
    ],
)
def test_versions_of_one_picture_in_a_class_are_told(tmp_path, first, second):
    tree(tmp_path, "cat", "dog")
    picture(50).save(tmp_path / "cat" / first, "JPEG")
    picture(51).save(tmp_path / "cat" / second, "JPEG")
    found = read_layout(walk(tmp_path))
    [warning] = found.layout.warnings
    assert "2 pictures are called alike" in warning
    assert "column group keeps" in warning


def test_numbers_in_brackets_are_no_versions_of_one_another(tmp_path):
    tree(tmp_path, "cat", "dog")
    for number in range(4):
        picture(number).save(tmp_path / "cat" / f"holiday ({number}).jpg")
    assert read_layout(walk(tmp_path)).layout.warnings == ()


def test_a_folder_in_a_class_with_the_names_of_the_class_is_told(tmp_path):
    tree(tmp_path, "cat", "dog", "cat/web", "dog/thumb")
    found = read_layout(walk(tmp_path)).layout.warnings
    assert found[0] == "folders called 'thumb' in class folders are left out"
    assert found[1].startswith("cat/web: its pictures are called like 2 of 'cat'")


@pytest.mark.parametrize(
    "ending", ["jpg_large", "jpg?w=640", "jpg!d", "bin", "image", "jpg.tmp", "jpg "]
)
def test_pictures_of_unknown_endings_are_pictures(tmp_path, ending):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(3):
            picture(number).save(tmp_path / name / f"{number}.{ending}", "PNG")
    (tmp_path / "cat" / "notes.txt").write_text("no picture")
    assert len(read_layout(walk(tmp_path)).items) == 7


def test_pictures_of_the_gallery_without_a_class_are_refused(tmp_path, load_dataset):
    fill(tmp_path / "images", 12, 7)
    rows = [
        f"images/{n:02}.png,{'abc'[n % 3]},{'query' if n > 8 else 'gallery'}" for n in range(12)
    ]
    rows[3:5] = ["images/03.png,,gallery", "images/04.png,,gallery"]
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(["path,label,part", *rows]))
    with pytest.raises(InputError, match=r"2 pictures of the gallery have no class, .* them dis"):
        load_dataset(path)
    path.write_text(path.read_text().replace(",,", ",distractor,"))
    assert sum(one.distractor is not None for one in load_dataset(path).gallery) == 2


def test_classes_of_one_group_say_that_groups_are_why(tmp_path, load_dataset):
    fill(tmp_path / "images", 12, 7)
    rows = [f"images/{n:02}.png,{'abc'[n % 3]},{n % 3}" for n in range(12)]
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(["path,label,group", *rows]))
    with pytest.raises(InputError, match="of two groups: those of one are never asked"):
        load_dataset(path)


def test_a_class_of_which_nothing_can_be_read_is_told(tmp_path, load_dataset):
    root = tree(tmp_path / "f", "cat", "dog")
    (root / "cow").mkdir()
    for number in range(3):
        (root / "cow" / f"{number}.dcm").write_bytes(bytes(128) + b"DICM" + bytes([number]))
    assert "class 'cow': none of its 3 files can be read, so it takes no part" in (
        load_dataset(root).warnings
    )
