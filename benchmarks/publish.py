"""Write results in the form that is published: pages, plots, and all records in one small file.

``python -m benchmarks.publish [FROM] --out DIR [--dataset NAME …]`` packs every dataset of FROM
into ``records.tar.xz`` (see `benchmarks.pipeline.records.archive`), from which all commands read
as they do from a run's folder, and leaves out what ``benchmarks.report`` derives in seconds.
"""

import logging
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PIL import Image

from benchmarks import LOCAL
from benchmarks.cli.command import command, make_parser
from benchmarks.cli.options import a_path, add_options, dataset_name
from benchmarks.cli.outputs import others_in, require_apart, require_own_pages
from benchmarks.formats.files import entries, require_writable, write_whole
from benchmarks.pipeline.loading.variants import EDGES
from benchmarks.pipeline.methods.presets import FOLDER as PRESETS
from benchmarks.pipeline.records.archive import ARCHIVE, read_packed, write_archive
from benchmarks.pipeline.records.invariance import STUDY, packable
from benchmarks.pipeline.records.leaks import LEAKS
from benchmarks.pipeline.records.record import (
    DESCRIPTION,
    IMAGES,
    PROBLEMS,
    RECORDS,
    Description,
    record_paths,
)
from benchmarks.pipeline.records.results import rows
from benchmarks.pipeline.records.seeds import FOLDER as SEEDS
from benchmarks.pipeline.records.training import TRAINING
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.pages.accuracy import CURVES
from benchmarks.report.pages.answers import FOLDER as ANSWERS
from benchmarks.report.pages.overview import FRONT
from benchmarks.report.pages.table import PAGES, write_summary
from benchmarks.report.pages.vocabulary import FOLDER as VOCABULARIES
from benchmarks.report.write import write_dataset, write_front, write_vocabulary
from datasets.errors import InputError
from datasets.locks import left_workshops, workshop

DERIVED = (
    *("table.json", "classes.csv", "mistakes.csv", "confusion.csv", "gap.csv", "hybrid.csv"),
    "invariance.csv",
)
"""Files that the pages come with, and the records tell."""

_HISTORIES = f"{TRAINING}/*.csv"

_KEPT = (
    *(DESCRIPTION, PROBLEMS, LEAKS, "leaks.png", f"{EDGES}.png"),
    *(_HISTORIES, f"{PRESETS}/*.json"),
    STUDY,
)
"""Files beside the records that nothing here can make again."""

_PUBLISHED = (
    *_KEPT,
    *(ARCHIVE, IMAGES, *DERIVED, CURVES, "plots/*.png", f"{ANSWERS}/**/*.json"),
    *(f"{Path(page).stem}.{end}" for page in (*PAGES, "table.md") for end in ("md", "csv")),
)
"""Files that a published folder has, or a report on it leaves there."""

_OF_STUDIES = ("*.md", "*.csv", "*.json", "plots/*.png")
"""Files of studies that have no records."""

_WORKSHOP, _OLD = ".publishing-", "old"
"""How the folder begins in which a dataset is made ready, and the one in it for the former."""

log = logging.getLogger(__name__)


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (2 after bad input)."""
    parser = make_parser("publish", __doc__)
    parser.add_argument(
        "source",
        nargs="?",
        type=a_path,
        metavar="FROM",
        default=LOCAL,
        help="results folder of runs, or a published one (default: results/local/)",
    )
    add_options(parser, "out", default=None, required=True, help="folder to publish in")
    names = "these datasets only, by the names of their folders (default: all)"
    add_options(parser, "dataset", default=[], metavar="NAME", help=names)
    parser.add_argument("--no-plots", action="store_true", help="pages without plots")
    add_options(parser, "quiet")
    options = parser.parse_args(arguments)
    for folder in (options.source, options.out):
        for place in (folder, *_folders(folder)):
            _put_back(place)
    found = _datasets(options.source)
    asked = [dataset_name(text, {path.name for path in found}) for text in options.dataset]
    for name in asked or [""]:
        if not any(name in ("", path.name) for path in found):
            what = f"no results of {name}" if name else "no results"
            raise InputError(f"{options.source}: holds {what}; make some with benchmarks.run")
    if options.out.resolve() != options.source.resolve():
        require_apart(options.out, "--out", options.source)
    require_writable(options.out, "--out")
    require_own_pages(options.out, "--out")
    workforce = Workforce(quiet=options.quiet)
    wanted = [path for path in found if not asked or path.name in asked]
    for place in wanted:
        _require_replaceable(options.out / place)
    for place in wanted:
        target = options.out / place
        publish(options.source / place, target, not options.no_plots)
        workforce.log(f"{target}: {_megabytes(target)} MB")
    if not asked:
        _copy_studies(options.source, options.out, found)
    for study in sorted({place.parent for place in wanted}):
        _write_fronts(options.source / study, options.out / study)
    workforce.log(f"{options.out}: {_megabytes(options.out)} MB in all")
    return 0


def publish(source: Path, target: Path, with_plots: bool = True) -> None:
    """Publish a dataset's results: all of them, or nothing changes.

    What was published there before goes; a line tells which rows and files have no successor.

    Parameters
    ----------
    source, target : Path
        Folders of the dataset, whose name they end with; may be one.
    with_plots : bool
        Whether the pages show plots.

    Raises
    ------
    InputError
        If a record, ranking or list in the source is damaged, or the target holds full ones, or
        anything that is not published.
    """
    _put_back(target.parent)
    _require_replaceable(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with workshop(target.parent, _WORKSHOP) as place:
        made = place / "new" / target.name
        made.mkdir(parents=True)
        # Only the histories of the first seed are drawn.
        is_seeds = source.parent.name == SEEDS
        _copy(source, made, [one for one in _KEPT if not (is_seeds and one == _HISTORIES)])
        for sheet in made.glob("*.png"):
            _shrink(sheet)
        write_archive(made, _members(source))
        seeds = Path(SEEDS) / source.name
        if (source.parent / seeds / DESCRIPTION).exists():  # its page tells of them
            _copy(source.parent / seeds, made.parent / seeds, ("**/*",))
        _write_pages(made, source.parent.name, with_plots)
        for name in DERIVED:
            (made / name).unlink(missing_ok=True)
        _tell_what_goes(target, made)
        old = place / _OLD / target.name
        old.parent.mkdir()
        if target.exists():
            target.rename(old)
        try:
            made.rename(target)
        except BaseException:
            if old.exists():
                old.rename(target)
            raise


def _put_back(folder: Path) -> None:
    """Put back what a publishing that was killed had taken away, and not replaced."""
    for left in left_workshops(folder, _WORKSHOP):
        for old in (left / _OLD).glob("*"):
            if not (folder / old.name).exists():
                old.rename(folder / old.name)


def _require_replaceable(target: Path) -> None:
    """Refuse a place with anything but published results, which publishing would remove."""
    if target.is_dir() and not any(target.iterdir()):
        return
    another = "choose another --out"
    if (target / RECORDS).exists():
        raise InputError(
            f"{target}: holds rankings of a run, which shorter ones would replace; {another}, or "
            "remove that folder yourself"
        )
    known = (path for pattern in _PUBLISHED for path in target.glob(pattern))
    if foreign := others_in(target, known):
        raise InputError(
            f"{foreign[0]}: is none of the published results, which replace all of {target}; "
            f"move it, or {another}"
        )
    if target.exists() and not (target / DESCRIPTION).is_file():
        raise InputError(f"{target}: holds no published results to be replaced; {another}")


def _tell_what_goes(old: Path, new: Path) -> None:
    """Say which rows and files of a published folder its successor lacks."""
    gone = sorted(_contents(old) - _contents(new)) if old.exists() else []
    if gone:
        log.warning("%s: %s were there, and are no longer published", old, ", ".join(gone))


def _contents(folder: Path) -> set[str]:
    """Rows of a published folder, and its files that nothing can make again."""
    if not (folder / DESCRIPTION).exists():
        return set()
    sets = Description.read(folder).query_sets
    rows = {f"{one}/{path.method}" for one in sets for path in record_paths(folder, one)}
    files = (path for pattern in _KEPT for path in folder.glob(pattern))
    return rows | packable(folder).keys() | {path.relative_to(folder).as_posix() for path in files}


def _write_pages(folder: Path, study: str, with_plots: bool) -> None:
    """Write a dataset's pages; other seeds have none, as the page of the first tells of them."""
    if study == VOCABULARIES:
        write_vocabulary(folder, with_plots)
    elif study != SEEDS:
        write_dataset(folder, with_plots)


def _members(source: Path) -> dict[str, bytes]:
    """Members of a dataset's archive: its list of images, and all numbers, rankings compact."""
    about, members = Description.read(source), packable(source)
    path, packed = source / IMAGES, read_packed(source, IMAGES)
    members[IMAGES] = packed.content if packed and not path.exists() else path.read_bytes()
    for query_set in about.query_sets:
        for record in rows(source, query_set, about):
            files = record.read_packable()
            if not files:
                where = record.file(".json")
                raise InputError(
                    f"{where}: cannot be published; run the method again, or remove it"
                )
            for ending, content in files.items():
                members[record.file(ending).relative_to(source).as_posix()] = content
    return members


def _folders(results: Path) -> list[Path]:
    """Folders in a results folder, that of runs which are not published aside."""
    return [path for path in entries(results) if path.is_dir() and path.absolute() != LOCAL]


def _datasets(source: Path) -> list[Path]:
    """Folders of datasets and, one deeper, those of side studies, seen from `source`."""
    places = _folders(source)
    places += [path for folder in places for path in _folders(folder)]
    return [path.relative_to(source) for path in places if path / DESCRIPTION in entries(path)]


def _copy_studies(source: Path, out: Path, found: Sequence[Path]) -> None:
    """Copy studies without records; the pages of those with records are written anew."""
    of_records = {place.parts[0] for place in found}
    for folder in _folders(source):
        if folder.name not in of_records and folder != out:
            for place in (folder, *_folders(folder)):
                _copy(place, out / place.relative_to(source), _OF_STUDIES)


def _write_fronts(source: Path, out: Path) -> None:
    """Write the pages about all datasets of a folder, as far as the source has them."""
    if (source / FRONT).exists():
        write_front(out)
    elif (source / "summary.md").exists():
        write_summary(out)


def _copy(source: Path, target: Path, patterns: Sequence[str]) -> None:
    for path in sorted(path for pattern in patterns for path in source.glob(pattern)):
        copy = target / path.relative_to(source)
        if path.is_file() and path.resolve() != copy.resolve():
            write_whole(copy, partial(Path.write_bytes, data=path.read_bytes()))


def _shrink(sheet: Path) -> None:
    """Write a sheet of small pictures with as many colours as a palette has."""
    with Image.open(sheet) as picture:
        if picture.mode == "P":
            return
        few = picture.convert("RGB").quantize(method=Image.Quantize.MAXCOVERAGE)
    write_whole(sheet, partial(few.save, format="PNG", optimize=True))


def _megabytes(folder: Path) -> str:
    files = (path for path in folder.absolute().rglob("*") if LOCAL not in path.parents)
    return f"{sum(path.stat().st_size for path in files if path.is_file()) / 1e6:.1f}"


if __name__ == "__main__":
    sys.exit(main())
