"""Files that were damaged: in the cache, among the results, in an index; bit by bit."""

import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields
from functools import partial
from pathlib import Path

import numpy as np
from damages import DAMAGES, flipped

from benchmarks.pipeline.cache.store import ArrayStore
from benchmarks.pipeline.records.record import RecordPath
from benchmarks.search.files import MARKER
from datasets.errors import DamagedError, InputError
from faults.bench import NETWORK, Bench, Place, answers
from faults.trials import Fault, Trial
from retrieval.ranking import Ranking

Damage = Callable[[Path], object]


def _damages(rng: random.Random) -> Iterator[Damage]:
    """Every damage once, and bits that are flipped anywhere."""

    def change(damage: Callable[[bytes], bytes], path: Path) -> None:
        path.write_bytes(damage(path.read_bytes()) if path.stat().st_size else b"0")

    while True:
        yield from (partial(change, damage) for damage in DAMAGES.values())
        yield Path.unlink
        for _ in range(3):
            yield partial(change, partial(flipped, place=rng.random()))


def _files(folder: Path) -> list[Path]:
    """Files of a folder, each kind as often as any other, whatever its size."""
    return sorted(one.relative_to(folder) for one in folder.rglob("*") if one.is_file())


def _each(folder: Path, rng: random.Random, count: int) -> Iterator[tuple[Path, Damage]]:
    """Files and what is done to them: all files with a damage, then with the next."""
    files = [one for one in _files(folder) if one.name not in (MARKER, "CACHEDIR.TAG")]
    made = 0
    for damage in _damages(rng):
        for file in files:
            yield file, damage
            made += 1
            if made == count:
                return


def _cache(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    for file, damage in _each(bench.kept.cache, rng, count):
        yield partial(_damage_cache, bench, file, damage, rng.random() < 0.5)


def _damage_cache(bench: Bench, file: Path, damage: Damage, is_bare: bool) -> None:
    with bench.place("cache") as place:
        damage(place.cache / file)
        if is_bare:  # so that what vectors are made from is read
            for path in set(place.cache.glob("vectors/*/*.npz")) - {place.cache / file}:
                path.unlink()
        bench.require_recovered(place)
        shutil.rmtree(place.out)
        bench.require_recovered(place)


def _network(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    for file, damage in _each(bench.trained.cache / "networks", rng, count):
        yield partial(_damage_network, bench, Path("networks") / file, damage)


def _damage_network(bench: Bench, file: Path, damage: Damage) -> None:
    with bench.place("cache", of=bench.trained) as place:
        damage(place.cache / file)
        shutil.rmtree(place.cache / "vectors")
        bench.require_recovered(place, NETWORK, of=bench.trained)


def _results(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    for file, damage in _each(bench.kept.out, rng, count):
        yield partial(_damage_results, bench, file, damage)


def _damage_results(bench: Bench, file: Path, damage: Damage) -> None:
    with bench.place("cache", "out") as place:
        damage(place.out / file)
        place.report().require_clear()
        bench.require_recovered(place)


def _index(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    for file, damage in _each(bench.kept.index, rng, count):
        yield partial(_damage_index, bench, file, damage)


def _damage_index(bench: Bench, file: Path, damage: Damage) -> None:
    with bench.place("cache", "index") as place:
        damage(place.index / file)
        with suppress(InputError):
            assert answers(place.search()) == answers(bench.kept.search()), "other answers"
        bench.require_index(place)


def _ranking_bits(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    folder = bench.kept.out / bench.pictures.name / "records" / "query"
    original = (folder / "lbp.npz").read_bytes()
    whole = Ranking.load(folder / "lbp.npz")

    def read(place: Place, bit: int) -> None:
        path = _flip(place.folder / "lbp.npz", original, bit)
        try:
            found = Ranking.load(path)
        except ValueError:
            return
        for field in fields(Ranking):
            one, other = getattr(found, field.name), getattr(whole, field.name)
            assert np.array_equal(one, other), f"other {field.name}"

    yield from _bits(bench, rng.sample(range(8 * len(original)), 8 * len(original)), count, read)


def _record_bits(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    folder = bench.kept.out / bench.pictures.name / "records" / "query"
    original = (folder / "lbp.json").read_bytes()
    whole = RecordPath(folder, "lbp").read() or {}

    def read(place: Place, bit: int) -> None:
        _flip(place.folder / "lbp.json", original, bit)
        found = RecordPath(place.folder, "lbp").read()
        assert found is None or whole.items() <= found.items(), "another record"

    yield from _bits(bench, rng.sample(range(8 * len(original)), 8 * len(original)), count, read)


def _segment_bits(bench: Bench, rng: random.Random, count: int) -> Iterator[Trial]:
    """Flip bits of a segment, those of its headers first."""
    segment = min(bench.kept.cache.glob("vectors/lbp-*/*.npz"))
    original = segment.read_bytes()
    with np.load(segment) as content:
        keys, whole = content["keys"].tolist(), content["rows"]

    def read(place: Place, bit: int) -> None:
        _flip(ArrayStore(place.folder, "a", {}).folder / "segment.npz", original, bit)
        store = ArrayStore(place.folder, "a", {})
        if store.missing(keys):
            return
        try:
            found = np.concatenate(list(store.blocks(keys)))
        except DamagedError:
            return
        assert np.array_equal(found, whole), "other numbers"

    heads = list(_heads(segment))
    inside = sorted(set(range(8 * len(original))) - set(heads))
    bits = rng.sample(heads, len(heads)) + rng.sample(inside, len(inside))
    yield from _bits(bench, bits, count, read)


def _heads(path: Path) -> Iterator[int]:
    """Bits of an archive's own headers and of those of the arrays in it."""
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        members = sorted(archive.infolist(), key=lambda one: one.header_offset)
        for member in members:
            magic = content.index(b"\x93NUMPY", member.header_offset)
            start = magic + 10 + int.from_bytes(content[magic + 8 : magic + 10], "little")
            yield from range(8 * member.header_offset, 8 * start)
        yield from range(8 * archive.start_dir, 8 * len(content))


def _bits(
    bench: Bench, bits: list[int], count: int, read: Callable[[Place, int], None]
) -> Iterator[Trial]:
    with bench.place() as place:
        for bit in bits[:count]:
            yield partial(read, place, bit)


def _flip(path: Path, content: bytes, bit: int) -> Path:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    path.write_bytes(changed)
    return path


FAULTS = (
    Fault("a file of the cache flipped, cut, emptied, zeroed or gone", 150, _cache),
    Fault("a file of a trained network, in the same ways", 16, _network),
    Fault("a file of the results, in the same ways", 150, _results),
    Fault("a file of an index, in the same ways", 80, _index),
    Fault("a bit of a ranking", 20_000, _ranking_bits),
    Fault("a bit of a record", 5_000, _record_bits),
    Fault("a bit of a segment of vectors, all of its headers first", 10_000, _segment_bits),
)
