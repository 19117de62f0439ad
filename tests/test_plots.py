"""Plots: what they show is what the numbers say, on any page, and nothing hides a name."""

import re
import shutil
from itertools import combinations
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageColor, ImageDraw

from benchmarks.pipeline.methods.names import method_names, parse_method
from benchmarks.pipeline.records.archive import ARCHIVE
from benchmarks.pipeline.records.results import read_results
from benchmarks.report.comparisons import RankChange
from benchmarks.report.families import FAMILIES, best_of_each_family, family_of
from benchmarks.report.pages.accuracy import chance_curve, plot_accuracy, top_k_curve
from benchmarks.report.pages.costs import is_known, pareto_front, plot_costs
from benchmarks.report.pages.sketch_gap import named_rows
from benchmarks.report.pages.table import write_tables
from benchmarks.report.plots.axes import Mark, Series, spread
from benchmarks.report.plots.book import PlotBook
from benchmarks.report.plots.charts import Costs, HeatMap, Intervals, Slopes
from benchmarks.report.plots.theme import BACKGROUND, GRID, MUTED, TEXT, draw
from benchmarks.report.write import write_dataset
from retrieval.metrics import mean_scores
from retrieval.ranking import DEPTH

ROOT = Path(__file__).resolve().parents[1]

KIND_BY_NAME = {
    "colour": ("histogram", "colour", "tiny"),
    "texture": ("lbp", "haralick", "gabor", "pftas"),
    "shape": ("hog", "edge-orientation", "gist", "hu-", "zernike", "fourier"),
    "local": ("sift", "rootsift", "surf", "orb", "akaze", "dense-sift"),
    "network": (
        *("cnn", "efficientnet", "densenet", "resnet", "vgg", "xception", "mobilenet"),
        *("convnext", "dino", "clip", "siglip"),
    ),
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
            rows, chance = top_k_curve(ranking), chance_curve(ranking)
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
    assert spread([0.1, 0.5], [0.1, 0.1]) == pytest.approx([0.1, 0.5])
    assert spread([0.5, 0.5], [0.2, 0.2]) == pytest.approx([0.4, 0.6])
    assert spread([1.0, 0.98, 0.0], [0.1, 0.3, 0.1]) == pytest.approx([1.0, 0.8, 0.0])
    crowded = spread([0.5] * 30, [0.1] * 30)
    assert crowded == pytest.approx(np.linspace(0, 1, 30))
    assert spread([], []) == []


def name_boxes(chart, names):
    """Paint a chart; where some names are, and the boxes of the figure and of its axes."""
    figure = Figure(figsize=chart.size, dpi=200)
    renderer = FigureCanvasAgg(figure).get_renderer()
    chart.paint(figure)
    [axes] = figure.axes
    texts = [text for text in axes.texts if text.get_text().replace("\n", "") in names]
    boxes = [text.get_window_extent(renderer) for text in texts]
    return boxes, figure.bbox, axes.get_window_extent(renderer)


def assert_readable(chart, names):
    """No name is left out, lies on another or on a mark, or leaves the picture."""
    boxes, picture, inside = name_boxes(chart, names)
    assert len(boxes) == len(names)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert not any(box.overlaps(inside) for box in boxes)
    for box in boxes:
        assert picture.x0 <= box.x0
        assert box.x1 <= picture.x1
        assert picture.y0 <= box.y0
        assert box.y1 <= picture.y1


def front_names(chart):
    found = [chart.series[place] for place in chart.front]
    return [f"{one.values[1]:.3f} {one.name}" for one in found]


@pytest.mark.parametrize("seed", range(3))
def test_names_of_a_crowd_can_all_be_read(seed):
    rng = np.random.default_rng(seed)
    points = np.sort(rng.uniform((80, 0.4), (160, 0.6), (30, 2)), axis=0)
    names = [f"extractor-number-{n}" + "+another-extractor" * (n % 3) for n in range(30)]
    mixed = rng.permutation(30)
    series = [Series(names[n], Mark(n % 5), points[n]) for n in mixed]
    chart = Costs(title="crowd", series=series, front=np.argsort(mixed).tolist())
    assert [name[6:] for name in front_names(chart)] == names
    assert_readable(chart, front_names(chart))


@pytest.mark.parametrize("name", ["animals", "corel1000", "openmoji", "pacs"])
def test_names_on_plots_of_the_committed_results_can_all_be_read(name, tmp_path):
    folder = ROOT / "results" / name
    results = read_results(folder)
    tables = write_tables(tmp_path, results)
    book = PlotBook(tmp_path / name)
    plot_accuracy(book, results, tables)
    plot_costs(book, results, tables)
    tested = 0
    for plot in book.plots:
        if isinstance(plot.chart, Costs):
            assert_readable(plot.chart, front_names(plot.chart))
        elif not isinstance(plot.chart, Intervals):
            assert_readable(plot.chart, [*(one.name for one in plot.chart.series), "chance"])
        tested += 1
    assert tested == 5 * len(results.tasks)


def test_both_ends_of_slopes_can_be_read():
    values = np.linspace((0.9, 0.7), (0.8, 0.1), 8)
    series = [Series(f"extractor-{n}+another", Mark(n), values[n]) for n in range(8)]
    others, chance = [np.array([0.3, 0.2])], np.array([0.01, 0.01])
    chart = Slopes(title="t", sides=("a", "b"), series=series, others=others, chance=chance)
    left = [f"{one.name} {one.values[0]:.3f}" for one in series]
    right = [f"{one.values[1]:.3f} {one.name}" for one in series]
    assert_readable(chart, [*left, *right, "chance 0.010", "0.010 chance"])


def test_only_methods_on_the_front_have_a_name():
    points = {"a": (1, 0.2), "b": (2, 0.1), "c": (3, 0.5)}
    series = [Series(name, Mark.of("colour"), values) for name, values in points.items()]
    figure = Figure(figsize=(8, 4.5), dpi=200)
    FigureCanvasAgg(figure)
    Costs(title="title", series=series, front=[0, 2]).paint(figure)
    assert [text.get_text() for text in figure.axes[0].texts] == ["0.200 a", "0.500 c"]


def paint_ten(figure):
    series = [
        Series(f"method {n}", Mark.of(FAMILIES[n % len(FAMILIES)]), (n / 10, 0.0, 1.0))
        for n in range(10)
    ]
    Intervals(title="title", xlabel="score", series=series, chance=0.05).paint(figure)


def test_a_figure_is_a_card_of_equal_bytes_whatever_was_drawn_before(tmp_path, monkeypatch):
    draw(tmp_path / "one", "ten", (5, 3), paint_ten)
    monkeypatch.setitem(matplotlib.rcParams, "font.size", 20)
    draw(tmp_path / "two", "other", (4, 4), lambda figure: figure.text(0.5, 0.5, "x"))
    draw(tmp_path / "two", "ten", (5, 3), paint_ten)
    content = (tmp_path / "one" / "ten.png").read_bytes()
    assert content == (tmp_path / "two" / "ten.png").read_bytes()
    with Image.open(tmp_path / "one" / "ten.png") as picture:
        assert picture.size == (750, 450)
        colours = picture.convert("RGB")
        assert len(colours.getcolors()) <= 40
        edge, inside = (colours.getpixel((place, place)) for place in (0, 2))
    assert inside == ImageColor.getrgb(BACKGROUND)
    assert edge == ImageColor.getrgb(GRID)


def luminance(colour):
    """Of a colour, as WCAG 2 has it."""
    parts = np.array(ImageColor.getrgb(colour)) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize(("colour", "least"), [(TEXT, 7), (MUTED, 4.5)])
def test_words_stand_out_from_the_card(colour, least):
    assert (luminance(BACKGROUND) + 0.05) / (luminance(colour) + 0.05) > least


def test_digits_that_differ_between_processors_move_no_pixel(tmp_path):
    for folder, noise in (("one", 0.0), ("two", 1e-15)):
        series = [
            Series(f"method {n}", Mark(2), (n / 7 + noise, n / 9 + noise, n / 5)) for n in range(5)
        ]
        chart = Intervals(title="title", xlabel="score", series=series, chance=0.05)
        draw(tmp_path / folder, "dots", (5, 3), chart.paint)
    assert (tmp_path / "one/dots.png").read_bytes() == (tmp_path / "two/dots.png").read_bytes()


def test_names_of_any_length_are_drawn(tmp_path):
    long = "m" * 250
    charts = {
        "dots": Intervals(title="t", series=[Series(long, Mark(2), (0.5, 0.4, 0.6))]),
        "costs": Costs(title="t", series=[Series(long, Mark(2), (0.5, 0.4))], front=[0]),
        "heat": HeatMap(title="t", rows=[long, "b"], columns=[long, "b"], values=np.eye(2)),
    }
    for name, chart in charts.items():
        draw(tmp_path, name, chart.size, chart.paint)
        assert chart.size[1] < 9


def test_the_report_draws_what_the_pages_show(results):
    assert not (results / "plots").exists()
    write_dataset(results)
    drawn = {path.name for path in (results / "plots").iterdir()}
    pages = {page.name: page.read_text() for page in results.glob("*.md")}
    shown = {name: set(re.findall(r'src="plots/([^"]+)"', text)) for name, text in pages.items()}
    assert shown["plots.md"] == drawn
    assert set.union(*shown.values()) == drawn
    kinds = ("accuracy", "top-k", "memory", "extraction", "search", "confusion", "classes")
    for query_set in ("query", "query-edges", "query-sketch"):
        assert {f"{kind}-{query_set}.png" for kind in (*kinds, "mistakes")} <= drawn
    assert {"gap-query-edges.png", "gap-query-sketch.png", "complementarity-query.png"} <= drawn
    assert "complementarity-query.png" in shown["hybrid.md"]
    assert "gap-query-sketch.png" in shown["gap.md"]
    assert pages["plots.md"].count("<img ") == len(drawn)


def test_plots_of_committed_results_are_drawn_alike_every_time(tmp_path):
    committed = ROOT / "results" / "corel1000"
    folder = tmp_path / "corel1000"
    shutil.copytree(committed, folder, ignore=shutil.ignore_patterns("*.png"))
    plots = write_dataset(folder).plots
    files = {f"{plot.name}.png" for plot in plots}
    assert files == {path.name for path in (folder / "plots").iterdir()}
    published = {path.name for path in (committed / "plots").iterdir()}
    assert files == {name for name in published if not name.endswith("-dark.png")}
    for plot in plots:
        name = f"{plot.name}.png"
        with Image.open(folder / "plots" / name) as picture:
            colours = sorted(count for count, _ in picture.convert("RGB").getcolors())
            inches = [pixels / picture.info["dpi"][0] for pixels in picture.size]
        assert sum(colours[:-1]) > 0.02 * sum(colours), name  # ink
        assert inches == pytest.approx(plot.chart.size, abs=0.01)
    for plot in {type(plot.chart): plot for plot in plots}.values():
        draw(tmp_path / "again", plot.name, plot.chart.size, plot.chart.paint)
    for path in (tmp_path / "again").iterdir():
        assert path.read_bytes() == (folder / "plots" / path.name).read_bytes()
    if (committed / ARCHIVE).exists():  # what was published before had plots of another look
        for query_set in ("query", "query-edges"):
            name = f"plots/classes-{query_set}.png"
            assert is_alike(folder / name, committed / name)


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
