"""Plots: what they show is what the numbers say, in two themes, and nothing hides a name."""

import re
import shutil
from itertools import combinations
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image, ImageDraw

from benchmarks.pipeline.methods.names import method_names, parse_method
from benchmarks.pipeline.records.results import read_results
from benchmarks.report.__main__ import main
from benchmarks.report.comparisons import RankChange
from benchmarks.report.families import FAMILIES, best_of_each_family, family_of
from benchmarks.report.pages.accuracy import in_random_order, top_k_curve
from benchmarks.report.pages.costs import is_known, pareto_front
from benchmarks.report.pages.sketch_gap import named_rows
from benchmarks.report.plots.axes import Dot
from benchmarks.report.plots.charts import paint_costs, paint_dots
from benchmarks.report.plots.labels import name_points, spread
from benchmarks.report.plots.theme import DARK, LIGHT, draw
from benchmarks.report.write import write_dataset
from retrieval.metrics import mean_scores
from retrieval.ranking import DEPTH

ROOT = Path(__file__).resolve().parents[1]

KIND_BY_NAME = {
    "colour": ("histogram", "colour", "tiny"),
    "texture": ("lbp", "haralick", "gabor", "pftas"),
    "shape": ("hog", "edge-orientation", "gist", "hu-", "zernike", "fourier"),
    "local": ("sift", "rootsift", "surf", "orb", "akaze", "dense-sift"),
    "network": ("cnn", "efficientnet", "densenet", "resnet"),
}


@pytest.mark.parametrize("name", method_names())
def test_every_row_of_the_menu_has_a_kind(name):
    row = parse_method(name)
    found = family_of({"card": {"extractor": row.card}})
    assert found in FAMILIES
    if len(row.extractors) > 1:
        assert found == "fused"
    elif not row.is_plain:
        assert found == "re-ranked"
    elif name.startswith("edge-orientation"):
        assert found == "shape"
    else:
        assert any(name.startswith(start) or start in name for start in KIND_BY_NAME[found])


def test_an_extractor_of_somebody_else_is_of_another_kind():
    assert family_of({"card": {"extractor": {"family": "brightness"}}}) == "other"


@pytest.mark.parametrize(
    ("costs", "scores", "front"),
    [
        ([1, 2, 3], [0.1, 0.3, 0.2], [0, 1]),
        ([3, 2, 1], [0.3, 0.2, 0.1], [2, 1, 0]),
        ([1, 1, 2], [0.1, 0.2, 0.2], [1]),  # as cheap and better; as good and cheaper
        ([1, 1, 2, 2], [0.2, 0.2, 0.3, 0.3], [0, 1, 2, 3]),  # equals do not beat each other
        ([None, 2, 1, 1], [0.9, None, 0.1, 0.1], [2, 3]),
        ([None], [0.5], []),
        ([], [], []),
    ],
)
def test_pareto_front_by_hand(costs, scores, front):
    assert pareto_front(costs, scores) == front


def test_pareto_front_is_what_nothing_beats():
    rng = np.random.default_rng(0)
    costs, scores = rng.integers(1, 9, (2, 60)).tolist()
    beaten = [
        any(
            (costs[b] <= costs[a] and scores[b] >= scores[a])
            and (costs[b], scores[b]) != (costs[a], scores[a])
            for b in range(60)
        )
        for a in range(60)
    ]
    assert sorted(pareto_front(costs, scores)) == [n for n in range(60) if not beaten[n]]


def test_a_cost_that_was_too_small_to_measure_is_unknown():
    assert [is_known(cost) for cost in (None, 0.0, 0.001)] == [False, False, True]


@pytest.fixture
def results(parted, run, tmp_path):
    rows = ("rgb-histogram", "hog", "lbp", "rgb-histogram+lbp")
    assert run("--extractor", *rows, "--edges", "--dataset", parted) == 0
    return tmp_path / "out" / "parted"


def test_top_k_curves_go_through_the_metrics_and_chance_through_the_records(results):
    for task in read_results(results).tasks.values():
        for record in task.records:
            ranking = task.rankings[record["method"]]
            rows, chance = top_k_curve(ranking), top_k_curve(in_random_order(ranking))
            assert len(rows) == len(chance) == DEPTH
            assert (np.diff(rows) >= -1e-12).all()
            for k in (1, 3, 5, 10):
                assert rows[k - 1] == pytest.approx(mean_scores(ranking)[f"top{k}"])
                assert chance[k - 1] == pytest.approx(record["chance"][f"top{k}"])


def test_best_of_each_kind_in_the_order_of_kinds():
    kinds = {"a": "local", "b": "colour", "c": "local", "d": "network"}
    assert best_of_each_family(["c", "a", "d", "b"], kinds) == ["b", "c", "d"]


def test_slopes_name_the_best_of_both_sides_and_then_those_that_cross():
    photos = {"a": 0.9, "b": 0.8, "c": 0.7, "d": 0.3, "e": 0.2, "f": 0.1}
    others = {"f": 0.5, "e": 0.4, "d": 0.3, "c": 0.2, "b": 0.1, "a": 0.05}
    rows = [{"method": name, "photos": photos[name], "others": others[name]} for name in others]
    changed = RankChange(-1.0, [("a", "f"), ("c", "d")])
    assert named_rows(rows, changed, 6) == ["a", "b", "f", "e", "c", "d"]
    assert named_rows(rows, changed, 3) == ["a", "b", "f"]


def test_spread_moves_little_and_keeps_the_order():
    assert spread([0.1, 0.5], [0.1, 0.1], 0, 1) == pytest.approx([0.1, 0.5])
    assert spread([0.5, 0.5], [0.2, 0.2], 0, 1) == pytest.approx([0.4, 0.6])
    assert spread([1.0, 0.98, 0.0], [0.1, 0.3, 0.1], 0, 1) == pytest.approx([1.0, 0.8, 0.0])
    crowded = spread([0.5] * 30, [0.1] * 30, 0, 1)
    assert crowded == pytest.approx(np.linspace(0, 1, 30))
    assert spread([], [], 0, 1) == []


def boxes_of(texts, renderer):
    for text in texts:
        text.update_positions(renderer)
    return [Text.get_window_extent(text, renderer) for text in texts]  # without leader lines


@pytest.mark.parametrize("seed", range(3))
def test_names_of_a_crowd_lie_neither_on_each_other_nor_outside(seed):
    figure = Figure(figsize=(8, 4.5), dpi=200)
    renderer = FigureCanvasAgg(figure).get_renderer()
    axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    axes.set(xscale="log", xlim=(1, 1e4), ylim=(0, 1))
    rng = np.random.default_rng(seed)
    points = np.column_stack([10 ** rng.uniform(1.9, 2.2, 20), rng.uniform(0.4, 0.6, 20)])
    names = [f"extractor-{n}\n+another" if n % 3 else f"extractor-{n}" for n in range(20)]
    made = name_points(axes, LIGHT, points, names, points)
    assert [text.get_text() for text in made] == names
    boxes = boxes_of(made, renderer)
    room = axes.get_window_extent()
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert all(room.x0 <= box.x0 and box.x1 <= room.x1 for box in boxes)
    assert all(room.y0 <= box.y0 and box.y1 <= room.y1 for box in boxes)


def test_only_rows_on_the_front_have_a_name():
    figure = Figure(figsize=(8, 4.5), dpi=200)
    FigureCanvasAgg(figure)
    dots = [Dot(name, "colour", value) for name, value in (("a", 0.2), ("b", 0.1), ("c", 0.5))]
    paint_costs(figure, DARK, "title", ("cost", "score"), dots, [1, 2, 3], [0, 2])
    assert [text.get_text() for text in figure.axes[0].texts] == ["a", "c"]


def paint_ten(figure, theme):
    dots = [Dot(f"row {n}", FAMILIES[n % len(FAMILIES)], n / 10, 0.0, 1.0) for n in range(10)]
    paint_dots(figure, theme, "title", "score", dots, 0.05)


def test_both_themes_are_drawn_with_equal_bytes_whatever_was_drawn_before(tmp_path, monkeypatch):
    draw(tmp_path / "one", "ten", (5, 3), paint_ten)
    monkeypatch.setitem(matplotlib.rcParams, "font.size", 20)
    draw(tmp_path / "two", "other", (4, 4), lambda figure, theme: figure.text(0.5, 0.5, "x"))
    draw(tmp_path / "two", "ten", (5, 3), paint_ten)
    for theme, file in ((LIGHT, "ten.png"), (DARK, "ten-dark.png")):
        content = (tmp_path / "one" / file).read_bytes()
        assert content == (tmp_path / "two" / file).read_bytes()
        with Image.open(tmp_path / "one" / file) as picture:
            assert picture.size == (1000, 600)
            corner = "#{:02x}{:02x}{:02x}".format(*picture.convert("RGB").getpixel((0, 0)))
        assert corner == theme.background


def test_digits_that_differ_between_processors_move_no_pixel(tmp_path):
    for folder, noise in (("one", 0.0), ("two", 1e-15)):
        dots = [Dot(f"row {n}", "shape", n / 7 + noise, n / 9 + noise, n / 5) for n in range(5)]

        def paint(figure, theme, dots=dots):
            paint_dots(figure, theme, "title", "score", dots, 0.05)

        draw(tmp_path / folder, "dots", (5, 3), paint)
    assert (tmp_path / "one/dots.png").read_bytes() == (tmp_path / "two/dots.png").read_bytes()


def test_the_report_draws_what_the_pages_show_in_both_themes(results):
    assert not (results / "plots").exists()
    write_dataset(results)
    drawn = {path.name for path in (results / "plots").iterdir()}
    pages = {page.name: page.read_text() for page in results.glob("*.md")}
    shown = {
        name: set(re.findall(r'(?:src|srcset)="plots/([^"]+)"', text))
        for name, text in pages.items()
    }
    assert shown["plots.md"] == drawn
    assert set.union(*shown.values()) == drawn
    assert {name.replace(".png", "-dark.png") for name in drawn if "-dark" not in name} == {
        name for name in drawn if "-dark" in name
    }
    kinds = ("accuracy", "top-k", "memory", "extraction", "search", "confusion", "classes")
    for query_set in ("query", "query-edges", "query-sketch"):
        assert {f"{kind}-{query_set}.png" for kind in (*kinds, "mistakes")} <= drawn
    assert {"gap-query-edges.png", "gap-query-sketch.png", "complementarity-query.png"} <= drawn
    assert "complementarity-query.png" in shown["hybrid.md"]
    assert "gap-query-sketch.png" in shown["gap.md"]
    assert pages["plots.md"].count("<picture>") == len(drawn) / 2


def test_committed_plots_are_what_their_records_say(tmp_path):
    committed = ROOT / "results" / "corel1000"
    shutil.copytree(committed, tmp_path / "corel1000", ignore=shutil.ignore_patterns("*.png"))
    assert main(["--out", str(tmp_path)]) == 0
    made = {path.name: path for path in (tmp_path / "corel1000" / "plots").iterdir()}
    kept = {path.name: path for path in (committed / "plots").iterdir()}
    assert made.keys() == kept.keys()
    for name in kept:
        assert is_alike(made[name], kept[name]), name


def is_alike(one, other):
    """Whether two plots show the same: on another processor an edge may be smoothed otherwise."""
    pixels = [np.asarray(Image.open(path).convert("RGB"), int) for path in (one, other)]
    if pixels[0].shape != pixels[1].shape:
        return False
    return (np.abs(pixels[0] - pixels[1]).max(axis=2) > 8).sum() < 20


def test_another_plot_is_not_alike(tmp_path):
    paths = []
    for number, x in enumerate((100, 100.001, 103)):
        image = Image.new("RGB", (1660, 1040), "white")
        ImageDraw.Draw(image).ellipse((x, 100, x + 12, 112), fill="black")
        paths.append(tmp_path / f"{number}.png")
        image.save(paths[-1])
    assert is_alike(paths[0], paths[1])
    assert not is_alike(paths[0], paths[2])
