"""Two records' differences in words."""

import pytest
from pictures import fill

from benchmarks.diff import main


def record(tmp_path, dataset, row, out="out"):
    return str(tmp_path / out / dataset / "records" / "query" / f"{row}.json")


def test_equal_records_are_said_to_be_equal(parted, run, tmp_path, capsys):
    run("--extractor", "lbp", "--dataset", parted, "--quiet")
    path = record(tmp_path, "parted", "lbp")
    assert main([path, path]) == 0
    assert capsys.readouterr().out == (
        "lbp and lbp\nequal scores\n\nThe protocol cards are equal.\n"
    )


def test_answers_without_scores_are_not_called_equal(tmp_path, run, capsys):
    fill(tmp_path / "asked" / "gallery", 4, 1)
    fill(tmp_path / "asked" / "query", 2, 2)
    run("--extractor", "lbp", "tiny-image", "--dataset", tmp_path / "asked", "--quiet")
    assert main([record(tmp_path, "asked", row) for row in ("lbp", "tiny-image")]) == 0
    assert capsys.readouterr().out.startswith("lbp and tiny-image\nno scores\n")


def test_differences_are_named_in_words(parted, classes, run, tmp_path, capsys):
    run("--extractor", "lbp", "rgb-histogram", "--dataset", parted, "--quiet")
    main([record(tmp_path, "parted", "lbp"), record(tmp_path, "parted", "rgb-histogram")])
    text = capsys.readouterr().out
    assert (
        "- the extractors are others, or of other versions: extractor / head / version: "
        "local-binary-pattern 1 and colour-histogram 1" in text
    )
    assert "the split" not in text
    fill(parted / "validation" / "gallery" / "apple", 6, 99)
    run("--extractor", "lbp", "--dataset", parted, "--quiet", "--seed", "1", out="more")
    main([record(tmp_path, "parted", "lbp"), record(tmp_path, "parted", "lbp", "more")])
    text = capsys.readouterr().out
    assert "- they searched different data: other images, labels or parts: split hash:" in text
    assert "- the seeds differ, so the split may: seed: 0 and 1" in text
    assert "the extractors" not in text
    assert "mAP: " in text


@pytest.mark.parametrize("content", [None, "[]", "{}", "{", '{"row": 1}', "[" * 10**6])
def test_what_is_no_record_is_one_line_and_code_2(tmp_path, capsys, content):
    path = tmp_path / "x.json"
    if content is not None:
        path.write_text(content)
    assert main([str(path), str(path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {path}: ")
    assert error.endswith("; give a <method>.json of a results folder\n")
    assert error.count("\n") == 1
