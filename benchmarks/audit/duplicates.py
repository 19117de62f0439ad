"""Find near duplicates in a dataset, and take them out of its judgements."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import Json
from datasets.perceptual import hash_distances
from datasets.task import Image
from retrieval.protocol import Judgements

TIERS = ((64, 0.9), (20, 0.84), (10, 0.7))
"""Rule of near duplicates, of which one tier has to hold; images of equal bytes always are.

Most bits, of 64, in which the perceptual hashes may differ, and the least cosine of the
embeddings. Hashes alone take images of one layout for each other, embeddings alone images of one
class; together they need less of each.
"""

_LISTED = 200
"""Pairs that a file of them lists; it counts all."""


@dataclass(frozen=True)
class Pair:
    """A pair of near duplicates.

    Attributes
    ----------
    one, other : int
        Numbers of the images, in the dataset's order.
    bits : int
        Bits in which their perceptual hashes differ; 0 for equal bytes.
    cosine : float
        Similarity of their embeddings.
    exact : bool
        Whether the files are equal byte for byte.
    """

    one: int
    other: int
    bits: int
    cosine: float
    exact: bool


def are_near(bits: NDArray[np.integer], cosine: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Tell for arrays of bits and of cosines, of one shape, where the rule holds."""
    return np.logical_or.reduce([(bits <= most) & (cosine >= least) for most, least in TIERS])


def find_pairs(
    contents: Sequence[str],
    hashes: NDArray[np.uint8],
    embeddings: NDArray[np.float32],
    first: int | None = None,
) -> list[Pair]:
    """Find all near duplicates, the most similar first.

    Parameters
    ----------
    contents : sequence of str
        Hash of each image's bytes.
    hashes : ndarray of uint8, shape (n, 2, 8)
        See `datasets.perceptual.perceptual_hash`.
    embeddings : ndarray of float32, shape (n, n_dims)
        Vectors of one extractor; they need not be normalised.
    first : int, optional
        Number of images that are compared with all behind them, and with nothing else; left out,
        all are compared with all.
    """
    length = np.linalg.norm(embeddings, axis=1, keepdims=True)
    unit = embeddings / np.where(length > 0, length, 1)
    names = np.array(contents)
    pairs = []
    for start, bits in hash_distances(hashes):
        cosine = unit[start : start + len(bits)] @ unit.T
        same = names[start : start + len(bits), None] == names
        rows = np.arange(start, start + len(bits))[:, None]
        later = np.arange(bits.shape[1]) > rows
        if first is not None:
            later = (rows < first) & (np.arange(bits.shape[1]) >= first)
        for row, other in zip(*np.nonzero(later & (same | are_near(bits, cosine))), strict=True):
            one = start + int(row)
            exact = contents[one] == contents[int(other)]
            similarity = round(float(cosine[row, other]), 4)
            pairs.append(Pair(one, int(other), int(bits[row, other]), similarity, exact))
    return sorted(pairs, key=lambda p: (not p.exact, -p.cosine, p.one, p.other))


def without_leaks(
    judgements: Judgements, pairs: Sequence[Pair], first_query: int, first_gallery: int
) -> Judgements:
    """Judge the near duplicates of each query as junk, neither right nor wrong.

    Parameters
    ----------
    judgements : Judgements
        Of a query set.
    pairs : sequence of Pair
        Near duplicates among all images of the dataset.
    first_query, first_gallery : int
        Numbers, in `pairs`, of the set's first query and of the first gallery image.
    """
    leaked: dict[int, list[int]] = {}
    for pair in pairs:
        for query, image in ((pair.one, pair.other), (pair.other, pair.one)):
            q, g = query - first_query, image - first_gallery
            if 0 <= q < len(judgements.of) and 0 <= g < judgements.n_gallery:
                leaked.setdefault(q, []).append(g)
    of = list(judgements.of)
    for query, images in leaked.items():
        judged, gone = of[query], np.array(images, np.intp)
        of[query] = replace(
            judged,
            positive=np.setdiff1d(judged.positive, gone),
            excluded=np.union1d(judged.excluded, gone),
        )
    return replace(judgements, of=tuple(of))


def most_telling_first(pairs: Sequence[Pair], parts: Sequence[str]) -> list[Pair]:
    """Order pairs: a query's with the gallery, then with training, then what is no leak.

    Parameters
    ----------
    pairs : sequence of Pair
        In any order.
    parts : sequence of str
        Part of the dataset that each image belongs to, such as "gallery".
    """

    def weight(pair: Pair) -> int:
        both = {parts[pair.one], parts[pair.other]}
        if len(both) == 1:
            return 3
        asked = any(part.startswith("query") for part in both)
        return 2 if not asked else 0 if "gallery" in both else 1

    return sorted(pairs, key=lambda pair: (weight(pair), not pair.exact, -pair.cosine))


def describe_pairs(pairs: Sequence[Pair], images: Sequence[tuple[str, Image]]) -> Json:
    """Say by which rule pairs were found, count them by their parts, and list the first of them.

    Parameters
    ----------
    pairs : sequence of Pair
        In the order in which they are listed.
    images : sequence of tuple of str and Image
        Every image, with the name of its part.

    Returns
    -------
    dict
        ``rule``; ``counts``, by the two parts that they join, such as "gallery – query"; and
        ``pairs``, of each both images' part, id and class, and how alike they are.
    """
    counts = Counter(f"{images[p.one][0]} – {images[p.other][0]}" for p in pairs)
    listed = []
    for pair in pairs[:_LISTED]:
        (part, one), (other_part, other) = images[pair.one], images[pair.other]
        listed.append(
            {
                "part": part,
                "id": one.id,
                "label": one.label or one.distractor or "",
                "other part": other_part,
                "other id": other.id,
                "other label": other.label or other.distractor or "",
                "bits": pair.bits,
                "cosine": pair.cosine,
                "exact": pair.exact,
            }
        )
    return {"rule": {"tiers": TIERS}, "counts": dict(sorted(counts.items())), "pairs": listed}
