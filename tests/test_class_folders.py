"""Folders whose pictures' names tell that they are no classes, and classes that only look so."""

import hashlib

import pytest
from pictures import picture

from datasets.class_folders import doubts_about_folders
from datasets.errors import InputError
from datasets.recognition import read_layout
from datasets.walk import walk


def named(**folders):
    """Paths of pictures; ``__`` in a name stands for ``/``."""
    return [
        (*folder.split("__"), f"{stem}.jpg") for folder, stems in folders.items() for stem in stems
    ]


def spread(pattern, folders, count=12):
    """The same names in several folders."""
    return [(folder, pattern(n)) for folder in folders for n in range(count)]


def tree(root, paths):
    for number, parts in enumerate(paths):
        path = root.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(path)
    return read_layout(walk(root))


HASHES = [hashlib.md5(bytes([n])).hexdigest() for n in range(60)]
CORRUPTIONS = ("fog", "frost", "snow", "blur", "noise", "pixelate", "contrast", "brightness")
WORDS = ("apple", "ant", "acorn", "bear", "bee", "boat", "cat", "cow", "cup")
EACH = ("cat", "cow", "dog")


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        ([(one[:2], f"{one}.jpg") for one in HASHES], True),
        ([(one[:1], f"{one}.jpg") for one in HASHES], True),
        ([(one[-2:], f"{one}.jpg") for one in HASHES], True),
        ([(one[:2], f"{one[:8]}.jpg") for one in HASHES], True),
        ([(one[:1], f"{one}_z.jpg") for one in HASHES], True),
        ([(f"{n % 5:02}", f"nm{100 * n + n % 5:07}_rm{n}_1955-1-6.jpg") for n in range(20)], True),
        ([(one[:2], f"{one[:5]}.jpg") for one in HASHES], False),
        ([(f"{n % 3:03}", f"{n % 3:03}_{n:04}.jpg") for n in range(30)], False),
        ([(f"{n % 3}", f"img{n % 3}_{n:04}.jpg") for n in range(30)], False),
        ([(f"{n % 5:04}", f"{123000 + n % 5 + 10000 * n}.jpg") for n in range(20)], True),
        ([(one[0].upper(), f"{one}.jpg") for one in WORDS], True),
        ([(letter, f"{letter}{n}.jpg") for letter in "ABC" for n in range(9)], False),
        ([(letter, f"{letter}pple{n}.jpg") for letter in "ABC" for n in range(9)], False),
        ([(f"{n % 3}", f"{n % 3}_{n}.png") for n in range(30)], False),
        ([(f"{n % 10}", f"{n * n * 37 % 6007}.png") for n in range(40)], False),
        ([(f"n0144076{n % 3}", f"n0144076{n % 3}_{n}.JPEG") for n in range(30)], False),
        ([("cat" if n % 2 else "dog", f"{one}.jpg") for n, one in enumerate(HASHES)], False),
    ],
)
def test_shards_of_a_store_are_warned_of(paths, told):
    refusals, warnings = doubts_about_folders(paths)
    assert refusals == []
    assert [one.endswith("whole rather than classes?") for one in warnings] == [True] * told


@pytest.mark.parametrize(
    ("paths", "refused", "warned"),
    [
        (spread(lambda n: f"ILSVRC_{n * n + 7}.jpg", CORRUPTIONS), "the same names", ""),
        (spread(lambda n: f"{1683 + n * n}.jpg", [f"cam{n:02}" for n in range(8)]), "same n", ""),
        (spread(lambda n: f"{n}.jpg", CORRUPTIONS), "", ""),
        (spread(lambda n: f"{['front', 'back', 'top', 'side'][n]}.jpg", CORRUPTIONS, 4), "", ""),
        (
            spread(lambda n: f"{'abcdefghi'[n]}.jpg", CORRUPTIONS, 9),
            "",
            "views of the same things",
        ),
        (spread(lambda n: f"{'r_' * (n % 2)}{n // 2}_100.jpg", EACH, 40), "", "views of the"),
        (spread(lambda n: f"{'ts'[n % 2]}_{n // 2 * 30}.jpg", EACH, 24), "", "views of the"),
        (spread(lambda n: f"Image_{n + 1}.jpg", EACH), "", ""),
        (spread(lambda n: f"{n + 1:05}.jpg", ("Negative", "Positive"), 20), "", ""),
        (spread(lambda n: f"doc{n // 3}_page{n % 3 + 1}.jpg", EACH), "", ""),
        (spread(lambda n: f"IMG-0001-{n + 1:05}.jpg", EACH), "", ""),
        (spread(lambda n: f"{'Copy of ' * (n % 2)}{n // 2}.jpg", EACH, 24), "", ""),
        (spread(lambda n: f"doc{n // 3}_page{n % 3 + 1}.jpg", ("cam1", "cam2")), "", "views of"),
        (spread(lambda n: f"{n + 5}.jpg", EACH), "", "views of the same things"),
        (spread(lambda n: f"{n}.jpg", ("cam1", "cam2"), 20), "", "views of the same things"),
    ],
)
def test_pictures_of_the_same_names_in_several_folders(paths, refused, warned):
    refusals, warnings = doubts_about_folders(paths)
    assert any(refused in one for one in refusals) if refused else not refusals
    assert any(warned in one for one in warnings) if warned else not warnings


@pytest.mark.parametrize("times", range(1, 31))
def test_names_without_a_number_among_numbered_ones(times):
    """Whichever of the names comes first, which is chance."""
    others = [(folder, f"{letter * times}.jpg") for folder in EACH for letter in "abcdefgh"]
    refusals, warnings = doubts_about_folders(spread(lambda n: f"{n}.jpg", EACH, 40) + others)
    assert refusals == []
    assert any("views of the same things" in one for one in warnings)


RANDOM = {"cat": range(50, 900, 77), "dog": range(21, 950, 88), "cow": range(16, 980, 101)}


@pytest.mark.parametrize(
    ("stems", "told"),
    [
        ({name: [f"{name}{n}" for n in range(8)] for name in EACH}, True),
        ({name: [f"{k}{n}" for n in range(8)] for k, name in enumerate(EACH)}, True),
        ({name: [f"IMG_{n}" for n in numbers] for name, numbers in RANDOM.items()}, True),
        ({name: range(10 + 5 * k) for k, name in enumerate(EACH)}, False),
        ({"cat": range(40), "dog": range(40, 80), "cow": range(3, 9)}, False),
    ],
)
def test_a_folder_with_the_pictures_of_others_is_refused(stems, told):
    every = {str(stem) for some in stems.values() for stem in some}
    gathering = {"all": every} if told else {}
    refusals, _ = doubts_about_folders(named(**stems, **gathering))
    said = "'all' holds pictures called like those of 'cat', 'cow' and 'dog'"
    assert [one[: len(said)] for one in refusals] == [said] * told


@pytest.mark.parametrize(
    ("paths", "above", "refused", "warned"),
    [
        (named(**{"2019": ["IMG_20190301_101010"], "2020": ["IMG_20200301_1"]}), "", True, False),
        (named(**{"03": ["IMG_20230301_101010"], "04": ["IMG_20230401_1"]}), "x", True, False),
        (named(**{"03": ["IMG_0001"], "04": ["IMG_0002"]}), "2023", False, True),
        (named(**{"03": ["IMG_0001"], "04": ["IMG_0002"]}), "digits", False, False),
        (named(**{"2019": ["IMG_1001"], "2020": ["IMG_2001"]}), "", False, True),
        (named(**{"10040512": ["DSC01001"], "10140513": ["DSC01002"]}), "", True, False),
        (named(**{"202305": ["IMG_1001"], "202306": ["IMG_1002"]}), "", True, False),
        (named(**{"10482931": ["1"], "20593842": ["2"], "00012345": ["3"]}), "", False, False),
        (named(**{"200101": ["1"], "200112": ["2"], "190507": ["3"]}), "", False, False),
        (
            named(**{"Fotos von 2019": ["DSC_01001"], "Fotos von 2020": ["DSC_02"]}),
            "",
            False,
            False,
        ),
        (
            named(**{"Fotos von 2019": ["DSC_0101"], "Fotos von 2020": ["DSC_0201"]}),
            "",
            False,
            True,
        ),
        (
            named(
                **{
                    "Photos from 2019": ["IMG_1001"],
                    "Photos from 2020": ["IMG_1002"],
                    "Rome": ["IMG_1001"],
                }
            ),
            "",
            False,
            True,
        ),
        (named(**{"2019": ["IMG_1001"], "Rome": ["IMG_1002"]}), "", False, False),
        (named(**{"BMW 2019": ["IMG_1001"], "Audi 2019": ["IMG_1002"]}), "", False, False),
        (named(**{"2001": ["a"], "2002": ["b"]}), "", False, False),
        (named(**{"Audi 2011": ["000007"], "BMW 2012": ["000008"]}), "", False, False),
    ],
)
def test_years_and_months_of_a_camera(paths, above, refused, warned):
    refusals, warnings = doubts_about_folders(paths, above=above)
    assert [one.endswith("so they are hardly classes") for one in refusals] == [True] * refused
    assert [one.endswith("taken rather than classes?") for one in warnings] == [True] * warned


@pytest.mark.parametrize(
    ("names", "refused", "warned"),
    [
        (("cat", "dog", "ground_truth"), "'ground_truth': not the name", ""),
        (("mask", "no_mask"), "", ""),
        (("Mask", "Non Mask"), "", ""),
        (("Mask", "NoMask"), "", ""),
        (("mask", "norm"), "'mask': not the name of a class", ""),
        (("mask", "cat_mask"), "'mask': not the name of a class", ""),
        (("thumb", "index finger", "ring finger"), "", "'thumb' is taken for a class, not for"),
        (("crops", "weeds"), "", "'crops' is taken for a class"),
        (("figures", "pages", "text"), "", "'figures' is taken for a class"),
        (("original", "forged"), "", "'original' is taken for a class"),
        (("original", "augmented"), "'augmented': not the name", "'original' is taken"),
        (("crops",), "'crops': not the name", ""),
        (("cat", "heatmaps", "outputs"), "'heatmaps' and 'outputs': not the name", ""),
        (("DJI_001", "DJI_002_A"), "sound like parts", ""),
        (("OneDrive_1_5-1-2023", "OneDrive_2_5-1-2023"), "sound like parts", ""),
        (("cat", "dog", "dog - Kopie", "cat~2"), "made of 'cat' and 'dog'", ""),
        (("rust", "scab", "rust_scab", "rust and scab"), "", "several of the classes"),
        (("leaf rust", "scab", "leaf rust & scab"), "", "several of the classes"),
        (("bear", "polar bear", "cat"), "", ""),
        (("positive", "negative"), "", ""),
        (("cat", "dog", "negative"), "", "nothing in common"),
        (("cat", "dog", "no_label"), "", "nothing in common"),
        (("cat", "dog", "untagged"), "", "nothing in common"),
    ],
)
def test_words_in_the_names_of_folders(names, refused, warned):
    refusals, warnings = doubts_about_folders([(name, f"{n}.jpg") for n, name in enumerate(names)])
    assert any(refused in one for one in refusals) if refused else not refusals
    assert any(warned in one for one in warnings) if warned else not warnings


@pytest.mark.parametrize("name", ["thumb", "crops", "figures", "original"])
def test_folders_with_pictures_of_others_are_made_of_them(name):
    places = ("cat", "dog", name)
    assert f"{name!r}: not the name" in doubts_about_folders(spread("{}.jpg".format, places))[0][0]


@pytest.mark.parametrize(
    ("endings", "told"),
    [
        (("_crop", "_depthcrop", "_maskcrop"), "their last word"),
        (("_T", "_W", "_Z"), "their last word"),
        (("_before", "_after"), "their last word"),
        (("", "-corrigée", "-modifié"), "their last word"),
        (("", "-modifie"), "their last word"),
        ((".PORTRAIT-01.COVER", ".PORTRAIT-02.ORIGINAL"), "their ending or a word"),
        (("_BURST001_COVER", "_BURST002", "_BURST003"), "their ending or a word"),
        (("", "~2"), "their ending or a word"),
        (("", ".sync-conflict-20230501-101010-ABCDEFG"), "their ending or a word"),
        (("", " - Kopie"), "their ending or a word"),
        (("_90deg", "_180deg", "_270deg"), "their last word"),
        (("", "_90deg", "_flipLR"), "their last word"),
        (("_340", "_640", "_1280"), "their last word"),
        (("-150x150", "-300x200"), "their last word"),
        (("_aug0", "_aug1", "_aug2"), "their last word"),
        (("_EV0", "_EV-2", "_EV+2"), "their last word"),
        (("._AC_SL1500_", "._AC_SX300_"), "their last word"),
        (("-s-l1600", "-s-l64"), "their last word"),
        (("_x0_y0", "_x0_y256"), "their last word"),
        (("_Burst01", "_Burst02"), "their ending or a word"),
        ((".jpg_3f2504e0-4f89", ".jpg_9a0c0305-e82c"), "their ending or a word"),
        ((".pdf_page_1", ".pdf_page_2"), "their ending or a word"),
        (tuple(f"_frame{n:04}" for n in range(0, 80, 10)), "are of 4 series, such as 'ball_1_0'"),
        (tuple(f"_{n:03}" for n in range(1, 8)), "are of 4 series"),
        (("_red",), ""),
        (("_1",), ""),
        (("_a", "_b", "_c", "_d", "_e", "_f"), ""),
    ],
)
def test_views_of_one_thing_in_a_class_are_warned_of(tmp_path, endings, told):
    paths = [
        (name, f"{name}_1_{number}{ending}.jpg")
        for name in ("cap", "ball")
        for number in range(4)
        for ending in endings
    ]
    warnings = tree(tmp_path, paths).layout.warnings
    assert [told in one for one in warnings] == [True] * bool(told)


@pytest.mark.parametrize(
    "stems",
    [
        [f"aug_{k}_{n * 7919 % 9973}" for k in range(5) for n in range(4 * k, 4 * k + 4)],
        [f"2019010{k}_103000_{n:03}" for k in range(1, 4) for n in range(k, 9 + k)],
        [f"0000{n}IMG_0000{n}_BURST20190101123456789" for n in range(4)],
        [f"SOB_B-14-{case}-40-{n:03}" for case in ("22549AB", "22549G") for n in range(1, 9)],
        ["0IMG", "Copy of 0IMG"],
        ["0IMG", "Kopie von 0IMG"],
    ],
)
def test_series_and_copies_by_programs_are_warned_of(tmp_path, stems):
    paths = [("cap", f"{stem}.jpg") for stem in stems] + [("ball", "x.jpg")]
    [warning] = tree(tmp_path, paths).layout.warnings
    assert "a table with a column group keeps" in warning


@pytest.mark.parametrize(
    "stems",
    [
        [f"cap_{n:04}" for n in range(12)],
        [f"{n:04}" for n in range(12)],
        [f"{camera}_{100 + 7 * n}" for camera in ("DSC", "IMG") for n in range(6)],
        [f"{year}_{100 + n}" for year in (2019, 2020) for n in range(6)],
        [f"IMG-2019010{day}-WA000{n}" for day in range(1, 4) for n in range(4)],
        [f"IMG_2019010{day}_10{n}5{n}{n}" for day in range(1, 4) for n in range(1, 6)],
        [f"{25 + n % 3}_{n % 2}_2_{20170116174525125 + 7919 * n * n}" for n in range(30)],
        [f"Image ({n})" for n in range(12)],
        [f"101_{n}" for n in range(1, 9)],
        [f"obj1__{n}" for n in range(0, 360, 5)],
        [hashlib.md5(bytes([n])).hexdigest() for n in range(12)],
    ],
)
def test_pictures_that_are_counted_are_no_views(tmp_path, stems):
    paths = [("cap", f"{stem}.jpg") for stem in stems] + [("ball", "x.jpg")]
    assert tree(tmp_path, paths).layout.warnings == ()


PICTURES = ("IMG_1042", "IMG_3771", "IMG_8090")


@pytest.mark.parametrize(
    ("there", "asked", "told"),
    [
        ([f"{one}.jpg" for one in PICTURES], ["IMG_1042-edited.jpg", "IMG_8090(1).jpg"], 2),
        ([f"{one}.jpg" for one in PICTURES], [f"{one}.jpg" for one in PICTURES], 3),
        (["IMG_1042-edited.jpg", "IMG_3771.jpg"], ["IMG_1042.jpg", "IMG_8090.jpg"], 1),
        ([f"{one}.jpg" for one in PICTURES], [f"{one}.png" for one in PICTURES], 3),
        ([f"{n}_jpg.rf.{HASHES[n]}.jpg" for n in range(3)], [f"0_jpg.rf.{HASHES[9]}.jpg"], 1),
        ([f"a_BURST00{n}.jpg" for n in range(3)], ["a_BURST004_COVER.jpg"], 1),
        ([f"{one}.jpg" for one in PICTURES], ["IMG_1043.jpg", "IMG_2000-edited.jpg"], 0),
        ([f"{n}.jpg" for n in range(9)], ["1.png", "2.jpeg", "3.jpg"], 0),
        ([f"Image_{n}.jpg" for n in (1, 4, 20, 35)], ["Image_4.png"], 0),
        ([f"{n}.jpg" for n in range(9)], ["1.jpg", "1_aug.jpg"], 0),
        ([f"{n}{end}.jpg" for n in range(9) for end in ("", "_aug")], ["1.jpg", "2.jpg"], 0),
    ],
)
@pytest.mark.parametrize(
    ("parts", "what"),
    [
        (("gallery", "query"), "queries are called like versions of pictures in the gallery, as"),
        (("train", "val"), "held-out pictures are called like versions of training pictures, as"),
    ],
)
def test_versions_of_pictures_of_the_gallery_that_ask_are_told(
    tmp_path, there, asked, told, parts, what
):
    paths = [(parts[0], "cat", name) for name in there] + [(parts[1], "cat", x) for x in asked]
    others = [(part, "dog", f"{part}.jpg") for part in parts]
    warnings = tree(tmp_path, [*paths, *others]).layout.warnings
    assert [one for one in warnings if "called like versions" in one] == [
        one for one in warnings if one.startswith(f"{told} {what}")
    ]
    assert any("called like versions" in one for one in warnings) == bool(told)


def test_masks_below_classes_are_left_out(tmp_path):
    kinds = ("train/good/0", "test/broken/1", "ground_truth/broken/1_mask")
    paths = [(name, *f"{kind}.png".split("/")) for name in ("bottle", "cable") for kind in kinds]
    with pytest.raises(InputError, match=r"hold 'test' and 'train' .* a table with .* part keeps"):
        tree(tmp_path, paths)
    found = read_layout(walk(tmp_path), ["classes"])
    assert len(found.items) == 4
    assert "folders called 'ground_truth' in class folders are left out" in found.layout.warnings


@pytest.mark.parametrize(
    ("name", "is_understood"),
    [("unlabeled/0", True), ("docs/screenshot", True), ("extra/c/0", False), ("cat/0", False)],
)
def test_loose_pictures_beside_training_and_test(tmp_path, name, is_understood):
    paths = [(part, one, "x.png") for part in ("training_set", "test_set") for one in EACH]
    beside = [tuple(f"{name}.png".split("/"))]
    if is_understood:
        [warning] = tree(tmp_path, [*paths, *beside]).layout.warnings
        assert warning == f"pictures in {beside[0][0]!r} play no part and are left out"
    else:
        with pytest.raises(InputError, match="say which is which by --layout ROLE=FOLDER"):
            tree(tmp_path, [*paths, *beside])
