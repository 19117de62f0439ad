"""Names in any script are legible on plots and sheets."""

import warnings

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from pictures import fill
from PIL import Image

from benchmarks import draw
from benchmarks.formats import typefaces as module
from benchmarks.formats.sheets import Cell, draw_sheet
from benchmarks.formats.typefaces import best_typeface, own_typeface, transcribed, typefaces
from benchmarks.report.plots.charts import HeatMap
from benchmarks.report.plots.legible import legible
from benchmarks.report.plots.theme import draw as draw_plot
from datasets.errors import InputError


def make_typeface(path, characters):
    """A typeface whose characters are squares."""
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for corner in ((100, 800), (900, 800), (900, 0)):
        pen.lineTo(corner)
    pen.closePath()
    names = [f"uni{ord(char):04X}" for char in characters]
    made = FontBuilder(1000, isTTF=True)
    made.setupGlyphOrder([".notdef", *names])
    made.setupCharacterMap(dict(zip(map(ord, characters), names, strict=True)))
    made.setupGlyf({".notdef": TTGlyphPen(None).glyph(), **dict.fromkeys(names, pen.glyph())})
    made.setupHorizontalMetrics(dict.fromkeys([".notdef", *names], (1000, 0)))
    made.setupHorizontalHeader(ascent=800, descent=-200)
    made.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    made.setupOS2()
    made.setupPost()
    made.save(path)


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    """A machine with a typeface for two of three characters."""
    folder = tmp_path / "typefaces"
    folder.mkdir()
    make_typeface(folder / "Beta.ttf", "馬日")
    make_typeface(folder / "LastResort.ttf", "馬日ह")
    (folder / "Alpha.ttf").write_bytes(b"damaged")
    monkeypatch.setattr(module, "_installed", module._installed.__wrapped__)
    monkeypatch.setattr(
        "matplotlib.font_manager.findSystemFonts", lambda: [str(p) for p in folder.iterdir()]
    )
    monkeypatch.setattr(module, "_ADVISED", set())
    return folder


def test_what_ours_has_needs_no_other():
    assert typefaces(["plain é – ○ ✕ 😀 قطة", "\x1b\n"]) == [own_typeface()]


def test_an_installed_typeface_helps_and_what_none_has_is_escaped(machine, caplog):
    for _ in range(2):
        found = typefaces(["馬 हिन्दी"])
        assert [path.name for path in found] == [own_typeface().name, "Beta.ttf"]
    assert transcribed("馬 ह x", found) == r"馬 \u0939 x"
    assert best_typeface("馬日", found) == machine / "Beta.ttf"
    assert best_typeface("horse 馬", found) == own_typeface()
    assert caplog.text.count("install Noto Sans Devanagari, and draw again") == 1


@pytest.mark.parametrize(
    ("text", "advised"),
    [("한글 カタ 漢", "Noto Sans CJK"), ("แมว", "Noto Sans Thai"), ("🫠", "Noto Emoji")],
)
def test_the_log_names_the_typeface_to_install(text, advised, caplog):
    typefaces([text])
    assert f"install {advised}" in caplog.text


def heat(*names):
    return HeatMap(
        title=f"{names[0]}: classes", rows=names, columns=names, values=np.eye(len(names))
    )


def test_a_chart_in_other_scripts_is_drawn_without_a_warning(tmp_path):
    [(chart, others), (plain, none)] = legible([heat("馬", "日本", "ह"), heat("cat", "dog")])
    assert chart.rows == ("馬", "日\\u672c", "\\u0939")
    assert [path.name for path in others] == ["Beta.ttf"]
    assert plain.rows == ("cat", "dog")
    assert none == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_plot(tmp_path, "chart", chart.size, chart.paint, others)
    first = (tmp_path / "chart.png").read_bytes()
    draw_plot(tmp_path, "chart", chart.size, chart.paint, others)
    assert (tmp_path / "chart.png").read_bytes() == first
    other, _ = legible([heat("日", "日馬", "ह")])[0]
    draw_plot(tmp_path, "other", other.size, other.paint, others)
    assert (tmp_path / "other.png").read_bytes() != first


def test_a_sheet_writes_names_in_the_typeface_that_has_them(tmp_path):
    fill(tmp_path / "pictures", 1, 0)
    [picture] = (tmp_path / "pictures").iterdir()
    dark = []
    for name in ("馬", "馬馬"):
        draw_sheet(tmp_path / "sheet.png", [Cell(picture, below=name)])
        dark.append(int((np.asarray(Image.open(tmp_path / "sheet.png"))[-30:] < 100).sum()))
    assert dark[0] > 100  # squares of our typeface, not the outline of a box
    assert 1.8 < dark[1] / dark[0] < 2.2


@pytest.mark.parametrize(
    ("ending", "begins"),
    [
        ("png", b"\x89PNG"),
        ("jpg", b"\xff\xd8"),
        ("JPEG", b"\xff\xd8"),
        ("webp", b"RIFF"),
        ("pdf", b"%PDF"),
    ],
)
def test_a_sheet_has_the_format_of_its_ending_and_equal_bytes(ending, begins, tmp_path):
    fill(tmp_path / "pictures", 2, 0)
    cells = [Cell(path) for path in sorted((tmp_path / "pictures").iterdir())]
    files = [tmp_path / f"{name}.{ending}" for name in ("one", "two")]
    for file in files:
        draw_sheet(file, cells)
        assert file.read_bytes().startswith(begins)
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("name", ["sheet.gif", "sheet", "sheet.png.txt", "folder.png"])
def test_other_endings_and_folders_are_refused(name, tmp_path):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(InputError, match=r"end the name with one of them|name a file"):
        draw_sheet(tmp_path / name, [Cell(tmp_path / "none.png")])


def test_draw_writes_where_it_is_told(tmp_path, capsys):
    fill(tmp_path / "pictures", 1, 0)
    [picture] = (tmp_path / "pictures").iterdir()
    out = tmp_path / "new" / "drawn.webp"
    assert draw.main([str(picture), "--out", str(out)]) == 0
    assert f"drawn in {out}\n" in capsys.readouterr().out
    assert out.read_bytes().startswith(b"RIFF")
    assert draw.main([str(picture), "--out", str(tmp_path / "drawn.xyz")]) == 2
    assert "drawn.xyz: drawn are .png" in capsys.readouterr().err
