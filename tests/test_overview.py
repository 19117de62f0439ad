"""The first page of the results: its sentences say what the numbers say."""

import re

import numpy as np
import pytest

from benchmarks.formats.markdown import Markup, escape, markdown
from benchmarks.pipeline.methods.method import WEIGHTS_SEEN
from benchmarks.pipeline.records.results import TaskResults
from benchmarks.report.comparisons import TRAINED, Scored, chosen, rank_methods
from benchmarks.report.pages.overview import Task, best_of_families, choices, findings

RNG = np.random.default_rng(0)


def record(name, size, milliseconds, *families):
    """A record of one extractor of a family, or of several of the families given by name."""
    parts = zip(name.split("+"), families, strict=False)  # a re-ranking has no family
    cards = {part: {"family": family} for part, family in parts}
    return {
        "method": name,
        "bytes_per_image": size,
        "costs": {"extraction_ms": milliseconds},
        "chance": {"map": 0.05},
        "card": {"extractor": {"extractors": cards} if "+" in name else cards[name]},
    }


RECORDS = {
    "colour": record("colour", 100, 2.0, "colour"),
    "texture": record("texture", 5000, 1.0, "texture"),
    "net": record("net", 4000, 30.0, "network"),
    "net+colour": record("net+colour", 4100, 32.0, "network", "colour"),
    "net+dba": record("net+dba", 4000, 30.0, "network"),
    "unknown": record("unknown", 10, None, "shape"),
    "foreign": record("foreign", 10, 1.0, None),
    "net+centred+k": record("net+centred+k", 4000, 30.0, "network"),
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


def clear(rows):
    """Signs of the differences that are significant."""
    return [np.sign(row["difference"].change) for row in rows if row["is_clear"]]


def test_a_finding_says_who_is_better_and_where_nobody_is(tasks):
    found = findings(tasks)
    assert list(found) == ["photographs", "drawings", "fusion"]
    first, second = found["photographs"]
    assert (first["task"], first["is_clear"]) == ("one/query", True)
    assert (second["task"], second["is_clear"]) == ("two/query", False)
    assert first["difference"].method == "net"
    assert first["difference"].change == pytest.approx(0.6)
    assert first["means"] == pytest.approx([0.9, 0.3])
    [row] = found["drawings"]
    assert clear([row]) == [-1]
    assert row["difference"].other == "texture"  # the best hand-crafted feature there
    assert row["means"][1] == pytest.approx(0.45)
    assert clear(found["fusion"]) == [1]
    assert found["fusion"][0]["difference"].method == "net+colour"


def test_re_ranking_is_compared_with_the_extractor_alone_where_it_is_everywhere(tasks):
    assert "reranking" not in findings(tasks)
    more = [
        task("one", "query", **{"net": 0.5, "net+dba": 0.6}),
        task("two", "query", **{"net": 0.5, "net+dba": 0.45}),
    ]
    found = findings(more)["reranking"]
    assert {row["difference"].method for row in found} == {"net+dba"}
    assert clear(found) == [1, -1]
    assert findings([task("one", "query", **{"net+dba": 0.6})]) == {}


def test_centring_is_no_gain_of_re_ranking():
    both = {"net+centred+k": 0.9, "net": 0.1}
    made = task("one", "query", **both)
    made.scored.members["net+centred+k"] = ["net"]
    assert not {"centring", "reranking"} & findings([made]).keys()


def test_queries_are_called_drawings_by_their_name_only():
    tasks = [task("one", name, net=0.9, colour=0.3) for name in ("query-night", "query-sketch")]
    found = findings(tasks)
    assert [row["task"] for row in found["drawings"]] == ["one/query-sketch"]
    assert [row["task"] for row in found["others"]] == ["one/query-night"]


def test_what_others_made_is_neither_hand_crafted_nor_without_a_network():
    one = task("one", "query", net=0.9, colour=0.3, foreign=0.6)
    assert findings([one])["photographs"][0]["difference"].other == "colour"
    need = {row["need"]: row["method"] for row in choices([one])}
    assert (need["no network"], need["one extractor, no fusion"]) == ("colour", "net")


def test_each_need_gets_the_best_method_that_it_allows(tasks):
    rows = {row["need"]: row for row in choices(tasks[:1])}
    used = {need: (row["method"], row["bytes"], row["ms"]) for need, row in rows.items()}
    assert used == {
        "most accurate": ("net+colour", 4100, 32.0),
        "one extractor, no fusion": ("net", 4000, 30.0),
        "no network": ("colour", 100, 2.0),
        "at most 1 KB and 20 ms an image": ("colour", 100, 2.0),
    }
    assert rows["most accurate"]["scores"] == [(pytest.approx(0.95), True)]


def test_sketches_have_a_choice_of_their_own_where_it_is_another(tasks):
    first, second, *_ = choices(tasks[1:])
    assert (first["method"], second["method"]) == ("colour", "texture")
    assert [is_best for _, is_best in first["scores"]] == [True, False]
    assert first["need"] == second["need"] == "most accurate"
    assert second["scores"] == [(pytest.approx(0.1), False), (pytest.approx(0.45), True)]


def test_a_set_on_which_all_do_well_does_not_decide_alone():
    low = task("low", "query", net=0.14, colour=0.06)
    high = task("high", "query", net=0.8, colour=0.9)
    first = choices([low, high])[0]
    assert first["method"] == "net"  # .85 and 1 of the leads, for 1 and .11


def test_the_fusion_chosen_had_not_seen_the_answers():
    one = task("one", "query", **{"net": 0.5, "net+colour": 0.6, "net+dba": 0.7})
    records = [
        {"method": name, "learned": {TRAINED: mean}, "note": note, "card": card}
        for (name, mean, note), card in (
            (("net+colour", 0.8, ""), {"extractor": {"steps": [0]}}),
            (("net+dba", 0.99, f"{WEIGHTS_SEEN}: …"), {"extractor": {"steps": [0]}}),
        )
    ]
    assert chosen(TaskResults(records, {}, []), one.records) == "net+colour"


def test_a_method_must_have_run_everywhere_and_a_need_may_find_none():
    both = [task("one", "query", net=0.9), task("two", "query", net=0.5, texture=0.9)]
    rows = {row["need"]: row for row in choices(both)}
    assert rows["most accurate"]["method"] == "net"
    none = rows["no network"]
    assert (none["method"], none["bytes"], none["ms"]) == (None, None, None)
    assert [one for one, _ in none["scores"]] == [None, None]
    # Where milliseconds are not known, nothing can be promised.
    quick = choices([task("a", "query", unknown=0.5)])[-1]
    assert (quick["need"], quick["method"]) == ("at most 1 KB and 20 ms an image", None)
    assert choices([task("a", "query-edges", net=0.5)]) == []


def test_the_best_of_each_family(tasks):
    assert best_of_families(tasks) == {
        "colour": dict.fromkeys(("one/query", "two/query", "two/query-sketch"), "colour"),
        "texture": dict.fromkeys(("one/query", "two/query", "two/query-sketch"), "texture"),
        "shape": dict.fromkeys(("one/query", "two/query", "two/query-sketch"), "unknown"),
        "network": dict.fromkeys(("one/query", "two/query", "two/query-sketch"), "net"),
        "fused": {"one/query": "net+colour"},
    }


def test_methods_that_ran_everywhere_have_ranks():
    def values(*means):
        return {name: np.full(9, mean) for name, mean in zip("abc", means, strict=True)}

    tasks = {"one": values(0.9, 0.5, 0.1), "two": values(0.2, 0.4, 0.1) | {"d": np.ones(9)}}
    found = rank_methods(tasks)
    assert found["tasks"] == ["one", "two"]
    rows = [(row["method"], row["mean"], row["ranks"]) for row in found["methods"]]
    assert rows == [("a", 1.5, [1, 2]), ("b", 1.5, [2, 1]), ("c", 3.0, [3, 3])]
    assert all(row["low"] == row["mean"] == row["high"] for row in found["methods"])
    assert found["taus"]["one"] == pytest.approx([1, 1 / 3])
    assert rank_methods({"one": tasks["one"]}) is None
    assert rank_methods({}) is None
    assert rank_methods({"one": {"a": np.ones(3)}, "two": {"a": np.ones(3)}}) is None


def test_the_page_counts_its_findings(parted, run, tmp_path):
    run("--extractor", "lbp", "hog", "lbp+hog", "lbp+dba", "--dataset", parted)
    page = (tmp_path / "out" / "README.md").read_text()
    assert "\n## Two findings\n" in page  # there is no network
    assert page.count("\n### ") == 2
    assert re.search(r"\nFusion: significantly better on \d of 2 tasks, worse on \d\.\n", page)
    assert re.search(
        r"\| parted/query \| lbp\+dba 0\.\d{3} \| lbp 0\.\d{3} \| [+-]0\.\d{3} "
        r"\([+-]0\.\d{3} to [+-]0\.\d{3}\) \| (better|worse|no) \|",
        page,
    )
    assert "| parted/query | 6 | 13 | 3 | 8 | 4 | 0 |" in page
    assert "| no network | " in page
    one_score = r"0\.\d{3} \(0\.\d{3}–[01]\.\d{3}\)"
    assert "\n| task | texture | shape | fused | re-ranked |\n" in page
    assert re.search(rf"\n\| parted/query \|( {one_score} \|){{4}}\n", page)
    assert "\n| shape | hog | parted/query, parted/query-sketch |\n" in page


def test_only_what_is_called_markup_is_not_escaped():
    assert escape("a|<b>") == "a\\|\\<b\\>"
    assert escape(Markup("<br>")) == "<br>"
    assert escape("&amp; *b* ~~x~~ $f$") == r"\&amp; \*b\* \~\~x\~\~ \$f\$"
    assert escape("**") == "**"  # nothing stands in it
    assert escape("_x_ a_b a__b c_") == r"\_x\_ a_b a__b c\_"
    assert escape("\n\u202e") == r"\\x0a\\u202e"


def test_numbers_stand_right_and_words_left():
    table = markdown(["row", "mAP", "use"], [["a", "0.5 (.4–.6) b", "hog"], ["b", "–", "gist"]])
    assert table.splitlines()[1] == "| --- | ---: | --- |"
    assert markdown(["row", "mAP"], []).count("\n") == 2


def test_methods_that_did_not_run_everywhere_stand_last_in_the_summary(
    parted, classes, run, tmp_path
):
    assert run("--extractor", "lbp", "rgb-histogram", "--dataset", classes) == 0
    assert run("--extractor", "lbp", "--dataset", parted) == 0
    lines = (tmp_path / "out" / "summary.md").read_text().splitlines()
    first = [line.split("|")[1].strip() for line in lines if line.startswith("| ")]
    start = first.index("chance")
    assert first[start : start + 3] == ["chance", "lbp", "rgb-histogram"]
