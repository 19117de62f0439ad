"""The search page in a browser: drawing, dropping, marking, and what it must not be harmed by."""

import pytest
from chromium import find, go, opened, requests_of, texts
from paged import fill_parted
from pictures import fill, picture
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait
from served import serving

HANDLER = "<img src=x onerror=alert(1)>"
REFUSED = "400 (Bad Request)"  # Chromium's own line about a picture that is none
HARM = "<script>document.title='harmed'<"
SVG = f"<svg xmlns='http://www.w3.org/2000/svg' onload='{HARM[8:-1]}'>{HARM}/script></svg>"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page of a dataset with hostile names."""
    base = tmp_path_factory.mktemp("page")
    root = fill_parted(base / "parted", (HANDLER, "berry"))
    fill(root / "validation" / "gallery" / HARM, 2, 77)
    asked = ["--dataset", root, "--extractor", "hog", "lbp", "--cache", base / "cache"]
    with serving(*asked) as client:
        client.until(lambda state: state["building"] is None)
        yield client


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("chromium")) as made:
        yield made


def show(browser, address, width=1280, dark=False):
    go(browser, address, width, dark)
    until(browser, lambda: count(browser, "#samples li"))
    return browser


@pytest.fixture
def visit(browser, page):
    """Open the page anew; afterwards nothing was said, nor asked of anybody else."""
    browser.get("about:blank")
    browser.get_log("browser"), browser.get_log("performance")
    yield lambda **more: show(browser, page.address, **more)
    said = [line["message"] for line in browser.get_log("browser")]
    assert [text for text in said if REFUSED not in text] == []
    requests = requests_of(browser)
    assert any(url.startswith(page.address) for url in requests)
    inside = (page.address, "data:", "about:", "chrome:", f"blob:{page.address}")
    assert [url for url in requests if not url.startswith(inside)] == []


def until(browser, condition):
    return WebDriverWait(browser, 20, 0.05).until(lambda _: condition())


def count(browser, selector):
    return len(texts(browser, selector))


def click(browser, selector):
    """Click, whether it is in view or not, and in one step, since lines are drawn anew."""
    browser.execute_script("document.querySelector(arguments[0]).click()", selector)


def lines(browser):
    script = "return [...document.querySelectorAll('.line')].map((line) => line.dataset.method)"
    return browser.execute_script(script)


def found(browser, method="hog"):
    """Names of the pictures that a method found."""
    script = (
        "return [...document.querySelectorAll(`[data-method='${arguments[0]}'] .pick`)]"
        ".map((e) => e.getAttribute('aria-label'))"
    )
    return browser.execute_script(script, method)


def draw(browser, *strokes, kind="mouse"):
    """Draw with a mouse or a finger, in parts of the canvas."""
    script = (
        "arguments[0].scrollIntoView({block: 'center'});"
        "const r = arguments[0].getBoundingClientRect(); return [r.left, r.top, r.width]"
    )
    left, top, width = browser.execute_script(script, find(browser, "#canvas"))
    mouse = {"button": "left", "buttons": 1, "clickCount": 1}
    for stroke in strokes:
        points = [{"x": left + x * width, "y": top + y * width} for x, y in stroke]
        for number, point in enumerate((*points, points[-1])):
            step = 0 if number == 0 else 2 if number == len(points) else 1
            if kind == "mouse":
                name = ("mousePressed", "mouseMoved", "mouseReleased")[step]
                browser.execute_cdp_cmd(
                    "Input.dispatchMouseEvent", {"type": name, **point, **mouse}
                )
            else:
                name = ("touchStart", "touchMove", "touchEnd")[step]
                touches = [] if step == 2 else [point]
                browser.execute_cdp_cmd(
                    "Input.dispatchTouchEvent", {"type": name, "touchPoints": touches}
                )


def drop(browser, name, content, kind):
    """Drop a file as a desktop does."""
    browser.execute_script(
        "const data = new DataTransfer();"
        "const content = new Uint8Array(arguments[1]);"
        "data.items.add(new File([content], arguments[0], {type: arguments[2]}));"
        "document.body.dispatchEvent(new DragEvent('drop', "
        "{dataTransfer: data, bubbles: true, cancelable: true}))",
        name,
        list(content),
        kind,
    )


STROKE = [(0.2, 0.2), (0.5, 0.5), (0.8, 0.8)]
OTHER = [(0.8, 0.2), (0.2, 0.8)]


@pytest.mark.parametrize("kind", ["mouse", "finger"])
def test_strokes_get_answers_and_can_be_taken_back(visit, kind):
    browser = visit(width=1280 if kind == "mouse" else 400)
    draw(browser, STROKE, kind=kind)
    until(browser, lambda: len(found(browser)) == 10)
    assert lines(browser) == ["hog", "lbp"]
    assert " ms" in texts(browser, ".time")[0]
    assert set(texts(browser, ".line .mark")) == {""}  # nobody knows what was meant
    shown = "return document.querySelector('.query img')?.src"
    first = browser.execute_script(shown)
    draw(browser, OTHER, kind=kind)
    until(browser, lambda: browser.execute_script(shown) not in (first, None))
    inked = (
        "const copy = new OffscreenCanvas(640, 640).getContext('2d', {willReadFrequently: true});"
        "copy.drawImage(arguments[0], 0, 0); const c = copy.getImageData(0, 0, 640, 640).data;"
        "return c.filter((value, at) => at % 4 === 0 && value < 128).length"
    )
    both = browser.execute_script(inked, find(browser, "#canvas"))
    click(browser, "#undo")
    one = browser.execute_script(inked, find(browser, "#canvas"))
    assert 0 < one < both
    click(browser, "#clear")
    assert browser.execute_script(inked, find(browser, "#canvas")) == 0
    assert not find(browser, "#back").is_enabled()  # a drawing is one query, however it grew


def test_a_drawing_by_keys(visit):
    browser = visit()
    canvas = find(browser, "#canvas")
    canvas.send_keys(Keys.SPACE, *[Keys.ARROW_RIGHT] * 5, *[Keys.ARROW_DOWN] * 5)
    assert find(browser, "#pen").get_attribute("class") == "down"
    canvas.send_keys(Keys.SPACE)
    until(browser, lambda: len(found(browser)) == 10)
    assert texts(browser, ".query strong") == ["your drawing"]


def test_a_dropped_file_is_searched_with(visit, tmp_path):
    browser = visit()
    picture(5, 60, 2).save(tmp_path / "p.png")
    drop(browser, f"{HANDLER}.png", (tmp_path / "p.png").read_bytes(), "image/png")
    until(browser, lambda: len(found(browser)) == 10)
    assert texts(browser, ".query strong") == [f"{HANDLER}.png"]
    width = "return document.querySelector('.query img')?.naturalWidth"
    until(browser, lambda: browser.execute_script(width) == 60)
    find(browser, "#file").send_keys(str(tmp_path / "p.png"))
    until(browser, lambda: texts(browser, ".query strong") == ["p.png"])
    assert find(browser, "#back").is_enabled()
    click(browser, "#back")
    until(browser, lambda: texts(browser, ".query strong") == [f"{HANDLER}.png"])


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("harm.svg", SVG.encode(), "image/svg+xml"),
        ("harm.png", SVG.encode(), "image/png"),
        ("text.jpg", b"no picture at all", "image/jpeg"),
        ("empty.png", b"", "image/png"),
        (f"{HARM}/script>.html", f"{HARM}/script>".encode(), "text/html"),
    ],
)
def test_hostile_files_are_refused_in_words(visit, name, content, kind):
    browser = visit()
    drop(browser, name, content, kind)
    until(browser, lambda: "the picture: " in find(browser, "#trouble").text)
    assert browser.title == "Search by picture"
    assert found(browser) == []
    draw(browser, STROKE)
    until(browser, lambda: len(found(browser)) == 10)
    assert not find(browser, "#trouble").is_displayed()


def test_a_file_of_200_megabytes_is_not_even_sent(visit, tmp_path):
    browser = visit()
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(200 * 2**20)
    find(browser, "#file").send_keys(str(tmp_path / "large.png"))
    until(browser, lambda: "large.png: larger than 32 MiB" in find(browser, "#trouble").text)


def test_a_query_is_taken_judged_and_what_is_found_asked_with(visit):
    browser = visit()
    Select(find(browser, "#set")).select_by_value("query")
    until(browser, lambda: count(browser, "#samples li") == 6)
    click(browser, "#samples li:last-child button")
    until(browser, lambda: len(found(browser)) == 10)
    marks = set(texts(browser, "[data-method=hog] .mark"))
    assert {"○", "✕"} <= marks <= {"○", "✕", "◆"}
    assert "of 10 right" in texts(browser, "[data-method=hog] .who")[0]
    first = found(browser)[0]
    click(browser, "[data-method=hog] li:first-child .pick")
    name = first.removeprefix("Search with ")
    until(browser, lambda: texts(browser, ".query .muted") == [name])
    until(browser, lambda: first not in found(browser))  # it does not find itself
    click(browser, "#back")
    until(browser, lambda: found(browser)[0] == first)


def test_marks_change_what_is_found(visit):
    browser = visit()
    draw(browser, STROKE)
    until(browser, lambda: len(found(browser)) == 10)
    before = found(browser)
    click(browser, "[data-method=hog] li:last-child [data-mark=right]")
    click(browser, "[data-method=hog] li:first-child [data-mark=wrong]")
    assert find(browser, "#marked").text == "1 marked right, 1 wrong"
    click(browser, "#again")
    until(browser, lambda: found(browser) != before)
    assert found(browser)[0] == before[-1]
    pressed = "[data-method=hog] li:first-child [data-mark=right]"
    assert texts(browser, f"{pressed}[aria-pressed=true]") == ["+"]
    click(browser, "#forget")
    until(browser, lambda: found(browser) == before)


def test_methods_are_switched_fused_and_re_ranked(visit):
    browser = visit()
    draw(browser, STROKE)
    until(browser, lambda: lines(browser) == ["hog", "lbp"])
    click(browser, "#offered [value=hog]")
    until(browser, lambda: lines(browser) == ["lbp"])
    click(browser, "#combine summary")
    Select(find(browser, "#fusion")).select_by_value("combsum-zscore")
    Select(find(browser, "#reranking")).select_by_value("alpha-qe")
    find(browser, "#add").click()
    until(browser, lambda: lines(browser) == ["lbp", "hog+lbp+combsum-zscore+alpha-qe"])
    assert len(found(browser, "hog+lbp+combsum-zscore+alpha-qe")) == 10


def test_two_browsers_at_once(visit, page, tmp_path_factory):
    browser = visit()
    with opened(tmp_path_factory.mktemp("second")) as other:
        show(other, page.address)
        draw(browser, STROKE)
        draw(other, [(0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.3)])
        until(browser, lambda: len(found(browser)) == 10)
        until(other, lambda: len(found(other)) == 10)
        assert found(browser) != found(other)
        assert other.get_log("browser") == []


def test_names_of_pictures_and_classes_are_only_names(visit):
    browser = visit()
    Select(find(browser, "#set")).select_by_value("gallery")
    until(browser, lambda: count(browser, "#samples li") == 17)
    Select(find(browser, "#k")).select_by_value("20")
    draw(browser, STROKE)
    until(browser, lambda: len(found(browser)) == 17)
    captions = "".join(texts(browser, ".line .caption"))
    assert HANDLER in captions
    assert HARM in captions
    assert texts(browser, "main script") == []
    assert browser.execute_script("return [...document.images].every((i) => !i.onerror)")
    assert browser.title == "Search by picture"


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_needs_no_sideways_scrolling_and_controls_have_names(visit, dark):
    browser = visit(width=375, dark=dark)
    draw(browser, STROKE, kind="finger")
    until(browser, lambda: len(found(browser)) == 10)
    click(browser, "#combine summary")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 375
    ground = find(browser, "body").value_of_css_property("background-color")
    assert ("rgba(13, 17, 23" in ground) is dark
    for control in browser.find_elements(
        By.CSS_SELECTOR, "button, select, input, summary, canvas"
    ):
        assert control.accessible_name or not control.is_displayed(), control.get_attribute("id")


def test_the_keyboard_reaches_everything(visit):
    browser = visit()
    browser.execute_script("document.querySelector('#samples button').focus()")
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    until(browser, lambda: len(found(browser)) == 10)
    browser.execute_script("document.querySelector('.line .pick').focus()")
    browser.switch_to.active_element.send_keys(Keys.TAB)
    focused = browser.switch_to.active_element
    assert focused.get_attribute("data-mark") == "right"
    focused.send_keys(Keys.SPACE)
    assert find(browser, "#feedback").is_displayed()
