"""The page into its folder: whole files, nothing left of an older page, no picture made twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.formats.files import Json, write_text
from benchmarks.pipeline.records.results import Results, read_results
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.families import FAMILIES
from benchmarks.report.site.neighbours import found_data, images_shown
from benchmarks.report.site.script import script
from benchmarks.report.site.tables import column_data, dataset_data, remedy, table_data
from benchmarks.report.site.thumbnails import (
    Pictures,
    keep_only,
    make_thumbnails,
    those_made,
    thumbnail_name,
)
from datasets.errors import InputError

PAGE = "page"

_STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True)
class Built:
    """What was built.

    Attributes
    ----------
    index : Path
        The file to open.
    thumbnails, thumbnail_bytes, data_bytes : int
        How many, how large all of them are, and how large all else is.
    """

    index: Path
    thumbnails: int
    thumbnail_bytes: int
    data_bytes: int


def build_page(
    out: Path,
    tables: Mapping[Path, Mapping[str, list[Json]]],
    pictures: Pictures,
    workforce: Workforce,
) -> Built:
    """Build the page of a results folder.

    Parameters
    ----------
    out : Path
        The page goes into its folder ``page``.
    tables : mapping of Path to (mapping of str to list of dict)
        A dataset's folder to its query sets' table rows.
    pictures : Pictures
        Where thumbnails may be made from; without its pictures, a dataset's page names them.
    workforce : Workforce
        Who makes thumbnails, and what tells of pictures that are not there.

    Raises
    ------
    InputError
        If a dataset's results lie where the page goes.
    """
    page = out / PAGE
    if page in tables:
        raise InputError(f"{page}: a dataset is called {PAGE!r}, and the page goes there; rename")
    known = {folder: read_results(folder) for folder in tables}
    made = _thumbnails(page / "thumbnails", known, pictures, workforce)
    listed, written = [], []
    for number, (folder, results) in enumerate(known.items(), 1):
        files = {name: f"{number}-{place}" for place, name in enumerate(results.tasks, 1)}
        for name, task in results.tasks.items():
            content = {
                "table": table_data(tables[folder][name], task),
                "found": found_data(task, results.gallery, made),
            }
            for what, data in content.items():
                written.append(f"{files[name]}-{what}.js")
                write_text(page / "data" / written[-1], script(written[-1], data))
        shown = images_shown(results)
        listed.append(dataset_data(results, folder, files, len(shown - made), len(shown)))
    index = {"datasets": listed, "columns": column_data(), "kinds": list(FAMILIES)}
    write_text(page / "data" / "index.js", script("index.js", index))
    keep_only(page / "data", ["index.js", *written])
    for path in sorted(_STATIC.iterdir()):
        write_text(page / path.name, path.read_text(encoding="utf-8"))
    return _measured(page)


def _thumbnails(
    folder: Path, known: Mapping[Path, Results], pictures: Pictures, workforce: Workforce
) -> set[str]:
    """Make what thumbnails can be made; content hashes of the pictures that have one."""
    by_name = {results.about.name: results for results in known.values()}
    shown = {name: images_shown(results) for name, results in by_name.items()}
    every = set().union(*shown.values())
    there = those_made(folder, every)
    missing = {name: hashes - there for name, hashes in shown.items()}
    make_thumbnails(folder, pictures.find(missing, by_name, workforce), workforce)
    made = those_made(folder, every)
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
    thumbnails = [size for path, size in sizes.items() if path.parent.name == "thumbnails"]
    small, everything = sum(thumbnails), sum(sizes.values())
    return Built(page / "index.html", len(thumbnails), small, everything - small)
