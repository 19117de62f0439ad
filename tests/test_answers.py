"""A challenge's answers: by query, of every query set, and of the gallery as it is."""

import json
import shutil

from pictures import fill


def test_challenge_answers_are_keyed_by_query(tmp_path, run, capsys):
    root = tmp_path / "flat"
    fill(root / "gallery", 12, 1)
    fill(root / "query", 3, 2)
    shutil.copy(root / "gallery" / "07.png", root / "query" / "a twin.png")
    assert run("--extractor", "rgb-histogram", "--dataset", root) == 0
    answers = json.loads((tmp_path / "out/flat/answers/rgb-histogram.json").read_text())
    assert answers["groupname"] == "rgb-histogram"
    assert list(answers["images"]) == ["00.png", "01.png", "02.png", "a twin.png"]
    assert all(len(set(found)) == 10 for found in answers["images"].values())
    (tmp_path / "out/flat/answers/rgb-histogram.json").write_text('{"groupname": "of before"}')
    run("--extractor", "rgb-histogram", "--dataset", root)
    assert json.loads((tmp_path / "out/flat/answers/rgb-histogram.json").read_text()) == answers
    page = (tmp_path / "out/flat/table.md").read_text()
    assert "There are no labels, so there are no scores" in page
    assert "| chance |" not in page


def test_no_answers_stay_of_a_gallery_that_changed(tmp_path, run):
    root, folder = tmp_path / "flat", tmp_path / "out" / "flat" / "answers"
    fill(root / "gallery", 12, 1)
    fill(root / "query", 3, 2)
    assert run("--extractor", "rgb-histogram", "lbp", "--dataset", root) == 0
    (folder / "mine.json").write_text("{}")
    (root / "gallery" / "07.png").unlink()
    assert run("--extractor", "rgb-histogram", "--dataset", root) == 0
    assert {path.name for path in folder.iterdir()} == {"mine.json", "rgb-histogram.json"}
    assert "07.png" not in (folder / "rgb-histogram.json").read_text()


def test_answers_of_every_query_set_are_kept(tmp_path, run):
    root = tmp_path / "flat"
    fill(root / "gallery", 12, 1)
    fill(root / "query", 3, 2)
    shutil.copy(root / "gallery" / "07.png", root / "query" / "twin.png")
    assert run("--extractor", "rgb-histogram", "--dataset", root, "--edges") == 0
    folder = tmp_path / "out/flat/answers"
    photos = json.loads((folder / "rgb-histogram.json").read_text())["images"]
    assert list(photos) == ["00.png", "01.png", "02.png", "twin.png"]
    drawn = json.loads((folder / "query-edges" / "rgb-histogram.json").read_text())["images"]
    assert len(drawn) == 4
    assert drawn.keys().isdisjoint(photos)
