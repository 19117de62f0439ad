"""Public sets: fetched from a server on this machine, and run under their protocols."""

import hashlib
import json
import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hostile import serving
from pictures import picture
from true_layouts import ASKING, NAMES, SETS, TRUTH

import datasets
from benchmarks.run import listing
from datasets import places
from datasets.errors import InputError
from datasets.fetch import main
from datasets.public.ground_truth import read_ground_truth
from datasets.public.listing import page
from retrieval.metrics import find_metrics

ROOT = Path(__file__).resolve().parents[1]
PUBLIC = {source.name: source for source in datasets.PUBLIC}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv(places.VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def served(monkeypatch):
    """Serve a small copy of a set, whose true sizes and sums are those of the copy."""
    with serving() as site:

        def serve(name):
            small, source = SETS[name](), PUBLIC[name]
            site.files |= small.archives
            known = {
                file: {
                    "size": len(content),
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "md5": hashlib.md5(content).hexdigest(),
                }
                for file, content in small.archives.items()
            }
            archives = tuple(
                replace(one, addresses=(site.at(one.file),), **known[one.file])
                for one in source.about.archives
            )
            monkeypatch.setattr(type(source), "about", replace(source.about, archives=archives))
            return small

        serve.site = site
        yield serve


def test_every_public_set_has_a_small_copy():
    assert set(SETS) == set(PUBLIC)


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_fetched_and_run_under_its_protocol(
    served, home, load_dataset, run, tmp_path, capsys, name
):
    small = served(name)
    assert main([name, "--accept-terms", name, "--quiet"]) == 0
    assert f"use it by --dataset {name}\n" in capsys.readouterr().out
    data = load_dataset(name)
    assert len(data.training) == small.training
    assert len(data.gallery) == small.gallery
    assert {part: len(images) for part, images in data.queries.items()} == small.queries
    assert run("--dataset", name, "--extractor", "rgb-histogram", "--quiet") == 0
    about = json.loads((tmp_path / "out" / name / "dataset.json").read_text())
    text = (tmp_path / "out" / name / "table.md").read_text()
    protocols = PUBLIC[name].protocols
    assert not any(problem.what.startswith("same bytes") for problem in data.problems)
    assert set(about.get("protocols", {})) == set(protocols)
    for query_set, protocol in protocols.items():
        assert f"Protocol: {protocol.name}." in text
        counted = protocol.n_queries is not None
        assert ("This run differs from the protocol:" in text) == counted
        rows = json.loads((tmp_path / "out" / name / "table.json").read_text())[query_set]
        assert all(metric in rows[1] for metric in find_metrics(protocol.metrics))
        record = tmp_path / "out" / name / "records" / query_set / "rgb-histogram.json"
        counts = json.loads(record.read_text())["counts"]
        assert counts["queries left out"] == (small.left_out if "easy" in query_set else 0)


def test_a_run_fetches_nothing_by_itself(served, home, run, capsys):
    served("tu-berlin")
    assert run("--dataset", "tu-berlin", "--extractor", "hog") == 2
    assert "get it by python -m datasets.fetch tu-berlin" in capsys.readouterr().err
    assert served.site.asked == []


def test_a_folder_of_ones_own_may_be_called_like_a_public_set(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "holidays").mkdir()
    with pytest.raises(InputError, match=r"datasets\.fetch holidays.* here write \./holidays"):
        datasets.resolve("holidays")
    source, root = datasets.resolve("./holidays")
    assert (type(source).__name__, root) == ("Folder", Path("holidays"))


def test_terms_are_asked_for_and_never_taken_for_accepted(served, home, monkeypatch, capsys):
    served("ukbench")
    assert main(["ukbench"]) == 2
    said = capsys.readouterr()
    assert "Terms: terms not stated" in said.out
    assert "read them, then add --accept-terms ukbench" in said.err
    assert main(["ukbench", "--accept-terms", "holidays"]) == 2
    for answer, code in (("no\n", 2), ("\n", 2), ("yes\n", 0)):
        monkeypatch.setattr("sys.stdin", Terminal(answer))
        assert main(["ukbench", "--quiet"]) == code
        assert len(served.site.asked) == (code == 0)


class Terminal:
    def __init__(self, answer):
        self.answer = answer

    def isatty(self):
        return True

    def readline(self):
        return self.answer


def test_a_set_that_has_to_be_had_by_hand_says_so_and_takes_a_folder(home, tmp_path, capsys):
    assert main(["cars196", "--accept-terms", "cars196"]) == 2
    said = capsys.readouterr().err
    assert "its host is gone" in said
    assert "--from" in said
    assert "cars_train.tgz" in said


def test_archives_of_a_folder_are_taken_as_well(served, home, tmp_path):
    small = served("office-home")
    (tmp_path / "mine").mkdir()
    for name, content in small.archives.items():
        (tmp_path / "mine" / name).write_bytes(content)
    arguments = ["--accept-terms", "office-home", "--from", str(tmp_path / "mine"), "--quiet"]
    assert main(["office-home", "--to", str(tmp_path / "there"), *arguments]) == 0
    assert (tmp_path / "there" / "office-home").is_dir()
    assert served.site.asked == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["caltech101", "--to", ""],
        ["caltech101", "--from", ""],
        ["caltech101", "--no-such"],
    ],
)
def test_bad_arguments_leave_with_code_2(home, arguments, capsys):
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1


def test_the_lists_tell_size_licence_pictures_and_place(home, capsys):
    (home / "imagenette").mkdir(parents=True)
    for text in (listing(), main(["--list"]) or capsys.readouterr().out):
        line = next(line for line in text.splitlines() if "341.7 MB" in line)
        assert "13,394 pictures; ImageNet's terms" in line
        assert line.endswith(f"in {home / 'imagenette'}")
        assert "16,185 pictures; research use; not redistributed here; not here, to be" in text
    assert "  imagenette  " in listing()
    assert "  ukbench=PATH  " in listing()


def test_the_page_about_public_sets_is_current():
    assert (ROOT / "datasets" / "PUBLIC.md").read_text(encoding="utf-8") == page(datasets.PUBLIC)


def test_metadata_are_whole():
    for source in datasets.PUBLIC:
        about = source.about
        assert about.page.startswith("http"), source.name
        assert re.search(r"doi:10\.|CNS-TR|https://", about.reference), source.name
        assert bool(about.by_hand) == (not all(one.addresses for one in about.archives))
        assert len({one.file for one in about.archives}) == len(about.archives)
        for one in about.archives:
            assert not one.sha256 or re.fullmatch("[0-9a-f]{64}", one.sha256), one.file
            assert not one.md5 or re.fullmatch("[0-9a-f]{32}", one.md5), one.file
        for protocol in source.protocols.values():
            known = find_metrics(protocol.metrics)
            assert tuple(known) == protocol.metrics
            for row in protocol.published:
                assert row.scores.keys() <= known.keys()
                assert all(0 < value <= known[name].best for name, value in row.scores.items())


class Touches:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def cut(truth, **changes):
    return pickle.dumps(truth | changes, protocol=3)


BAD_TRUTHS = {
    "empty": b"",
    "text": b"hello",
    "a list": pickle.dumps([1]),
    "without queries": cut(TRUTH, gnd=[]),
    "with an index too large": cut(TRUTH, imlist=["a"]),
    "with a negative index": cut(TRUTH, gnd=[TRUTH["gnd"][0] | {"easy": [-1]}, TRUTH["gnd"][1]]),
    "with an image twice": cut(TRUTH, gnd=[TRUTH["gnd"][0] | {"hard": [0]}, TRUTH["gnd"][1]]),
    "without a box": cut(TRUTH, gnd=[TRUTH["gnd"][0] | {"bbx": [1]}, TRUTH["gnd"][1]]),
    **{
        f"with the box {box}": cut(TRUTH, gnd=[TRUTH["gnd"][0] | {"bbx": box}, TRUTH["gnd"][1]])
        for box in (
            *([-40.0, -40, 30, 30], [20.0, 2, 1, 22], [1.1, 1.1, 1.3, 9], [-3.5, 0, 9, 9]),
            *([0, 0, float("nan"), 9], [0, 0, float("inf"), 9], [0, 0, 1e300, 9]),
        )
    },
    "with a memo beyond all": b"\x80\x03]r\xff\xff\xff\x7f.",
    "cut": cut(TRUTH)[:-20],
}


@pytest.mark.parametrize("kind", BAD_TRUTHS)
def test_a_bad_ground_truth_gives_one_line(tmp_path, kind):
    (tmp_path / "gnd.pkl").write_bytes(BAD_TRUTHS[kind])
    with pytest.raises(InputError, match=r"gnd\.pkl: no ground truth") as refused:
        read_ground_truth(tmp_path / "gnd.pkl")
    assert "\n" not in str(refused.value)
    assert ("all_souls_000100 has no box" in str(refused.value)) == ("box [" in kind)


@pytest.mark.parametrize("protocol", range(6))
def test_a_strangers_pickle_runs_nothing(tmp_path, protocol):
    touched = tmp_path / "touched"
    content = TRUTH | {"imlist": Touches(str(touched))}
    (tmp_path / "gnd.pkl").write_bytes(pickle.dumps(content, protocol=protocol))
    with pytest.raises(InputError, match="more than data"):
        read_ground_truth(tmp_path / "gnd.pkl")
    assert not touched.exists()


@pytest.mark.parametrize(
    ("name", "files", "words"),
    [
        ("corel1000", ["cat/70.png", "dog/70.png"], "cat/70.png and dog/70.png would be one"),
        ("corel1000", ["cat/70.png", "cat/170.png", "dog/71.png"], "folders are other classes"),
        ("corel1000", ["cat/0.png", "dog/1.png"], "folders are other classes"),
        ("corel1000", ["IMG1.png", "IMG2.png", "70.png"], "expected Africa1.jpg"),
        ("holidays", ["cat/100000.png", "dog/100000.png"], "would be one picture"),
        ("ukbench", ["a/ukbench00000.png", "b/ukbench00000.png"], "would be one picture"),
        ("gpr1200", ["2023_a.png", "2023_b.png"], "2023_[ab].png is in none of its categories"),
        ("imagenette", ["train/cat/0.png", "val/cat/1.png"], "its pictures are not there"),
        ("imagenette", ["train/n02086240/0.png", "val/n02086240/1.png"], "pictures are not there"),
        ("imagenet-sketch", ["sketch/cat/0.png", "sketch/dog/0.png"], "pictures are not there"),
    ],
)
def test_other_pictures_are_not_taken_for_a_set(tmp_path, name, files, words):
    for number, file in enumerate(files):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(tmp_path / file)
    with pytest.raises(InputError, match=f": not .*{words}"):
        PUBLIC[name].collect(tmp_path)


def test_copies_beside_the_landmarks_are_not_taken_for_them(tmp_path):
    (tmp_path / "gnd_roxford5k.pkl").write_bytes(pickle.dumps(TRUTH, protocol=3))
    for folder in ("jpg", "a_small"):
        (tmp_path / folder).mkdir()
        for number, name in enumerate((*NAMES, *ASKING, "other")):
            picture(number).save(tmp_path / folder / f"{name}.jpg")
    with pytest.raises(InputError, match=r"a_small/.*jpg and jpg/.*jpg would be one"):
        PUBLIC["roxford5k"].collect(tmp_path)


def test_a_folder_for_each_class_of_corel_is_read(tmp_path):
    names = ("x/bus/300.png", "y/bus/301.png", "x/food/900.png", "y/food/901.png")
    for number, file in enumerate(names):
        (tmp_path / file).parent.mkdir(parents=True)
        picture(number).save(tmp_path / file)
    found = PUBLIC["corel1000"].collect(tmp_path)
    assert {(Path(item.id).parts[-2], item.label) for item in found.items} == {
        ("bus", "Buses"),
        ("food", "Food"),
    }


def test_a_run_that_lets_all_ask_says_that_it_leaves_the_protocol(served, home, run, tmp_path):
    served("ukbench")
    assert main(["ukbench", "--accept-terms", "ukbench", "--quiet"]) == 0
    arguments = ("--dataset", "ukbench", "--extractor", "hog", "--leave-one-out", "--quiet")
    assert run(*arguments) == 0
    text = (tmp_path / "out" / "ukbench-leave-one-out" / "table.md").read_text()
    assert "by leave-one-out, not by the protocol UKBench, N-S score" in text
    assert "Protocol: " not in text


def test_lists_and_names_that_do_not_fit_give_one_line(served, home, tmp_path, load_dataset):
    served("cub200")
    assert main(["cub200", "--accept-terms", "cub200", "--quiet", "--to", str(tmp_path)]) == 0
    labels = tmp_path / "cub200" / "CUB_200_2011" / "image_class_labels.txt"
    labels.write_text("1 1 1\n")
    with pytest.raises(InputError, match=r"image_class_labels\.txt: line 1: 3 words, not 2"):
        load_dataset(f"cub200={tmp_path / 'cub200'}")
    labels.write_text("1 one\n")
    with pytest.raises(InputError, match=r"image_class_labels\.txt: 'one' is no number"):
        load_dataset(f"cub200={tmp_path / 'cub200'}")
    labels.unlink()
    with pytest.raises(
        InputError, match=r"not CUB-200-2011; expected images\.txt and image_class"
    ):
        load_dataset(f"cub200={tmp_path / 'cub200'}")


@pytest.mark.parametrize("name", [name for name, one in PUBLIC.items() if one.signature])
def test_a_copy_that_is_not_called_by_its_name_is_recognised(served, home, tmp_path, name):
    served(name)
    known = name.removesuffix("-1m")
    assert main([name, "--accept-terms", name, "--quiet", "--to", str(tmp_path)]) == 0
    (tmp_path / name).rename(tmp_path / "mine")
    source, root = datasets.resolve(str(tmp_path / "mine"))
    with pytest.raises(InputError, match=f"looks like {known}, .*write {known}="):
        source.collect(root)


def test_a_download_shows_how_far_it_is_and_the_time_left(served, home, monkeypatch, capsys):
    served("imagenette")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert main(["imagenette", "--accept-terms", "imagenette"]) == 0
    said = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err)
    assert re.search(r"imagenette2-320\.tgz.*kB.*(\d:\d\d:\d\d|-:--:--)", said)


def test_an_interrupted_fetch_says_so_and_goes_on_later(served, home, monkeypatch, capsys):
    served("imagenette")

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("datasets.fetching.whole.unpack", interrupt)
        arguments = ["imagenette", "--accept-terms", "imagenette", "--quiet"]
        assert main(arguments) == 130
    assert "run again to do the rest" in capsys.readouterr().err
    assert not (home / "imagenette").exists()
    assert main(arguments) == 0
    assert len(served.site.asked) == 1
