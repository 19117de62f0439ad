"""The first page of the results: its sentences say what the numbers say."""

import numpy as np
import pytest

from benchmarks.formats.markdown import Markup, escape, markdown
from benchmarks.report.comparisons import Scored
from benchmarks.report.pages.overview import Task, _findings, _headline, choices

RNG = np.random.default_rng(0)


def record(name, size, milliseconds, **parts):
    return {
        "row": name,
        "bytes_per_image": size,
        "costs": {"extraction_ms": milliseconds},
        "card": {"extractor": parts or {"head": {"class": f"extractors.{name}.Some"}}},
    }


RECORDS = {
    "colour": record("colour", 100, 2.0),
    "texture": record("texture", 5000, 1.0),
    "net": record("net", 4000, 30.0, head={"class": "x.y"}, network={}),
    "net+colour": record("net+colour", 4100, 32.0, rows={"net": {"network": {}}, "colour": {}}),
    "net+dba": record("net+dba", 4000, 30.0, rows={"net": {"network": {}}}),
    "unknown": record("unknown", 10, None, head={"class": "extractors.hand_crafted.shape.Some"}),
}


def task(dataset, query_set, by_training=None, **means):
    noise = RNG.normal(0, 0.02, (80, len(means)))
    noise -= noise.mean(axis=0)
    values = {name: mean + noise[:, n] for n, (name, mean) in enumerate(means.items())}
    combined = {"net+colour": ["net", "colour"], "net+dba": ["net"]}
    members = {name: parts for name, parts in combined.items() if name in means}
    known = {name: RECORDS[name] for name in means}
    return Task(dataset, query_set, known, Scored(values, members), by_training)


@pytest.fixture
def tasks():
    fusion = {"net+colour": 0.95, "by_training": "net+colour"}
    return [
        task("one", "query", net=0.9, colour=0.3, texture=0.2, unknown=0.1, **fusion),
        task("two", "query", net=0.5, colour=0.5, texture=0.1, unknown=0.1),
        task("two", "query-sketch", net=0.2, colour=0.4, texture=0.45, unknown=0.1),
    ]


def test_a_sentence_says_who_is_ahead_and_where_nobody_is(tasks):
    photos, drawn, together = _findings(tasks).split("\n**")[1:]
    assert "ahead on one/query; behind on none; and not clearly either on the other 1.\n" in photos
    assert "- one/query: net 0.900" in photos
    assert "difference +0.600 (+0.59" in photos
    assert "ahead on none; behind on two/query-sketch.\n" in drawn
    assert "texture 0.450" in drawn  # the best classical row there
    assert "The fusion is ahead on one/query; behind on none" in together
    assert "net+colour 0.950" in together


def test_re_ranking_is_compared_with_the_row_alone_where_it_is_everywhere(tasks):
    assert "Re-ranked by" not in _findings(tasks)
    more = [
        task("one", "query", **{"net": 0.5, "net+dba": 0.6}),
        task("two", "query", **{"net": 0.5, "net+dba": 0.45}),
    ]
    assert (
        "(net+dba), and not re-ranked. Re-ranking is ahead on one/query; behind on two/query"
        in (_findings(more))
    )
    assert "Re-ranked by" not in _findings([task("one", "query", **{"net+dba": 0.6})])


def test_each_need_gets_the_best_row_that_it_allows(tasks):
    text = choices(tasks[:1])
    lines = {line.split(" | ")[0].strip("| "): line.split(" | ") for line in text.splitlines()}
    used = {need: line[1:4] for need, line in lines.items()}
    assert used["whatever it costs"] == ["net+colour", "4,100", "32.0"]
    assert used["one extractor, no fusion"] == ["net", "4,000", "30.0"]
    assert used["no network"] == ["colour", "100", "2.0"]
    assert used["at most 1 KB an image"] == ["colour", "100", "2.0"]
    assert used["at most 10 ms an image"] == ["colour", "100", "2.0"]
    assert len(lines["both"]) == 5


def test_a_row_must_have_run_everywhere_and_a_need_may_find_none(tasks):
    text = choices([task("one", "query", net=0.9), task("two", "query", net=0.5, texture=0.9)])
    assert "| whatever it costs | net |" in text
    assert "| no network | nothing here | – | – | – | – |" in text
    # Where milliseconds are not known, nothing can be promised.
    assert "| at most 10 ms an image | nothing here" in choices([task("a", "query", unknown=0.5)])
    sketches = choices(tasks).split("\n\n")[1]
    assert sketches.startswith("| asked with sketches: two |")
    assert "| whatever it costs | texture |" in sketches


def test_the_best_of_each_kind(tasks):
    heads, _, first, *_ = _headline(tasks).split("\n\n")[1].splitlines()
    assert heads == "|  | colour | texture | shape | network | fused |"
    assert first.startswith("| one/query | colour<br>0.")
    assert "net+colour<br>0.9" in first


def test_only_what_is_called_markup_is_not_escaped():
    assert escape("a|<b>") == "a\\|\\<b\\>"
    assert escape(Markup("<br>")) == "<br>"


def test_numbers_stand_right_and_words_left():
    table = markdown(["row", "mAP", "use"], [["a", "0.5 (.4–.6) b", "hog"], ["b", "–", "gist"]])
    assert table.splitlines()[1] == "| --- | ---: | --- |"
    assert markdown(["row", "mAP"], []).count("\n") == 2
