"""The page in a browser: what a visitor can do with it, and that no name can harm them."""

from urllib.parse import quote

import pytest
from chromium import find, go, opened, requests_of, texts
from paged import JOINT, QUIET, ROWS, fabricate, fill_parted
from pictures import fill
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from benchmarks.pipeline.records.results import read_results
from benchmarks.report.pages.table import write_tables
from benchmarks.report.site.build import build_page
from benchmarks.report.site.thumbnails import Pictures
from benchmarks.report.tables import USUAL
from benchmarks.report.write import Written
from benchmarks.run import main as run

HOSTILE = "it's &amp; b'&#x27; %22 é"
INJECTED = "<script>document.title='harmed'</script>.png"
HANDLER = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A page of a small dataset, one of hostile names, one without pictures, one of no classes."""
    base = tmp_path_factory.mktemp("page")
    out, cache = base / "out", base / "cache"
    fabricate(out, str(fill_parted(base / "parted")), cache)
    bad = fill_parted(base / "bad", (HANDLER, INJECTED.rpartition("/")[0]), seed=100)
    picture = bad / "validation" / "query" / INJECTED
    picture.with_name("00.png").rename(picture)
    fabricate(out, f"{HOSTILE}={bad}", cache)
    fabricate(out, f"unseen={fill_parted(base / 'lost', seed=200)}", cache)
    fill(base / "flat" / "gallery", 12, 1)
    fill(base / "flat" / "query", 2, 2)
    asked = ["--extractor", "rgb-histogram", "lbp", "--dataset", base / "flat", "--quiet"]
    assert run(list(map(str, [*asked, "--out", out, "--cache", cache, "--jobs", 1]))) == 0
    (out / HOSTILE / "a'plot\"-query.png").write_bytes(picture.read_bytes())
    folders = sorted(path.parent for path in out.glob("*/dataset.json"))
    written = {f: Written(write_tables(f, read_results(f)), [], USUAL) for f in folders}
    given = (str(base / "parted"), f"{HOSTILE}={bad}")
    built = build_page(out, written, Pictures(given, cache), QUIET)
    for path in (out / "page" / "thumbnails").glob("*"):
        assert path.stat().st_size < 4000
    return built.file.as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """One headless Chromium for all tests."""
    with opened(tmp_path_factory.mktemp("chromium")) as made:
        yield made


@pytest.fixture
def visit(browser, address):
    """Open the page anew at a place in it; afterwards nothing was said or asked of the network."""

    def open_at(place="", width=1280, dark=False):
        go(browser, f"{address}#{place}", width, dark)
        until(browser, lambda: lines(browser))
        return browser

    browser.get_log("browser"), browser.get_log("performance")
    yield open_at
    assert browser.get_log("browser") == []
    requests = requests_of(browser)
    assert requests
    inside = ("file:", "data:", "about:", "chrome:")  # the last: a new tab, late in closing
    assert [url for url in requests if not url.startswith(inside)] == []


def until(browser, condition):
    return WebDriverWait(browser, 10, 0.05).until(lambda _: condition())


def rows(browser):
    """Methods of the table as they stand, without those that a filter hides."""
    script = "return [...document.querySelectorAll('tbody tr:not([hidden])')]"
    return browser.execute_script(f"{script}.map((row) => row.dataset.method)")


def lines(browser):
    """Methods that the explorer shows."""
    script = "return [...document.querySelectorAll('.line')].map((line) => line.dataset.method)"
    return browser.execute_script(script)


def tops(browser):
    """What is said of each method's first image."""
    first = "document.querySelectorAll('.neighbours li:first-child')"
    names = browser.execute_script(f"return [...{first}].map((e) => e.className)")
    return dict(zip(lines(browser), names, strict=True))


def query(browser):
    return next(iter(texts(browser, ".query figcaption .muted")), "")


def unfold(browser):
    """Open all that can be opened."""
    browser.execute_script("document.querySelectorAll('details').forEach((e) => (e.open = true))")


def press(browser, selector, key):
    element = find(browser, selector)
    browser.execute_script("arguments[0].focus()", element)
    element.send_keys(key)


def test_the_table_is_in_order_of_map_and_sorts_by_any_column(visit):
    browser = visit("parted/query")
    assert set(rows(browser)[:3]) == {"net", "net+qe", JOINT}
    assert rows(browser)[-1] == "gone"  # no numbers, but it never vanishes
    assert "skipped: no weights" in find(browser, "[data-method=gone]").text
    assert "chance" in rows(browser)
    assert texts(browser, "thead th")[1:] == [
        *("top-1", "top-10", "mAP", "bytes/image", "ms/image", "ms/query")
    ]
    find(browser, "[data-key=bytes_per_image] button").click()
    until(browser, lambda: rows(browser)[:2] == ["lbp", "rgb"])
    assert rows(browser)[-2:] in (["chance", "gone"], ["gone", "chance"])
    press(browser, "[data-key=bytes_per_image] button", Keys.ENTER)
    until(browser, lambda: rows(browser)[0] == JOINT)
    unfold(browser)
    find(browser, "#columns [value=fit_seconds]").click()
    assert "fit s" in texts(browser, "thead th")
    until(browser, lambda: rows(browser)[0] == JOINT)  # still sorted
    find(browser, "[data-key=name] button").click()
    until(browser, lambda: rows(browser)[:3] == ["chance", "gone", "lbp"])


def test_the_table_filters(visit):
    browser = visit("parted/query")
    find(browser, "#name").send_keys("LBP")
    assert set(rows(browser)) == {"lbp", JOINT}
    find(browser, "#everything").click()
    find(browser, "#families [value=network]").click()
    assert set(rows(browser)) == {"net", "gone", "chance"}
    find(browser, "#families [value=colour]").click()
    assert set(rows(browser)) == {"net", "rgb", "gone", "chance"}
    find(browser, "#everything").click()
    Select(find(browser, "#extraction_ms")).select_by_value("2")
    until(browser, lambda: set(rows(browser)) == {"rgb", "lbp", "chance"})
    find(browser, "#everything").click()
    find(browser, "#shallow").click()
    assert set(rows(browser)) == {"rgb", "lbp", "chance"}
    find(browser, "#everything").click()
    assert set(rows(browser)) == {*ROWS, "gone", "chance"}


def test_the_best_small_one_for_sketches_is_three_clicks_away(visit):
    browser = visit()
    Select(find(browser, "#dataset")).select_by_value("parted")
    until(browser, lambda: texts(browser, "[data-set=query-sketch]"))
    find(browser, "[data-set=query-sketch]").click()
    until(browser, lambda: "parted/query-sketch" in browser.current_url and lines(browser))
    find(browser, "#small").click()
    assert rows(browser) == ["chance", "lbp"] or rows(browser) == ["lbp", "chance"]
    assert "1 of 6 methods. Best by mAP: lbp" in find(browser, "#answer").text
    assert "40 bytes/image" in find(browser, "#answer").text
    find(browser, "#small").click()
    assert len(rows(browser)) == 7


def test_the_explorer_shows_who_is_right(visit):
    browser = visit("parted/query/validation/query/berry/01.png")
    assert query(browser) == "validation/query/berry/01.png"
    assert set(lines(browser)) == set(ROWS)  # the best of each family: here, all
    assert tops(browser) == {
        **dict.fromkeys(("net", "net+qe", JOINT), "right"),
        "rgb": "wrong",
        "lbp": "distractor",
    }
    marks = dict(
        zip(lines(browser), texts(browser, ".neighbours li:first-child .mark"), strict=True)
    )
    assert [marks[name] for name in ("net", "rgb", "lbp")] == ["○", "✕", "◆"]
    assert len(texts(browser, "[data-method=net].line li")) == 10
    until(browser, lambda: find(browser, ".query img").get_property("naturalWidth") == 24)
    assert find(browser, ".neighbours img").get_attribute("loading") == "lazy"
    unfold(browser)
    find(browser, "#methods [value=lbp]").click()
    assert "lbp" not in lines(browser)
    assert len(lines(browser)) == 4


@pytest.mark.parametrize(
    ("name", "passing"),
    [("deep", [0, 4]), ("classical", [1]), ("fail", [2]), ("distractor", [4]), ("all", range(6))],
)
def test_each_filter_of_queries(visit, name, passing):
    browser = visit("parted/query/3")
    find(browser, f"[data-filter={name}]").click()
    options = texts(browser, "#query option")
    ids = [f"{label} · 0{n}.png" for label in ("apple", "berry") for n in range(3)]
    assert options == [ids[number] for number in passing]
    until(
        browser,
        lambda: (
            query(browser).split("/")[-2:]
            == (ids[next((n for n in passing if n >= 2), passing[0])].split(" · "))
        ),
    )
    assert find(browser, "#position").text.endswith(f"of {len(options)}")
    assert find(browser, f"[data-filter={name}]").get_attribute("aria-pressed") == "true"


def test_a_filter_that_nothing_passes_says_so(visit):
    browser = visit("parted/query")
    unfold(browser)
    find(browser, "#choices button:last-child").click()
    find(browser, "[data-filter=fail]").click()
    assert "No query passes this filter" in find(browser, "#shown-query").text
    assert not find(browser, "#next").is_enabled()


def test_sketches_are_one_click_away(visit):
    browser = visit("parted/query/2")
    find(browser, "[data-filter=sketches]").click()
    until(browser, lambda: "query-sketch" in query(browser))
    assert find(browser, "[data-filter=sketches]").get_attribute("aria-pressed") == "true"
    find(browser, "[data-filter=sketches]").click()
    until(browser, lambda: "validation/query/" in query(browser))


def test_keys_and_the_address(visit):
    browser = visit("parted/query")
    assert query(browser).endswith("apple/00.png")
    find(browser, "body").send_keys(Keys.ARROW_RIGHT)
    until(browser, lambda: query(browser).endswith("apple/01.png"))
    assert browser.current_url.endswith("#parted/query/validation/query/apple/01.png")
    find(browser, "body").send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    until(browser, lambda: query(browser).endswith("berry/02.png"))
    press(browser, "#next", Keys.ENTER)
    until(browser, lambda: query(browser).endswith("apple/00.png"))
    press(browser, "#name", Keys.ARROW_RIGHT)  # moves the cursor in the field, nothing else
    press(browser, "[data-filter=fail]", Keys.SPACE)
    until(browser, lambda: query(browser).endswith("apple/02.png"))
    press(browser, "#dataset", Keys.TAB)
    focused = browser.switch_to.active_element
    assert focused.get_attribute("data-set") == "query"
    assert focused.value_of_css_property("outline-style") == "solid"


def test_every_control_has_a_name(visit):
    browser = visit("parted/query")
    unfold(browser)
    for control in browser.find_elements(By.CSS_SELECTOR, "button, select, input, summary"):
        assert control.accessible_name, control.get_attribute("outerHTML")


@pytest.mark.parametrize("place", ["nothing/at/all", "parted/no-such", "%", "parted/query/-1"])
def test_an_address_of_nothing_leads_somewhere(visit, place):
    assert query(visit(place))


def test_hostile_names_are_only_names(visit):
    browser = visit(f"{quote(HOSTILE)}/query")
    assert Select(find(browser, "#dataset")).first_selected_option.get_property("value") == HOSTILE
    found = texts(browser, "#query option")
    assert f"{HANDLER} · 00.png" in found
    assert any(text.startswith("<script>document.title='harmed'< · ") for text in found)
    for _ in found:
        find(browser, "#next").click()
    assert browser.title.startswith(HOSTILE[:4])
    assert texts(browser, "main script, main b, #query-sets b") == []
    script = "return [...document.images].every((image) => !image.onerror && image.alt !== '')"
    assert browser.execute_script(script)
    plot = find(browser, "#plots img")
    browser.execute_script("arguments[0].scrollIntoView()", plot)
    until(browser, lambda: plot.get_property("naturalWidth") > 0)


def test_without_pictures_names_stand_for_them(visit):
    browser = visit("unseen/query")
    assert "--dataset unseen=PATH" in find(browser, "#lacking").text
    assert "00.png" in texts(browser, ".blank")
    assert set(tops(browser).values()) == {"right", "wrong"}


def test_without_classes_nothing_is_judged(visit):
    browser = visit("flat/query")
    assert texts(browser, "thead th") == ["method", "bytes/image", "ms/image", "ms/query"]
    assert find(browser, "#answer").text == "2 of 2 methods."
    assert set(tops(browser).values()) == {"unjudged"}
    assert len(texts(browser, ".neighbours li")) == 20
    assert set(texts(browser, ".neighbours .mark")) == {""}


@pytest.mark.parametrize(
    "place", ["parted/query", f"{quote(HOSTILE)}/query-sketch", "unseen/query"]
)
def test_a_phone_needs_no_sideways_scrolling(visit, place):
    browser = visit(place, width=375)
    unfold(browser)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 375


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground(visit, dark):
    browser = visit("parted/query", dark=dark)

    def luminance(selector, what):
        colour = find(browser, selector).value_of_css_property(what)
        parts = [int(part) / 255 for part in colour.strip("rgba()").split(",")[:3]]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    ground = luminance("body", "background-color")
    assert (ground < 0.05) is dark
    for selector in ("body", "#about", "#table .family", ".right .mark", ".wrong .mark"):
        light, low = sorted((luminance(selector, "color"), ground), reverse=True)
        assert (light + 0.05) / (low + 0.05) > 4.5, selector
