"""Rows with a network through the command: looked at once, trained in sight, or skipped."""

import csv
import json

import numpy as np
import pytest
from pictures import fill, use_unchanged
from PIL import Image
from sklearn.pipeline import make_pipeline

import extractors
from benchmarks.pipeline.extraction import inputs
from benchmarks.pipeline.records.invariance import read_invariance
from benchmarks.pipeline.records.results import read_results
from benchmarks.report.pages.training import plot_training
from benchmarks.report.plots.book import PlotBook
from extractors.networks import backbone as backbone_module
from extractors.networks import training, weights
from extractors.networks.architectures import KerasApplication
from extractors.networks.augmentation import Augmentation
from extractors.networks.backbone import Backbone
from extractors.networks.finetuning import FineTuned
from extractors.networks.pretrained import MapPooling, Pretrained, Stem
from extractors.networks.scratch import CompactCnn
from extractors.networks.training import Recipe
from extractors.preprocessing import Square

SMALL = Backbone("MobileNetV2", cut="block_15_add", side=32, seed=3)
OFFICIAL = weights.OFFICIAL["resnet50"]
TWO = Augmentation(copies=2)
RECIPE = Recipe(epochs=2, batch=4)


@pytest.fixture(autouse=True)
def menu(monkeypatch, own_weights):
    """Small networks instead of the real ones."""
    networks_only = {
        "whole": Pretrained(SMALL),
        "conv4": make_pipeline(Stem(SMALL), MapPooling()),
        "tuned": make_pipeline(Stem(SMALL), FineTuned(SMALL, recipe=RECIPE, augmentation=TWO)),
        "scratch": CompactCnn(widths=(8, 16), prepare=Square(32), recipe=RECIPE),
    }
    monkeypatch.setattr(extractors, "MENU", networks_only)


@pytest.fixture
def looked_at(monkeypatch):
    """Count the pictures that pass through networks, by kind."""
    counts: dict[str, int] = {}
    for kind in (Pretrained, Stem, CompactCnn):
        original = kind.run

        def run(self, batch, kind=kind, original=original):
            counts[kind.__name__] = counts.get(kind.__name__, 0) + len(batch)
            return original(self, batch)

        monkeypatch.setattr(kind, "run", run)
    return counts


def records(tmp_path, dataset="parted"):
    found = {}
    for path in (tmp_path / "out" / dataset / "records" / "query").glob("*.json"):
        if "costs" not in path.name:
            found[path.stem] = json.loads(path.read_text())
    return found


def test_pictures_pass_once_through_each_network(parted, run, tmp_path, looked_at, monkeypatch):
    assert run("--all", "--dataset", parted) == 0
    images = 8 + 13 + 6 + 4
    copies = 8 * 2
    assert looked_at == {"Pretrained": images, "Stem": images + copies, "CompactCnn": images}
    made = records(tmp_path)
    assert {row["status"] for row in made.values()} == {"ok"}
    sizes = {name: row["dimensions"] for name, row in made.items()}
    assert sizes == {"whole": 1280, "conv4": 160, "tuned": 1280, "scratch": 16}
    fitted = {name: row["card"]["fitted on"] for name, row in made.items()}
    assert fitted["whole"] == fitted["conv4"] == "nothing"
    assert fitted["tuned"] == fitted["scratch"] == "8 training images"
    costs = json.loads(
        (tmp_path / "out" / "parted" / "records" / "query" / "tuned.costs.json").read_text()
    )
    assert costs["fit_seconds"] > 0
    assert costs["extraction_ms"] > 0
    looked_at.clear()
    assert run("--all", "--dataset", parted) == 0
    assert looked_at == {}
    # Neither does a copy of a query pass twice, and nothing is trained for it.
    use_unchanged(monkeypatch)
    monkeypatch.setattr(training, "_epoch", None)  # would fail
    for _ in range(2):
        assert run("--all", "--dataset", parted, "--invariance", "3") == 0
        assert looked_at == {"Pretrained": 3, "Stem": 3, "CompactCnn": 3}
    _, found = read_invariance(tmp_path / "out" / "parted")
    assert set(found) == {"whole", "conv4", "tuned", "scratch"}
    for one in found.values():
        np.testing.assert_array_equal(one.scores[0, 0], one.clean)


def test_results_do_not_depend_on_what_was_there_before(parted, run, tmp_path):
    run("--all", "--dataset", parted)
    run("--extractor", "tuned", "--dataset", parted, out="alone", cache="alone-cache")
    for name in ("tuned.json", "tuned.npz"):
        together = tmp_path / "out" / "parted" / "records" / "query" / name
        alone = tmp_path / "alone" / "parted" / "records" / "query" / name
        assert together.read_bytes() == alone.read_bytes()


def test_a_new_picture_passes_alone_and_nothing_is_trained_again(
    parted, run, tmp_path, looked_at, monkeypatch
):
    run("--all", "--dataset", parted)
    looked_at.clear()
    Image.new("RGB", (30, 30), "green").save(parted / "validation/gallery/apple/new.png")
    monkeypatch.setattr(training, "_epoch", None)  # would fail
    assert run("--all", "--dataset", parted) == 0
    assert looked_at == {"Pretrained": 1, "Stem": 1, "CompactCnn": 1}


def test_history_is_in_the_results_and_its_curves_among_the_plots(parted, run, tmp_path):
    run("--extractor", "tuned", "scratch", "--dataset", parted)
    folder = tmp_path / "out" / "parted" / "training"
    assert sorted(path.name for path in folder.iterdir()) == ["scratch.csv", "tuned.csv"]
    epochs = list(csv.DictReader((folder / "tuned.csv").read_text().splitlines()))
    assert [one["epoch"] for one in epochs] == ["0", "1"]
    assert {"loss", "accuracy", "val_loss", "val_accuracy", "rate"} < epochs[0].keys()
    book = PlotBook(folder.parent)
    results = read_results(folder.parent)
    plot_training(results, book)
    assert [plot.name for plot in book.plots] == ["training-scratch", "training-tuned"]
    results.tasks["query"].records[:] = results.tasks["query-sketch"].records[:] = []
    plot_training(results, gone := PlotBook(folder.parent))
    assert gone.plots == []


def test_fewer_epochs_than_the_recipe_are_said(parted, run, tmp_path):
    assert run("--extractor", "tuned", "conv4", "--epochs", "1", "--dataset", parted) == 0
    made = records(tmp_path)
    assert made["tuned"]["note"] == "at most 1 epoch: its recipe trains longer"
    assert made["conv4"]["note"] == ""
    page = (tmp_path / "out" / "parted" / "table.md").read_text()
    assert "| tuned (at most 1 epoch) |" in page
    history = tmp_path / "out" / "parted" / "training" / "tuned.csv"
    assert len(history.read_text().splitlines()) == 2
    assert run("--extractor", "tuned", "--epochs", "2", "--dataset", parted) == 0
    assert records(tmp_path)["tuned"]["note"] == ""  # what the recipe says anyway
    assert len(history.read_text().splitlines()) == 3


def test_networks_have_numbers_of_epochs_of_their_own(parted, run, tmp_path, capsys):
    both = ("--extractor", "tuned", "scratch", "--dataset", parted)
    assert run(*both, "--epochs", "tuned=1") == 0
    made = records(tmp_path)
    assert "at most 1 epoch:" in made["tuned"]["note"]
    assert made["scratch"]["note"] == ""
    assert run(*both, "--epochs", "tuned=2", "--epochs", "1") == 0
    made = records(tmp_path)
    assert made["tuned"]["note"] == ""  # what the recipe says anyway
    assert "at most 1 epoch:" in made["scratch"]["note"]
    for given, line in {
        "conv4=1": "--epochs conv4=1: nothing of that name is trained; name one of scratch, tuned",
        "=1": "argument --epochs: '=1' is neither N nor NAME=N",
        "tuned=one": "argument --epochs: 'tuned=one' is neither N nor NAME=N",
        "tuned=0": "argument --epochs: 0 is less than 1",
    }.items():
        assert run(*both, "--epochs", given) == 2
        assert line in capsys.readouterr().err
    assert run(*both, "--epochs", "tuned=1", "tuned=2") == 2
    assert "--epochs tuned: one number is given already" in capsys.readouterr().err


def test_only_training_images_are_trained_on(parted, run, tmp_path, monkeypatch):
    seen = set()
    original = inputs.PictureInput.pixels

    def note(self):
        if self.augmentation:
            seen.add(self.path)
        return original(self)

    monkeypatch.setattr(inputs.PictureInput, "pixels", note)
    run("--extractor", "tuned", "--dataset", parted)
    assert {path.relative_to(parted).parts[0] for path in seen} == {"training"}
    assert len(seen) == 8


def test_a_stopped_training_goes_on(parted, run, tmp_path, monkeypatch):
    original, ran = training._epoch, []

    def stop_at_1(model, samples, labels, recipe, epoch, *rest):
        ran.append(epoch)
        if len(ran) == 2:
            raise KeyboardInterrupt
        return original(model, samples, labels, recipe, epoch, *rest)

    monkeypatch.setattr(training, "_epoch", stop_at_1)
    assert run("--extractor", "tuned", "--dataset", parted) == 130
    assert run("--extractor", "tuned", "--dataset", parted) == 0
    assert ran == [0, 1, 1]


def test_lost_maps_leave_a_cost_unknown(parted, run, tmp_path):
    run("--extractor", "conv4", "--dataset", parted)
    folder = tmp_path / "out" / "parted" / "records" / "query"
    before = (folder / "conv4.json").read_bytes()
    for path in (tmp_path / "cache" / "maps").rglob("*.npz"):
        path.unlink()
    (folder / "conv4.json").unlink()
    assert run("--extractor", "conv4", "--dataset", parted) == 0
    assert (folder / "conv4.json").read_bytes() == before
    assert json.loads((folder / "conv4.costs.json").read_text())["extraction_ms"] is None


def test_force_trains_anew(parted, run, monkeypatch):
    run("--extractor", "scratch", "--dataset", parted)
    original, ran = training._epoch, []

    def count(model, samples, labels, recipe, epoch, *rest):
        ran.append(epoch)
        return original(model, samples, labels, recipe, epoch, *rest)

    monkeypatch.setattr(training, "_epoch", count)
    run("--extractor", "scratch", "--dataset", parted, "--force")
    assert ran == [0, 1]


def test_rows_without_weights_are_skipped_with_the_remedy(parted, run, tmp_path, monkeypatch):
    monkeypatch.delenv(weights.variable("mobilenetv2"))
    monkeypatch.setitem(weights.OFFICIAL, "mobilenetv2", OFFICIAL)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def refuse(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    assert run("--all", "--dataset", parted) == 0
    made = records(tmp_path)
    assert {name: row["status"] for name, row in made.items()} == {
        **dict.fromkeys(("whole", "conv4", "tuned"), "skipped"),
        "scratch": "ok",
    }
    assert "--weights mobilenetv2=FILE" in made["whole"]["reason"]
    page = (tmp_path / "out" / "parted" / "table.md").read_text()
    skipped = "skipped: no weights of mobilenetv2: the download failed"
    assert f"| conv4, tuned, whole | {skipped}" in page


def test_numbers_stay_where_weights_have_gone(parted, run, tmp_path, monkeypatch, capsys):
    assert run("--extractor", "whole", "--dataset", parted) == 0
    before = records(tmp_path)["whole"]
    kept = tmp_path / "out" / "parted" / "records" / "query"
    ranking = (kept / "whole.npz").read_bytes()
    monkeypatch.setenv(weights.variable("mobilenetv2"), str(tmp_path / "gone.h5"))
    assert run("--extractor", "whole", "--dataset", parted) == 0
    printed = capsys.readouterr().err
    assert "whole keeps its numbers of query, query-sketch; here weights of mobilenetv2" in printed
    assert records(tmp_path)["whole"] == before
    assert (kept / "whole.npz").read_bytes() == ranking
    fill(parted / "validation" / "gallery" / "apple", 6, 77)  # other pictures: no such numbers
    assert run("--extractor", "whole", "--dataset", parted) == 0
    assert records(tmp_path)["whole"]["status"] == "skipped"


def test_partial_weights_are_named_in_table_and_record(parted, run, tmp_path, monkeypatch):
    def fill_partly(_, whole, path):
        layers = [layer for layer in whole.layers if layer.weights]
        return {layer.name for layer in layers if not layer.name.startswith("Conv_1")}

    monkeypatch.setattr(KerasApplication, "fill", fill_partly)
    backbone_module._load.cache_clear()
    assert run("--all", "--dataset", parted) == 0
    made = records(tmp_path)
    note = "partial weights: Conv not pretrained, 82% of the parameters from the file"
    assert made["tuned"]["note"] == note
    assert made["conv4"]["note"] == ""
    page = (tmp_path / "out" / "parted" / "table.md").read_text()
    assert "| tuned (partial weights) |" in page
    assert f"| tuned | {note} |" in page
    assert "| tuned (partial weights) |" in (tmp_path / "out" / "summary.md").read_text()


def test_too_few_training_images_are_a_reason(parted, run, tmp_path):
    for path in sorted((parted / "training").rglob("*.png"))[1:]:
        path.unlink()
    assert run("--extractor", "tuned", "scratch", "--dataset", parted) == 0
    for row in records(tmp_path).values():
        assert row["status"] == "skipped"
        assert row["reason"] == "training needs at least 2 training images, not 1"


def test_a_network_that_fails_is_a_row(parted, run, tmp_path, monkeypatch):
    def fail(self, batch):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(Pretrained, "run", fail)
    assert run("--extractor", "whole", "scratch", "--dataset", parted) == 1
    made = records(tmp_path)
    assert made["whole"]["reason"] == "RuntimeError: out of memory"
    assert made["scratch"]["status"] == "ok"
