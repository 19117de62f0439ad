"""Build the page of a results folder: its data, its thumbnails and its static files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.formats.files import write_text
from benchmarks.pipeline.records.results import Results, read_results
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.families import FAMILIES
from benchmarks.report.site.neighbours import images_shown, neighbour_data
from benchmarks.report.site.tables import (
    column_data,
    dataset_data,
    plot_data,
    remedy,
    table_data,
)
from benchmarks.report.site.thumbnails import (
    Pictures,
    keep_only,
    make_thumbnails,
    thumbnail_name,
    with_thumbnail,
)
from benchmarks.report.tables import USUAL, Choice
from benchmarks.report.write import Written
from datasets.errors import InputError

PAGE = "page"

STATIC = Path(__file__).parent / "static"


class Built(NamedTuple):
    """A page: the file to open, its thumbnails, their bytes, and the bytes of all else."""

    file: Path
    thumbnails: int
    thumbnail_bytes: int
    data_bytes: int


def build_page(
    out: Path,
    written: Mapping[Path, Written],
    pictures: Pictures,
    workforce: Workforce,
    choice: Choice = USUAL,
) -> Built:
    """Build the page of a results folder.

    Parameters
    ----------
    out : Path
        The page goes into its folder ``page``.
    written : mapping of Path to Written
        A dataset's folder to its tables and plots.
    pictures : Pictures
        Where thumbnails may be made from; without its pictures, a dataset's page names them.
    workforce : Workforce
        Makes thumbnails, and tells of pictures that are not there.
    choice : Choice
        The metrics of the tables.

    Raises
    ------
    InputError
        If a dataset's results lie where the page goes.
    """
    page = out / PAGE
    if page in written:
        raise InputError(f"{page}: a dataset is called {PAGE!r}, and the page goes there; rename")
    _require_own(page)
    known = {folder: read_results(folder) for folder in written}
    made = _thumbnails(page / "thumbnails", known, pictures, workforce)
    data: dict[str, object] = {}
    listed = []
    for number, (folder, results) in enumerate(known.items(), 1):
        files = {name: f"{number}-{place}" for place, name in enumerate(results.tasks, 1)}
        for name, task in results.tasks.items():
            rows = written[folder].tables[name]
            data[f"{files[name]}-table.js"] = table_data(rows, task, choice)
            data[f"{files[name]}-neighbours.js"] = neighbour_data(task, results.gallery, made)
        plots = plot_data(folder, written[folder].plots, list(results.tasks))
        listed.append(dataset_data(results, plots, files, images_shown(results), made))
    data["index.js"] = {"datasets": listed, "columns": column_data(choice), "families": FAMILIES}
    for file, content in data.items():
        write_text(page / "data" / file, script(file, content))
    keep_only(page / "data", data)
    for path in sorted(STATIC.iterdir()):
        write_text(page / path.name, path.read_text(encoding="utf-8"))
    return _measured(page)


def _require_own(page: Path) -> None:
    """Refuse a folder with files of others, of which some would be removed as an older page's."""
    endings = {"data": ".js", "thumbnails": ".webp"}
    known = {*endings, *(path.name for path in STATIC.iterdir())}
    # Hidden are parts that a killed run left, and what a system leaves in every folder.
    others = [path for path in sorted(page.glob("[!.]*")) if path.name not in known]
    for folder, ending in endings.items():
        there = sorted((page / folder).glob("[!.]*"))
        others += [path for path in there if path.suffix != ending]
    if others:
        raise InputError(f"{page}: {others[0].name} is no part of a page; move it elsewhere")


def script(name: str, content: object) -> str:
    """Write JavaScript that keeps JSON under a name, for ``BENCHMARK[name]``.

    A page that is opened from a folder may load scripts, and nothing else. Nothing in one can end
    it or mean anything but itself, whatever pictures and datasets are called: it is ASCII, and
    has no ``<``.
    """
    key, value = (
        json.dumps(one, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
        for one in (name, content)
    )
    return f"(self.BENCHMARK ??= {{}})[{key}] = {value};\n"


def _thumbnails(
    folder: Path, known: Mapping[Path, Results], pictures: Pictures, workforce: Workforce
) -> set[str]:
    """Make all thumbnails that can be made; content hashes of the pictures that have one."""
    by_name = {results.about.name: results for results in known.values()}
    shown = {name: images_shown(results) for name, results in by_name.items()}
    every = set().union(*shown.values())
    there = with_thumbnail(folder, every)
    missing = {name: hashes - there for name, hashes in shown.items()}
    make_thumbnails(folder, pictures.find(missing, by_name, workforce), workforce)
    made = with_thumbnail(folder, every)
    keep_only(folder, map(thumbnail_name, made))
    for name, hashes in shown.items():
        if lacking := len(hashes - made):
            workforce.log(
                f"{name}: {lacking} of {len(hashes)} pictures are not there, the page names them "
                f"instead; {remedy(name)} says where they are"
            )
    return made


def _measured(page: Path) -> Built:
    sizes = {path: path.stat().st_size for path in page.rglob("*") if path.is_file()}
    small = [size for path, size in sizes.items() if path.parent.name == "thumbnails"]
    return Built(page / "index.html", len(small), sum(small), sum(sizes.values()) - sum(small))
