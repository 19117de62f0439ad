"""The search page as other programs see it: its answers, and what it refuses."""

import contextlib
import io
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from paged import fill_parted
from pictures import fill, picture
from PIL import Image
from served import serving

from benchmarks.search import search
from benchmarks.search.__main__ import main
from benchmarks.search.api import prepare_index, search_query
from benchmarks.search.serve.decoder import MOST_BYTES, Decoder
from datasets.errors import UnreadableImageError
from datasets.reading import content_hash, read_bytes, read_image

METHODS = ("hog", "lbp", "hog+lbp+rrf")
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    base = tmp_path_factory.mktemp("served")
    fill_parted(base / "parted")
    return base


@pytest.fixture(scope="module")
def page(base):
    """A page of a small dataset."""
    asked = ["--dataset", base / "parted", "--extractor", *METHODS, "--cache", base / "cache"]
    with serving(*asked) as client:
        client.until(lambda state: state["building"] is None)
        yield client


@pytest.fixture
def query(base):
    return base / "parted" / "validation" / "query" / "berry" / "01.png"


def answers(page, path, body=None):
    status, content = page.json(f"/api/v1/search?{path}", body)
    assert status == 200, content
    assert content["version"] == 1
    return {one["method"]: one for one in content["answers"]}, content["query"]


def found(answer):
    return [(one["id"], one["distance"]) for one in answer["neighbours"]]


def test_the_state_says_what_can_be_asked(page):
    state = page.status()
    assert state["gallery"]["sets"] == {"gallery": 15, "query": 6, "query-sketch": 4}
    assert state["shown"] == list(METHODS)
    assert [(one["name"], one["ready"]) for one in state["methods"]] == [
        ("hog", True),
        ("lbp", True),
    ]
    assert "rrf" in state["fusions"]
    assert "weighted" not in state["fusions"]  # needs training images
    assert state["limits"]["bytes"] == MOST_BYTES


@pytest.mark.parametrize("method", ["hog", "hog+lbp+rrf", "hog+lbp+concat+alpha-qe", "lbp+dba"])
def test_the_page_finds_what_the_command_finds(page, base, query, method):
    """Methods put together of the indexes of others, too."""
    other = base / "other.png"
    picture(77, 50, 1).save(other)
    expected = search(
        other, dataset=str(base / "parted"), extractor=method, k=15, cache=base / "cache"
    )
    given, asked = answers(page, f"method={method}&k=15".replace("+", "%2B"), other.read_bytes())
    assert asked == {"width": 50, "height": 50, "known": None}
    assert found(given[method]) == [(one.id, one.distance) for one in expected.neighbours]
    assert {one["right"] for one in given[method]["neighbours"]} == {None}


def test_a_query_of_the_dataset_is_judged_by_the_protocol(page, base, query):
    index, dataset = prepare_index(
        dataset=str(base / "parted"), extractor="hog", cache=base / "cache"
    )
    expected = search_query(index, dataset, "query/berry/01.png", 10).neighbours
    by_name, _ = answers(page, f"method=hog&picture={content_hash(query)}")
    by_bytes, asked = answers(page, "method=hog", query.read_bytes())
    assert asked["known"]["label"] == "berry"
    for given in (by_name, by_bytes):
        assert found(given["hog"]) == [(one.id, one.distance) for one in expected]
        right = [one["right"] for one in given["hog"]["neighbours"]]
        assert right == [one.right for one in expected]
    assert "cherry" in {one["distractor"] for one in by_name["hog"]["neighbours"]}


def test_a_picture_of_the_gallery_does_not_find_itself(page):
    listed = page.json("/api/v1/pictures?offset=3&limit=2")[1]
    assert (listed["size"], len(listed["pictures"])) == (15, 2)
    asked = listed["pictures"][0]
    given, _ = answers(page, f"k=100&picture={asked['sha256']}")
    assert list(given) == list(METHODS)
    for one in given.values():
        assert len(one["neighbours"]) == 14
        assert asked["id"] not in {found["id"] for found in one["neighbours"]}


def test_marks_draw_the_query_nearer(page, query):
    before = answers(page, "method=hog&k=15", query.read_bytes())[0]["hog"]["neighbours"]
    marked, blamed = before[-1], before[0]
    more = f"method=hog&k=15&right={marked['sha256']}&wrong={blamed['sha256']}"
    after = answers(page, more, query.read_bytes())[0]["hog"]["neighbours"]
    distance = {one["sha256"]: one["distance"] for one in after}
    assert distance[marked["sha256"]] < marked["distance"]
    assert distance[blamed["sha256"]] > blamed["distance"]
    again = answers(page, "method=hog&k=15", query.read_bytes())[0]["hog"]["neighbours"]
    assert again == before


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/api/v1/search", b"just text", 400, "the picture: "),
        ("/api/v1/search", b"", 400, "the picture: empty file"),
        ("/api/v1/search", SVG, 400, "the picture: "),
        ("/api/v1/search", b"\x89PNG\r\n\x1a\n" + bytes(100), 400, "the picture: "),
        ("/api/v1/search", None, 400, "send a picture"),
        ("/api/v1/search?k=0", b"", 400, "k: a number from 1 to 100"),
        ("/api/v1/search?k=-1", b"", 400, "k: "),
        ("/api/v1/search?k=%C2%B2", b"", 400, "k: "),
        (f"/api/v1/search?k={'9' * 5000}", b"", 400, "k: "),
        ("/api/v1/search?right=../../etc/passwd", b"", 400, "right: "),
        (f"/api/v1/search?right={'0' * 64}&wrong={'0' * 64}", b"", 400, "marked right and wrong"),
        (f"/api/v1/search?picture={'0' * 64}", b"bytes", 400, "another named by picture="),
        (f"/api/v1/search?picture={'0' * 64}", iter([b"a"]), 400, "another named by picture="),
        ("/api/v1/search?k=1&k=2", b"", 400, "k= is given 2 times; give one"),
        ("/api/v1/search?picture=a&picture=b", None, 400, "picture= is given 2 times"),
        ("/api/v1/pictures?set=gallery&set=query", None, 400, "set= is given 2 times"),
        (f"/api/v1/search?picture={'0' * 64}", None, 404, "no such picture"),
        ("/api/v1/search?picture=/etc/passwd", None, 404, "no such picture"),
        ("/api/v1/search?" + "&".join(f"method=m{n}" for n in range(13)), b"", 400, "too many"),
        ("/api/v1/pictures?set=training", None, 404, "no set"),
        ("/api/v1/pictures?offset=99", None, 400, "offset: "),
        ("/api/v1/pictures?limit=1000", None, 400, "limit: "),
        ("/thumbnails/..%2F..%2Fetc%2Fpasswd.webp", None, 404, ""),
        ("/../../../etc/passwd", None, 404, ""),
        ("/static/search.js", None, 404, ""),
        ("/api/v2/status", None, 404, ""),
    ],
)
def test_what_is_wrong_is_said(page, path, body, status, said):
    code, content = page.json(path, body)
    assert (code, content["version"]) == (status, 1)
    assert said in content["error"]
    assert page.process.poll() is None


def test_a_method_that_cannot_answer_leaves_the_others_alone(page, query):
    asked = "method=hgo&method=hog&method=gist&method=hog%2Blbp&method=rootsift-bovw%2Bgeometry"
    asked += "&method=hog%2Bpca32&method=hog%2Blbp%2Bpca32%2Brrf"
    given, _ = answers(page, asked, query.read_bytes())
    assert "did you mean 'hog'?" in given["hgo"]["error"]
    assert "begin with --extractor gist" in given["gist"]["error"]
    assert "--extractor hog+lbp" in given["hog+lbp"]["error"]  # learns weights
    assert "benchmarks.run only" in given["rootsift-bovw+geometry"]["error"]
    assert "begin with --extractor hog+pca32, too" in given["hog+pca32"]["error"]
    assert "--extractor hog+pca32 lbp+pca32" in given["hog+lbp+pca32+rrf"]["error"]
    assert len(given["hog"]["neighbours"]) == 10


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example:80"},
        {"Host": "192.168.0.7"},
        {"Host": "[::1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_other_hosts_and_pages_are_refused(page, headers):
    for path in ("/", "/api/v1/status", "/search.js"):
        status, sent, _ = page.fetch(path, headers=headers)
        assert status == 403
        assert "Content-Security-Policy".lower() in map(str.lower, sent)


def test_every_answer_forbids_what_it_does_not_need(page):
    for path in ("/", "/search.js", "/page.css", "/api/v1/status", "/nothing"):
        _, headers, _ = page.fetch(path)
        named = {name.lower(): value for name, value in headers.items()}
        policy = named["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert named["x-content-type-options"] == "nosniff"
        assert "server" not in named
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert page.fetch("/", headers=link)[0] == 200


def test_pictures_are_shown_as_small_copies_of_their_pixels(page, query):
    status, headers, content = page.fetch(f"/thumbnails/{content_hash(query)}.webp")
    assert (status, headers["content-type"]) == (200, "image/webp")
    with Image.open(io.BytesIO(content), formats=["WEBP"]) as image:
        assert image.size == (24, 24)


def test_too_many_bytes_are_not_taken(page):
    """Neither if their number is told, nor if they just keep coming."""
    with socket.create_connection((page.host, page.port)) as open_socket:
        head = f"POST /api/v1/search HTTP/1.1\r\nHost: {page.host}\r\nContent-Length: {2 * 10**8}"
        open_socket.sendall(f"{head}\r\n\r\n".encode())
        assert open_socket.recv(100).startswith(b"HTTP/1.1 413 ")
    with socket.create_connection((page.host, page.port)) as open_socket:
        head = f"POST /api/v1/search HTTP/1.1\r\nHost: {page.host}\r\nTransfer-Encoding: chunked"
        open_socket.sendall(f"{head}\r\n\r\n".encode())
        chunks = (b"100000\r\n" + bytes(2**20) + b"\r\n") * 200
        with pytest.raises(OSError, match=r"reset|pipe|aborted"):
            open_socket.sendall(chunks)
    assert page.status()["version"] == 1


def test_who_asks_for_nothing_is_not_waited_for(page):
    """However slowly the headers come, and after an answer, too."""
    whole = f"GET /search.js HTTP/1.1\r\nHost: {page.host}\r\n\r\n".encode()
    for before in (b"", whole):
        with socket.create_connection((page.host, page.port)) as slow:
            slow.settimeout(0.5)
            slow.sendall(before)
            began, alive = time.monotonic(), True
            while alive and time.monotonic() - began < 20:
                with contextlib.suppress(TimeoutError):
                    while alive := bool(slow.recv(2**16)):
                        pass
                with contextlib.suppress(OSError):
                    slow.sendall(b"G")
            assert not alive
            assert 8 < time.monotonic() - began < 15


def test_too_many_pixels_are_not_decoded(page):
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    assert len(bomb.getvalue()) < 100_000
    code, content = page.json("/api/v1/search", bomb.getvalue())
    assert code == 400
    assert "too large (20000 x 20000 pixels; at most 50,000,000" in content["error"]


def test_decoding_ends_in_time_and_goes_on_with_the_next():
    slow, fast = io.BytesIO(), io.BytesIO()
    Image.effect_noise((4000, 4000), 60).save(slow, "PNG")
    picture(1).save(fast, "PNG")
    decoder = Decoder(1, 0.02)
    try:
        with pytest.raises(UnreadableImageError, match=r"takes more than 0\.02 s"):
            decoder.decode(slow.getvalue())
        decoder.seconds = 30
        assert np.array_equal(decoder.decode(fast.getvalue()), np.asarray(picture(1)))
        with pytest.raises(UnreadableImageError, match="empty file"):
            decoder.decode(b"")
    finally:
        decoder.close()


def test_what_is_sent_is_read_like_a_file(mixed):
    for file in sorted(mixed.rglob("*.*")):
        if file.suffix not in (".txt",) and file.name != "broken.jpg":
            assert np.array_equal(read_bytes(file.read_bytes()), read_image(file)), file.name


def test_eight_clients_at_once_lose_nothing(page, query):
    expected = answers(page, "k=5", query.read_bytes())[0]

    def ask(number):
        given, _ = answers(page, "k=5", query.read_bytes())
        return {name: found(one) for name, one in given.items()}

    with ThreadPoolExecutor(8) as clients:
        for given in clients.map(ask, range(40)):
            assert given == {name: found(one) for name, one in expected.items()}


def test_an_index_that_is_brought_up_to_date_keeps_answering(tmp_path, capsys):
    pictures, cache = tmp_path / "pictures", ("--cache", tmp_path / "cache", "--jobs", 1)
    fill(pictures / "one", 6, 1)
    made = ["--pictures", pictures, "--index", tmp_path / "index", "--extractor", "lbp"]
    assert main([str(one) for one in (*made, *cache, "--quiet")]) == 0
    other = ["--serve", "--index", tmp_path / "index", "--extractor", "lbp+alpha-qe", "hog"]
    assert main([str(one) for one in other]) == 2
    said = f"--extractor hog: {tmp_path / 'index'} is an index by lbp; make another for it"
    assert said in capsys.readouterr().err
    with serving("--index", tmp_path / "index", *cache) as client:
        assert client.status()["gallery"]["size"] == 6
        first = client.json("/api/v1/pictures")[1]["pictures"][0]
        codes, end = [], threading.Event()

        def keep_asking():
            while not end.is_set():
                codes.append(client.json(f"/api/v1/search?picture={first['sha256']}")[0])

        asking = threading.Thread(target=keep_asking)
        asking.start()
        fill(pictures / "two", 3, 2, 1)
        assert main([str(one) for one in (*made, *cache, "--quiet")]) == 0
        client.until(lambda state: state["gallery"]["size"] == 9)
        end.set()
        asking.join()
        assert set(codes) == {200}
        picture(99).save(pictures / "one" / "00.png")  # another picture under an old name
        assert client.fetch(f"/thumbnails/{first['sha256']}.webp")[0] == 404


def test_what_cannot_be_built_is_told_and_the_rest_answers(tmp_path):
    fill(tmp_path / "pictures", 4, 1)
    asked = ["--pictures", tmp_path / "pictures", "--cache", tmp_path / "cache"]
    with serving(*asked, "--extractor", "lbp", "sift-fisher") as client:
        state = client.until(lambda state: state["building"] is None)
        failed = {one["name"]: one["error"] for one in state["methods"] if not one["ready"]}
        assert "--learn-from" in failed["sift-fisher"]
        sent = (tmp_path / "pictures" / "00.png").read_bytes()
        given, _ = answers(client, "k=2", sent)
        assert len(given["lbp"]["neighbours"]) == 2
        assert "--learn-from" in given["sift-fisher"]["error"]


def test_ctrl_c_ends_what_is_being_built_without_a_word_too_many(tmp_path):
    fill(tmp_path / "pictures", 1500, 1)
    asked = ["--pictures", tmp_path / "pictures", "--cache", tmp_path / "cache", "--jobs", 2]
    with serving(*asked, "--extractor", "zernike-moments") as client:
        begun = client.until(lambda state: (state["building"] or {"done": 0})["done"] > 0)
        assert begun["gallery"] is None
    assert [line for line in client.said if "rror" in line or "Trace" in line] == []
    assert any("interrupted" in line for line in client.said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x.png"], "--serve goes without PICTURE"),
        (["-k", "5"], "--serve goes without PICTURE"),
        (["--extractor", "hgo"], "did you mean 'hog'?"),
        (["--extractor", "rootsift-bovw+geometry"], "leave +geometry away"),
        (["--index", "nothing"], "no index there"),
        (["--pictures", "empty", "--extractor", "lbp"], "the folder is empty"),
        (["--pictures", "empty", "--port", "99999"], "choose another --port"),
        (["--pictures", "empty", "--host", "no.such.host.invalid"], "choose another --host"),
        (["--pictures", "empty", "--host", "[::1]"], "choose another --host"),
        (["--pictures", "empty", "--host", "http://127.0.0.1"], "choose another --host"),
        (["--pictures", "empty", "--host", "a..b"], "choose another --host"),
        (["--pictures", "empty", "--host", "192.0.2.1"], "choose another --host"),
        (["--pictures", "empty", "--dataset", "openmoji"], "exclude each other"),
    ],
)
def test_bad_options_are_told_in_one_line(tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    port = [] if "--port" in arguments else ["--port", "0"]
    assert main(["--serve", *arguments, *port, "--cache", "cache", "--quiet"]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert said in errors
    assert "while attempting" not in errors


def test_a_port_that_is_taken_is_told(tmp_path, capsys):
    fill(tmp_path / "pictures", 2, 1)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        asked = [
            "--serve",
            "--pictures",
            tmp_path / "pictures",
            "--port",
            port,
            "--extractor",
            "lbp",
        ]
        assert main([str(one) for one in (*asked, "--cache", tmp_path / "cache")]) == 2
    assert f"--port {port}: cannot listen there" in capsys.readouterr().err
