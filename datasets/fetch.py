"""Fetch public sets: download, check and unpack them, after their terms were accepted.

``python -m datasets.fetch NAME``; nothing else in this suite downloads a dataset.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import datasets
from datasets.command_line import Parser, command
from datasets.errors import InputError
from datasets.fetching.progress import Reporter
from datasets.fetching.whole import fetch, require_new
from datasets.places import home
from datasets.public.listing import list_line, page, size
from datasets.public.public_set import PublicSet

_PAGE = Path(__file__).parent / "PUBLIC.md"


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (2 if a set could not be had)."""
    options = _parser().parse_args(arguments)
    known = {source.name: source for source in datasets.PUBLIC}
    if options.page:
        _PAGE.write_text(page(datasets.PUBLIC), encoding="utf-8")
        return 0
    if options.accept_terms and not options.set and not options.list:
        names = " ".join(options.accept_terms)
        raise InputError(f"--accept-terms {names}: name the sets to fetch, too, as {names}")
    if options.list or not options.set:
        for name, source in known.items():
            sys.stdout.write(f"{name}: {source.summary}\n  {list_line(source)}\n")
        return 0
    for name in dict.fromkeys([*options.set, *options.accept_terms]):
        if name not in known:
            raise InputError(f"{name}: no public set; it is one of {', '.join(known)}")
    reporter = Reporter(options.quiet)
    to = options.to or home()
    for name in dict.fromkeys(options.set):
        source = known[name]
        require_new(to / name)  # before anybody is asked anything
        _require_addresses(source, options.place)
        _require_accepted(source, name in options.accept_terms)
        archives = source.about.archives
        if options.place:
            archives = tuple(
                replace(one, addresses=(_at(options.place, one.file), *one.addresses))
                for one in archives
            )
        root = fetch(name, archives, to, reporter, options.keep_archives)
        use = name if to == home() else f"{name}={root}"
        sys.stdout.write(f"{source.about.title} is in {root}; use it by --dataset {use}\n")
    return 0


def _parser() -> Parser:
    about = (__doc__ or "").partition("\n")[0]
    parser = Parser(prog="python -m datasets.fetch", description=about)
    parser.add_argument("set", nargs="*", metavar="NAME", help="a set of --list")
    parser.add_argument("--list", action="store_true", help="list the sets, with size and terms")
    parser.add_argument(
        "--to", type=_path, metavar="DIR", help=f"folder that gets them (default: {home()})"
    )
    parser.add_argument(
        "--from",
        dest="place",
        type=_place,
        metavar="PLACE",
        help="folder or address that has the archives, tried before the known ones",
    )
    parser.add_argument(
        "--accept-terms",
        nargs="+",
        metavar="NAME",
        default=[],
        help="sets whose terms you have read and accept; otherwise you are asked",
    )
    parser.add_argument("--keep-archives", action="store_true", help="keep what was downloaded")
    parser.add_argument(
        "--quiet", action="store_true", help="print nothing but errors, terms and where a set is"
    )
    parser.add_argument(
        "--page", action="store_true", help=f"write {_PAGE.name} from the metadata"
    )
    return parser


def _path(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("no path given (is a variable empty?)")
    return Path(text).expanduser()


def _place(text: str) -> str:
    return text if "://" in text else str(_path(text))


def _at(place: str, file: str) -> str:
    """The address of a file in a folder, or below an address."""
    if "://" in place:
        return f"{place.rstrip('/')}/{file}"
    return (Path(place).expanduser().absolute() / file).as_uri()


def _require_addresses(source: PublicSet, place: str | None) -> None:
    about = source.about
    if place is None and not all(one.addresses for one in about.archives):
        files = ", ".join(one.file for one in about.archives)
        raise InputError(
            f"{source.name} cannot be fetched without more ado: {about.by_hand}; see "
            f"{about.page}, then give a folder with {files} by --from, or an unpacked copy by "
            f"--dataset {source.name}=PATH"
        )


def _require_accepted(source: PublicSet, accepted: bool) -> None:
    """Show the terms; ask unless they are open, or were accepted on the command line."""
    about = source.about
    sys.stdout.write(
        f"{about.title}: {about.pictures:,} pictures, {size(about)}\n"
        f"Terms: {source.licence}\n       {about.page}\n"
    )
    sys.stdout.flush()
    if about.is_open or accepted:
        return
    remedy = f"read them, then add --accept-terms {source.name}"
    if not sys.stdin or not sys.stdin.isatty():
        raise InputError(f"{source.name}: its terms have to be accepted; {remedy}")
    sys.stdout.write("Have you read its terms on that page, and do you accept them? [yes/no] ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() != "yes":
        raise InputError(f"{source.name}: its terms were not accepted; {remedy}")


if __name__ == "__main__":
    sys.exit(main())
