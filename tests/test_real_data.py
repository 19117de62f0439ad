"""Real pictures: the sets are what they should be, and every row is worth its place."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import extractors
from benchmarks import keypoints
from benchmarks.pipeline.methods.names import method_names, parse_method
from benchmarks.pipeline.records.results import read_results
from benchmarks.report.tables import task_rows
from retrieval.metrics import METRICS

RESULTS = Path(__file__).resolve().parents[1] / "results"
NETWORKS = [
    name for name in method_names() if any(one.network for one in parse_method(name).extractors)
]
LIVE = [
    *("rgb-histogram", "hsv-histogram", "lab-histogram", "hsv-histogram-grid", "colour-moments"),
    *("lbp", "hog", "gist", "hog-lines", "sift-bovw", "rootsift-bovw", "sift-fisher"),
    "efficientnet-lite0",
]
"""Rows that are run here; the numbers of the others are read from results/."""


def test_animals_is_read_whole(shared, load_dataset):
    data = load_dataset(f"animals={shared / 'animals'}")
    assert (len(data.training), len(data.queries["query"])) == (541, 100)
    assert sum(image.label is not None for image in data.gallery) == 260
    assert sum(image.distractor is not None for image in data.gallery) == 1010
    assert len({image.distractor for image in data.gallery} - {None}) == 12


def test_pacs_and_corel1000_are_read_whole(shared, load_dataset):
    pacs = load_dataset(f"pacs={shared / 'pacs'}")
    assert [len(pacs.queries[name]) for name in ("query", "query-sketch")] == [140, 560]
    corel = load_dataset(f"corel1000={shared / 'corel1000'}")
    assert len(corel.images) == 1000
    assert len(corel.queries["query"]) == 200


@pytest.fixture(scope="session")
def corel_table(tmp_path_factory):
    """Some rows of each kind on Corel-1000, by the command."""
    from conftest import SHARED

    from benchmarks.run import main

    if not SHARED.is_dir():
        pytest.skip(f"the real pictures are not there ({SHARED})")
    folder = tmp_path_factory.mktemp("corel")
    arguments = [
        "--extractor",
        *LIVE,
        "--dataset",
        f"corel1000={SHARED / 'corel1000'}",
        "--quiet",
    ]
    arguments += [
        "--jobs",
        "2",
        "--out",
        str(folder),
        "--cache",
        str(folder / "cache"),
        "--no-plots",
    ]
    assert main(arguments) == 0
    content = json.loads((folder / "corel1000" / "table.json").read_text())
    return {row["method"]: row for row in content["query"]}


@cache
def published_table():
    task = read_results(RESULTS / "corel1000").tasks["query"]
    return {row["method"]: row for row in task_rows(task.records, task.rankings)}


@pytest.mark.parametrize("name", extractors.MENU)
def test_every_row_beats_chance_clearly(corel_table, name):
    """200 queries, ten balanced classes: chance 0.1 with a standard error of 0.021."""
    if name not in LIVE:
        corel_table = published_table()
        if corel_table.get(name, {}).get("status") != "ok":
            pytest.skip(f"results/ have no numbers of {name}")
    assert corel_table["chance"]["top1"] == pytest.approx(0.1, abs=1e-3)
    assert corel_table[name]["top1"] > 0.1 + 3 * 0.0212
    assert corel_table[name]["map"] > corel_table["chance"]["map"] + 0.03


def test_local_features_stand_where_the_literature_has_them(corel_table):
    score = {name: row["map"] for name, row in corel_table.items()}
    assert score["sift-bovw"] < score["hsv-histogram"]
    assert score["sift-fisher"] > score["sift-bovw"]
    assert score["rootsift-bovw"] > score["sift-bovw"] - 0.01


def test_surf_matches_four_fifths_as_well_as_opencvs(shared):
    """OpenCV's non-free build reached 0.46, 0.33, 0.94 and 0.44 on such pictures."""
    images = keypoints.read_some(shared / "corel1000")[::4]
    found = keypoints.measure(keypoints.competitors()["SURF, this suite's"], images)[:4]
    assert (np.array(found) >= 0.8 * np.array([0.46, 0.33, 0.94, 0.44])).all()


def test_colour_leads_on_corel1000_as_in_the_literature(corel_table):
    classical = [name for name in corel_table if name not in NETWORKS]
    best = max(classical, key=lambda name: corel_table[name]["map"])
    assert best in ("hsv-histogram", "hsv-histogram-grid", "lab-histogram", "rgb-histogram")
    assert 0.4 < corel_table[best]["map"] < 0.6
    assert all(corel_table["hog"][metric] < 1 for metric in METRICS)
