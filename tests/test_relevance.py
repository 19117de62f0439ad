"""Judgements of single queries: what they say, what they leave unsaid, and whom they may name."""

import json
import unicodedata

import pytest
from hypothesis import given, strategies
from pictures import fill

from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.workers import Workforce
from datasets.errors import InputError
from datasets.relevance import Place, read_relevance
from datasets.walk import RELEVANCE
from retrieval.protocol import judge

PLACES = {
    "g/0": Place(frozenset({"gallery"})),
    "g/1": Place(frozenset({"gallery"})),
    "g/broken": Place(frozenset({"gallery"}), readable=False),
    "q/0": Place(frozenset({"query"})),
    "s/0": Place(frozenset({"query-sketch"})),
    "t/0": Place(frozenset({"training"})),
    "c/dealt": Place(frozenset({"training"}), dealt=True),
    "c/broken": Place(frozenset(), readable=False),
}


@pytest.fixture
def read(tmp_path):
    """Write a file of judgements and read it."""

    def read_content(content, places=PLACES, encoding="utf-8"):
        path = tmp_path / RELEVANCE
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_bytes(text.encode(encoding))
        return read_relevance(tmp_path, places)

    return read_content


def test_what_is_not_said_is_not_none(read):
    judged, problems = read({"q/0": {"junk": ["g/0"]}, "s/0": {}})
    assert judged["q/0"].positive is None
    assert judged["q/0"].junk == {"g/0"}
    assert judged["s/0"].positive is None
    assert problems == []


@pytest.mark.parametrize(
    ("named", "what"),
    [
        ([], "relevance.json names no relevant image"),
        (["g/broken"], "relevance.json names no relevant image that can be read"),
        (["c/broken"], "relevance.json names no relevant image that can be read"),
    ],
)
def test_a_query_without_a_relevant_image_becomes_a_row(read, named, what):
    judged, [problem] = read({"q/0": {"positive": named}})
    assert judged["q/0"].positive == set(named)
    assert (problem.id, problem.what, problem.outcome) == ("q/0", what, "not scored")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_any_encoding_of_any_editor_is_read(read, encoding):
    assert read({"q/0": {"positive": ["g/1"]}}, encoding=encoding)[0]["q/0"].positive == {"g/1"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"c/dealt": {}},
            "query 'c/dealt' was dealt to training by the split; remove it",
        ),
        ({"q/0": {"junk": ["c/dealt"]}}, "'q/0': junk 'c/dealt' was dealt to training"),
        ({"g/0": {}}, "query 'g/0' lies in gallery, not in query"),
        (
            {"q/0": {"positive": ["t/0"]}},
            "'q/0': positive 't/0' lies in training, not in gallery",
        ),
        ({"Q/0": {}}, "query 'Q/0' is not in the dataset; did you mean 'q/0'?"),
        ({"q/0": {"junk": [".\\g\\1"]}}, "is not in the dataset; did you mean 'g/1'?"),
        ({"none": {}}, "query 'none' is not in the dataset; mend or remove it"),
        ({"q/0": {"positive": None}}, "expected `object | array`"),
    ],
)
def test_whom_it_cannot_mean_is_told_with_the_true_reason(read, content, message):
    with pytest.raises(InputError) as raised:
        read(content)
    assert message in str(raised.value)


def test_a_query_that_leave_one_out_leaves_out_is_told_so(parted, run, capsys):
    query = "validation/query/apple/00.png"
    (parted / "relevance.json").write_text(json.dumps({query: {"junk": []}}))
    assert run("--extractor", "lbp", "--dataset", parted, "--leave-one-out") == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"query '{query}' is left out, for with --leave-one-out the gallery asks" in said
    assert run("--extractor", "lbp", "--dataset", parted) == 0


def test_ids_are_compared_in_one_unicode_form(read):
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    places = {
        f"g/{decomposed}": Place(frozenset({"gallery"})),
        f"q/{composed}": Place(frozenset({"query"})),
    }
    judged, _ = read({f"q/{decomposed}": {"positive": [f"g/{composed}"]}}, places)
    assert judged[f"q/{composed}"].positive == {f"g/{decomposed}"}
    with pytest.raises(InputError, match="stands twice, in two spellings"):
        read({f"q/{decomposed}": {}, f"q/{composed}": {}}, places)
    with pytest.raises(InputError, match="both positive and junk"):
        read(
            {f"q/{composed}": {"positive": [f"g/{composed}"], "junk": [f"g/{decomposed}"]}}, places
        )


def test_junk_alone_leaves_a_query_its_class(parted, load_dataset):
    query, junk = "validation/query/apple/00.png", "validation/gallery/apple/00.png"
    (parted / RELEVANCE).write_text(json.dumps({query: {"junk": [junk]}}))
    data = load_dataset(parted)
    first = data.queries["query"][0]
    assert first.id == query
    judged = judge([first], data.gallery, data.relevance).of[0]
    labels = [data.gallery[n].id for n in judged.positive]
    assert labels == [f"validation/gallery/apple/0{n}.png" for n in range(1, 5)]
    assert [data.gallery[n].id for n in judged.excluded] == [junk]


def test_a_judged_query_whose_class_is_missing_is_told_unless_its_images_are_named(
    parted, load_dataset
):
    fill(parted / "validation" / "query" / "quince", 2, 9)
    first, second = (f"validation/query/quince/0{n}.png" for n in range(2))
    image = "validation/gallery/apple/00.png"
    content = {first: {"junk": [image]}, second: {"positive": [image]}}
    (parted / RELEVANCE).write_text(json.dumps(content))
    [problem] = load_dataset(parted).problems
    assert (problem.id, problem.outcome) == ("query/quince", "1 queries not scored")


def test_queries_to_which_only_junk_is_relevant_are_told(parted, load_dataset):
    apple = [f"validation/gallery/apple/0{n}.png" for n in range(5)]
    query = "validation/query/apple/00.png"
    (parted / RELEVANCE).write_text(json.dumps({query: {"junk": apple}}))
    [problem] = load_dataset(parted).problems
    assert (problem.id, problem.outcome) == ("query/apple", "1 queries not scored")
    assert problem.what == "nothing is relevant but the query itself and junk"


def test_a_dataset_of_which_nothing_could_be_scored_is_refused(run, tmp_path, capsys):
    for folder in ("a", "b", "c"):
        fill(tmp_path / "lone" / folder, 1, ord(folder))
    given = ("--extractor", "lbp", "--leave-one-out", "--dataset", tmp_path / "lone")
    assert run(*given) == 2
    assert (
        "lone: no query has a relevant picture in the gallery, itself and"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("given", "how"),
    [
        ("asking.csv", {}),
        ("searched.csv", {"leave_one_out": True}),
        ("", {"leave_one_out": True}),
        ("", {"layout": ("gallery=.", "query=.")}),
    ],
)
def test_an_image_that_is_searched_and_asks_is_judged_as_both(tmp_path, given, how):
    root = tmp_path / "both"
    for number, name in enumerate("ab"):
        fill(root / name, 2, number)
    query, *positive = "a/00.png", "a/01.png", "b/00.png"
    searched = ["path,part", *(f"{name},gallery" for name in (query, *positive, "b/01.png"))]
    (root / "searched.csv").write_text("\n".join(searched))
    (root / "asking.csv").write_text("\n".join([*searched, f"{query},query"]))
    (root / RELEVANCE).write_text(json.dumps({query: {"positive": positive}}))
    data = load(str(root / given), tmp_path / "cache", Workforce(quiet=True), **how)
    [image] = [image for image in data.queries["query"] if image.id == query]
    [judgement] = judge([image], data.gallery, data.relevance).of
    assert [data.gallery[index].id for index in judgement.positive] == positive
    assert [data.gallery[index].id for index in judgement.excluded] == [query]


def test_a_dataset_is_known_by_all_that_is_said_of_it(parted, load_dataset):
    query, image = "validation/query/apple/00.png", "validation/gallery/apple/00.png"
    seen = set()
    for content in ({}, {query: {}}, {query: {"positive": []}}, {query: {"junk": [image]}}):
        (parted / RELEVANCE).write_text(json.dumps(content))
        seen.add(load_dataset(parted).fingerprint)
    assert len(seen) == 4


def test_a_picture_that_the_split_dealt_elsewhere_is_in_the_dataset(classes, load_dataset):
    dealt = load_dataset(classes).training[0].id
    (classes / RELEVANCE).write_text(json.dumps({dealt: {"junk": []}}))
    with pytest.raises(InputError, match=rf"'{dealt}' was dealt to training by the split"):
        load_dataset(classes)
    broken = classes / "apple" / "broken.png"
    broken.write_text("text")
    (classes / RELEVANCE).write_text(json.dumps({"apple/broken.png": {"junk": []}}))
    assert [problem.id for problem in load_dataset(classes).problems] == ["apple/broken.png"]


def test_a_drawing_is_judged_as_its_photograph(parted, load_dataset, tmp_path):
    from benchmarks.pipeline.loading.variants import with_edges
    from benchmarks.pipeline.workers import Workforce

    query, image = "validation/query/apple/00.png", "validation/gallery/apple/00.png"
    twin = parted / "validation/gallery/apple/twin.png"
    twin.write_bytes((parted / query).read_bytes())
    (parted / RELEVANCE).write_text(json.dumps({query: {"junk": [image]}}))
    data = with_edges(load_dataset(parted), tmp_path / "cache", Workforce(quiet=True))
    photo, drawing = (
        judge([data.queries[name][0]], data.gallery, data.relevance).of[0]
        for name in ("query", "query-edges")
    )
    assert photo.positive.tolist() == drawing.positive.tolist()
    assert photo.excluded.tolist() == drawing.excluded.tolist()
    assert len(photo.excluded) == 2


def test_any_judgements_are_read_as_they_were_written(tmp_path):
    ids = [key for key, place in PLACES.items() if "gallery" in place.parts]
    lists = strategies.fixed_dictionaries(
        {},
        optional={
            "positive": strategies.lists(strategies.sampled_from(ids)),
            "junk": strategies.lists(strategies.sampled_from(ids)),
        },
    )
    contents = strategies.dictionaries(strategies.sampled_from(["q/0", "s/0"]), lists)
    path = tmp_path / RELEVANCE

    @given(contents, strategies.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    def check(content, encoding):
        path.write_text(json.dumps(content), encoding)
        overlap = any(
            set(one.get("positive", ())) & set(one.get("junk", ())) for one in content.values()
        )
        if overlap:
            with pytest.raises(InputError, match="both positive and junk"):
                read_relevance(tmp_path, PLACES)
            return
        judged, problems = read_relevance(tmp_path, PLACES)
        assert judged.keys() == content.keys()
        for query, one in content.items():
            said = None if "positive" not in one else set(one["positive"])
            assert judged[query].positive == said
            assert judged[query].junk == set(one.get("junk", ()))
        none = {
            q
            for q, one in judged.items()
            if one.positive is not None and not any(PLACES[name].readable for name in one.positive)
        }
        assert {problem.id for problem in problems} == none

    check()


def test_any_bytes_are_read_or_refused_in_one_line(tmp_path):
    path = tmp_path / RELEVANCE
    values = strategies.recursive(
        strategies.none() | strategies.booleans() | strategies.floats() | strategies.text(),
        lambda inner: (
            strategies.lists(inner)
            | strategies.dictionaries(
                strategies.text() | strategies.sampled_from(["positive", "junk", "q/0", "g/0"]),
                inner,
            )
        ),
    )
    texts = values.map(json.dumps).map(str.encode) | strategies.binary()

    @given(texts)
    def check(data):
        path.write_bytes(data)
        try:
            read_relevance(tmp_path, PLACES)
        except InputError as error:
            assert str(error).startswith(str(path))  # noqa: PT017

    check()
