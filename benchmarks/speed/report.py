"""Timings of the speed suite to a table of ratios.

``python -m benchmarks.speed.report BENCHMARK_JSON --out DIR`` reads what ``pytest
benchmarks/speed --benchmark-json=BENCHMARK_JSON`` wrote.
"""

import platform
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from benchmarks.cli.command import command, make_parser
from benchmarks.cli.options import a_path
from benchmarks.formats.files import require_writable, write_text
from benchmarks.formats.markdown import markdown
from benchmarks.pipeline.cache.fingerprint import libraries
from benchmarks.pipeline.records.card import machine
from datasets.errors import InputError
from datasets.json_files import read_json_as


class _About(msgspec.Struct):
    """Notes of our benchmarks beside their times."""

    peer: str
    queries: Annotated[int, msgspec.Meta(ge=1)] = 1


class _Stats(msgspec.Struct):
    """Statistics of pytest-benchmark, which gives more of them."""

    median: Annotated[float, msgspec.Meta(gt=0)]
    rounds: int


class Timing(msgspec.Struct):
    """A benchmark's times, as pytest-benchmark writes them."""

    group: str
    extra_info: _About
    stats: _Stats


class _Timings(msgspec.Struct):
    """The whole file."""

    benchmarks: list[Timing]


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = make_parser("speed.report", __doc__)
    parser.add_argument("timings", type=a_path, metavar="BENCHMARK_JSON")
    parser.add_argument("--out", type=a_path, metavar="DIR", required=True)
    options = parser.parse_args(arguments)
    require_writable(options.out, "--out")
    write_text(options.out / "speed.md", report(_read(options.timings)))
    return 0


def report(timings: Sequence[Timing]) -> str:
    """Write the tables: in each group, every entry's median and its ratio to the first."""
    groups: dict[str, list[Timing]] = defaultdict(list)
    for timing in timings:
        groups[timing.group].append(timing)
    text = (
        "# Speed\n\nMedian times, and how often our (first) time goes into each: above 1 ours is "
        f"faster. Ratios of one run on one machine; single times vary.\n\n{where_measured()}\n"
    )
    for group, entries in groups.items():
        most = max(entry.extra_info.queries for entry in entries)
        # Who takes too long is asked less; its time is that of as many queries as the others'.
        medians = [entry.stats.median * most / entry.extra_info.queries for entry in entries]
        cells = [
            [
                _name(entry, most),
                f"{1e3 * median:.3g}",
                f"{median / medians[0]:.2f}",
                str(entry.stats.rounds),
            ]
            for entry, median in zip(entries, medians, strict=True)
        ]
        text += f"\n## {group}\n\n" + markdown(["", "median ms", "ratio", "rounds"], cells)
    return text


def _name(entry: Timing, most: int) -> str:
    asked = entry.extra_info.queries
    return entry.extra_info.peer + (f" (from {asked} queries)" if asked < most else "")


def where_measured() -> str:
    """Processor and versions; no names of hosts or users."""
    here = machine()
    modules = (
        "benchmarks.speed.test_search",
        "extractors.hand_crafted.texture",
        "extractors.hand_crafted.shape",
    )
    versions = ", ".join(f"{name} {version}" for name, version in libraries(*modules).items())
    python = platform.python_version()
    return f"{here['processor']}, {here['cores']} cores; Python {python}; {versions}."


def _read(path: Path) -> list[Timing]:
    remedy = f"make it with pytest benchmarks/speed --benchmark-json={path}"
    content = read_json_as(path, _Timings, remedy)
    if content is None:
        raise InputError(f"{path}: no such file; {remedy}")
    if not content.benchmarks:
        raise InputError(f"{path}: holds no timings of pytest-benchmark; {remedy}")
    return content.benchmarks


if __name__ == "__main__":
    sys.exit(main())
