"""Re-ranking against slow references, written from the papers with loops and dense matrices."""

import numpy as np
import pytest

from retrieval.fusion.late import STEPS, CombSum, FusedSearch, z_score
from retrieval.knn import grid_distances
from retrieval.metrics import chance, mean_scores
from retrieval.protocol import Judgement, Judgements
from retrieval.ranking import summarise
from retrieval.reranking.diffusion import Diffusion
from retrieval.reranking.expansion import DatabaseAugmentation, QueryExpansion
from retrieval.reranking.k_reciprocal import KReciprocal
from retrieval.reranking.menu import RERANKINGS
from retrieval.reranking.neighbours import nothing_excluded
from retrieval.scoring import average_precision
from retrieval.search import single

NOBODY = np.empty(0, np.intp)
SMALL = {
    "average-qe": QueryExpansion(first=3, alpha=0.0),
    "alpha-qe": QueryExpansion(first=3),
    "dba": DatabaseAugmentation(first=2),
    "k-reciprocal": KReciprocal(k1=6, k2=3),
    "diffusion": Diffusion(k=5),
}


def clustered(count, seed, dims=5, noise=0.6):
    """Vectors around four centres, in turn."""
    centres = np.random.default_rng(7).normal(size=(4, dims))
    rng = np.random.default_rng(seed)
    return (centres[np.arange(count) % 4] + noise * rng.normal(size=(count, dims))).astype("f4")


def searched(search, queries, gallery, judgements=None):
    judgements = judgements or nothing_excluded(len(queries[0]), len(gallery[0]))
    blocks = list(search(queries, gallery, judgements))
    return np.concatenate([block.distances for block in blocks]).astype(np.int64)


def plain_distances(search, queries, gallery, judgements=None):
    """Distances of a search, 1 for vectors at right angles: where the references begin."""
    return searched(search, queries, gallery, judgements) / STEPS


def unit(vector):
    length = np.sqrt(np.sum(np.square(vector, dtype=float)))
    return np.asarray(vector, float) / length if length else np.asarray(vector, float)


def graded(scores):
    """Scores from 0, the best, to 1."""
    best, worst = max(scores), min(scores)
    return [(best - s) / (best - worst) if best > worst else 0.0 for s in scores]


def slow_expansion(queries, gallery, first, alpha, distance):
    made = []
    for number, query in enumerate(queries):
        order = sorted(range(len(gallery)), key=lambda j: distance[number][j])[:first]
        total = unit(query)
        for index in order:
            cosine = max(0.0, float(unit(query) @ unit(gallery[index])))
            total = total + cosine**alpha * unit(gallery[index])
        made.append(total)
    return np.array(made, np.float32)


def slow_reciprocal(to_gallery, among, k1, k2, weight):
    """Zhong et al. 2017 for one query, the gallery's neighbourhoods known without it."""
    n = len(among)
    nearest = [sorted(range(n), key=lambda j: among[i][j]) for i in range(n)]

    def mutual(i, k):
        return {j for j in nearest[i][: k + 1] if i in nearest[j][: k + 1]}

    def grown(members):
        result = set(members)
        for j in members:
            core = mutual(j, k1 // 2)
            if len(core & members) >= 2 / 3 * len(core):
                result |= core
        return result

    def code(members, distance):
        made = np.zeros(n)
        for j in members:
            made[j] = np.exp(-distance[j])
        return made / made.sum() if made.sum() else made

    codes = [code(grown(mutual(i, k1)), among[i]) for i in range(n)]
    averaged = [np.mean([codes[j] for j in nearest[i][:k2]], axis=0) for i in range(n)]
    order = sorted(range(n), key=lambda j: to_gallery[j])
    members = {j for j in order[:k1] if to_gallery[j] <= among[j][nearest[j][k1]]}
    own = np.mean([code(grown(members), to_gallery), *(codes[j] for j in order[: k2 - 1])], axis=0)
    own = own / own.sum() if own.sum() else own
    final = []
    for j in range(n):
        common = sum(min(a, b) for a, b in zip(own, averaged[j], strict=True))
        final.append((1 - weight) * (1 - common / (2 - common)) + weight * to_gallery[j])
    return final


def slow_diffusion(to_gallery, among, k, alpha, gamma):
    n = len(among)
    near = [
        sorted((j for j in range(n) if j != i), key=lambda j: among[i][j])[:k] for i in range(n)
    ]
    graph = np.zeros((n, n))
    for i in range(n):
        for j in near[i]:
            if i in near[j]:
                # A fused search is not symmetric.
                graph[i, j] = max(0.0, 1 - max(among[i][j], among[j][i])) ** gamma
    degree = graph.sum(axis=1)
    for i in range(n):
        for j in range(n):
            if graph[i, j]:
                graph[i, j] /= np.sqrt(degree[i] * degree[j])
    start = np.zeros(n)
    for j in sorted(range(n), key=lambda j: to_gallery[j])[:k]:
        start[j] = max(0.0, 1 - to_gallery[j]) ** gamma
    return np.linalg.solve(np.eye(n) - alpha * graph, start)


SEARCHES = {
    "single": (single, lambda count, seed: [clustered(count, seed)]),
    "fused": (
        FusedSearch(CombSum(z_score)),
        lambda count, seed: [clustered(count, seed), clustered(count, seed + 30, dims=9)],
    ),
}


@pytest.fixture(params=SEARCHES)
def setting(request):
    """A search, queries and a gallery."""
    search, make = SEARCHES[request.param]
    return search, make(6, 1), make(40, 2)


@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_query_expansion(setting, alpha):
    search, queries, gallery = setting
    found = searched(QueryExpansion(4, alpha).around(search), queries, gallery)
    distance = plain_distances(search, queries, gallery)
    pairs = zip(queries, gallery, strict=True)
    expanded = [slow_expansion(q, g, 4, alpha, distance) for q, g in pairs]
    assert np.abs(found - searched(search, expanded, gallery)).max() <= 64


def test_database_augmentation(setting):
    search, queries, gallery = setting
    found = searched(DatabaseAugmentation(3).around(search), queries, gallery)
    among = plain_distances(search, gallery, gallery)
    np.fill_diagonal(among, np.inf)
    augmented = [slow_expansion(g, g, 3, 3.0, among) for g in gallery]
    assert np.abs(found - searched(search, queries, augmented)).max() <= 64


def test_k_reciprocal(setting):
    search, queries, gallery = setting
    found = searched(KReciprocal(8, 4, 0.3).around(search), queries, gallery)
    to_gallery = plain_distances(search, queries, gallery)
    among = plain_distances(search, gallery, gallery)
    for row, distances in zip(to_gallery, found, strict=True):
        slow = slow_reciprocal(row, among, 8, 4, 0.3)
        assert distances / STEPS == pytest.approx(graded([-d for d in slow]), abs=1e-6)


def test_diffusion(setting):
    search, queries, gallery = setting
    found = searched(Diffusion(6).around(search), queries, gallery)
    to_gallery = plain_distances(search, queries, gallery)
    among = plain_distances(search, gallery, gallery)
    for row, distances in zip(to_gallery, found, strict=True):
        slow = slow_diffusion(row, among, 6, 0.99, 3.0)
        reached = slow > 1e-9 * slow.max()
        assert distances[reached] / STEPS == pytest.approx(graded(slow[reached]), abs=1e-6)
        behind = np.argsort(distances[~reached], kind="stable")
        assert np.all(distances[~reached] > STEPS)
        assert np.array_equal(behind, np.argsort(row[~reached], kind="stable"))


@pytest.mark.parametrize("name", SMALL)
def test_a_query_alone_is_ranked_as_among_others(setting, name):
    search, queries, gallery = setting
    reranked = SMALL[name].around(search)
    together = searched(reranked, queries, gallery)
    for number in range(6):
        alone = searched(reranked, [q[number : number + 1] for q in queries], gallery)
        assert np.array_equal(alone[0], together[number])


@pytest.mark.parametrize("name", SMALL)
def test_the_order_of_the_gallery_and_ties_change_nothing(setting, name):
    search, queries, gallery = setting
    gallery = [np.concatenate([g, g[:9], g[:4]]) for g in gallery]  # twins and triplets
    reranked = SMALL[name].around(search)
    straight = searched(reranked, queries, gallery)
    order = np.random.default_rng(5).permutation(len(gallery[0]))
    permuted = searched(reranked, queries, [g[order] for g in gallery])
    assert np.abs(permuted - straight[:, order]).max() <= 1
    assert np.abs(straight[:, :4] - straight[:, 49:53]).max() <= 1


@pytest.mark.parametrize("name", SMALL)
def test_excluded_images_have_no_influence_on_queries(name):
    """A copy of the query that is excluded is not expanded with, nor walked from."""
    queries, gallery = [clustered(3, 1)], [clustered(40, 2)]
    far = [np.concatenate([gallery[0], -queries[0][:1]])]
    excluded = (Judgement(NOBODY, np.array([40])), *(Judgement(NOBODY, NOBODY),) * 2)
    judgements = Judgements(excluded, 41, 0)
    if name in ("average-qe", "alpha-qe"):  # the others look at the whole gallery, whoever asks
        near = [np.concatenate([gallery[0], queries[0][:1]])]
        found = [searched(SMALL[name].around(single), queries, g, judgements) for g in (far, near)]
        assert np.array_equal(found[0][0, :40], found[1][0, :40])
    ranking = summarise(SMALL[name].around(single)(queries, far, judgements), judgements)
    assert 40 not in ranking.neighbours[0]
    assert ranking.candidates.tolist() == [40, 41, 41]


@pytest.mark.parametrize("name", RERANKINGS)
def test_constant_vectors_score_chance(name):
    ones = [np.ones((24, 3), np.float32)]
    of = [Judgement(np.flatnonzero(np.arange(24) % 4 == q % 4), NOBODY) for q in range(24)]
    judgements = Judgements(tuple(of), 24, 0)
    reranked = RERANKINGS[name].around(single)
    found = mean_scores(summarise(reranked(ones, ones, judgements), judgements))
    for metric, value in chance(judgements).items():
        assert found[metric] == pytest.approx(value)


@pytest.mark.parametrize("name", RERANKINGS)
def test_a_query_in_which_nothing_was_found_scores_chance_beside_a_dense_class(name):
    rng = np.random.default_rng(0)
    dense = np.eye(16)[0] + 0.15 * rng.normal(size=(40, 16))
    gallery = np.vstack([dense, rng.normal(size=(160, 16))]).astype(np.float32)
    judgements = Judgements((Judgement(np.arange(40), np.empty(0, np.intp)),), 200, 0)
    found = RERANKINGS[name].around(single)([np.zeros((1, 16), np.float32)], [gallery], judgements)
    scored = mean_scores(summarise(found, judgements))
    assert scored["map"] == pytest.approx(chance(judgements)["map"])


@pytest.mark.parametrize("name", RERANKINGS)
@pytest.mark.parametrize("count", [1, 2, 7])
def test_small_galleries_and_zero_vectors_have_a_defined_result(name, count):
    gallery = clustered(count, 2)
    gallery[-1] = 0
    queries = clustered(3, 1)
    queries[0] = 0
    found = searched(RERANKINGS[name].around(single), [queries], [gallery])
    assert found.shape == (3, count)
    assert (found >= 0).all()


@pytest.mark.parametrize("name", RERANKINGS)
def test_an_excluded_only_image_leaves_nothing(name):
    judgements = Judgements((Judgement(NOBODY, np.array([0])),), 1, 1)
    blocks = RERANKINGS[name].around(single)([clustered(1, 1)], [clustered(1, 2)], judgements)
    assert summarise(blocks, judgements).neighbours.max() == -1


def precision(search, queries, gallery, labels):
    of = [Judgement(np.flatnonzero(labels[1] == label), NOBODY) for label in labels[0]]
    judgements = Judgements(tuple(of), len(labels[1]), 0)
    return average_precision(
        summarise(search([queries], [gallery], judgements), judgements)
    ).mean()


@pytest.mark.parametrize("name", [name for name in SMALL if name != "diffusion"])
def test_neighbourhoods_help_where_classes_are_clusters(name):
    queries, gallery = clustered(40, 1, dims=12, noise=1.0), clustered(200, 2, dims=12, noise=1.0)
    labels = np.arange(40) % 4, np.arange(200) % 4
    before = precision(single, queries, gallery, labels)
    assert precision(SMALL[name].around(single), queries, gallery, labels) > before + 0.02


def test_diffusion_keeps_ties_of_constant_vectors_without_the_query():
    vectors = [np.ones((60, 4), np.float32)]
    judged = Judgements(tuple(Judgement(NOBODY, np.array([row])) for row in range(60)), 60, 0)
    found = searched(Diffusion().around(single), vectors, vectors, judged)
    for row, distances in enumerate(found):
        assert len(set(np.delete(distances, row))) == 1


def test_diffusion_follows_manifolds():
    """Two interleaved arcs: the far end of one's own is farther than the other arc."""
    turn = np.linspace(0, np.pi, 60)
    arcs = [
        np.stack([np.cos(turn) + x, s * np.sin(turn) + y, np.full(60, 2.0)], axis=1)
        for x, y, s in ((0.0, 0.0, 1.0), (1.0, 0.4, -1.0))
    ]
    gallery = np.concatenate(arcs).astype(np.float32)
    labels = np.repeat([0, 1], 60)
    before = precision(single, gallery[::7], gallery, (labels[::7], labels))
    after = precision(Diffusion(k=4).around(single), gallery[::7], gallery, (labels[::7], labels))
    assert after > 0.97 > before + 0.1


def test_rerankings_stack():
    queries, gallery = [clustered(5, 1)], [clustered(30, 2)]
    stacked = SMALL["k-reciprocal"].around(SMALL["dba"].around(single))
    found = searched(stacked, queries, gallery)
    among = plain_distances(SMALL["dba"].around(single), gallery, gallery)
    to_gallery = plain_distances(SMALL["dba"].around(single), queries, gallery)
    slow = [slow_reciprocal(row, among, 6, 3, 0.3) for row in to_gallery]
    for distances, expected in zip(found, slow, strict=True):
        assert distances / STEPS == pytest.approx(graded([-d for d in expected]), abs=1e-6)


def test_a_memory_mapped_gallery_will_do(tmp_path):
    np.save(tmp_path / "gallery.npy", clustered(30, 2))
    mapped = np.load(tmp_path / "gallery.npy", mmap_mode="r")
    queries = clustered(4, 1)
    for reranking in SMALL.values():
        search = reranking.around(single)
        expected = searched(search, [queries], [clustered(30, 2)])
        assert np.array_equal(searched(search, [queries], [mapped]), expected)


@pytest.mark.parametrize("name", ["dba", "k-reciprocal", "diffusion"])
def test_a_gallery_is_looked_at_once_and_another_anew(setting, name):
    search, queries, gallery = setting
    looked_at = []

    def watched(asked, searched, judgements):
        looked_at.append(len(asked[0]))
        return search(asked, searched, judgements)

    reranked = SMALL[name].around(watched)
    other = [g[::-1].copy() for g in gallery]
    first = searched(reranked, queries, gallery)
    assert looked_at.count(40) in (1, 2)
    looked_at.clear()
    assert np.array_equal(searched(reranked, queries, list(gallery)), first)
    assert looked_at == [6]
    expected = searched(SMALL[name].around(search), queries, other)
    assert np.array_equal(searched(reranked, queries, other), expected)
    assert np.array_equal(searched(reranked, queries, gallery), first)


@pytest.mark.parametrize(
    "make",
    [
        lambda: QueryExpansion(first=0),
        lambda: DatabaseAugmentation(first=0),
        lambda: KReciprocal(k1=0),
        lambda: KReciprocal(weight=1.5),
        lambda: Diffusion(k=0),
        lambda: Diffusion(alpha=1.0),
    ],
)
def test_parameters_without_sense_are_refused(make):
    with pytest.raises(ValueError, match="must be"):
        make()


def test_the_reference_distances_are_one_for_right_angles():
    [block] = grid_distances(np.eye(2, dtype="f4")[:1], np.eye(2, dtype="f4"))
    assert (block.distances / STEPS).tolist() == [[0, 1]]
