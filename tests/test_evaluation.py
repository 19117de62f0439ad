"""Evaluation from Python of anything that makes vectors."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from describers import Learner, Plain, mean_colour, mean_colours
from networks_as_onnx import colours
from pictures import fill
from rankings import same
from scipy.sparse import csr_array
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from benchmarks import evaluate, evaluate_vectors
from benchmarks.pipeline.records.results import read_results
from benchmarks.report.tables import task_rows
from datasets.errors import InputError
from extractors import ColourHistogram
from extractors.base import Descriptor
from extractors.preprocessing import Square
from retrieval.metrics import METRICS

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", ["rgb-histogram", "colour-moments", "lbp+rgb-histogram+rrf"])
def test_a_name_gives_the_numbers_of_the_table(parted, run, tmp_path, name):
    run("--extractor", name, "--dataset", parted)
    tasks = read_results(tmp_path / "out" / "parted").tasks
    result = evaluate(name, parted)
    assert result.query_set == "query"
    assert set(result.others) == {"query-sketch"}
    for mine in (result, *result.others.values()):
        task = tasks[mine.query_set]
        [_, row] = task_rows(task.records, task.rankings)
        [record] = task.records
        assert mine.scores == record["scores"]
        assert mine.chance == record["chance"]
        assert mine.counts == record["counts"]
        assert mine.record["key"] == record["key"]
        for metric in METRICS:
            assert mine.scores[metric] == pytest.approx(row[metric], abs=1e-9)
            ends = (row[f"{metric}_low"], row[f"{metric}_high"])
            assert mine.intervals[metric] == pytest.approx(ends, abs=1e-9)


def test_everything_that_makes_vectors_is_evaluated_alike(parted, load_dataset):
    data = load_dataset(parted)
    results = [
        evaluate(mean_colour, data),
        evaluate(mean_colours, data),
        evaluate(lambda picture: mean_colour(picture), data),
        evaluate(Plain(), data),
        evaluate(FunctionTransformer(mean_colours), data),
        evaluate(make_pipeline(FunctionTransformer(mean_colours)), data, fit=False),
    ]
    assert [one.name for one in results[:4]] == ["mean_colour", "mean_colours", "lambda", "Plain"]
    assert all(same(results[0], other) for other in results[1:])
    assert results[0].scores["map"] > results[0].chance["map"]


def test_vectors_may_be_columns_and_have_axes_of_length_1_and_be_generated(parted, load_dataset):
    data = load_dataset(parted)
    results = [
        evaluate(make, data)
        for make in (
            mean_colours,
            lambda picture: mean_colour(picture)[None],
            lambda picture: mean_colour(picture)[:, None],
            lambda picture: csr_array(mean_colour(picture)[None]),
            lambda pictures: mean_colours(pictures)[:, :, None, None],
            lambda pictures: map(mean_colour, pictures),
        )
    ]
    assert all(same(results[0], other) for other in results[1:])


def test_an_extractor_of_the_suite_is_taken_as_it_is(parted, load_dataset):
    data = load_dataset(parted)
    own = evaluate(ColourHistogram("rgb", (8, 8, 8)), data, name="mine")
    assert same(own, evaluate("rgb-histogram", data))
    scaled = evaluate(make_pipeline(ColourHistogram("rgb"), StandardScaler()), data, name="scaled")
    assert scaled.record["card"]["fitted on"] == "8 training images"


def test_what_learns_is_fitted_on_training_images_only(parted, load_dataset):
    data = load_dataset(parted)
    given = Learner()
    result = evaluate(given, data)
    assert given.seen == 0  # a copy was fitted
    assert result.record["card"]["fitted on"] == "8 training images"
    pipeline = make_pipeline(FunctionTransformer(mean_colours), PCA(2))
    reduced = evaluate(pipeline, data, name="pca")
    assert reduced.record["dimensions"] == 2
    assert not hasattr(pipeline[-1], "components_")
    fitted = pipeline.fit(mean_colours and [np.zeros((4, 4, 3)), np.ones((4, 4, 3))])
    assert evaluate(fitted, data, fit=False).record["card"]["fitted on"] == "nothing"


def test_what_learns_needs_training_images(classes):
    for folder in sorted(classes.iterdir())[:1]:
        for path in sorted(folder.iterdir())[1:]:
            path.unlink()
    with pytest.raises(InputError, match="learns from training images, and there are none"):
        evaluate(Learner(), classes, leave_one_out=True)


def test_a_keras_model_goes_with_its_preprocessing(parted, load_dataset):
    keras = pytest.importorskip("keras")
    data = load_dataset(parted)
    given = []

    def preprocess(batch):
        given.append((batch.shape[1:], batch.dtype, batch.min() >= 0, batch.max() > 1))
        return batch / 255

    model = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.AveragePooling2D(16)])
    result = evaluate(model, data, preprocess=preprocess, name="pooled")
    assert set(given) == {((16, 16, 3), np.dtype(np.float32), True, True)}
    assert result.record["dimensions"] == 3
    open_size = keras.Sequential([keras.Input((None, None, 3)), keras.layers.AveragePooling2D(8)])
    assert evaluate(open_size, data).record["dimensions"] == 3
    grey = keras.Sequential([keras.Input((16, 16, 1)), keras.layers.Flatten()])
    with pytest.raises(InputError, match="RGB pictures"):
        evaluate(grey, data)


class Unpicklable(Learner):
    """One that cannot be written to a file."""

    def __init__(self):
        self.generator = (number for number in range(3))


def test_what_was_learned_need_not_be_written(parted, load_dataset):
    data = load_dataset(parted)
    assert same(evaluate(Unpicklable(), data), evaluate(Learner(), data))


def test_a_folder_without_classes_has_neighbours_and_no_scores(tmp_path):
    fill(tmp_path / "flat" / "gallery", 6, 1)
    fill(tmp_path / "flat" / "query", 2, 50)
    result = evaluate("lbp", tmp_path / "flat")
    assert set(result.scores.values()) == {None}
    assert "2 queries without a relevant image left out" in repr(result)
    assert len(result.to_rows()[0]["neighbours"]) == 6
    with pytest.raises(InputError, match="no query has a relevant image"):
        result.compare(evaluate("rgb-histogram", tmp_path / "flat"))


def test_broken_pictures_are_problems_and_the_layout_is_said(classes):
    (classes / "apple" / "broken.png").write_bytes(b"\x89PNG\r\n")
    result = evaluate(mean_colour, classes, layout="classes")
    [problem] = result.problems
    assert problem[0] == "apple/broken.png"
    assert repr(result).endswith("1 image problems, in problems")


class Number(Descriptor):
    """Gives a number instead of a vector."""

    prepare = Square(8)

    def describe(self, image):
        return image.mean()


class Neighbourly:
    """Its vectors depend on the pictures beside."""

    def transform(self, images):
        made = mean_colours(images)
        return made - made.mean(axis=0) + 1


@pytest.mark.parametrize(
    ("extractor", "message"),
    [
        (lambda picture: picture, "gives a vector, of one length for all; this one gave"),
        (lambda picture: None, "for all; this one gave NoneType"),
        (lambda picture: picture.ravel(), "of one length for all|picture"),
        (lambda picture: 1 / 0, r"fails on a list .*zero\) and on a picture \(Zero"),
        (lambda picture: [np.nan, 1.0], "gave values that are not finite for .*png"),
        (lambda picture: ["a", "b"], "rows of numbers"),
        (lambda picture: np.zeros(0), "this is 1 x 0 of float"),
        (lambda picture: mean_colour(picture) * 1e-60, "digits that single precision"),
        (lambda picture: mean_colour(picture) + 1e12, "digits that single precision"),
        (lambda picture: np.ma.masked_equal([1, 2], 1), "some numbers are masked"),
        (Number(), "vectors are rows of numbers, one for each picture"),
        (Neighbourly(), "depends on the pictures beside it"),
        ("histogram", "no such extractor as 'histogram'"),
        (3, "int makes no vectors; give a name of the menu, a function"),
        (Plain, "Plain makes no vectors"),
    ],
)
def test_what_makes_no_vectors_is_one_line(parted, extractor, message):
    sketch = parted / "validation" / "query" / "apple" / "00.png"
    from PIL import Image

    Image.open(sketch).resize((11, 7)).save(sketch)
    with pytest.raises(InputError, match=message) as error:
        evaluate(extractor, parted)
    assert "\n" not in str(error.value)


def test_vectors_of_zero_are_told(parted):
    result = evaluate(lambda picture: np.zeros(3), parted)
    assert result.scores["map"] == pytest.approx(result.chance["map"])
    assert "19 images have the vector zero" in repr(result)


@pytest.mark.parametrize(
    ("name", "value"),
    [("jobs", 0), ("epochs", -1), ("epochs", 0), ("seed", -1), ("seed", "x"), ("seed", 1.5)],
)
def test_numbers_are_those_that_the_command_takes(parted, name, value):
    with pytest.raises(InputError, match=f"{name}={value!r} is no whole number of at least"):
        evaluate("rgb-histogram", parted, **{name: value})


def test_numbers_of_numpy_are_numbers(parted, tmp_path):
    given = {"jobs": np.int8(1), "epochs": np.int64(1), "seed": np.uint16(3)}
    made = evaluate("rgb-histogram", parted, **given, out=tmp_path / "out")
    assert made.scores == evaluate("rgb-histogram", parted, seed=3).scores


def test_nothing_is_written_unless_asked(parted, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    evaluate(mean_colour, parted)
    evaluate_vectors(np.eye(2), np.eye(2), "ab", "ab", leave_one_out=False)
    assert sorted(tmp_path.rglob("*")) == before
    out, cache = tmp_path / "out", tmp_path / "cache"
    evaluate("lbp", parted, out=out, cache=cache)
    evaluate(mean_colour, parted, out=out, name="mine")
    rows = json.loads((out / "parted" / "table.json").read_text())["query"]
    assert {row["method"] for row in rows} == {"chance", "lbp", "mine"}
    assert next((cache / "vectors").iterdir()).name.startswith("lbp-")
    with pytest.raises(InputError, match="and would join what is read there"):
        evaluate("lbp", parted, out=parted / "results")


def test_a_cache_lies_beside_anything_but_pictures(parted):
    (parted.parent / "README.md").write_text("My pictures.\n")
    evaluate("tiny-image", parted, cache=parted.parent)
    assert list(parted.parent.glob("vectors/tiny-image-*"))
    with pytest.raises(InputError, match=r"cache= .* and would join what is read there"):
        evaluate("lbp", parted, cache=parted / "cache")
    with pytest.raises(InputError, match=r"out= .*README.md"):
        evaluate("lbp", parted, out=parted.parent)


def test_workers_change_nothing(parted, load_dataset):
    data = load_dataset(parted)
    assert same(evaluate(mean_colour, data, jobs=2), evaluate(mean_colour, data))


def test_results_compare_as_the_tables_do(parted, run, tmp_path):
    names = ("rgb-histogram", "lbp", "colour-moments")
    run("--extractor", *names, "--dataset", parted)
    task = read_results(tmp_path / "out" / "parted").tasks["query"]
    rows = {row["method"]: row for row in task_rows(task.records, task.rankings)}
    first, *others = (evaluate(name, parted) for name in names)
    for metric in METRICS:
        made = first.compare(*others, metric=metric)
        for row in made.to_rows():
            assert row["letters"] == rows[row["method"]][f"{metric}_letters"]
            assert row[metric] == pytest.approx(rows[row["method"]][metric], abs=1e-9)
            assert row["p_values"][row["method"]] == 1
    assert made.names[0] in repr(made)
    with pytest.raises(InputError, match="one name"):
        first.compare(first)
    with pytest.raises(ValueError, match="read-only"):
        first.values["map"] *= 100
    with pytest.raises(InputError, match="has other queries"):
        first.compare(first.others["query-sketch"])
    with pytest.raises(InputError, match="no metric 'ap'; it is one of topK"):
        first.compare(*others, metric="ap")


def test_a_result_is_shown_and_compared_by_any_metric(parted):
    first, second = evaluate("rgb-histogram", parted), evaluate("lbp", parted)
    found = first.by("recall@2", "N-S")
    assert list(found.scores) == list(found.chance) == list(found.intervals) == ["recall2", "ns"]
    assert found.scores["ns"] == 4
    assert found.chance["recall2"] == pytest.approx(2 / 13)
    assert "recall@2  0.400  0.400–0.400  0.154" in repr(found)
    assert set(found.others["query-sketch"].scores) == {"recall2", "ns"}
    assert set(found.to_rows()[0]) >= {"recall2", "ns"}
    made = first.compare(second, metric="nDCG@5")
    expected = [one.by("ndcg5").scores["ndcg5"] for one in (first, second)]
    assert sorted(made.means) == pytest.approx(sorted(expected))
    assert "nDCG@5" in repr(made)
    for names in ((), ("recall",)):
        with pytest.raises(InputError, match="no metric"):
            first.by(*names)


def test_a_result_is_read_at_a_glance(parted):
    result = evaluate("lbp", parted)
    text, html = repr(result), result._repr_html_()
    assert text.startswith("lbp on parted/query: 6 queries, 13 gallery images\n")
    assert len(text.splitlines()) == 2 + len(METRICS) + 1 + 2  # both query sets are small
    assert html.count("<tr>") == 1 + len(METRICS)
    assert f"{result.scores['map']:.3f}" in text
    assert f"{result.scores['map']:.3f}" in html
    rows = result.to_rows()
    assert len(rows) == 6
    assert np.mean([row["map"] for row in rows]) == pytest.approx(result.scores["map"])
    assert rows[0]["neighbours"][0].startswith("validation/gallery/")
    assert set(rows[0]) == {"query", "label", "relevant", "neighbours", *METRICS}


def test_vectors_of_a_folder_score_what_the_folder_scores(parted, load_dataset):
    data = load_dataset(parted)
    result = evaluate(mean_colour, data)
    from datasets.reading import read_image

    def part(images):
        return mean_colours([read_image(image.path) for image in images])

    queries, gallery = data.queries["query"], data.gallery
    labels = [[image.label for image in images] for images in (queries, gallery)]
    arrays = evaluate_vectors(part(queries), part(gallery), *labels)
    assert same(arrays, result)
    assert arrays.scores == result.scores
    assert arrays.compare  # other ids, other queries
    with pytest.raises(InputError, match="other queries"):
        arrays.compare(result)


def test_the_package_is_imported_without_the_libraries_of_the_api():
    code = "import sys, benchmarks; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    code = "from benchmarks import evaluate, evaluate_vectors; from benchmarks import nothing"
    found = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert b"cannot import name 'nothing'" in found.stderr


@pytest.mark.parametrize("page", ["README.md", "benchmarks/README.md"])
def test_the_scripts_of_the_readmes_run(page, classes, tmp_path):
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    [script] = [block for block in blocks if "from benchmarks import evaluate" in block]
    assert len(script.splitlines()) <= 10
    (tmp_path / "path" / "to").mkdir(parents=True)
    classes.rename(tmp_path / "path" / "to" / "folder")
    rng = np.random.default_rng(0)
    parts = {"queries": rng.normal(size=(5, 3)), "gallery": rng.normal(size=(9, 3))}
    labels = {"query_labels": list("abcab"), "gallery_labels": list("abcabcabc")}
    np.savez(tmp_path / "vectors.npz", **parts, **labels)
    colours(tmp_path / "model.onnx")
    found = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    if page == "README.md":
        assert "lambda on folder/query: 6 queries, 15 gallery images" in found.stdout
        assert {"hsv-histogram", "model"} <= set(found.stdout.split())
        assert "vectors on arrays/query: 5 queries, 9 gallery images" in found.stdout


def test_evaluate_gives_the_table_of_real_pictures(shared, run, tmp_path):
    data = f"corel1000={shared / 'corel1000'}"
    names = ("hsv-histogram", "colour-moments")
    run("--extractor", *names, "--dataset", data)
    task = read_results(tmp_path / "out" / "corel1000").tasks["query"]
    rows = {row["method"]: row for row in task_rows(task.records, task.rankings)}
    for name in names:
        result = evaluate(name, data, cache=tmp_path / "cache")
        for metric in METRICS:
            assert result.scores[metric] == pytest.approx(rows[name][metric], abs=1e-9)
