"""Golden rankings: every version of retrieval finds and scores what it did when recorded."""

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from golden import declaring

import retrieval
from datasets.task import Image, Relevance
from retrieval import protocol
from retrieval.fusion.base import FusionMethod
from retrieval.fusion.late import (
    Borda,
    CombMnz,
    CombSum,
    FusedSearch,
    QueryAdaptive,
    ReciprocalRank,
    Weighted,
    as_is,
    by_rank,
    z_score,
)
from retrieval.fusion.methods import FUSION_METHODS, EarlyFusion
from retrieval.knn import Block
from retrieval.metrics import chance, score
from retrieval.protocol import judge
from retrieval.ranking import summarise
from retrieval.reranking.diffusion import Diffusion
from retrieval.reranking.expansion import DatabaseAugmentation, QueryExpansion
from retrieval.reranking.k_reciprocal import KReciprocal
from retrieval.reranking.menu import RERANKINGS
from retrieval.reranking.spatial import Verification, candidates, rerank
from retrieval.search import single

DIMS = (6, 9)
"""Columns of the vectors of two extractors."""


def picture(name: str, sha256: str, label: str | None, distractor: str | None = None) -> Image:
    return Image(name, Path(name), sha256, label, distractor)


def vectors(count: int, dims: int, seed: int) -> np.ndarray:
    """Vectors around five centres in turn, coarse so that many tie, the last but one zero."""
    centres = np.random.default_rng(dims).normal(size=(5, dims))
    noise = np.random.default_rng(seed).normal(size=(count, dims))
    made = np.round(2 * (centres[np.arange(count) % 5] + noise)) / 2
    made[-2] = 0
    return made.astype(np.float32)


def extracted(count: int, seed: int) -> list[np.ndarray]:
    return [vectors(count, dims, seed + dims) for dims in DIMS]


GALLERY = [picture(f"g/{n:03}", f"g{n}", "abcde"[n % 5]) for n in range(80)]
GALLERY += [picture(f"x/{n:03}", f"x{n}", None, "yz"[n % 2]) for n in range(40)]
# The first query stands in the gallery, the sixth has no relevant image, the second has junk.
QUERIES = [picture("q/0", "g0", "a")] + [
    picture(f"q/{n}", f"q{n}", "abcdez"[n % 6]) for n in range(1, 8)
]
RELEVANCE = {
    "q/1": Relevance(frozenset({"g/001", "g/011"}), frozenset({"g/002", "x/003"})),
}
JUDGEMENTS = judge(QUERIES, GALLERY, RELEVANCE)
ASKED, SEARCHED = extracted(len(QUERIES), 1), extracted(len(GALLERY), 2)
for matrix in SEARCHED:
    matrix[100:105] = matrix[3:8]  # distractors that cannot be told from relevant images
TRAINING, CLASSES = extracted(40, 3), ["abcde"[n % 5] for n in range(40)]

LATE = {
    "k = 5": ReciprocalRank(k=5.0),
    "plain": Borda(),
    "ranks": CombSum(by_rank),
    "z-scores": CombMnz(z_score, depth=20),
    "distances": Weighted((0.3, 0.7), as_is),
    "nothing learned": QueryAdaptive(depth=30),
    "two curves": QueryAdaptive(((1.0, 0.5, 0.0), (1.0, 0.2, 0.1, 0.0)), depth=30),
}
"""Score fusions as the table of fusion methods does not use them."""

OTHERS = {
    "30 neighbours": KReciprocal(k1=30, k2=1, weight=0.5),
    "few restarts": Diffusion(k=8, alpha=0.9, gamma=1.0),
    "three images": QueryExpansion(first=3, alpha=1.0),
    "four images": DatabaseAugmentation(first=4, alpha=0.0),
}
"""Re-rankings as the menu does not use them."""

KNOWN = ("top1", "top3", "top5", "top10", "map", "mrr", "p10", "rprec")
"""Metrics whose values are recorded; a new metric may join them."""


def cases() -> Iterator[tuple[str, object]]:
    """Give names, and what fuses or re-ranks."""
    yield from FUSION_METHODS.items()
    yield "whitened to four", EarlyFusion(weighted=True, whitened=4)
    yield from LATE.items()
    yield from ((name, m.fusion) for name, m in FUSION_METHODS.items() if hasattr(m, "fusion"))
    yield from (RERANKINGS | OTHERS).items()


CASES = list(cases())


def found(step: object) -> list[np.ndarray]:
    """Distances of every query to the gallery images that take part."""
    if isinstance(step, FusionMethod):
        method = deepcopy(step).fit(TRAINING, CLASSES)
        queries, gallery = method.transform(ASKED), method.transform(SEARCHED)
        return taking_part(method.search(queries, gallery, JUDGEMENTS))
    if hasattr(step, "around"):
        search, count = step.around(single), 1
    else:
        search, count = FusedSearch(step), 2
    return taking_part(search(ASKED[:count], SEARCHED[:count], JUDGEMENTS))


def plain() -> Iterator[Block]:
    return single(ASKED[:1], SEARCHED[:1], JUDGEMENTS)


def taking_part(blocks: Iterable[Block]) -> list[np.ndarray]:
    rows = np.concatenate([block.distances for block in blocks])
    return [np.delete(row, one.excluded) for row, one in zip(rows, JUDGEMENTS.of, strict=True)]


@pytest.mark.parametrize(("case", "step"), CASES)
def test_versions_find_what_they_did(case, step, golden):
    golden.check(step.version, found(step), case)


def local_features(binary: bool) -> tuple[np.ndarray, ...]:
    """Points and descriptors of a picture and of a turned view, a third of them misplaced."""
    rng = np.random.default_rng(4)
    points = rng.uniform(0, 200, (60, 2)).astype(np.float32)
    descriptors = rng.integers(0, 256, (60, 32)).astype(np.uint8)
    turned = points @ np.array([[0.9, 0.3], [-0.3, 0.9]]).astype(np.float32) + np.float32(20)
    turned[40:] = rng.uniform(0, 200, (20, 2))
    seen = descriptors ^ np.uint8(1) if binary else np.minimum(descriptors, 250) + np.uint8(3)
    order = rng.permutation(60)
    return points, descriptors, turned[order], seen[order]


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("model", ["affine", "homography"])
def test_spatial_verification_agrees_on_what_it_did(model, binary, golden):
    points, descriptors, turned, seen = local_features(binary)
    match = Verification(model).inliers(points, descriptors, turned, seen, binary)
    kind = "bits" if binary else "bytes"
    golden.check(Verification.version, [match.pairs, match.inliers], f"{model}, {kind}")


def test_verified_images_go_ahead_as_they_did(golden):
    first = candidates(plain(), JUDGEMENTS, 12)
    inliers = np.random.default_rng(5).integers(0, 12, first.shape).astype(np.int32)
    arrays = [first, *taking_part(rerank(plain(), first, inliers))]
    golden.check(Verification.version, arrays, "re-ranked")


@pytest.mark.parametrize("name", KNOWN)
def test_metrics_give_what_they_did(name, golden):
    ranking = summarise(plain(), JUDGEMENTS)
    several = [ranking, ranking.with_distractors(4), ranking.with_distractors(0)]
    arrays = [np.nan_to_num(score(one)[name], nan=-1) for one in several]
    golden.check(protocol.VERSION, [*arrays, np.array([chance(JUDGEMENTS)[name]])], name)


def test_the_search_gives_what_it_did(golden):
    golden.check(protocol.VERSION, taking_part(plain()), "distances")
    ranking = summarise(plain(), JUDGEMENTS)
    golden.check(protocol.VERSION, [ranking.neighbours, ranking.candidates], "neighbours")


def test_every_version_is_checked_here():
    assert declaring(retrieval) == {type(step) for _, step in CASES} | {Verification}
    assert all("version" not in {f.name for f in fields(one)} for one in declaring(retrieval))


def test_versions_have_a_name_and_a_number_and_are_unique():
    versions = [one.version for one in declaring(retrieval)] + [protocol.VERSION]
    assert all(re.fullmatch(r"[a-z0-9-]+ [1-9]\d*", version) for version in versions)
    assert len({version.rpartition(" ")[0] for version in versions}) == len(versions)


def test_other_rankings_need_another_version(golden):
    with pytest.raises(pytest.fail.Exception, match="give the class a new version"):
        golden.check(Diffusion.version, found(Diffusion(alpha=0.5)), "diffusion")
