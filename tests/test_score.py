"""Scoring a challenge: right numbers, and malformed answers rejected with the query at fault."""

import json
import re

import pytest

from benchmarks.score import main

TRUTH = {"q1.jpg": ["a.jpg", "b.jpg"], "q2.jpg": ["c.jpg"], "q3.jpg": ["d.jpg"], "lone.jpg": []}
ANSWERS = {
    "q1.jpg": ["b.jpg", "x.jpg"],
    "q2.jpg": ["x.jpg", "y.jpg", "c.jpg"],
    "q3.jpg": [f"{n}.jpg" for n in range(9)] + ["d.jpg"],
    "lone.jpg": ["a.jpg"],
}


def write(path, images):
    path.write_text(json.dumps({"groupname": "g", "images": images}, indent=1))
    return path


@pytest.fixture
def score(tmp_path, capsys):
    def run(answers, truth=TRUTH):
        answers = (
            write(tmp_path / "answers.json", answers) if answers else tmp_path / "answers.json"
        )
        truth = write(tmp_path / "truth.json", truth)
        code = main([str(answers), str(truth), "--json", str(tmp_path / "made.json")])
        return code, capsys.readouterr()

    return run


def test_scores_by_hand(score, tmp_path):
    code, written = score(ANSWERS)
    assert code == 0
    made = json.loads((tmp_path / "made.json").read_text())
    assert [made[f"top{k}"] for k in (1, 3, 5, 10)] == pytest.approx([1 / 3, 2 / 3, 2 / 3, 1])
    assert (made["queries"], made["queries left out"]) == (3, 1)
    assert made["top10_interval"] == [1.0, 1.0]
    low, high = made["top1_interval"]
    assert low == 0
    assert 0.6 < high <= 1
    assert "3 queries; 1 left out, without a right answer\n" in written.out
    assert "| top-10 | 1.0000 | 1.0000 | 1.0000 |" in written.out


@pytest.mark.parametrize(
    ("number", "told"),
    [(1, "a single query has no interval"), (9, "9 queries are too few for intervals"), (10, "")],
)
def test_too_few_queries_for_an_interval_are_warned_of(score, caplog, number, told):
    truth = {f"{n}.jpg": ["a.jpg"] for n in range(number)} | {"lone.jpg": []}
    code, _ = score({name: ["a.jpg"] for name in truth}, truth)
    assert code == 0
    assert bool(caplog.messages) == bool(told)
    assert told in "".join(caplog.messages)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"q2.jpg": "c.jpg"}, r"'q2.jpg': expected `array`, got `str`; write {"),
        ({"q2.jpg": None}, r"'q2.jpg': expected `array`, got `null`"),
        ({"q2.jpg": ["c.jpg", 5]}, r"'q2.jpg': expected `str`, got `int` - at `\$\[1\]`; write {"),
        ({"q2.jpg": ["c.jpg", "c.jpg"]}, r"'q2.jpg': holds a name twice"),
        ({"q2.jpg": [str(n) for n in range(11)]}, r"'q2.jpg': 11 names; at most 10"),
        ({"other.jpg": ["c.jpg"]}, r"'other.jpg': the truth has no such query; remove it"),
        ({"Q1.JPG": ["c.jpg"]}, r"'Q1.JPG': the truth has no such query; did you mean 'q1.jpg'\?"),
        ({"in/q1.jpg": ["c.jpg"]}, r"'in/q1.jpg': .* no such query; did you mean 'q1.jpg'\?"),
        ({"q1": ["c.jpg"]}, r"'q1': the truth has no such query; did you mean 'q1.jpg'\?"),
        ({"q3.jpg": ["D.JPG"]}, r"'D.JPG' may be the truth's 'd.jpg'; write both alike"),
        ({"q3.jpg": ["gallery/d.jpg"]}, r"'gallery/d.jpg' may be the truth's 'd.jpg'; write"),
    ],
)
def test_a_malformed_answer_is_named_with_its_query(score, change, message):
    code, written = score({**ANSWERS, **change})
    assert code == 2
    assert re.search(rf"answers\.json: {message}", written.err)
    assert written.err.count("\n") == 1


@pytest.mark.parametrize(
    "name",
    [
        *("cat/0.png", "0.png", r"gallery\cat\0.png", "./CAT/0.PNG", "gallery/cat/0", "0"),
        "gallery/cat/0.png ",
    ],
)
def test_right_names_in_another_spelling_are_never_scored_as_wrong(score, name):
    right = {"q": ["gallery/cat/0.png"]}
    code, written = score({"q": [name]}, right)
    assert code == 2
    assert "may be the truth's 'gallery/cat/0.png'; write both alike" in written.err
    assert score({"q": [name, *right["q"]]}, right)[0] == 0  # then they are two pictures
    assert score({"q": ["gallery/cat/0.jpg"]}, right)[0] == 0  # may be another picture
    assert score({"q": ["in/gallery/cat/0.png"]}, {"q": ["gallery/cat/0"]})[0] == 2


def test_missing_answers_are_counted(score):
    code, written = score({"q1.jpg": ["a.jpg"]})
    assert code == 2
    assert "3 queries lack an answer, 'lone.jpg' first" in written.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{\n"groupname": "g",\n"images": {,}}',
            "no valid JSON (Expecting property",
        ),
        ("[1, 2]", "expected `object`, got `array`; write {"),
        ("{}", "object missing required field `images`"),
        ('{"images": []}', "expected `object`, got `array` - at `$.images`"),
        (
            '{"images": {\n"q1.jpg": ["a.jpg"],\n"q1.jpg": []}}',
            "no valid JSON ('q1.jpg' stands twice)",
        ),
        ('{"images": {"q1.jpg": [NaN]}}', "no valid JSON"),
        ("[" * 10**6, "no valid JSON"),
        ("{}".encode("utf-16"), "object missing required field `images`"),
    ],
)
def test_malformed_files_name_the_place(score, tmp_path, text, message):
    (tmp_path / "answers.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    code, written = score(None)
    assert code == 2
    assert f"answers.json: {message}" in written.err
    assert written.err.count("\n") == 1


def test_a_huge_file_is_refused_early(score, tmp_path):
    with (tmp_path / "answers.json").open("wb") as file:
        file.truncate(200 * 10**6)
    code, written = score(None)
    assert code == 2
    assert "answers.json: no valid JSON (larger than 64 MiB); write {" in written.err


def test_a_missing_file_and_a_byte_order_mark(score, tmp_path):
    code, written = score(None)
    assert code == 2
    assert "answers.json: no such file" in written.err
    text = json.dumps({"images": ANSWERS, "team": "ours"})
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "answers.json").write_text(text, encoding=encoding)
        assert score(None)[0] == 0


def test_names_are_compared_in_one_unicode_form(score, tmp_path):
    composed, decomposed = "caf\u00e9.jpg", "cafe\u0301.jpg"
    code, _ = score({decomposed: ["x", composed]}, {composed: [decomposed]})
    assert code == 0
    assert json.loads((tmp_path / "made.json").read_text())["top3"] == 1
    code, written = score({decomposed: [], composed: []}, {composed: [decomposed]})
    assert code == 2
    assert "stands twice, in two spellings" in written.err
    code, written = score({composed: [composed, decomposed]}, {composed: [decomposed]})
    assert "holds a name twice" in written.err


@pytest.mark.parametrize(
    ("folders", "more"),
    [
        (("gallery", "query"), ()),
        (("database", "queries"), ()),
        (("validation/gallery", "validation/query"), ()),
        (("pics", "asks"), ("--layout", "gallery=pics", "query=asks")),
    ],
)
def test_a_run_writes_what_can_be_scored(tmp_path, run, folders, more):
    from pictures import fill

    root = tmp_path / "flat"
    for number, folder in enumerate(folders):
        fill(root / folder, 12, number)
    assert run("--extractor", "tiny-image", "--dataset", root, *more) == 0
    answers = tmp_path / "out" / "flat" / "answers" / "tiny-image.json"
    found = json.loads(answers.read_text())["images"]
    assert not [name for query, names in found.items() for name in (query, *names) if "/" in name]
    truth = {query: names[1:2] for query, names in found.items()}
    made = tmp_path / "made.json"
    assert main([str(answers), str(write(tmp_path / "t.json", truth)), "--json", str(made)]) == 0
    scores = json.loads(made.read_text())
    assert (scores["top1"], scores["top3"]) == (0.0, 1.0)


def test_names_that_all_have_another_ending_are_refused(score):
    truth = {"a": ["0.png"], "b": ["1.png"]}
    code, written = score({"a": ["0.jpg"], "b": ["2.jpg", "1.jpg"]}, truth)
    assert code == 2
    assert "names nothing that the truth does, as '0.jpg' for '0.png'" in written.err
    assert score({"a": ["0.jpg"], "b": ["1.png", "1.jpg"]}, truth)[0] == 0
    assert score({"a": ["", "."], "b": ["/"]}, truth)[0] == 0


def test_a_right_name_spelled_in_two_ways_is_refused_in_each_answer(score):
    truth = {"a": ["h0.jpg"], "b": ["h0.jpg"]}
    code, written = score({"a": ["h0"], "b": ["h0.jpg"]}, truth)
    assert (code, "'h0' may be the truth's 'h0.jpg'" in written.err) == (2, True)
