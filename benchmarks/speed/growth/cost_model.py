"""A model on paper of what galleries cost that are too large to try, from measured rates."""

from collections.abc import Callable, Sequence
from math import log, sqrt

from benchmarks.formats.markdown import markdown
from benchmarks.speed.growth.process import Numbers
from benchmarks.speed.growth.rates import DIMS, QUERIES
from retrieval.approximate import APPROXIMATIONS

SIZES = (10**6, 10**8, 10**9)

_PICTURE = 100_000
"""Bytes of a picture that is sent over a network."""

_CORES = (1, 16, 256)
_LINKS = (1, 10)
"""Gbit/s."""

_BYTES = {"float32": 4.0, "float16": 2.0, "int8": 1.0, "binary": 1 / 8}
"""Of a value."""

_CODE, _ID = 1 / 8, 8
"""Bytes of an IVF-PQ code for each value, and of a vector's number beside its code."""

_LAWS: dict[str, tuple[str, Callable[[int], float]]] = {
    "hnsw": ("log n", log),
    "ivf-pq": ("√n", sqrt),
}
"""How the time of a search by an approximate index grows."""

_ASSUMPTIONS = f"""\
Assumed: pictures like those that were measured; costs of a picture that do not depend on how many
there are, as measured above; n shards on n machines search n times as many vectors in the same
time, and merging their ten nearest costs nothing; vectors of {DIMS:,} values lie in memory; a
picture that is sent has {_PICTURE // 1000} kB, and is known by its content, so that it is sent
once. An HNSW index is walked in a time that grows with log n. An IVF-PQ index has 4√n cells, of
which a search looks at the same number, so its time grows with √n; both with d. What share of the
nearest they find was measured at one size, on vectors of the extractor alone, and falls as
galleries grow.
"""

_DURATIONS = (("µs", 1e-6), ("ms", 1e-3), ("s", 1), ("min", 60), ("h", 3600), ("days", 86_400))
_SIZES = (("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12))


def cost_model(rates: Numbers, measured_at: int) -> str:
    """Write the model.

    Parameters
    ----------
    rates : dict of str to float
        ``picture``, processor seconds of a picture from its file to its vector; what
        `machine_rates` tells; and what `approximate_rates` tells of `measured_at` vectors.
    measured_at : int
        Pictures in the gallery that approximate indexes were measured on.
    """
    tables = [_describing(rates), _vectors(), _searching(rates, measured_at), _sending()]
    parts = ["## Cost model", _ASSUMPTIONS, _measured(rates, measured_at), *tables]
    return "\n\n".join(part.strip("\n") for part in parts)


def _measured(rates: Numbers, measured_at: int) -> str:
    cells = [
        ["c, processor time of a picture, file to vector", duration(rates["picture"])],
        ["B, bandwidth of memory, a copy by one core", f"{rates['bandwidth'] / 1e9:.3g} GB/s"],
        ["R₁, values compared by one query at a time", f"{rates['one'] / 1e9:.3g} · 10⁹/s"],
        [f"R, values compared by {QUERIES} together", f"{rates['many'] / 1e9:.3g} · 10⁹/s"],
    ]
    for kind in APPROXIMATIONS:
        name, setting = kind.name, kind.setting
        if f"{name} seconds" in rates:
            found = f"{100 * rates[f'{name} recall']:.0f} % of the ten nearest"
            effort = f"{setting} {rates[f'{name} effort']:.0f}, d = {rates['dims']:,.0f}"
            time = duration(rates[f"{name} seconds"])
            cells.append([f"{name}, {effort}, {measured_at:,} vectors", f"{time}, {found}"])
            cells.append([f"{name}, building, each vector", duration(rates[f"{name} build"])])
    return markdown(["rate, measured on this machine", ""], cells)


def _describing(rates: Numbers) -> str:
    lines = [
        _line(f"{cores:,} core{'s' * (cores > 1)}", duration, rates["picture"] / cores)
        for cores in _CORES
    ]
    return _table("Describing: n · c / cores", lines)


def _vectors() -> str:
    lines = [_line(name, volume, DIMS * each) for name, each in _BYTES.items()]
    lines.append(_line("IVF-PQ codes", volume, DIMS * _CODE + _ID))
    title = f"Bytes of vectors: n · {DIMS:,} · bytes of a value; IVF-PQ: n · ({DIMS:,} / 8 + 8)"
    return _table(title, lines)


def _searching(rates: Numbers, measured_at: int) -> str:
    lines = [
        _line("exact, one query: n d / R₁", duration, DIMS / rates["one"]),
        _line(
            "no faster than float16 is read: 2 n d / B", duration, 2 * DIMS / rates["bandwidth"]
        ),
        _line(f"exact, each of {QUERIES} together: n d / R", duration, DIMS / rates["many"]),
    ]
    note = ""
    for name, (law, work) in _LAWS.items():
        if (spent := rates.get(f"{name} seconds")) is None:
            note += f"\n{name} was not measured: it needs faiss, and 256 pictures.\n"
            continue
        wider = DIMS / rates["dims"]
        times = [spent * wider * work(n) / work(measured_at) for n in SIZES]
        lines.append([f"{name}: ∝ d {law}", *map(duration, times)])
    return _table(f"Searching, on one machine, d = {DIMS:,}", lines) + note


def _sending() -> str:
    lines = [_line(f"{link} Gbit/s", duration, 8 * _PICTURE / (link * 1e9)) for link in _LINKS]
    return _table(f"Sending pictures: n · {_PICTURE // 1000} kB", lines)


def _line(name: str, write: Callable[[float], str], each: float) -> list[str]:
    """A line of what grows linearly."""
    return [name, *(write(n * each) for n in SIZES)]


def _table(title: str, lines: Sequence[Sequence[str]]) -> str:
    return f"### {title}\n\n" + markdown(["", *(f"n = {n:,}" for n in SIZES)], lines)


def duration(seconds: float) -> str:
    """Write a duration in the unit in which it is a number of a few digits.

    >>> duration(0.00025), duration(90), duration(1e7)
    ('250 µs', '1.5 min', '116 days')
    """
    return _in_units(seconds, _DURATIONS)


def volume(n_bytes: float) -> str:
    """Write a number of bytes likewise.

    >>> volume(8.192e12)
    '8.19 TB'
    """
    return _in_units(n_bytes, _SIZES)


def _in_units(value: float, units: Sequence[tuple[str, float]]) -> str:
    name, unit = [units[0], *(one for one in units if one[1] <= value)][-1]
    number = value / unit
    return f"{number:,.0f} {name}" if number >= 100 else f"{number:.3g} {name}"
