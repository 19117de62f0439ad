"""Revisited Oxford and Paris: landmarks, asked by boxes, judged easy, hard and junk."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from datasets.errors import InputError
from datasets.fetching.archive import Archive
from datasets.layout import Collection, Item, collection
from datasets.protocols import Protocol, Published
from datasets.public.ground_truth import GroundTruth, Judged, read_ground_truth
from datasets.public.public_set import About, PublicSet, require_each_once
from datasets.source import Each, serially
from datasets.task import Box, Problem, Relevance
from datasets.walk import File, walk

_LEVELS = {
    "easy": (("easy",), ("junk", "hard")),
    "medium": (("easy", "hard"), ("junk",)),
    "hard": (("hard",), ("junk", "easy")),
}
"""Lists of the ground truth that are relevant, and those that are junk."""

_MILLION = "revisitop1m"
_SERVER = "http://cmp.felk.cvut.cz/revisitop/data/datasets"
_COPY = "http://cmp.felk.cvut.cz/cnnimageretrieval/data/test"
_VGG = "https://www.robots.ox.ac.uk/~vgg/data"
_PAPER = "Radenović et al. 2018, doi:10.1109/CVPR.2018.00598"
_TERMS = "Flickr's terms and VGG's Terms of Access, research use; not redistributed here"
_README = "README of filipradenovic/revisitop, output of its evaluation"
_TABLE = "README of filipradenovic/cnnimageretrieval-pytorch"
_DISTRACTORS = tuple(
    Archive(
        f"revisitop1m.{number}.tar.gz",
        (f"http://ptak.felk.cvut.cz/revisitop/revisitop1m/jpg/revisitop1m.{number}.tar.gz",),
        into=_MILLION,
    )
    for number in range(1, 101)
)

_Scores = Mapping[str, tuple[Published, ...]]


def _published(golden: Mapping[str, tuple[float, ...]], gem: Mapping[str, float]) -> _Scores:
    """Rows by level: the shipped example with mAP and mP@1, 5 and 10, and a row with mAP alone."""
    metrics = ("maptrapezoidal", "mp1", "mp5", "mp10")
    rows: dict[str, tuple[Published, ...]] = {}
    for level, values in golden.items():
        scores = {name: value / 100 for name, value in zip(metrics, values, strict=True)}
        rows[level] = (Published("R-[37]-GeM, shipped example", scores, _README),)
        if level in gem:
            rows[level] += (Published("ResNet101-GeM", {metrics[0]: gem[level] / 100}, _TABLE),)
    return rows


class _Revisited(PublicSet):
    """A landmark set with the ground truth of 2018.

    References
    ----------
    F. Radenović, A. Iscen, G. Tolias, Y. Avrithis, O. Chum (2018), Revisiting Oxford and Paris:
    Large-scale image retrieval benchmarking, CVPR, doi:10.1109/CVPR.2018.00598
    """

    million: ClassVar[bool] = False
    licence = _TERMS

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List the pictures that the ground truth names, each query once for every level."""
        listing = walk(root)
        known = [file for file in listing.files if file.parts[-1:] == self.signature]
        if not known:
            raise InputError(f"{root}: not {self.about.title}; expected {self.signature[0]} in it")
        truth = read_ground_truth(known[0].path)
        named = {*truth.imlist, *truth.qimlist}
        ours = {
            file: file.path.stem
            for file in listing.files
            if file.path.stem in named and _MILLION not in file.parts[:-1] and file.is_picture
        }
        require_each_once(root, self.about.title, ours)
        by_stem = {stem: file for file, stem in ours.items()}
        gallery = {name: by_stem[name] for name in truth.imlist if name in by_stem}
        queries = [name for name in truth.qimlist if name in by_stem]
        if not gallery or not queries:
            raise InputError(f"{root}: not {self.about.title}; its pictures are not there")
        items = [Item(file.id, file.path, "gallery") for file in gallery.values()]
        relevance: dict[str, Relevance] = {}
        for name, judged in zip(truth.qimlist, truth.gnd, strict=True):
            if name in by_stem:
                items += _asking(by_stem[name], judged)
                relevance |= _judgements(by_stem[name], judged, truth, gallery)
        items += self._distractors(list(listing.files), root)
        problems = list(listing.problems)
        missing = len(truth.imlist) + len(truth.qimlist) - len(gallery) - len(queries)
        if missing:
            what = f"{missing:,} pictures of the ground truth are not there"
            problems.append(Problem(self.signature[0], what, "left out"))
        return collection(listing.root, items, problems, relevance=relevance)

    def _distractors(self, files: list[File], root: Path) -> Iterator[Item]:
        if not self.million:
            return
        inside = [file for file in files if _MILLION in file.parts[:-1] and file.is_picture]
        if not inside:
            raise InputError(f"{root}: no pictures in {_MILLION}/; fetch {self.name}")
        for file in inside:
            yield Item(file.id, file.path, "gallery", distractor=_MILLION)


def _asking(file: File, judged: Judged) -> Iterator[Item]:
    box = Box.of(judged.bbx)
    for level in _LEVELS:
        name, part = f"{file.id}#{level}", f"query-{level}"
        yield Item(name, file.path, part, box=box)


def _judgements(
    file: File, judged: Judged, truth: GroundTruth, gallery: Mapping[str, File]
) -> Iterator[tuple[str, Relevance]]:
    lists = {
        name: frozenset(
            gallery[truth.imlist[index]].id
            for index in getattr(judged, name)
            if truth.imlist[index] in gallery
        )
        for name in ("easy", "hard", "junk")
    }
    for level, (relevant, junk) in _LEVELS.items():
        positive, excluded = (
            frozenset().union(*(lists[name] for name in names)) for names in (relevant, junk)
        )
        yield f"{file.id}#{level}", Relevance(positive, excluded)


def _protocols(place: str, images: int, published: _Scores) -> dict[str, Protocol]:
    words = {"easy": "easy", "medium": "easy and hard", "hard": "hard"}
    junk = {"easy": "junk and hard", "medium": "junk", "hard": "junk and easy"}
    return {
        f"query-{level}": Protocol(
            f"revisited {place}, {level.capitalize()}",
            "70 pictures, each cut to its box",
            f"{images:,} other pictures",
            f"those judged {words[level]}",
            ("maptrapezoidal", "mp1", "mp5", "mp10"),
            "AP (trapezoids) divides by all relevant images; mP@k by k, or by the rank of the "
            "last relevant image if that is less; means over queries with a relevant image",
            _PAPER,
            70,
            images,
            f"those judged {junk[level]}",
            published=published.get(level, ()),
        )
        for level in _LEVELS
    }


def _archives(
    name: str, size: int, sha256: str, md5: str, *images: Archive
) -> tuple[Archive, ...]:
    file = f"gnd_{name}.pkl"
    places = (f"{_SERVER}/{name}/{file}", f"{_COPY}/{name}/{file}")
    return (Archive(file, places, size, sha256, md5, is_packed=False), *images)


_UNVERIFIED = (
    "No sum of the pictures was found. Numbers before June 2022 were made on pictures without "
    "blurred faces. The sums of the ground truth are those of a copy in a public repository."
)
_OXFORD = About(
    "revisited Oxford",
    "http://cmp.felk.cvut.cz/revisitop/",
    _PAPER,
    5_063,
    _archives(
        "roxford5k",
        149_871,
        "ba7967754bd2d7d2210a5799f9c45ad5835e269a80ef9d3eba44caa35816c471",
        "f2b67579f625a587b5b0828dbf2e8eb0",
        Archive(
            "oxbuild_images-v1.tgz",
            (f"{_VGG}/oxbuildings/oxbuild_images-v1.tgz",),
            1_938_238_004,
            into="jpg",
        ),
    ),
    unverified=_UNVERIFIED,
)
_PARIS = About(
    "revisited Paris",
    "http://cmp.felk.cvut.cz/revisitop/",
    _PAPER,
    6_392,
    _archives(
        "rparis6k",
        276_508,
        "d2e729a5293dda7dda8a15c8383424a42e4964a2c4cfea2f32fa85d11d2df499",
        "2feae0a8257a5c6ca1b31b8eb73c8571",
        *(
            Archive(f"paris_{n}-v1.tgz", (f"{_VGG}/parisbuildings/paris_{n}-v1.tgz",), into="jpg")
            for n in (1, 2)
        ),
    ),
    unverified=f"{_UNVERIFIED} 20 files of the archives are known to be no pictures; none of them "
    "plays a part.",
)


def _with_million(about: About) -> About:
    return About(
        f"{about.title} with a million distractors",
        about.page,
        about.reference,
        about.pictures + 1_001_001,
        (*about.archives, *_DISTRACTORS),
        unverified=f"{about.unverified} Size and number of the distractors (1,001,001) were not "
        "verified; 100 archives without sums.",
    )


class RevisitedOxford(_Revisited):
    """Revisited Oxford."""

    name = "roxford5k"
    summary = "landmarks of Oxford: 70 queries by box, in Easy, Medium and Hard"
    signature = ("gnd_roxford5k.pkl",)
    about = _OXFORD
    protocols = _protocols(
        "Oxford",
        4_993,
        _published(
            {
                "easy": (84.81, 97.06, 92.06, 86.49),
                "medium": (64.67, 97.14, 90.67, 84.67),
                "hard": (38.47, 81.43, 63.00, 53.00),
            },
            {"medium": 65.4, "hard": 40.1},
        ),
    )


class RevisitedParis(_Revisited):
    """Revisited Paris."""

    name = "rparis6k"
    summary = "landmarks of Paris: 70 queries by box, in Easy, Medium and Hard"
    signature = ("gnd_rparis6k.pkl",)
    about = _PARIS
    protocols = _protocols(
        "Paris",
        6_322,
        _published(
            {
                "easy": (92.12, 100.00, 97.14, 96.14),
                "medium": (77.20, 100.00, 98.86, 98.14),
                "hard": (56.32, 94.29, 90.29, 89.14),
            },
            {"medium": 76.7, "hard": 55.2},
        ),
    )


class RevisitedOxfordMillion(RevisitedOxford):
    """Revisited Oxford among a million distractors."""

    name = "roxford5k-1m"
    summary = "landmarks of Oxford among a million pictures that no query asks for"
    million = True
    about = _with_million(_OXFORD)
    protocols = _protocols("Oxford + 1M", 4_993 + 1_001_001, {})


class RevisitedParisMillion(RevisitedParis):
    """Revisited Paris among a million distractors."""

    name = "rparis6k-1m"
    summary = "landmarks of Paris among a million pictures that no query asks for"
    million = True
    about = _with_million(_PARIS)
    protocols = _protocols("Paris + 1M", 6_322 + 1_001_001, {})
