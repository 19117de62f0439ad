"""Downloads from servers that lie, stall, break off and change; archives that mean no good."""

import gzip
import hashlib
import io
import json
import os
import shutil
import stat
import tarfile
import threading
import zipfile

import numpy as np
import pytest
from hostile import honest, send, serving, version

from datasets.errors import InputError
from datasets.fetching import download as downloading
from datasets.fetching import unpack as unpacking
from datasets.fetching.archive import Archive
from datasets.fetching.download import download
from datasets.fetching.progress import Reporter
from datasets.fetching.unpack import unpack
from datasets.fetching.whole import fetch

CONTENT = np.random.default_rng(0).bytes(300_000)
OTHER = np.random.default_rng(1).bytes(300_000)
QUIET = Reporter(quiet=True)


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setattr(downloading, "PATIENCE", 0.3)
    monkeypatch.setattr(downloading, "PAUSE", 0.01)
    with serving() as found:
        found.files["a.bin"] = CONTENT
        yield found


def archive(site, *names, **known):
    known = {"size": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()} | known
    return Archive("a.bin", tuple(site.at(name) for name in names or ("a.bin",)), **known)


def nothing_known(site, *names):
    return archive(site, *names, size=None, sha256="")


def test_a_file_is_downloaded_once(site, tmp_path):
    for _ in range(2):
        assert download(archive(site), tmp_path, QUIET).read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]
    assert len(site.asked) == 1


@pytest.mark.parametrize("known", [archive, nothing_known])
def test_a_download_that_breaks_off_goes_on_where_it_stopped(site, tmp_path, known):
    def breaks_off(handler, content):
        del site.tricks["a.bin"]
        send(handler, content, cut=200_000, ETag=version(content))

    site.tricks["a.bin"] = breaks_off
    assert download(known(site), tmp_path, QUIET).read_bytes() == CONTENT
    assert site.asked == [("a.bin", ""), ("a.bin", "bytes=200000-")]


def test_a_second_command_goes_on_where_the_first_was_stopped(site, tmp_path):
    site.tricks["a.bin"] = lambda handler, content: send(handler, content, cut=100_000)
    with pytest.raises(InputError, match=r"broke off after 100,000 of 300,000 bytes, 4 times"):
        download(archive(site), tmp_path, QUIET)
    site.tricks.clear()
    assert download(archive(site), tmp_path, QUIET).read_bytes() == CONTENT
    assert site.asked[-1] == ("a.bin", "bytes=100000-")


def test_without_a_sum_or_a_version_nothing_is_pieced_together(site, tmp_path):
    def breaks_off(handler, content):
        del site.tricks["a.bin"]
        send(handler, content, cut=200_000)

    site.tricks["a.bin"] = breaks_off
    assert download(nothing_known(site), tmp_path, QUIET).read_bytes() == CONTENT
    assert site.asked == [("a.bin", ""), ("a.bin", "")]


@pytest.mark.parametrize("known", [archive, nothing_known])
@pytest.mark.parametrize("honestly", [True, False])
def test_a_file_that_changes_in_the_middle_is_never_a_mixture(site, tmp_path, known, honestly):
    def breaks_off(handler, content):
        site.files["a.bin"] = CONTENT
        if honestly:
            del site.tricks["a.bin"]
        else:
            site.tricks["a.bin"] = ignores_the_version
        send(handler, content, cut=200_000, ETag=version(content))

    def ignores_the_version(handler, content):
        del handler.headers["If-Range"]
        honest(handler, content)

    site.files["a.bin"] = OTHER
    site.tricks["a.bin"] = breaks_off
    assert download(known(site), tmp_path, QUIET).read_bytes() == CONTENT


def test_a_server_that_knows_no_ranges_sends_all_again(site, tmp_path):
    def breaks_off(handler, content):
        site.tricks["a.bin"] = send
        send(handler, content, cut=200_000, ETag=version(content))

    site.tricks["a.bin"] = breaks_off
    assert download(archive(site), tmp_path, QUIET).read_bytes() == CONTENT


def stalls(handler, content):
    send(handler, content, cut=1000)
    threading.Event().wait(0.8)


def redirects(handler, content):
    handler.send_response(302)
    handler.send_header("Location", handler.path)
    handler.end_headers()


def elsewhere(handler, content):
    handler.send_response(302)
    handler.send_header("Location", "file:///etc/passwd")
    handler.end_headers()


BAD = {
    "stalls": (stalls, "nothing came for 0.3 seconds, 4 times"),
    "truncates": (lambda h, c: send(h, c[:-1]), "it has 299,999 bytes, not 300,000"),
    "lies of its length": (lambda h, c: send(h, c, declared=1), "1 bytes, not 300,000"),
    "sends more": (lambda h, c: send(h, c + c, declared=len(c)), None),
    "sends something else": (lambda h, c: send(h, OTHER), "another version of it, or damaged"),
    "sends a page": (
        lambda h, c: send(h, b"<html>", Content_Type="text/html"),
        "a web page comes instead of the file; it has moved",
    ),
    "redirects in circles": (redirects, "it redirects in circles"),
    "redirects to this machine's files": (elsewhere, "not allowed"),
    "has gone": (lambda h, c: h.send_error(410), "the server answers 410 Gone"),
    "is busy": (lambda h, c: h.send_error(503), "503 Service Unavailable, 4 times"),
    "packs it": (lambda h, c: send(h, gzip.compress(c), Content_Encoding="gzip"), "packs it"),
    "sends another part": (
        lambda h, c: send(h, c[5:], 206, Content_Range="bytes 5-299999/300000"),
        "another part than was asked for",
    ),
}


@pytest.mark.parametrize("trick", BAD)
def test_a_bad_server_gives_one_reason_and_the_next_address_the_file(site, tmp_path, trick):
    answer, reason = BAD[trick]
    site.tricks["a.bin"] = answer
    site.files["mirror/a.bin"] = CONTENT
    if reason:
        with pytest.raises(InputError) as refused:
            download(archive(site), tmp_path, QUIET)
        assert reason in str(refused.value)
        assert "could not be had" in str(refused.value)
        assert "\n" not in str(refused.value)
        assert not (tmp_path / "a.bin").exists()
    found = download(archive(site, "a.bin", "mirror/a.bin"), tmp_path, QUIET)
    assert found.read_bytes() == CONTENT


def test_every_address_is_named_with_its_reason(site, tmp_path):
    with pytest.raises(InputError, match=r"one: .*404.*two: .*404.*--from"):
        download(archive(site, "one", "two"), tmp_path, QUIET)
    with pytest.raises(InputError, match="no address is known"):
        download(Archive("a.bin"), tmp_path, QUIET)


def test_a_damaged_file_of_an_earlier_download_is_fetched_anew(site, tmp_path):
    (tmp_path / "a.bin").write_bytes(OTHER)
    assert download(archive(site), tmp_path, QUIET).read_bytes() == CONTENT


def tar(*members, mode="w:gz"):
    """A tar file of names with content, or of TarInfo."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as file:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                file.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                file.addfile(info, io.BytesIO(member[1]))
    return buffer.getvalue()


def packed(*members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            file.writestr(name, content)
    return buffer.getvalue()


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_files_are_told_by_their_content(tmp_path, mode):
    (tmp_path / "a.tgz").write_bytes(tar(("x/y.txt", b"1"), ("z.txt", b"2"), mode=mode))
    assert unpack(tmp_path / "a.tgz", tmp_path / "out") == 2
    assert (tmp_path / "out/x/y.txt").read_bytes() == b"1"


def test_a_zip_file_may_hold_another_archive(tmp_path):
    (tmp_path / "a").write_bytes(packed(("in/b.tgz", tar(("c/d", b"1"))), ("e/", b""), ("f", b"")))
    assert unpack(tmp_path / "a", tmp_path / "out", ("in/b.tgz",)) == 2
    assert (tmp_path / "out/c/d").read_bytes() == b"1"
    assert not (tmp_path / "out/in/b.tgz").exists()
    with pytest.raises(InputError, match=r"in/c\.tgz is not in it"):
        unpack(tmp_path / "a", tmp_path / "more", ("in/c.tgz",))


def zip_link():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(info, "/etc")
    return buffer.getvalue()


ZEROS = b"\0" * 5_000_000
HOSTILE = {
    "climbs": (tar(("../evil", b"1")), "leads out of the folder"),
    "climbs within": (tar(("a/../../evil", b"1")), "leads out of the folder"),
    "is absolute": (tar(("/tmp/evil", b"1")), "leads out of the folder"),
    "climbs in a zip file": (packed(("../evil", b"1")), "leads out of the folder"),
    "climbs on Windows": (packed(("a\\..\\..\\evil", b"1")), "no name for a file"),
    "names a drive": (packed(("C:evil", b"1")), "no name for a file"),
    "has a control character": (tar(("a\nb", b"1")), "no name for a file"),
    "has a symbolic link": (tar(special("a", tarfile.SYMTYPE, "/etc")), "link or a device"),
    "has a hard link": (tar(("a", b""), special("b", tarfile.LNKTYPE, "a")), "link or a device"),
    "has a device": (tar(special("a", tarfile.CHRTYPE)), "link or a device"),
    "has a pipe": (tar(special("a", tarfile.FIFOTYPE)), "link or a device"),
    "has a link in a zip file": (zip_link(), "link or a device"),
    "has a name twice": (tar(("a", b"1"), ("a", b"2")), "stands twice"),
    "has a file for a folder": (tar(("a", b"1"), ("a/b", b"2")), "stands twice"),
    "is a bomb": (tar(("a", ZEROS)), "far more than it is"),
    "is a bomb of many": (tar(*((str(n), ZEROS[:500_000]) for n in range(9))), "far more"),
    "is a bomb in a zip file": (packed(("a", ZEROS)), "far more than it is"),
    "is cut": (tar(("a", OTHER))[:100_000], "no whole archive"),
    "is a cut zip file": (packed(("a", OTHER))[:100_000], "no whole archive"),
    "is no archive": (b"<html>" * 1000, "no whole archive"),
    "is empty": (b"", "no whole archive"),
    "is of 7-Zip": (b"7z\xbc\xaf\x27\x1c" + OTHER, "unpack it with 7-Zip"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_an_archive_that_means_no_good_is_refused(tmp_path, monkeypatch, kind):
    content, reason = HOSTILE[kind]
    monkeypatch.setattr(unpacking, "ROOM", 1_000_000)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "a.tgz").write_bytes(content)
    with pytest.raises(InputError, match=reason) as refused:
        unpack(inside / "a.tgz", inside / "out")
    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    assert sum(path.stat().st_size for path in (inside / "out").rglob("*")) < 3_000_000


def test_a_damaged_member_of_a_zip_file_is_seen(tmp_path):
    content = bytearray(packed(("a", OTHER)))
    content[1000] ^= 1
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(InputError, match="no whole archive"):
        unpack(tmp_path / "a", tmp_path / "out")


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "MOST_MEMBERS", 3)
    (tmp_path / "a").write_bytes(tar(*((str(n), b"") for n in range(4))))
    with pytest.raises(InputError, match="more than 3 files"):
        unpack(tmp_path / "a", tmp_path / "out")


@pytest.fixture
def two(site):
    """Two archives of a set, and a list."""
    site.files |= {"1.tgz": tar(("jpg/a", b"1")), "2.zip": packed(("jpg/b", b"2")), "l": b"list"}
    return [
        Archive("1.tgz", (site.at("1.tgz"),)),
        Archive(
            "2.zip", (site.at("2.zip"),), sha256=hashlib.sha256(site.files["2.zip"]).hexdigest()
        ),
        Archive("l", (site.at("l"),), is_packed=False, into="lists"),
    ]


def files_below(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_set_appears_when_it_is_whole(site, two, tmp_path):
    site.files["l"], content = b"", site.files.pop("2.zip")
    with pytest.raises(InputError, match=r"2\.zip could not be had"):
        fetch("mine", two, tmp_path, QUIET)
    assert [path.name for path in tmp_path.iterdir()] == [".mine.fetching"]
    site.files |= {"2.zip": content, "l": b"list"}
    root = fetch("mine", two, tmp_path, QUIET)
    assert files_below(root) == {"jpg/a": b"1", "jpg/b": b"2", "lists/l": b"list"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "mine.fetched.json"]
    assert sum(name == "1.tgz" for name, _ in site.asked) == 1
    noted = json.loads((tmp_path / "mine.fetched.json").read_text())["archives"]
    assert noted["1.tgz"]["sha256"] == hashlib.sha256(site.files["1.tgz"]).hexdigest()
    assert [one["checked"] for one in noted.values()] == [False, True, False]
    with pytest.raises(InputError, match="is there already"):
        fetch("mine", two, tmp_path, QUIET)


def test_an_archive_without_a_published_sum_has_to_be_the_one_of_the_first_time(
    site, two, tmp_path
):
    root = fetch("mine", two, tmp_path, QUIET)
    shutil.rmtree(root)
    site.files["1.tgz"], first = tar(("jpg/a", b"another")), site.files["1.tgz"]
    with pytest.raises(InputError, match=r"1\.tgz could not be had .*sha256 .*another version"):
        fetch("mine", two, tmp_path, QUIET)
    site.files["1.tgz"] = first
    assert fetch("mine", two, tmp_path, QUIET) == root


def test_archives_are_kept_if_asked(site, two, tmp_path):
    fetch("mine", two, tmp_path, QUIET, keep=True)
    assert set(files_below(tmp_path / "mine.archives")) == {"1.tgz", "2.zip", "l"}


def test_a_set_that_another_process_fetches_is_left_alone(site, two, tmp_path):
    from datasets.locks import lock

    (tmp_path / ".mine.fetching").mkdir()
    with (
        lock(tmp_path / ".mine.fetching" / "lock", create=True),
        pytest.raises(InputError, match="fetched by another process"),
    ):
        fetch("mine", two, tmp_path, QUIET)


def test_too_little_room_is_said_before_anything_is_downloaded(site, tmp_path):
    with pytest.raises(InputError, match=r"are free, about .* are needed"):
        fetch("mine", [archive(site, size=10**14)], tmp_path, QUIET)
    assert site.asked == []


def test_files_are_for_everybody_whom_the_folder_admits(site, two, tmp_path):
    root = fetch("mine", two, tmp_path, QUIET)
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((root / "jpg/a").stat().st_mode) == 0o666 & ~umask
