"""What a command writes never takes the place of what it reads, or of what others wrote."""

import json
import os
import shutil

import pytest
from pictures import fill, picture, scene
from PIL import Image

from benchmarks import (
    approximate,
    augment,
    costs,
    draw,
    keypoints,
    publish,
    score,
    seeds,
    vocabulary_size,
)
from benchmarks import run as benchmark
from benchmarks.audit import __main__ as audit
from benchmarks.export import __main__ as export
from benchmarks.report import __main__ as report
from benchmarks.search import __main__ as search
from benchmarks.tune import __main__ as tune
from benchmarks.verify import __main__ as verify


@pytest.fixture
def refused(tmp_path, capsys):
    """Run a command that has to refuse in one line, and change no file; gives the line."""

    def contents():
        files = (path for path in tmp_path.rglob("*") if path.is_file())
        return {path: path.read_bytes() for path in files if "cache" not in path.parts}

    def check(command, *arguments):
        before = contents()
        capsys.readouterr()
        assert command.main([str(one) for one in arguments]) == 2
        line = capsys.readouterr().err.splitlines()[-1]
        assert line.startswith("error: ")
        assert contents() == before
        return line

    return check


@pytest.fixture
def answered(tmp_path):
    """Answers and truth of a challenge."""
    for name in ("answers", "truth"):
        images = {"images": {"q.png": ["a.png"]}}
        (tmp_path / f"{name}.json").write_text(json.dumps(images))
    return tmp_path / "answers.json", tmp_path / "truth.json"


@pytest.mark.parametrize("name", ["a/00.png", "new.png", "b/new.jpg"])
@pytest.mark.parametrize("by", ["--pictures", "--dataset", "--index"])
def test_a_sheet_joins_no_searched_pictures(name, by, tmp_path, refused):
    root = tmp_path / "set"
    for number, label in enumerate("ab"):
        fill(root / label, 6, number, number)
    picture(1, 2).save(tmp_path / "q.png")
    places = ["--cache", tmp_path / "cache", "--extractor", "hsv-histogram", "--quiet"]
    given = [by, root]
    if by == "--index":
        given = [by, tmp_path / "index"]
        made = ["--dataset", root, *given, *places]
        assert search.main([str(one) for one in made]) == 0
    asked = [tmp_path / "q.png", *given, *places]
    assert "choose a place elsewhere" in refused(search, *asked, "--show", root / name)
    assert search.main([str(one) for one in (*asked, "--show", tmp_path / "sheet.png")]) == 0
    if by == "--pictures":
        assert "is read" in refused(search, *asked, "--show", tmp_path / "q.png")
        for option in ("--index", "--cache"):
            assert f"error: {option}" in refused(search, *asked, option, root / "inside")


def test_a_drawing_replaces_neither_its_picture_nor_another_kind(tmp_path, refused):
    path, notes = tmp_path / "p.png", tmp_path / "notes.png"
    Image.fromarray(scene(0)).save(path)
    (tmp_path / "link.png").symlink_to(path)
    notes.write_text("not to be lost")
    for out in (path, tmp_path / "link.png", tmp_path / "." / "p.png"):
        assert "is read, and would be lost" in refused(draw, path, "--out", out)
    assert "is there already" in refused(draw, path, "--out", notes)
    for _ in range(2):  # a drawing may be drawn anew
        assert draw.main([str(path), "--out", str(tmp_path / "drawn.png")]) == 0


def test_scores_replace_neither_answers_nor_other_json(answered, tmp_path, refused):
    (tmp_path / "notes.json").write_text('{"mine": 1}')
    for file in answered:
        assert "is read, and would be lost" in refused(score, *answered, "--json", file)
    assert "no file of scores" in refused(score, *answered, "--json", tmp_path / "notes.json")
    assert "no file of scores" in refused(score, *answered, "--json", "/dev/null")
    for _ in range(2):
        assert score.main([*map(str, answered), "--json", str(tmp_path / "made.json")]) == 0


def test_rows_replace_no_results(classes, run, tmp_path, refused):
    assert run("--extractor", "lbp", "--dataset", classes) == 0
    out = tmp_path / "out"
    given = (out, "--against", out)
    folder = out / classes.name
    for name in ("dataset.json", "records/query/lbp.json", "records/query/new.json"):
        assert "choose a place elsewhere" in refused(verify, *given, "--json", folder / name)
    assert "no file of rows" in refused(verify, *given, "--json", out / "README.md")
    for _ in range(2):
        assert verify.main([*map(str, given), "--json", str(out / "rows.json")]) == 0


def test_results_lie_in_no_pictures(parted, tmp_path, refused):
    quick = ("--cache", tmp_path / "cache", "--jobs", "1", "--quiet")
    method = ("--extractor", "lbp", "--dataset")
    line = refused(benchmark, *method, parted, "--out", tmp_path, *quick)
    assert "the results of parted would lie in" in line
    other = f"other={tmp_path / 'elsewhere'}"
    shutil.copytree(parted, tmp_path / "elsewhere")
    line = refused(benchmark, *method, f"elsewhere={parted}", other, "--out", tmp_path, *quick)
    assert "the results of elsewhere would lie in" in line
    training = f"x={parted / 'training'}"
    assert "--out" in refused(augment, training, "--out", parted, *quick)
    assert "--pictures" in refused(audit, parted, "--pictures", parted / "leaks", *quick)
    assert "--out" in refused(keypoints, parted, "--out", parted / "training")


def test_first_pages_of_others_stay(classes, tmp_path, refused):
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "README.md").write_text("# My project\n")
    places = ("--out", tmp_path / "project", "--cache", tmp_path / "cache", "--jobs", "1")
    line = refused(benchmark, "--extractor", "lbp", "--dataset", classes, *places)
    assert "would replace README.md" in line


@pytest.mark.parametrize(
    "name",
    ["classes.csv", "images.csv", "plots.md", "problems.csv", "dataset.json", "plots/loss.png"],
)
def test_no_file_of_others_is_replaced_among_results(name, classes, tmp_path, refused):
    path = tmp_path / "out" / "classes" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    places = ("--cache", tmp_path / "cache", "--out", tmp_path / "out")
    method = ("--extractor", "lbp", *places, "--dataset", classes, "--jobs", "1")
    assert f"where {name} is none of theirs" in refused(benchmark, *method)
    if name == "plots.md":
        study = tmp_path / "out" / "approximate" / "classes" / name
        study.parent.mkdir(parents=True)
        path.rename(study)
        assert "is none of theirs" in refused(approximate, *method)


def test_plots_of_others_stay_beside_ours(classes, run, tmp_path):
    assert run("--extractor", "lbp", "--dataset", classes) == 0
    folder = tmp_path / "out" / "classes" / "plots"
    folder.mkdir()
    (folder / "loss.png").write_text("mine")
    drawn = []
    for _ in range(2):
        assert report.main(["--out", str(tmp_path / "out")]) == 0
        drawn.append({path.name for path in folder.iterdir()})
    assert drawn[0] == drawn[1] > {"loss.png"}
    next((classes / "apple").iterdir()).unlink()
    assert run("--extractor", "lbp", "--dataset", classes) == 0
    assert [path.name for path in folder.iterdir()] == ["loss.png"]


@pytest.mark.parametrize(
    ("command", "what", "name"),
    [
        (export, "table", "results.csv"),
        (export, "latex", "classes/query.tex"),
        (audit, "", "classes/leaks.json"),
        (keypoints, "", "keypoints.md"),
        (keypoints, "", "keypoints.csv"),
        (export, "vectors", "classes/vectors/lbp.npy"),
    ],
)
def test_single_files_of_others_stay_and_half_written_ones_go(
    command, what, name, classes, run, tmp_path, refused, monkeypatch
):
    monkeypatch.setattr(keypoints, "competitors", dict)  # nothing to be measured
    path = tmp_path / "made" / name
    given = ["--out", tmp_path / "made"]
    if command is export:
        assert run("--extractor", "lbp", "--dataset", classes) == 0
        dataset = ["--dataset", classes, "--cache", tmp_path / "cache"]
        given += [what, "--results", tmp_path / "out", *dataset]
    else:
        given += [classes]
    if command is audit:
        given += ["--cache", tmp_path / "cache", "--embedding", "lbp", "--extractor", "lbp"]
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    assert path.name in refused(command, *given)
    path.unlink()
    left = path.with_name(".half-written-x.part")
    left.touch()
    os.utime(left, (1, 1))
    for _ in range(2):
        assert command.main([str(one) for one in given]) == 0
    assert not left.exists()


def test_publishing_replaces_no_run_and_nothing_else(classes, run, tmp_path, refused):
    assert run("--extractor", "lbp", "--dataset", classes) == 0
    shutil.copytree(tmp_path / "out", tmp_path / "other-run")
    (tmp_path / "mine" / classes.name).mkdir(parents=True)
    (tmp_path / "mine" / classes.name / "photo.png").write_bytes(b"not to be lost")
    for out, words in (
        ("other-run", "holds rankings of a run"),
        ("mine", "is none of"),
    ):
        given = (tmp_path / "out", "--out", tmp_path / out, "--no-plots")
        assert words in refused(publish, *given)


def test_what_is_published_among_pictures_is_no_class(classes, run, tmp_path, load_dataset):
    assert run("--extractor", "lbp", "--dataset", classes) == 0
    (tmp_path / "out" / "classes").rename(tmp_path / "out" / "old")
    given = (tmp_path / "out", "--out", classes, "--quiet")
    assert publish.main([*map(str, given)]) == 0
    assert [*(classes / "old" / "plots").glob("*.png")]
    data = load_dataset(classes)
    assert {image.label for _, image in data.images} == {"apple", "berry", "cherry"}
    assert "results of this suite" in {problem.what.split(" (")[0] for problem in data.problems}


def test_vectors_that_are_read_are_not_written(parted, run, tmp_path, refused):
    assert run("--extractor", "lbp", "--dataset", parted) == 0
    places = ("--cache", tmp_path / "cache", "--out", tmp_path / "e", "--dataset", parted)
    made = ("vectors", "--extractor", "lbp", *places)
    assert export.main([str(one) for one in made]) == 0
    mine = (tmp_path / "e" / "parted" / "vectors" / "lbp.npy").rename(
        tmp_path / "e" / "parted" / "vectors" / "mine.npy"
    )
    mine.with_name("lbp.txt").rename(mine.with_suffix(".txt"))
    assert "is read" in refused(export, "vectors", "--vectors", f"mine={mine}", *places)


def test_a_page_removes_nothing_of_others(classes, run, tmp_path, refused):
    assert run("--extractor", "lbp", "--dataset", classes) == 0
    (tmp_path / "out" / "page" / "data").mkdir(parents=True)
    (tmp_path / "out" / "page" / "data" / "mine.csv").write_text("not to be lost")
    given = ("--out", tmp_path / "out", "--no-plots", "--html", "--cache", tmp_path / "cache")
    assert "mine.csv is no part of a page" in refused(report, *given)
    (tmp_path / "out" / "page" / "data" / "mine.csv").unlink()
    for name in (".DS_Store", "data/.half-written-1.part", "thumbnails/.DS_Store"):
        path = tmp_path / "out" / "page" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert report.main([*map(str, given)]) == 0


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (benchmark, ["--extractor", "lbp"]),
        (costs, []),
        (approximate, ["--extractor", "lbp"]),
        (seeds, ["--extractor", "sift-bovw"]),
        (vocabulary_size, []),
        (tune, ["--extractor", "lbp"]),
        (export, ["neighbours"]),
    ],
)
def test_two_datasets_of_one_name_do_not_write_over_each_other(tmp_path, refused, command, words):
    both = [tmp_path / place / "pets" for place in ("one", "other")]
    for place in both:
        fill(place / "cat", 2, 1)
    folders = ["--out", tmp_path / "out", "--cache", tmp_path / "cache"]
    line = refused(command, *words, "--dataset", *both, *folders)
    assert "two datasets are called 'pets'; write NAME=" in line
