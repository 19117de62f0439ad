"""Datasets: folders of pictures, listed, read and dealt into parts; and the menu of them.

Every dataset is a folder on disk; a module here knows how to find or make that folder and
which part each file plays. `datasets.layout` describes the one layout.
"""

from collections.abc import Sequence
from pathlib import Path

from datasets.animals import Animals
from datasets.errors import InputError
from datasets.openmoji import OpenMoji
from datasets.places import fetched
from datasets.public.caltech101 import Caltech101
from datasets.public.cars196 import Cars196
from datasets.public.corel1000 import Corel1000
from datasets.public.cub200 import Cub200
from datasets.public.domainnet import DomainNet
from datasets.public.flowers102 import Flowers102
from datasets.public.gpr1200 import GPR1200
from datasets.public.holidays import Holidays
from datasets.public.imagenet_sketch import ImageNetSketch
from datasets.public.imagenette import Imagenette
from datasets.public.in_shop import InShop
from datasets.public.office_home import OfficeHome
from datasets.public.pacs import Pacs
from datasets.public.products import Products
from datasets.public.public_set import PublicSet
from datasets.public.revisited import (
    RevisitedOxford,
    RevisitedOxfordMillion,
    RevisitedParis,
    RevisitedParisMillion,
)
from datasets.public.sketchy import Sketchy, Sketchy21
from datasets.public.tu_berlin import TUBerlin
from datasets.public.ukbench import UKBench
from datasets.source import Folder, Source
from datasets.table_files import ENDINGS

PUBLIC: list[PublicSet] = [
    RevisitedOxford(),
    RevisitedParis(),
    RevisitedOxfordMillion(),
    RevisitedParisMillion(),
    Holidays(),
    UKBench(),
    GPR1200(),
    Corel1000(),
    Caltech101(),
    Flowers102(),
    Cub200(),
    Cars196(),
    Products(),
    InShop(),
    Pacs(),
    OfficeHome(),
    DomainNet(),
    ImageNetSketch(),
    Sketchy(),
    Sketchy21(),
    TUBerlin(),
    Imagenette(),
]
"""The field's own sets, which `datasets.fetch` brings."""

SOURCES: list[Source] = [
    OpenMoji(),
    Animals(),
    *PUBLIC,
]
MENU = {source.name: source for source in SOURCES}
DEFAULT = OpenMoji.name


def resolve(text: str, layout: Sequence[str] = ()) -> tuple[Source, Path | None]:
    """Understand what the user calls a dataset: ``NAME``, ``PATH`` or ``NAME=PATH``.

    Parameters
    ----------
    text : str
        A name of the menu, the path of a folder in the layout or of a table, or both: a named
        dataset with its folder, or a name of one's own.
    layout : sequence of str
        Form of the folder, if the user names it; see `datasets.recognition.by_hand`.

    Returns
    -------
    source : Source
    root : Path or None
        The folder; None for an embedded dataset.

    Raises
    ------
    InputError
        If it is neither, or if a named dataset lacks its folder.
    """
    if not text.strip():
        raise InputError("--dataset '': no name and no path (is a variable empty?)")
    path = Path(text).expanduser()
    if text in MENU:
        return MENU[text], None if is_embedded(text) else _its_folder(MENU[text])
    if name := _name_at(path):
        if is_embedded(name):
            raise InputError(
                f"dataset {text!r} has the name of an embedded dataset, whose pictures may be "
                f"shown; give it another: OTHER={text}"
            )
        return Folder(name, layout, SOURCES), path
    name, equals, folder = text.partition("=")
    if equals and not is_embedded(name):
        if not folder.strip():
            raise InputError(f"--dataset {text}: no path behind '=' (is a variable empty?)")
        source = MENU.get(name) or Folder(name, layout, SOURCES)
        return source, Path(folder).expanduser()
    if "/" not in text and not path.exists():
        known = ", ".join(MENU)
        raise InputError(f"dataset {text!r} is neither a folder nor one of: {known}")
    name = path.stem if path.suffix.lower() in ENDINGS else path.name
    return Folder(name or "dataset", layout, SOURCES), path


def _its_folder(source: Source) -> Path:
    """The folder of a named dataset, which was fetched."""
    if folder := fetched(source.name):
        return folder
    remedy = f"write {source.name}={Path('PATH')}"
    if isinstance(source, PublicSet):
        remedy = f"get it by python -m datasets.fetch {source.name}, or {remedy}"
    if _name_at(Path(source.name)):
        remedy += f"; for the folder of that name here write {Path()}/{source.name}"
    raise InputError(f"dataset {source.name!r} needs its folder: {remedy}")


def _name_at(path: Path) -> str:
    """Name of the folder or table at a path; empty if there is none."""
    try:
        if path.is_dir():
            return path.resolve().name or "dataset"
        return path.stem if path.suffix.lower() in ENDINGS and path.is_file() else ""
    except OSError:  # longer than a path may be, for it is NAME=PATH
        return ""


def is_embedded(name: str) -> bool:
    """Whether a dataset's pictures come with this suite, free to be shown."""
    return name in MENU and MENU[name].embedded
