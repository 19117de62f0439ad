"""The sanity checks hold for honest searches, and fail loudly for the traps they are there for."""

import json

import numpy as np
import pytest

from benchmarks.pipeline.evaluation import sanity
from benchmarks.pipeline.evaluation.sanity import SanityError, check_protocol, check_search
from retrieval import knn
from retrieval.protocol import Judgement, Judgements
from retrieval.reranking.diffusion import Diffusion
from retrieval.search import single

RNG = np.random.default_rng(0)
GALLERY = RNG.normal(size=(60, 8)).astype(np.float32)
QUERIES = RNG.normal(size=(15, 8)).astype(np.float32)
NOBODY = np.array([], np.intp)
OUT = np.array([59])
JUDGED = Judgements(
    (
        *(Judgement(np.setdiff1d(np.arange(n % 4, 60, 7), OUT), OUT) for n in range(14)),
        Judgement(NOBODY, NOBODY),
    ),
    60,
    0,
)


def test_an_honest_search_passes():
    check_protocol(JUDGED)
    check_search("row", single, [QUERIES], [GALLERY], JUDGED)
    check_search("ties", single, [np.ones_like(QUERIES)], [np.ones_like(GALLERY)], JUDGED)
    check_search(
        "nobody", single, [QUERIES[:1]], [GALLERY], Judgements((Judgement(NOBODY, NOBODY),), 60, 0)
    )


def test_vectors_that_the_grid_would_tie_are_caught():
    check_search("row", single, [QUERIES + 100], [GALLERY + 100], JUDGED)
    with pytest.raises(SanityError, match="row: vectors that all but point in one direction"):
        check_search("row", single, [QUERIES + 20_000], [GALLERY + 20_000], JUDGED)


def test_ties_in_the_order_of_labels_are_caught(monkeypatch):
    """The trap that makes constant features look good: the first of equals wins."""

    def by_place(queries, gallery):
        for start, distances in knn.grid_distances(queries, gallery):
            distances += np.arange(distances.shape[1], dtype=distances.dtype)
            yield knn.Block(start, distances)

    def search(queries, gallery, judgements):
        return by_place(queries[0], gallery[0])

    monkeypatch.setattr(sanity, "grid_distances", by_place)
    with pytest.raises(SanityError, match="constant features do not score chance"):
        check_protocol(JUDGED)
    with pytest.raises(SanityError, match="row: a gallery in another order gives other scores"):
        check_search("row", search, [np.ones_like(QUERIES)], [np.ones_like(GALLERY)], JUDGED)


def test_a_score_that_knows_the_answers_is_caught(monkeypatch):
    original = sanity.summarise

    def peek(blocks, judgements, *rest):
        def better():
            for start, distances in blocks:
                distances = distances.copy()
                for query, row in enumerate(distances, start):
                    row[judgements.of[query].positive] = 0
                yield knn.Block(start, distances)

        return original(better(), judgements, *rest)

    monkeypatch.setattr(sanity, "summarise", peek)
    with pytest.raises(SanityError, match="dealt out at random score"):
        check_search("row", single, [QUERIES], [GALLERY], JUDGED)


def test_every_run_passes_the_sanity_checks(parted, run, monkeypatch):
    from benchmarks.pipeline.evaluation import evaluate as evaluating

    asked = []
    monkeypatch.setattr(evaluating, "check_protocol", lambda judged: asked.append("protocol"))
    monkeypatch.setattr(evaluating, "check_search", lambda row, *rest: asked.append(row))
    run("--extractor", "lbp", "hog", "--dataset", parted)
    assert asked == ["protocol"] * 2 + ["lbp"] * 2 + ["hog"] * 2


def test_a_check_that_does_not_hold_is_a_failed_row(parted, run, tmp_path, monkeypatch):
    from benchmarks.pipeline.evaluation import evaluate as evaluating

    def fail(row, *rest):
        if row == "lbp":
            raise SanityError("lbp: no good")

    monkeypatch.setattr(evaluating, "check_search", fail)
    assert run("--extractor", "lbp", "hog", "--dataset", parted) == 1
    folder = tmp_path / "out" / "parted" / "records" / "query"
    made = {n: json.loads((folder / f"{n}.json").read_text()) for n in ("lbp", "hog")}
    assert made["lbp"]["status"] == "failed"
    assert made["lbp"]["reason"] == "sanity check: lbp: no good"
    assert made["hog"]["status"] == "ok"


def test_checks_share_the_neighbour_graph_of_the_timed_search(parted, run, monkeypatch):
    """Of each query set: one for the gallery, in the timed search, and one for it permuted."""
    built, system = [], Diffusion._system

    def watch(*arguments):
        built.append(arguments)
        return system(*arguments)

    monkeypatch.setattr(Diffusion, "_system", watch)
    assert run("--extractor", "lbp+diffusion", "--dataset", parted) == 0
    assert len(built) == 2 * 2


def test_answers_are_dealt_among_the_images_that_take_part():
    judged = Judgement(np.array([3, 4, 17]), np.array([0, 5, 19]))
    allowed = np.setdiff1d(np.arange(20), judged.excluded)
    dealt = [sanity._dealt(judged, 20, np.random.default_rng(seed)) for seed in range(200)]
    assert all(len(np.unique(one.positive)) == 3 for one in dealt)
    assert set(np.concatenate([one.positive for one in dealt]).tolist()) == set(allowed.tolist())
    rng = np.random.default_rng(7)
    assert (dealt[7].positive == np.sort(rng.choice(allowed, 3, False))).all()


def clustered(spread, outlier=False, clusters=1):
    """Classes that lie close together about one direction, or about several."""
    rng = np.random.default_rng(1)
    labels = np.arange(60) % 5
    features = rng.normal(size=(5, 16))[labels] + 0.3 * rng.normal(size=(60, 16))
    around = rng.normal(size=(clusters, 16))[rng.integers(0, clusters, 60)]
    gallery = (spread * features + around).astype(np.float32)
    gallery[7] *= -1 if outlier else 1
    asked = (spread * features[:10] + around[:10]).astype(np.float32)
    judged = tuple(Judgement(np.flatnonzero(labels == label), NOBODY) for label in labels[:10])
    return "row", single, [asked], [gallery], Judgements(judged, 60, 0)


@pytest.mark.parametrize(("outlier", "clusters"), [(False, 1), (True, 1), (False, 3)])
def test_right_images_that_are_tied_with_wrong_ones_are_caught(outlier, clusters):
    with pytest.raises(SanityError, match="does not tell right images from wrong ones"):
        check_search(*clustered(1e-5, outlier, clusters))
    check_search(*clustered(1e-2, outlier, clusters))
