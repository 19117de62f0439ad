"""Rows of several extractors: what their names mean, what they cost, what they may learn from."""

import json

import pytest

import extractors
from benchmarks.pipeline.evaluation.fitted_method import FittedMethod
from benchmarks.pipeline.loading.training import LeakError
from benchmarks.pipeline.methods.names import COMBINED, expand, method_names, parse_method
from datasets.errors import InputError
from retrieval.fusion.methods import FUSION_METHODS
from retrieval.reranking.menu import RERANKINGS


def record(tmp_path, row, query_set="query", ending=".json"):
    folder = tmp_path / "out" / "parted" / "records" / query_set
    return json.loads((folder / f"{row}{ending}").read_text())


def test_a_name_says_what_a_row_is():
    made = parse_method("lbp+hog+rrf+alpha-qe+dba")
    assert [row.name for row in made.extractors] == ["lbp", "hog"]
    assert made.fusion == FUSION_METHODS["rrf"]
    assert made.rerankings == (RERANKINGS["alpha-qe"], RERANKINGS["dba"])
    assert parse_method("lbp+hog").fusion == FUSION_METHODS["weighted"]
    assert parse_method("lbp").is_plain
    assert parse_method("lbp").identity == parse_method("lbp").extractors[0].identity
    assert parse_method("sift-bovw+lbp+geometry").verified.name == "sift-bovw"
    names = [
        parse_method(name).identity
        for name in ("lbp+hog", "lbp+hog+rrf", "lbp+hog+dba", "lbp+dba")
    ]
    assert (
        parse_method("sift-bovw+orb-bovw+geometry").identity
        != parse_method("orb-bovw+sift-bovw+geometry").identity
    )
    assert all(a != b for i, a in enumerate(names) for b in names[:i])


def test_every_row_of_the_menu_has_a_sensible_name():
    for name in COMBINED:
        assert parse_method(name).name == name
        assert name in method_names()


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("lbq", "no such extractor as 'lbq'; did you mean 'lbp'"),
        ("HSV-Histogram", "no such extractor as 'HSV-Histogram'; did you mean 'hsv-histogram'"),
        ("LBP+hog", "did you mean 'lbp'"),
        ("lbp+rrff", "no such extractor as 'rrff'; did you mean 'rrf'"),
        ("rrf+lbp", "first extractors"),
        ("lbp+alpha-qe+hog", "first extractors"),
        ("lbp+rrf", "rrf fuses at least two extractors"),
        ("lbp+hog+rrf+borda", "one way of fusion"),
        ("lbp+hog+dba+rrf", "one way of fusion"),
        ("lbp+lbp", "stands there twice"),
        ("sift-bovw+geometry+dba", "geometry comes last"),
        ("lbp+geometry", "needs an extractor of local features"),
        ("lbp+", "no such extractor"),
    ],
)
def test_names_without_sense_are_refused(name, complaint, run, capsys):
    with pytest.raises(InputError, match=complaint):
        parse_method(name)
    assert run("--extractor", name) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: --extractor {name}: ")
    assert error.count("\n") == 1


def test_no_name_is_no_method():
    with pytest.raises(InputError, match="--extractor: no name given"):
        parse_method("")


def test_a_star_stands_for_every_way():
    assert expand("lbp") == ["lbp"]
    assert expand("lbp+hog+*") == [f"lbp+hog+{name}" for name in FUSION_METHODS]
    assert expand("lbp+*") == [f"lbp+{name}" for name in RERANKINGS]
    assert expand("lbp+hog+rrf+*") == [f"lbp+hog+rrf+{name}" for name in RERANKINGS]


def test_every_way_of_combining_and_re_ranking_runs(parted, run, tmp_path):
    assert run("--extractor", "lbp+hog+*", "lbp+*", "--dataset", parted) == 0
    names = expand("lbp+hog+*") + expand("lbp+*")
    assert {record(tmp_path, name)["status"] for name in names} == {"ok"}


def test_costs_and_dimensions_add_up_and_what_was_learned_is_recorded(parted, run, tmp_path):
    rows = ("lbp", "hog", "lbp+hog", "lbp+hog+concat-whitened")
    assert run("--extractor", *rows, "--dataset", parted) == 0
    one, other, both, whitened = (record(tmp_path, row) for row in rows)
    assert both["dimensions"] == one["dimensions"] + other["dimensions"]
    assert both["bytes_per_image"] == 4 * both["dimensions"]
    assert whitened["dimensions"] == 7  # of eight training images
    costs = [record(tmp_path, row, ending=".costs.json") for row in rows]
    added = costs[0]["extraction_ms"] + costs[1]["extraction_ms"]
    assert costs[2]["extraction_ms"] == pytest.approx(added, abs=1e-3)
    assert sum(both["learned"]["weights"]) == pytest.approx(1)
    assert "learned" not in one
    assert both["card"]["fitted on"] == "8 training images"
    assert both["card"]["extractor"]["extractors"]["hog"] == other["card"]["extractor"]


def test_detection_that_two_extractors_share_is_counted_once(parted, run, tmp_path):
    rows = ("sift-bovw", "rootsift-bovw", "sift-bovw+rootsift-bovw")
    run("--extractor", *rows, "--dataset", parted)
    one, other, both = (record(tmp_path, r, ending=".costs.json")["extraction_ms"] for r in rows)
    assert max(one, other) <= both < one + other


def test_weights_are_learned_on_training_images_only(parted, load_dataset, tmp_path, monkeypatch):
    """Were a training image searched, the run would stop; and nothing else is looked at."""
    from dataclasses import replace

    from benchmarks.pipeline.extraction.extract import extract
    from benchmarks.pipeline.workers import Workforce

    data = load_dataset(parted)
    row = parse_method("lbp+hog")
    made = extract(row.extractors, data, tmp_path / "cache", False, Workforce(quiet=True))
    fitted = FittedMethod(row, data, made, tmp_path / "cache")
    weights = fitted.fusion.learned
    fewer = replace(data, gallery=data.gallery[:4], queries={"query": data.queries["query"][:1]})
    assert FittedMethod(row, fewer, made, tmp_path / "cache").fusion.learned == weights
    leaking = replace(data, gallery=(*data.gallery, data.training[0]))
    with pytest.raises(LeakError, match="never fit on it"):
        FittedMethod(row, leaking, made, tmp_path / "cache")


def test_rows_without_anything_to_learn_from_are_skipped(parted, run, tmp_path):
    for image in sorted((parted / "training").glob("*/*"))[1:]:
        image.unlink()
    assert run("--extractor", "lbp+hog", "lbp+hog+rrf", "--dataset", parted) == 0
    assert record(tmp_path, "lbp+hog")["status"] == "skipped"
    assert "two training images" in record(tmp_path, "lbp+hog")["reason"]
    assert record(tmp_path, "lbp+hog+rrf")["status"] == "ok"


def test_an_extractor_that_fails_fails_all_rows_that_use_it(parted, run, tmp_path, monkeypatch):
    class Broken(type(extractors.MENU["lbp"])):
        def describe(self, image):
            raise RuntimeError("no")

    monkeypatch.setitem(extractors.MENU, "broken", Broken())
    assert run("--extractor", "broken+hog", "hog", "--dataset", parted) == 1
    assert record(tmp_path, "broken+hog")["status"] == "failed"
    assert record(tmp_path, "hog")["status"] == "ok"


def test_weights_that_a_trained_network_has_seen_are_noted():
    row = parse_method("cnn-compact+hog")
    assert "weights seen: they are learned from images that cnn-compact was" in row.note
    assert parse_method("cnn-compact+hog+rrf").note == ""


def test_what_learns_from_vectors_is_weighed_by_images_that_it_has_not_learned_from(
    parted, load_dataset, tmp_path, monkeypatch
):
    from benchmarks.pipeline.evaluation import fitted_method as fitted
    from benchmarks.pipeline.extraction.extract import extract
    from benchmarks.pipeline.workers import Workforce
    from retrieval.fusion.methods import WeightedFusion

    data = load_dataset(parted)
    row = parse_method("colour-moments+lbp")
    assert row.extractors[0].postprocessing
    learned_from, rounds = [], []
    fit_postprocessing, fit = fitted.fit_postprocessing, WeightedFusion.fit

    def watch_tail(row, images, dataset, store):
        if row.postprocessing:
            learned_from.append({image.id for image in images})
        return fit_postprocessing(row, images, dataset, store)

    def watch_fit(self, training, labels, given=()):
        rounds.extend(given)
        return fit(self, training, labels, given)

    monkeypatch.setattr(fitted, "fit_postprocessing", watch_tail)
    monkeypatch.setattr(WeightedFusion, "fit", watch_fit)
    made = extract(row.extractors, data, tmp_path / "cache", False, Workforce(quiet=True))
    FittedMethod(row, data, made, tmp_path / "cache")
    everyone = {image.id for image in data.training}
    assert learned_from.pop() == everyone
    assert len(learned_from) == len(rounds) == 5
    for known, one in zip(learned_from, rounds, strict=True):
        assert known == everyone - {data.training[index].id for index in one.queries}
        assert one.vectors[0].shape[0] == len(everyone)
    assert sorted(i for one in rounds for i in one.queries) == list(range(len(everyone)))
