"""The command from end to end on small folders: what it writes, repeats, keeps and refuses."""

import csv
import json
import shutil
from dataclasses import dataclass

import numpy as np
import pytest
from pictures import fill, picture

import extractors
from benchmarks.pipeline.cache.store import ArrayStore
from benchmarks.pipeline.extraction import describe as describing
from benchmarks.pipeline.extraction.encode import fit_postprocessing
from benchmarks.pipeline.extraction.inputs import PictureInput
from benchmarks.pipeline.loading import dataset as loading
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.loading.training import LeakError
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from benchmarks.pipeline.methods.names import method_names, parse_method
from benchmarks.pipeline.records.recorder import Recorder
from benchmarks.pipeline.records.results import read_results
from benchmarks.pipeline.workers import Workforce
from extractors import ColourHistogram, Descriptor, Extractor
from extractors.preprocessing import LongestSide
from retrieval.metrics import METRICS

ROWS = ("rgb-histogram", "colour-moments", "lbp")


def tree(folder, leave_out=(".costs.json",)):
    """Every file's bytes by relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(leave_out)
    }


def reproducible(folder):
    """What must be equal from run to run: all but costs, and the pages that show them."""
    costs = ("README.md", "table.md", "table.csv", "table.json", "hybrid.md", "plots.md")
    return {name: content for name, content in tree(folder).items() if not name.endswith(costs)}


def table(tmp_path, dataset, query_set="query", out="out"):
    content = json.loads((tmp_path / out / dataset / "table.json").read_text())
    return {row["method"]: row for row in content[query_set]}


@pytest.fixture
def described(monkeypatch):
    """Count the pictures that are described, per row."""
    counts: dict[str, int] = {}
    original = describing._describe

    def count(describers, job):
        names, paths = job
        for name in names:  # of a store: the extractor's and a hash
            name = name.rpartition("-")[0]
            counts[name] = counts.get(name, 0) + len(paths)
        return original(describers, job)

    monkeypatch.setattr(describing, "_describe", count)
    return counts


def test_tables_hold_every_row_with_scores_and_costs(parted, run, tmp_path, short_training):
    assert run("--all", "--dataset", parted) == 0
    for query_set in ("query", "query-sketch"):
        rows = table(tmp_path, "parted", query_set)
        assert next(iter(rows)) == "chance"
        assert set(rows) == {"chance", *method_names()}
        for name, row in rows.items():
            if "skipped" in row["status"]:
                smooth = "surf" in name or "orb" in name or "akaze" in name
                reason = "no keypoints in any training image" if smooth else "--weights"
                assert reason in row["status"]
                continue
            assert all(0 <= row[metric] <= 1 for metric in METRICS)
            if name != "chance":
                bits = parse_method(name).bits
                assert row["bytes_per_image"] >= row["dimensions"] * bits // 8
                assert row["extraction_ms"] > 0
                assert row["search_ms"] > 0
    folder = tmp_path / "out" / "parted"
    assert {path.name for path in folder.iterdir() if path.suffix != ".png"} == {
        *("dataset.json", "images.csv", "problems.csv", "records", "training"),
        *("table.csv", "table.json", "table.md", "gap.csv", "gap.md", "hybrid.csv", "hybrid.md"),
        *("confusion.csv", "confusion.md", "classes.csv", "classes.md"),
        "mistakes.csv",
    }
    page = (folder / "table.md").read_text()
    assert "6 queries, 13 gallery images of which 3 are distractors, 8 training" in page
    assert "| chance |" in page
    with (folder / "images.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 8 + 13 + 6 + 4


def test_learned_rows_say_what_they_were_fitted_on(parted, run, tmp_path):
    run("--extractor", *ROWS, "--dataset", parted)
    records = tmp_path / "out/parted/records/query"
    cards = {row: json.loads((records / f"{row}.json").read_text())["card"] for row in ROWS}
    assert cards["lbp"]["fitted on"] == "nothing"
    assert cards["colour-moments"]["fitted on"] == "8 training images"
    for card in cards.values():
        assert {"split hash", "seed", "protocol", "commit", "machine", "python"} <= set(card)
        assert card["machine"]["blas"].startswith("openblas ")
        assert card["extractor"]["head"]["params"]["prepare"]["pixels"] > 0
        assert "numpy" in card["extractor"]["head"]["libraries"]


def test_two_workers_give_the_bytes_of_one(parted, run, tmp_path, short_training):
    fill(parted / "validation" / "gallery" / "distractor", 60, 90)
    assert run("--all", "--dataset", parted, "--jobs", 1, out="one", cache="cache-one") == 0
    assert run("--all", "--dataset", parted, "--jobs", 2, out="two", cache="cache-two") == 0
    assert reproducible(tmp_path / "one") == reproducible(tmp_path / "two")


def test_second_run_describes_nothing_and_changes_nothing(classes, run, tmp_path, described):
    run("--extractor", *ROWS, "--dataset", classes)
    assert described == dict.fromkeys(ROWS, 30)
    before = tree(tmp_path / "out", leave_out=())
    described.clear()
    run("--extractor", *ROWS, "--dataset", classes)
    assert described == {}
    assert tree(tmp_path / "out", leave_out=()) == before


def test_ten_new_pictures_are_ten_descriptions(classes, run, tmp_path, described):
    run("--extractor", *ROWS, "--dataset", classes)
    described.clear()
    fill(classes / "durian", 10, 95)
    run("--extractor", *ROWS, "--dataset", classes)
    assert described == dict.fromkeys(ROWS, 10)
    assert table(tmp_path, "classes")["chance"]["top1"] < 1 / 3


def test_force_does_everything_anew(classes, run, described):
    run("--extractor", "lbp", "--dataset", classes)
    run("--extractor", "lbp", "--dataset", classes, "--force")
    assert described == {"lbp": 60}


def test_force_hashes_files_that_seem_unchanged(classes, run, tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "_state", str)  # a disk whose files never seem to change
    chosen = ("--extractor", "lbp", "--dataset", classes)
    listed = [run(*chosen), (tmp_path / "out/classes/images.csv").read_text()]
    picture(1234).save(classes / "apple" / "00.png")
    for more in ((), ("--force",)):
        listed += [run(*chosen, *more), (tmp_path / "out/classes/images.csv").read_text()]
    assert listed[1] == listed[3] != listed[5]


def test_records_of_other_data_do_not_enter_the_table(classes, run, tmp_path):
    run("--extractor", *ROWS, "--dataset", classes)
    (classes / "apple" / "00.png").unlink()
    run("--extractor", "lbp", "--dataset", classes)
    assert set(table(tmp_path, "classes")) == {"chance", "lbp"}


def test_rows_of_earlier_runs_stay_in_the_table(classes, run, tmp_path):
    run("--extractor", "lbp", "--dataset", classes)
    run("--extractor", "rgb-histogram", "--dataset", classes)
    assert set(table(tmp_path, "classes")) == {"chance", "lbp", "rgb-histogram"}


def test_changed_parameters_are_another_extractor(classes, run, monkeypatch, described):
    run("--extractor", "rgb-histogram", "--dataset", classes)
    monkeypatch.setitem(extractors.MENU, "rgb-histogram", ColourHistogram("rgb", (4, 4, 4)))
    run("--extractor", "rgb-histogram", "--dataset", classes)
    assert described == {"rgb-histogram": 60}


def test_seed_changes_the_split(classes, run, tmp_path):
    run("--extractor", "lbp", "--dataset", classes, "--seed", 1)
    first = (tmp_path / "out/classes/images.csv").read_bytes()
    run("--extractor", "lbp", "--dataset", classes, "--seed", 2)
    assert (tmp_path / "out/classes/images.csv").read_bytes() != first


@dataclass(eq=False, repr=False)
class Fragile(Descriptor):
    """Fails on pictures that are too small."""

    prepare: LongestSide = LongestSide(24)
    smallest: int = 0

    def describe(self, image):
        if min(image.shape[:2]) < self.smallest:
            raise ValueError("too small for me")
        return image.mean(axis=(0, 1))


def test_a_failing_extractor_is_a_row_and_the_others_go_on(classes, run, tmp_path, monkeypatch):
    picture(1).resize((24, 3)).save(classes / "apple" / "flat.png")
    monkeypatch.setitem(extractors.MENU, "fragile", Fragile(smallest=10))
    assert run("--extractor", "fragile", "lbp", "--dataset", classes) == 1
    rows = table(tmp_path, "classes")
    assert rows["fragile"]["status"].startswith("failed: ValueError on ")
    assert "flat.png: too small for me" in rows["fragile"]["status"]
    assert rows["lbp"]["status"] == "ok"
    assert "too small for me" in (tmp_path / "out/classes/table.md").read_text()
    monkeypatch.setitem(extractors.MENU, "fragile", Fragile())
    assert run("--extractor", "fragile", "--dataset", classes) == 0


@dataclass(eq=False, repr=False)
class NotFinite(Descriptor):
    """Gives NaN for dark pictures."""

    prepare: LongestSide = LongestSide(24)

    def describe(self, image):
        return np.array([1, np.nan if image.max() == 0 else 0.0])


def test_values_that_are_not_finite_fail_the_row(classes, run, tmp_path, monkeypatch):
    picture(1).point(lambda value: 0).save(classes / "apple" / "dark.png")
    monkeypatch.setitem(extractors.MENU, "not-finite", NotFinite())
    assert run("--extractor", "not-finite", "--dataset", classes) == 1
    status = table(tmp_path, "classes")["not-finite"]["status"]
    assert "not finite for" in status
    assert "dark.png" in status


class MeanImage(Extractor):
    """Learns from pictures: their mean colour, which it then subtracts."""

    def fit(self, images, y=None):
        self.mean_ = np.mean([image.mean(axis=(0, 1)) for image in images], axis=0)
        return self

    def transform(self, images):
        return np.array([image.mean(axis=(0, 1)) - self.mean_ for image in images], np.float32)


def test_an_extractor_that_learns_from_pictures_sees_training_only(
    parted, run, tmp_path, monkeypatch, described
):
    monkeypatch.setitem(extractors.MENU, "mean-image", MeanImage())
    assert run("--extractor", "mean-image", "--dataset", parted) == 0
    record = json.loads((tmp_path / "out/parted/records/query/mean-image.json").read_text())
    assert record["card"]["fitted on"] == "8 training images"
    everything = described["mean-image"]
    # Elsewhere, from the stored vectors: the same record, and the cost of the fit that was.
    run("--extractor", "mean-image", "--dataset", parted, out="again")
    assert described["mean-image"] == everything
    assert reproducible(tmp_path / "again") == reproducible(tmp_path / "out")
    costs = [table(tmp_path, "parted", out=out)["mean-image"] for out in ("out", "again")]
    assert costs[0]["fit_seconds"] == costs[1]["fit_seconds"] > 0
    fill(parted / "training" / "apple", 5, 96)  # other training images: another extractor
    run("--extractor", "mean-image", "--dataset", parted)
    assert described["mean-image"] > 2 * everything


def test_fitting_on_anything_but_training_images_raises(parted, tmp_path):
    data = load(str(parted), tmp_path / "cache", Workforce(quiet=True))
    row = ExtractorSteps("colour-moments", extractors.MENU["colour-moments"])
    store = row.store(tmp_path / "cache", data)
    describing.describe_all(
        {row.name: store},
        {row.name: (row.head,)},
        [PictureInput(image) for _, image in data.images],
        Workforce(quiet=True),
        "",
    )
    fit_postprocessing(row, data.training, data, store)
    for leaked in (data.gallery[:3], data.queries["query"], (*data.training, data.gallery[0])):
        with pytest.raises(LeakError, match="never fit on it"):
            fit_postprocessing(row, leaked, data, store)


def test_rows_that_learn_are_skipped_without_training_images(parted, run, tmp_path):
    shutil.rmtree(parted / "training")
    assert run("--extractor", *ROWS, "--dataset", parted) == 0
    rows = table(tmp_path, "parted")
    assert rows["colour-moments"]["status"].startswith("skipped: learns from training images")
    assert rows["lbp"]["status"] == "ok"
    assert "| colour-moments | skipped: learns" in (tmp_path / "out/parted/table.md").read_text()


def test_crash_half_way_keeps_what_is_finished(classes, run, tmp_path, monkeypatch, described):
    run("--extractor", *ROWS, "--dataset", classes, out="whole", cache="other")
    described.clear()
    original = ArrayStore.add

    def crash(self, *arguments):
        original(self, *arguments)
        if self.folder.name.startswith("rgb-histogram"):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ArrayStore, "add", crash)
        assert run("--extractor", *ROWS, "--dataset", classes) == 130
    described.clear()
    assert run("--extractor", *ROWS, "--dataset", classes) == 0
    assert described == {"colour-moments": 30, "lbp": 30}
    assert reproducible(tmp_path / "out") == reproducible(tmp_path / "whole")


def test_results_that_are_taken_away_meanwhile_are_missed(
    classes, run, tmp_path, monkeypatch, capsys
):
    original = Recorder.write

    def take_away(self, *arguments):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        original(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "write", take_away)
        assert run("--extractor", *ROWS, "--dataset", classes) == 2
    assert f"{ROWS[0]}.json: has gone while others were made" in capsys.readouterr().err
    assert run("--extractor", *ROWS, "--dataset", classes) == 0
    assert {*ROWS} <= table(tmp_path, "classes").keys()


def test_damaged_vectors_are_made_again(classes, run, tmp_path, described, caplog):
    run("--extractor", "lbp", "--dataset", classes)
    described.clear()
    for path in (tmp_path / "cache" / "vectors").rglob("*.npz"):
        path.write_bytes(path.read_bytes()[:-40])
    (tmp_path / "out/classes/records/query/lbp.npz").unlink()
    run("--extractor", "lbp", "--dataset", classes)
    assert described == {"lbp": 30}
    assert "damaged" in caplog.text


def test_rows_of_the_same_query_set_stay_when_others_go(parted, run, tmp_path, caplog):
    def methods(query_set):
        task = read_results(tmp_path / "out" / "parted").tasks[query_set]
        return sorted(record["method"] for record in task.records)

    given = ("--dataset", parted, "--extractor")
    assert run(*given, "lbp", "hog", "hog+centred", "--edges") == 0
    assert run(*given, "tiny-image") == 0
    assert methods("query") == ["hog", "lbp", "tiny-image"]
    assert "5 rows leave the tables" in caplog.text  # of query-edges, and what was centred by it
    assert "query-edges" in caplog.text
    caplog.clear()
    assert run(*given, "lbp", "--edges") == 0
    assert methods("query") == ["hog", "hog+centred", "lbp", "tiny-image"]
    assert "leave the tables" not in caplog.text
    (parted / "validation" / "gallery" / "apple" / "00.png").unlink()
    assert run(*given, "lbp") == 0
    assert methods("query") == ["lbp"]
    assert "other pictures" in caplog.text


def test_nothing_scored_where_no_query_has_an_answer(parted, run, tmp_path):
    for name in ("apple", "berry"):
        shutil.rmtree(parted / "validation/query-sketch" / name)
    fill(parted / "validation/query-sketch/durian", 2, 97)
    assert run("--extractor", "lbp", "--dataset", parted) == 0
    assert table(tmp_path, "parted", "query-sketch")["lbp"]["map"] is None
    assert (
        "Left out, without a relevant image: 2 queries"
        in (tmp_path / "out/parted/table.md").read_text()
    )


def test_large_pictures_are_described_a_few_at_a_time(classes, run, tmp_path, monkeypatch):
    run("--extractor", *ROWS, "--dataset", classes, out="one", cache="one-cache")
    held = []
    original = ColourHistogram.transform

    def transform(self, images):
        held.append(len(images))
        return original(self, images)

    monkeypatch.setattr(ColourHistogram, "transform", transform)
    monkeypatch.setattr(describing, "_BATCH_BYTES", 3 * 24 * 24 * 3)
    run("--extractor", *ROWS, "--dataset", classes, out="two", cache="two-cache")
    assert max(held) == 4
    assert reproducible(tmp_path / "one") == reproducible(tmp_path / "two")


def test_hostile_names_stay_inside_the_markdown(classes, run, tmp_path):
    (classes / "apple" / "a|b\n<script>.png").write_text("text")
    run("--extractor", "lbp", "--dataset", classes)
    line = next(
        line
        for line in (tmp_path / "out/classes/table.md").read_text().splitlines()
        if "script" in line
    )
    assert line.count("|") - line.count("\\|") == 4
    assert "\\<script\\>" in line


def test_summary_shows_all_datasets(classes, parted, run, tmp_path):
    run("--extractor", *ROWS, "--dataset", classes, f"mine={parted}")
    summary = (tmp_path / "out" / "summary.md").read_text()
    assert "| method | classes/query | mine/query | mine/query-sketch |" in summary
    assert "**" in summary
