"""Near duplicates within and across the parts of a dataset, and what they are worth."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import Json, read_json, write_text
from benchmarks.formats.markdown import escape, markdown
from benchmarks.report.tables import share
from datasets.perceptual import BITS, hash_distances
from retrieval.metrics import METRICS
from retrieval.protocol import Judgements

FILE = "leaks.json"

_SHOWN = 25


@dataclass(frozen=True)
class Rule:
    """When two pictures count as near duplicates; of equal bytes they always do.

    Parameters
    ----------
    tiers : tuple of tuple of int and float
        In one of the tiers, their perceptual hashes differ in no more bits, of 64, and the
        cosine of their embeddings is no smaller. Hashes alone take pictures of one layout for
        each other, embeddings alone pictures of one kind; together they need less of each.
    """

    tiers: tuple[tuple[int, float], ...] = ((64, 0.9), (20, 0.84), (10, 0.7))

    def holds(self, bits: NDArray[np.integer], cosine: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Where it does."""
        found = [(bits <= most) & (cosine >= least) for most, least in self.tiers]
        return np.logical_or.reduce(found)


@dataclass(frozen=True)
class Pair:
    """Two near duplicates.

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


def find_pairs(
    contents: Sequence[str],
    hashes: NDArray[np.uint8],
    embeddings: NDArray[np.float32],
    rule: Rule,
) -> list[Pair]:
    """Find all near duplicates, the most similar first.

    Parameters
    ----------
    contents : sequence of str
        Hash of each image's bytes.
    hashes : ndarray of uint8, shape (n, 2, 8)
        See `datasets.perceptual.perceptual_hash`.
    embeddings : ndarray of float32, shape (n, n_dims)
    rule : Rule
    """
    length = np.linalg.norm(embeddings, axis=1, keepdims=True)
    unit = embeddings / np.where(length > 0, length, 1)
    names = np.array(contents)
    pairs = []
    for start, bits in hash_distances(hashes):
        cosine = unit[start : start + len(bits)] @ unit.T
        same = names[start : start + len(bits), None] == names
        later = np.arange(bits.shape[1]) > np.arange(start, start + len(bits))[:, None]
        for row, other in zip(*np.nonzero(later & (same | rule.holds(bits, cosine))), strict=True):
            one = start + int(row)
            exact = contents[one] == contents[int(other)]
            similarity = round(float(cosine[row, other]), 4)
            pairs.append(Pair(one, int(other), int(bits[row, other]), similarity, exact))
    return sorted(pairs, key=lambda p: (not p.exact, -p.cosine, p.one, p.other))


def without_leaks(
    judgements: Judgements, pairs: Sequence[Pair], first_query: int, first_gallery: int
) -> Judgements:
    """Take the near duplicates of each query out of the race, as junk.

    Parameters
    ----------
    judgements : Judgements
        Of a query set.
    pairs : sequence of Pair
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
    parts : sequence of str
        Of every image.
    """

    def weight(pair: Pair) -> int:
        both = {parts[pair.one], parts[pair.other]}
        if len(both) == 1:
            return 3
        asked = any(part.startswith("query") for part in both)
        return 2 if not asked else 0 if "gallery" in both else 1

    return sorted(pairs, key=lambda pair: (weight(pair), not pair.exact, -pair.cosine))


def describe_pairs(
    pairs: Sequence[Pair], images: Sequence[tuple[str, str, str]]
) -> tuple[dict[str, int], list[Json]]:
    """Count pairs by their parts, and list each with ids and classes.

    Parameters
    ----------
    pairs : sequence of Pair
    images : sequence of tuple of str
        Part, id and class of every image.
    """
    counts = Counter(f"{images[p.one][0]} – {images[p.other][0]}" for p in pairs)
    listed = []
    for pair in pairs:
        (part, name, label), (other_part, other_name, other_label) = (
            images[number] for number in (pair.one, pair.other)
        )
        about = {"part": part, "id": name, "label": label, "other part": other_part}
        about |= {"other id": other_name, "other label": other_label}
        listed.append(about | {k: v for k, v in asdict(pair).items() if k not in ("one", "other")})
    return dict(sorted(counts.items())), listed


def write_leaks(folder: Path) -> None:
    """Write ``leaks.md`` from ``leaks.json``, where an audit left one."""
    found = read_json(folder / FILE)
    if found is None:
        return None
    tiers = [
        f"at least {least} if at most {most} bits differ" if most < BITS else f"at least {least}"
        for most, least in found["rule"]["tiers"]
    ]
    text = f"# {escape(found['dataset'])}: near duplicates\n\n"
    text += (
        f"{found['images']} images compared. Near duplicates: equal bytes; or a cosine of the "
        f"{found['embedding']} embeddings of {', or '.join(tiers)} of the {BITS} of their "
        "perceptual hashes (pHash, mirrored too).\n"
    )
    if not found["counts"]:
        return write_text(folder / "leaks.md", text + "\nNone found.\n")
    cells = [[parts, str(count)] for parts, count in found["counts"].items()]
    text += "\n" + markdown(["parts", "pairs"], cells) + _score_section(found)
    text += (
        "\n## Pairs\n\nThose of queries with the gallery first, then with training images. Line "
        "art looks much alike to such networks: pairs of sketches are candidates, no proof.\n\n"
    )
    cells = [_pair_cells(pair) for pair in found["pairs"][:_SHOWN]]
    text += markdown(["image", "other image", "bits", "cosine", "classes"], cells)
    more = sum(found["counts"].values()) - min(_SHOWN, len(found["pairs"]))
    if more > 0:
        text += f"\n{more} more; the first {len(found['pairs'])} are in {FILE}.\n"
    if (folder / "leaks.png").exists():
        text += "\n![](leaks.png)\n"
    return write_text(folder / "leaks.md", text)


def _pair_cells(pair: Json) -> list[str]:
    same = pair["label"] == pair["other label"]
    classes = pair["label"] if same else f"{pair['label']} / {pair['other label']}"
    bits = "equal bytes" if pair["exact"] else str(pair["bits"])
    names = [f"{pair['part']}: {pair['id']}", f"{pair['other part']}: {pair['other id']}"]
    return [*names, bits, f"{pair['cosine']:.3f}", classes]


def _score_section(found: Json) -> str:
    text = "\n## What they are worth\n"
    if not any(found["scores"].values()):
        return text + "\nNo query has a near duplicate in the gallery: no score depends on one.\n"
    for query_set, rows in found["scores"].items():
        if not rows:
            continue
        text += (
            f"\n{query_set}: {found['queries'][query_set]} queries have near duplicates in the "
            "gallery. Without: those are neither right nor wrong. Scores are of the queries that "
            "have a right image left, so the first can differ from the table's.\n\n"
        )
        headings, cells = ["extractor"], []
        for metric in ("top1", "map"):
            label = METRICS[metric].label
            headings += [label, f"{label} without", "change"]
        for name, row in rows.items():
            line = [name]
            for metric in ("top1", "map"):
                one = row[metric]
                ends = f"({one['low']:+.3f} to {one['high']:+.3f})"
                line += [share(one["with"]), share(one["without"]), f"{one['change']:+.3f} {ends}"]
            cells.append(line)
        text += markdown(headings, cells)
    return text
