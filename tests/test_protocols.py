"""Protocols of public sets agree with slow evaluators written from their definitions."""

import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import slow_protocols as slow

from datasets.layout import Collection
from datasets.public.ground_truth import read_ground_truth
from datasets.public.revisited import RevisitedOxford, RevisitedParis
from datasets.task import Image
from retrieval.knn import Block, grid_distances
from retrieval.metrics import find_metrics, mean_scores
from retrieval.protocol import judge
from retrieval.ranking import summarise

RNG = np.random.default_rng(7)


def image(name, label=None):
    return Image(str(name), Path(str(name)), f"hash of {name}", label)


def strict(n_queries, n_gallery):
    """Distances of which no two of a query are equal."""
    return np.stack([RNG.permutation(n_gallery) for _ in range(n_queries)]).astype(np.int32)


def scores(distances, queries, gallery, metrics, relevance=None, keeps_query=False):
    """The suite's own scores."""
    judged = judge(queries, gallery, relevance or {}, keeps_query)
    ranking = summarise([Block(0, np.asarray(distances, np.int32))], judged)
    return mean_scores(ranking, find_metrics(metrics))


REVISITED = ("maptrapezoidal", "mp1", "mp5", "mp10")


@dataclass
class Truth:
    """A set's gallery, queries and judgements, as its reader gives them."""

    source: object
    found: Collection
    truth: object

    def score(self, level, distances):
        """Scores of distances whose columns are in the order of the ground truth's list."""
        names = {f"jpg/{name}.jpg": column for column, name in enumerate(self.truth.imlist)}
        gallery = [i.to_image(i.id) for i in self.found.items if i.part == "gallery"]
        queries = [i.to_image(i.id) for i in self.found.items if i.part == f"query-{level}"]
        rows = {f"jpg/{name}.jpg#{level}": row for row, name in enumerate(self.truth.qimlist)}
        ours = distances[[rows[q.id] for q in queries]][:, [names[g.id] for g in gallery]]
        return scores(ours, queries, gallery, REVISITED, self.found.relevance)

    def expected(self, level, distances):
        """Scores of the slow evaluator, and the number of queries that it averages."""
        judged = [{k: getattr(one, k) for k in ("easy", "hard", "junk")} for one in self.truth.gnd]
        precision, at = slow.revisited(distances.tolist(), judged, level)
        return dict(zip(REVISITED, (precision, *at.values()), strict=True))


def read(source, path, root):
    truth = read_ground_truth(path)
    (root / "jpg").mkdir()
    for name in (*truth.imlist, *truth.qimlist):
        (root / "jpg" / f"{name}.jpg").touch()
    (root / path.name).write_bytes(path.read_bytes())
    return Truth(source, source.collect(root), truth)


def test_revisited_by_hand(tmp_path):
    """Ranked a j B x C with a, B, C relevant, j junk, x not: ranks 0, 1 and 3."""
    truth = {
        "imlist": ["a", "j", "b", "x", "c"],
        "qimlist": ["q"],
        "gnd": [{"bbx": [0, 0, 5, 5], "easy": [0], "hard": [2, 4], "junk": [1]}],
    }
    (tmp_path / "gnd_roxford5k.pkl").write_bytes(pickle.dumps(truth))
    root = tmp_path / "root"
    root.mkdir()
    known = read(RevisitedOxford(), tmp_path / "gnd_roxford5k.pkl", root)
    found = known.score("medium", np.arange(5)[None])
    assert found["maptrapezoidal"] == pytest.approx((1 + 1 + (2 / 3 + 3 / 4) / 2) / 3)
    assert [found[name] for name in REVISITED[1:]] == pytest.approx([1, 3 / 4, 3 / 4])
    easy = known.score("easy", np.arange(5)[None])
    assert [easy[name] for name in REVISITED] == pytest.approx([1, 1, 1, 1])
    hard = known.score("hard", np.arange(5)[None])  # B x C: 0 and 2
    assert hard["maptrapezoidal"] == pytest.approx((1 + (1 / 2 + 2 / 3) / 2) / 2)
    assert hard["mp5"] == pytest.approx(2 / 3)


@pytest.fixture(scope="module", params=[RevisitedOxford, RevisitedParis])
def real(request, tmp_path_factory):
    from conftest import SHARED

    path = SHARED / "revisited" / request.param.signature[0]
    if not path.exists():
        pytest.skip(f"the real ground truth is not there ({path})")
    return read(request.param(), path, tmp_path_factory.mktemp("landmarks"))


@pytest.mark.parametrize("level", ["easy", "medium", "hard"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_revisited_agrees_on_the_real_ground_truth(real, level, share):
    """Made-up vectors, searched as any: relevant images share a part of their query's."""
    searched = RNG.normal(size=(len(real.truth.imlist), 24))
    asked = RNG.normal(size=(len(real.truth.gnd), 24))
    for vector, judged in zip(asked, real.truth.gnd, strict=True):
        searched[judged.easy] += share * vector
        searched[[*judged.hard, *judged.junk]] += share / 2 * vector
    searched, asked = (
        (one / np.linalg.norm(one, axis=1, keepdims=True)).astype(np.float32)
        for one in (searched, asked)
    )
    distances = np.concatenate([block.distances for block in grid_distances(asked, searched)])
    # Ties are apart: the published rule leaves them to the sort.
    distances = distances.argsort(axis=1, kind="stable").argsort(axis=1)
    found, expected = real.score(level, distances), real.expected(level, distances)
    assert found == pytest.approx(expected, abs=1e-9, rel=0)
    assert 0 < found["maptrapezoidal"] < 1


def test_the_real_ground_truth_is_read_as_it_is_described(real):
    counts = [
        sum(len(getattr(g, name)) for g in real.truth.gnd) for name in ("easy", "hard", "junk")
    ]
    is_oxford = isinstance(real.source, RevisitedOxford)
    assert counts == ([3029, 2497, 1356] if is_oxford else [6874, 10350, 7153])
    parts = [item.part for item in real.found.items]
    for level, protocol in real.source.protocols.items():
        assert parts.count(level) == protocol.n_queries == 70
        assert parts.count("gallery") == protocol.n_gallery
    alone = sum(not real.found.relevance[i.id].positive for i in real.found.items if i.box)
    assert alone == (2 if is_oxford else 0)
    name = f"jpg/{real.truth.qimlist[0]}.jpg#hard"
    [box] = [item.box for item in real.found.items if item.id == name]
    assert box == ((136, 34, 648, 956) if is_oxford else (130, 17, 843, 732))


def test_holidays_by_hand_and_at_random():
    numbers = [100000, 100001, 100100, 100101, 100102, 100200, 100201]
    gallery = [image(n, str(n // 100)) for n in numbers]
    queries = [one for one, n in zip(gallery, numbers, strict=True) if n % 100 == 0]
    by_hand = np.array([[0, 2, 1, 3, 4, 5, 6], [3, 4, 0, 1, 2, 5, 6], [9, 8, 7, 6, 5, 0, 1]])
    found = scores(by_hand, queries, gallery, ["maptrapezoidal"])["maptrapezoidal"]
    assert found == pytest.approx(((0 + 1 / 2) / 2 + 1 + 1) / 3)
    for _ in range(20):
        distances = strict(3, 7)
        asked = {int(q.id): row.tolist() for q, row in zip(queries, distances, strict=True)}
        found = scores(distances, queries, gallery, ["maptrapezoidal"])["maptrapezoidal"]
        assert found == pytest.approx(slow.holidays(asked, numbers), abs=1e-9)


def test_ukbench_and_gpr1200_by_hand_and_at_random():
    objects = [n // 4 for n in range(12)]
    gallery = [image(f"{n:02}", str(n // 4)) for n in range(12)]
    own = 1 - np.eye(12, dtype=int)  # each finds itself, all others alike
    found = scores(own, gallery, gallery, ["ns", "top1"], keeps_query=True)
    assert found == pytest.approx({"ns": 1 + 3 * 3 / 11, "top1": 1})
    perfect = np.array([[abs(objects[q] - objects[g]) for g in range(12)] for q in range(12)])
    found = scores(perfect, gallery, gallery, ["ns", "map"], keeps_query=True)
    assert found == pytest.approx({"ns": 4, "map": 1})
    for _ in range(10):
        distances = strict(12, 12)
        found = scores(distances, gallery, gallery, ["ns", "map"], keeps_query=True)
        assert found["ns"] == pytest.approx(slow.ukbench(distances.tolist(), objects), abs=1e-9)
        assert found["map"] == pytest.approx(slow.gpr1200(distances.tolist(), objects), abs=1e-9)


def test_metric_learning_by_hand_and_at_random():
    classes = [0, 0, 1, 1, 1, 2, 2]
    gallery = [image(n, str(label)) for n, label in enumerate(classes)]
    names = ("top1", "top2", "top4", "rprec", "mapr")
    in_order = np.tile(np.arange(7), (7, 1))
    found = scores(in_order, gallery, gallery, names)
    # Ranks of the right ones: 1; 1; 3, 4 of each of three; 6; 6.
    assert [found[name] for name in names] == pytest.approx([2 / 7, 2 / 7, 5 / 7, 2 / 7, 2 / 7])
    for _ in range(20):
        distances = strict(7, 7)
        recall, *others = slow.metric_learning(distances.tolist(), classes, (1, 2, 4))
        found = scores(distances, gallery, gallery, names)
        expected = [*recall.values(), *others]
        assert [found[name] for name in names] == pytest.approx(expected, abs=1e-9)


def test_in_shop_and_zero_shot_by_hand_and_at_random():
    asked, searched = [0, 1, 2], [0, 0, 1, 1, 1, 2, 2, 2]
    queries = [image(f"q{n}", str(label)) for n, label in enumerate(asked)]
    gallery = [image(n, str(label)) for n, label in enumerate(searched)]
    names = ("top1", "top3", "map", "map3", "p3")
    in_order = np.tile(np.arange(8), (3, 1))
    found = scores(in_order, queries, gallery, names)
    means = [(1 + 1) / 2, (1 / 3 + 2 / 4 + 3 / 5) / 3, (1 / 6 + 2 / 7 + 3 / 8) / 3]
    assert [found[name] for name in names] == pytest.approx(
        [1 / 3, 2 / 3, sum(means) / 3, (1 + 1 / 9) / 3, (2 / 3 + 1 / 3) / 3]
    )
    for _ in range(20):
        distances = strict(3, 8)
        recall = slow.recall_between(distances.tolist(), asked, searched, (1, 3))
        expected = [*recall.values(), *slow.zero_shot(distances.tolist(), asked, searched, 3)]
        found = scores(distances, queries, gallery, names)
        assert [found[name] for name in names] == pytest.approx(expected, abs=1e-9)


def test_a_query_is_told_from_a_copy_of_itself_that_has_another_class():
    first = Image("a", Path("a"), "same bytes", "x")
    copy = Image("b", Path("b"), "same bytes", "y")
    gallery = [first, copy, image("c", "x"), image("d", "y")]
    judged = judge([first, copy], gallery, {}).of
    assert [one.excluded.tolist() for one in judged] == [[0], [1]]
    assert [one.positive.tolist() for one in judged] == [[2], [3]]
