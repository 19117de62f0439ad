"""Names of folders: those of parts, those of distractors, and those that no class has."""

import re
from collections.abc import Collection, Sequence

_WORDS = {
    "training": {"training", "train", "trainset", "train_set", "training_set"},
    "gallery": {"gallery", "database", "db", "index", "reference", "references"},
    "query": {"query", "queries", "probe", "probes"},
    "validation": {"validation", "valid", "val", "dev", "valset", "val_set", "validation_set"},
    "test": {"test", "testing", "testset", "test_set"},
}
"""Names that people give to parts, in lower case."""

_ROLE_OF = {word: role for role, words in _WORDS.items() for word in words}
_MORE_QUERIES = re.compile(r"(?:query|queries|probe|probes)[-_]([^/]+)", re.IGNORECASE)

_UNUSED = {"eval", "evaluation", "holdout", "unlabeled", "unlabelled", "distractor", "distractors"}
"""Words for parts that no folder is taken for by its name alone."""

_PART_WORDS = _ROLE_OF.keys() | _UNUSED

_PORTION = re.compile(r"(batch|chunk|fold|part|portion|set|shard|split|subset)[-_ ]?\w{1,3}", re.I)
"""Portions of one whole, numbered by figures, letters or words, such as ``fold1``."""

_PORTIONS = {
    *("archive", "batch", "chunk", "dataset", "download", "fold", "part", "portion", "set"),
    *("shard", "split", "subset", "takeout"),
}
_SIZES = {"small", "medium", "large", "big", "full", "mini", "tiny"}
_NUMBER = re.compile(r"[-_ .]*(?:\(\d+\)|\d+(?:[-_ ]of[-_ ]\d+)?)$", re.I)
_NUMBERED_COPY = re.compile(r" ?\(\d+\)$")
_CAMERA = re.compile(r"\d{3}(?=\d*[A-Z_])[A-Z0-9_]{5}|DJI_\d{3}(?:_.*)?|OneDrive_\d+_[-\d]+")
"""Folders of a camera's card (DCF), such as ``100CANON``, and of downloads from a store."""

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_GLUED = re.compile(r"(?<=\w)(?:data|dir|folder|images?|imgs?|photos?|pics|pictures|set)$")
"""What names such as ``trainimages`` end in."""

_CONTAINERS = {
    *("image", "images", "img", "imgs", "picture", "pictures", "pics", "photos", "jpegimages"),
    *("jpg", "jpeg", "png", "data", "files", "raw", "original", "originals"),
}
"""Names that people give to folders of pictures of all classes."""

_BY_PRODUCTS = {
    *("annotation", "annotations", "label", "labels", "mask", "masks", "groundtruth", "gt"),
    *("segmentation", "segmentations", "segmentationclass", "segmentationobject"),
    *("thumbnail", "thumbnails", "thumb", "thumbs", "resized", "crops", "results", "output"),
    *("outputs", "plots", "preview", "previews", "augmented", "gradcam", "annotated"),
    *("predictions", "heatmaps", "figures"),
}
"""Names that people give to folders of what was made of pictures."""

_EITHER = {"thumb", "crops", "figures", "original"}
"""Names of both kinds that classes have as well, of fingers, fields, pages and paintings."""

_DENIED = re.compile(r"(?:non?|not|without)[-_ ]?")
"""What the name of what is negative begins with."""

_VIEWS = {
    *("photo", "photograph", "sketch", "sketche", "drawing", "edge", "lineart", "cartoon"),
    *("rgb", "depth", "thermal", "infrared", "visible", "vis", "nir", "hr", "lr"),
    *("input", "target", "original", "augmented", "distorted", "strong"),
}
"""Words for one view of many things, without the s of many."""

_ANYTHING = {
    *("background", "clutter", "distractor", "misc", "miscellaneous", "negative"),
    *("none", "unclassified", "untagged", "untitled"),
    *("other", "rest", "unknown", "unlabeled", "unlabelled", "unsorted", "various"),
}
"""Words for pictures that have nothing in common, without the s of many."""

_UNNAMED = re.compile(
    r"new folder(?: ?\(\d+\))?|no[-_ ]?label|(?:.*[^a-z])?to[-_ ]delete", re.IGNORECASE
)

_AND = ("and", "with", "und", "y", "et")
_BETWEEN_WORDS = re.compile(r"[-\s_;,+&/.:#]+")
_BETWEEN_NAMES = re.compile(rf"[;,+&/]|[-_ ](?:{'|'.join(_AND)})[-_ ]")
"""Signs and words between the names of classes in the name of a folder."""

_DATE = re.compile(
    r"(?!\d{6}$)(?:19|20)\d\d[-_. ]?(?:0[1-9]|1[0-2])"
    r"(?:[-_. ]?(?:0[1-9]|[12]\d|3[01]))?(?:_+[a-z]?)?",
    re.I,
)
_MONTH = (
    "jan|ene|gen|f[eé][bv]|m[aä]r|a[pbv]r|ma[gijy]|jui?[nl]|ago|ao[uû]|aug|sep|o[ck]t|nov|"
    "d[eéi][cz]"
)
_FULL_DATE = re.compile(
    r"(?<!\d)(?:"
    r"(?:19|20)\d\d([-_.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])|"
    r"[0-3]?\d([-./_])[0-3]?\d\2(?:19|20)\d\d|"
    rf"[0-3]?\d\.?[-_ ](?:de )?(?:{_MONTH})\w*\.?,?[-_ ](?:de )?(?:19|20)\d\d)(?!\d)|"
    rf"\b(?:{_MONTH})\w*\.?[-_ ][0-3]?\d,?[-_ ](?:19|20)\d\d(?!\d)",
    re.I,
)
_MONTHS = {
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
    *("januar", "februar", "märz", "mai", "juni", "juli", "oktober", "dezember"),
    *("janvier", "février", "mars", "avril", "juin", "juillet", "août", "septembre", "octobre"),
    *("novembre", "décembre", "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio"),
    *("agosto", "septiembre", "octubre", "noviembre", "diciembre"),
}
_ALBUMS = {
    *("camera", "camera roll", "screenshots", "screen recordings", "whatsapp images", "dcim"),
    *("download", "downloads", "instagram", "telegram", "snapchat", "facebook", "messenger"),
    "sent",
    *("favorites", "favourites", "recents", "saved pictures", "bluetooth"),
}
"""Folders of phones, which hold whatever was photographed."""


def role_of(name: str) -> str | None:
    """The part that a folder's name stands for: ``query-night`` for a further query set."""
    if match := _MORE_QUERIES.fullmatch(name):
        return f"query-{match[1]}"
    return _ROLE_OF.get(name.lower())


def is_distractor(name: str) -> bool:
    """Whether a folder's name says that it holds distractors."""
    return name.lower() in ("distractor", "distractors")


def is_no_class(name: str) -> bool:
    """Whether a folder's name is one for pictures of all classes, or for something else."""
    return name.lower() in _CONTAINERS or is_by_product(name)


def is_anything(name: str) -> bool:
    """Whether a folder's name says that its pictures have nothing in common.

    >>> [name for name in ("257.clutter", "distractors_1M", "mother") if is_anything(name)]
    ['257.clutter', 'distractors_1M']
    """
    words = {word.lower() for word in _WORD.findall(name)}
    words |= {word.removesuffix("s") for word in words}
    return bool(words & _ANYTHING) or _UNNAMED.fullmatch(name.strip()) is not None


def is_by_product(name: str) -> bool:
    """Whether a folder's name says that its files are made of other pictures.

    >>> [name for name in ("thumbs", "Resized_256x256", "masks", "gt3") if is_by_product(name)]
    ['thumbs', 'Resized_256x256', 'masks']
    """
    word = re.split(r"[-_ .]+(?=\d|$)", name.lower().lstrip("-_ ."))[0]
    return re.sub("[-_ ]", "", word) in _BY_PRODUCTS


def are_opposites(name: str, others: Collection[str]) -> bool:
    """Whether a name is that of what is negative, and another that of what is positive.

    >>> are_opposites("Negative", ["Positive"]), are_opposites("Negative", ["cat"])
    (True, False)
    >>> are_opposites("Mask", ["Non Mask"]), are_opposites("mask", ["cat_mask"])
    (True, False)
    """
    known = {other.lower() for other in others}
    positive = re.sub("negative", "positive", name.lower())
    if positive != name.lower():
        return positive in known
    denied = {_DENIED.sub("", other) for other in known if _DENIED.match(other)}
    return name.lower() in denied


def may_be_a_class(name: str) -> bool:
    """Whether a name that `is_no_class` is often that of one as well."""
    return name.lower() in _EITHER


def joined(names: Sequence[str]) -> list[str]:
    """Names that are made of several of the others.

    >>> joined(["cat", "dog", "cat+dog", "cat and dog", "black cat"])
    ['cat+dog', 'cat and dog']
    """
    known = {name.lower() for name in names}
    found = []
    for name in names:
        phrases = {*map(str.strip, _BETWEEN_NAMES.split(name.lower()))}
        if any(len(parts) > 1 and parts <= known for parts in ({*words_in(name)}, phrases)):
            found.append(name)
    return found


def words_in(name: str) -> list[str]:
    """Words in lower case that may be names of classes; none in ``1_11``, which is a number.

    >>> words_in("Scab and rust"), words_in("scab#rust"), words_in("1.1")
    (['scab', 'rust'], ['scab', 'rust'], [])
    """
    words = [word for word in _BETWEEN_WORDS.split(name.lower()) if word and word not in _AND]
    return [] if all(map(str.isdecimal, words)) else words


def sound_like_views(names: Sequence[str]) -> list[str]:
    """Names of several views of the same things, if half of the names are such, as ``photo``.

    A single class may be called so.
    """
    views = {name: view for name in names if (view := _view_in(name))}
    return list(views) if len(set(views.values())) > 1 and 2 * len(views) >= len(names) else []


def _view_in(name: str) -> str | None:
    words = (word.lower().removesuffix("s") for word in _WORD.findall(name))
    return next((word for word in words if word in _VIEWS), None)


def sound_like_parts(names: Sequence[str]) -> list[str]:
    """Names that say more or less that they are parts, as ``train2017`` or ``image_query``.

    A single class may be called so (``freight train``, ``test tube``). Folders are parts rather
    than classes if at least half of them are called after different parts, or if all of them are
    numbered portions or say nothing else.

    Parameters
    ----------
    names : sequence of str
        Names of folders that lie side by side and hold pictures.

    Returns
    -------
    list of str
        In order; empty if they can be classes.
    """
    if len(names) > 1 and (_are_portions(names) or _are_times(names)):
        return list(names)
    albums = [name for name in names if name.strip().lower() in _ALBUMS]
    if len(albums) > 1 and 2 * len(albums) >= len(names):
        return albums
    meant = {name: role for name in names if (role := part_in(name))}
    if len(set(meant.values())) > 1 and 2 * len(meant) >= len(names):
        return list(meant)
    if len(names) > 1 and all(map(is_hardly_a_class, names)):
        return list(names)
    return []


def part_in(name: str) -> str | None:
    """The first word in a name that people give to a part, as the part that it means.

    >>> [part_in(name) for name in ("train2017", "testimages", "images_val", "strain")]
    ['training', 'test', 'validation', None]
    """
    words = (_GLUED.sub("", word.lower()) for word in _WORD.findall(name))
    return next((_ROLE_OF.get(word, word) for word in words if word in _PART_WORDS), None)


def is_hardly_a_class(name: str) -> bool:
    """Whether a name says nothing but that it is a part: ``test1``, no ``test_tube``."""
    words = {_GLUED.sub("", word.lower()) for word in _WORD.findall(name)}
    others = words - _PART_WORDS - _CONTAINERS - _PORTIONS - _SIZES
    return part_in(name) is not None and all(len(word) == 1 for word in others)


def _are_times(names: Sequence[str]) -> bool:
    """Whether all names hold dates or are months, as cameras and phones give them to folders."""
    return (
        all(_DATE.fullmatch(name) or _FULL_DATE.search(name) for name in names)
        or {name.lower() for name in names} <= _MONTHS
    )


def _are_portions(names: Sequence[str]) -> bool:
    """Whether all names are alike but for a number, and say that they are pieces of one whole."""
    if all(map(_PORTION.fullmatch, names)) or all(map(_CAMERA.fullmatch, names)):
        return True
    whole, *others = {_NUMBER.sub("", name).lower() for name in names}
    if others:
        return False
    pieces = _PORTIONS | _CONTAINERS | _ROLE_OF.keys()
    is_piece = any(word in pieces for word in _WORD.findall(whole))
    return is_piece or any(map(_NUMBERED_COPY.search, names))


def listed(names: Sequence[str], most: int = 4) -> str:
    """Names as a list in words.

    >>> listed(["a", "b", "c"])
    "'a', 'b' and 'c'"
    """
    shown = [repr(name) for name in names[:most]]
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))
