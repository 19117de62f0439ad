"""Timings of the speed suite to a table of ratios.

``python -m benchmarks.speed.report BENCHMARK_JSON --out DIR`` reads what ``pytest
benchmarks/speed --benchmark-json=BENCHMARK_JSON`` wrote.
"""

import platform
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cli.command import Parser, command
from benchmarks.cli.options import a_path
from benchmarks.formats.files import Json, read_json, require_writable, write_text
from benchmarks.formats.markdown import markdown
from benchmarks.pipeline.cache.fingerprint import libraries
from benchmarks.pipeline.records.card import machine
from datasets.errors import InputError


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = Parser(prog="python -m benchmarks.speed.report", description=__doc__.split("\n")[0])
    parser.add_argument("timings", type=a_path, metavar="BENCHMARK_JSON")
    parser.add_argument("--out", type=a_path, metavar="DIR", required=True)
    options = parser.parse_args(arguments)
    require_writable(options.out, "--out")
    write_text(options.out / "speed.md", report(_read(options.timings)))
    return 0


def report(timings: Sequence[Json]) -> str:
    """Write the tables: in each group, every entry's median and its ratio to the first."""
    groups: dict[str, list[Json]] = defaultdict(list)
    for timing in timings:
        groups[timing["group"]].append(timing)
    text = (
        "# Speed\n\nMedian times, and how often our (first) time goes into each: above 1 ours is "
        f"faster. Ratios of one run on one machine; single times vary.\n\n{where_measured()}\n"
    )
    for group, entries in groups.items():
        most = max(map(_queries, entries))
        # Who takes too long is asked less; its time is that of as many queries as the others'.
        medians = [entry["stats"]["median"] * most / _queries(entry) for entry in entries]
        cells = [
            [
                _name(entry, most),
                f"{1e3 * median:.3g}",
                f"{median / medians[0]:.2f}",
                str(entry["stats"]["rounds"]),
            ]
            for entry, median in zip(entries, medians, strict=True)
        ]
        text += f"\n## {group}\n\n" + markdown(["", "median ms", "ratio", "rounds"], cells)
    return text


def _queries(entry: Json) -> int:
    return entry["extra_info"].get("queries", 1)


def _name(entry: Json, most: int) -> str:
    asked = _queries(entry)
    return entry["extra_info"]["peer"] + (f" (from {asked} queries)" if asked < most else "")


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


def _read(path: Path) -> list[Json]:
    content = read_json(path)
    if content is None:
        raise InputError(f"{path}: no such file; make it with pytest --benchmark-json={path}")
    timings = content.get("benchmarks") if isinstance(content, dict) else None
    if not timings:
        raise InputError(f"{path}: holds no timings of pytest-benchmark")
    return timings


if __name__ == "__main__":
    sys.exit(main())
