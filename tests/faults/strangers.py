"""What comes from somebody else: pictures, and files that a command is given."""

import contextlib
import csv
import io
import json
import os
import pickle
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from damaged import HEIC, encoded
from pictures import picture

from benchmarks import score
from benchmarks.formats.vectors import read_vectors, write_vectors
from benchmarks.pipeline.cache.estimators import load
from benchmarks.pipeline.cache.segments import read_segment
from benchmarks.pipeline.methods.presets import Trial as Tried
from benchmarks.pipeline.methods.presets import method_from, write_preset
from benchmarks.pipeline.methods.space import search_space
from benchmarks.pipeline.records.record import RecordPath
from benchmarks.search.files import INDEX
from benchmarks.tune.choose import make_preset
from datasets.errors import InputError
from datasets.relevance import Place as Role
from datasets.relevance import read_relevance
from datasets.task import Dataset, Image
from extractors.networks.saving import DamagedNetworkError, load_trained
from extractors.networks.torchfile import TorchFileError, read_torch
from faults.bench import Bench, Place, answers
from faults.trials import Fault, Trial
from retrieval.ranking import Ranking

_TOGETHER = 40
"""Hostile pictures in a folder."""

_KINDS = {
    "JPEG": ({}, {"progressive": True}, {"quality": 100, "subsampling": 0}),
    "PNG": ({}, {"interlace": 1}),
    "GIF": ({},),
    "WEBP": ({}, {"lossless": True}),
    "TIFF": ({}, {"compression": "tiff_lzw"}, {"compression": "jpeg"}),
    "BMP": ({},),
    "PPM": ({},),
    "JPEG2000": ({},),
    "AVIF": ({},),
}
_ENDINGS = {"JPEG": "jpg", "JPEG2000": "jp2"}


def _sound(rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Pictures of every format, with their endings."""
    for number in range(10**9):
        for kind, options in _KINDS.items():
            made = encoded(picture(number, 40), kind, **options[number % len(options)])
            yield _ENDINGS.get(kind, kind.lower()), made
        yield "heic", HEIC


def _spoilt(content: bytes, rng: random.Random) -> bytes:
    """Content with bits flipped, numbers made huge, parts cut out, doubled or zeroed."""
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        start = rng.randrange(min(len(changed), rng.choice([64, 10**9])) or 1)
        size = rng.choice([1, 2, 4, 64, 1024])
        match rng.randrange(6):
            case 0:
                changed[start : start + 1] = bytes([rng.randrange(256)])
            case 1:
                changed[start : start + 4] = b"\xff" * 4
            case 2:
                changed[start : start + size] = bytes(size)
            case 3:
                del changed[start : start + size]
            case 4:
                changed[start:start] = changed[start : start + size]
            case 5:
                del changed[start:]
    return bytes(changed)


def _pictures(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    sound, number = _sound(rng), 0
    while number < count:
        with bench.place() as place:
            copied = Place(place.folder, place.folder / "fruit")
            shutil.copytree(bench.pictures, copied.pictures)
            folder = copied.pictures / "validation" / "gallery" / "apple"
            hostile = [folder / "loop", folder / "nothing.png", folder / "zero.png"]
            hostile[0].symlink_to(folder)
            hostile[1].symlink_to(folder / "gone")
            hostile[2].symlink_to("/dev/zero")
            os.mkfifo(folder / "pipe.jpg")
            for ending, content in islice(sound, _TOGETHER):
                path = folder / f"hostile-{number}.{ending}"
                path.write_bytes(_spoilt(content, rng))
                hostile.append(path)
                number += 1
            with bench.command(place, "benchmarks.run", *copied.of_run(["lbp"], 2)) as running:
                ended = running.end()
            named = _named(copied)
            yield partial(_require_neighbours, bench, copied, ended.code)
            for path in hostile[3:]:
                yield partial(_require_named, named, path.name)


def _named(place: Place) -> set[str]:
    """Names of the pictures that were read and of those that were not."""
    out = place.out / place.pictures.name
    places = set()
    for name in ("images.csv", "problems.csv"):
        with (out / name).open(newline="") as file:
            places |= {Path(row["id"]).name for row in csv.DictReader(file)}
    return places


def _require_named(named: set[str], name: str) -> None:
    assert name in named, f"{name} is neither described nor named"


def _require_neighbours(bench: Bench, place: Place, code: int) -> None:
    """Require that the vectors of good pictures are what they are without hostile ones."""
    assert code == 0, f"exit code {code}"
    expected, found = _vectors(bench.kept), _vectors(place)
    assert all(np.array_equal(found.get(key), row) for key, row in expected.items())


def _vectors(place: Place) -> dict[str, Any]:
    segments = [np.load(path) for path in place.cache.glob("vectors/lbp-*/*.npz")]
    return {
        key: row for one in segments for key, row in zip(one["keys"], one["rows"], strict=True)
    }


_WORDS = [
    *(None, True, False, -1, 0, 1, 2**31, 10**30, -0.0, 1e308, 0.5),
    *("", ".", "..", "../mine", "/", "/etc", "a/b", "nul\0", "\x1b[31m", "é" * 300, "lbp"),
    *([], {}, [[]], [None], {"": None}, {"..": 1}),
]


def _changed(content: object, rng: random.Random) -> object:
    """JSON in which one value is another, gone, or has something beside it."""
    content = json.loads(json.dumps(content))
    places: list[tuple[Any, Any]] = []
    todo = [content]
    while todo:
        one = todo.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one))
        places += [(one, key) for key in keys]
        todo += [one[key] for key in keys if isinstance(one[key], dict | list)]
    inside, key = rng.choice(places)
    match rng.randrange(4):
        case 0:
            del inside[key]
        case 1 if isinstance(inside, dict):
            inside[rng.choice(["..", "", "more", "é"])] = rng.choice(_WORDS)
        case 1:
            inside.append(rng.choice(_WORDS))
        case _:
            inside[key] = rng.choice(_WORDS)
    return content


def _written(content: object, rng: random.Random) -> bytes:
    """JSON as a stranger writes it: changed in its values, or no JSON at all."""
    match rng.randrange(6):
        case 0:
            return _spoilt(json.dumps(content).encode(), rng)
        case 1:
            return (
                json.dumps(content).replace("1", rng.choice(["NaN", "1e999", "[" * 99])).encode()
            )
        case _:
            return json.dumps(_changed(content, rng)).encode(rng.choice(["utf-8", "utf-16"]))


def _refused(read: Callable[[], object]) -> None:
    """Require that something is understood, or refused in one line."""
    with contextlib.suppress(InputError):
        read()


def _indexes(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    about = json.loads((bench.kept.index / INDEX).read_text())
    del about["checksum"]
    for _ in range(count):
        yield partial(_forge_index, bench, _written(about, rng))


def _forge_index(bench: Bench, content: bytes) -> None:
    """Have an index of a stranger beside folders of one's own, which must all stay."""
    with bench.place("cache", "index") as place:
        [generation] = [path for path in place.index.iterdir() if path.is_dir()]
        mine = [place.folder / name for name in ("mine", "index/mine", "index/20240101")]
        for folder in mine:
            shutil.copytree(generation, folder)
            (folder / "photo.jpg").write_bytes(b"mine")
        before = sorted(path for folder in mine for path in folder.rglob("*"))
        (place.index / INDEX).write_bytes(content)
        _refused(place.search)
        with contextlib.suppress(InputError):  # another program's file stays what it is
            found = place.update()
            assert answers(found) == answers(bench.kept.search()), "other answers"
        assert sorted(path for folder in mine for path in folder.rglob("*")) == before


def _presets(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    images = tuple(Image(name, Path(name), 64 * name, "x") for name in "abc")
    tried = search_space("lbp")
    trials = [Tried(one, 30, 0.5, 0.4, 0.6, 0.5, 0.0, 1.0) for one in tried.choices()]
    with bench.place() as place:
        data = Dataset("elsewhere", place.folder, images, (), {})
        path = write_preset(place.folder, make_preset(tried, trials, {}, data, 0))
        yield from _files(path, json.loads(path.read_text()), rng, count, method_from)


def _relevance(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    places = {f"g/{n}": Role("gallery") for n in range(4)} | {"q/0": Role("query")}
    content = {"q/0": {"positive": {"g/0": 2, "g/1": 1}, "junk": ["g/2"]}}
    with bench.place() as place:
        read = partial(read_relevance, places=places)
        yield from _files(place.folder / "relevance.json", content, rng, count, read)


def _answers(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    content = {"groupname": "a", "images": {"q0": ["g0", "g1"], "q1": ["g1"]}}
    with bench.place() as place:
        (place.folder / "right.json").write_text(json.dumps(content))
        for number in range(count):
            names = ["right.json", "hostile.json"][:: 1 if number % 2 else -1]

            def read(_: Path, names: Sequence[str] = names) -> None:
                answered, truth = (score.read_images(place.folder / name) for name in names)
                score.score_answers(answered, truth, place.folder / names[0])

            yield from _files(place.folder / "hostile.json", content, rng, 1, read)


def _records(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    folder = bench.kept.out / bench.pictures.name / "records" / "query"
    content = json.loads((folder / "lbp.json").read_text())
    del content["checksum"]

    with bench.place() as place:
        for name in ("lbp.npz", "lbp.costs.json"):
            shutil.copy(folder / name, place.folder)

        def read(path: Path) -> None:
            record = RecordPath(path.parent, "lbp")
            found = record.read()
            if found and found["status"] == "ok":
                record.read_ranking(found)

        yield from _files(place.folder / "lbp.json", content, rng, count, read)


def _files(
    path: Path,
    content: object,
    rng: random.Random,
    count: int,
    read: Callable[[Path], object],
) -> Iterator[Trial]:
    """Forge a file many times and have it read."""
    for _ in range(count):
        path.write_bytes(_written(content, rng))
        yield partial(_refused, partial(read, path))


def _tables(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    ids, matrix = ["a/1.png", "b/2.png"], np.arange(6, dtype=np.float32).reshape(2, 3)
    with bench.place() as place:
        for ending in islice(cycle(("npz", "npy", "csv", "parquet")), count):
            path = place.folder / f"vectors.{ending}"
            write_vectors(path, ids, matrix)
            path.write_bytes(_spoilt(path.read_bytes(), rng))
            yield partial(_refused, partial(read_vectors, str(path)))


class _Runs:
    """An object that makes a folder when it is unpickled."""

    def __init__(self, folder: Path, run: Callable[..., object]) -> None:
        self.made = run, (f"mkdir {folder}",) if run is os.system else (str(folder),)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.made


def _code(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    with bench.place() as place:
        canary, path = place.folder / "code-ran", place.folder / "file"
        readers = (
            *(read_segment, Ranking.load, partial(load, kind=dict), read_torch),
            *(
                lambda one: read_vectors(f"{one}.npz"),
                lambda one: read_vectors(f"{one}.npy,{one}"),
            ),
            lambda one: load_trained(one.parent),
        )
        for number in range(count):
            evil = _Runs(canary, [os.system, os.mkdir, Path][number % 2])
            yield partial(_hand_over, readers[number // 2 % len(readers)], evil, path, canary, rng)


def _hand_over(
    read: Callable[[Path], object], evil: _Runs, path: Path, canary: Path, rng: random.Random
) -> None:
    """Have a file read that holds a pickle, bare or in an archive, by any of its names."""
    bare = pickle.dumps(evil)
    arrays, archive = io.BytesIO(), io.BytesIO()
    np.save(arrays, np.array([evil], object), allow_pickle=True)
    evils = {name: np.array([evil], object) for name in ("keys", "rows", "ids", "vectors")}
    np.savez(archive, **evils, seconds=1.0)
    content = rng.choice([bare, arrays.getvalue(), archive.getvalue()])
    for name in ("file", "file.npz", "file.npy", "network.keras"):
        path.with_name(name).write_bytes(content)
    with contextlib.suppress(InputError, ValueError, TorchFileError, DamagedNetworkError):
        read(path)
    assert not canary.exists(), "code ran"


FAULTS = (
    Fault("a hostile picture beside good ones", 328, _pictures),
    Fault("an index of a stranger", 80, _indexes),
    Fault("a preset of a stranger", 80, _presets),
    Fault("judgements of relevance of a stranger", 80, _relevance),
    Fault("answers or truth of a stranger", 80, _answers),
    Fault("a record of a stranger", 80, _records),
    Fault("a table of vectors of a stranger", 80, _tables),
    Fault("code in a file of a stranger", 42, _code),
)
