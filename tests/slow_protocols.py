"""Published protocols written anew from their definitions: slow, plain, and free of the suite.

Distances are lists, one for each query, in order of the gallery; no two of them are equal.
"""


def order(distances, without=()):
    """Gallery indices by distance."""
    return [
        g for g in sorted(range(len(distances)), key=distances.__getitem__) if g not in without
    ]


def revisited(distances, truth, level, cuts=(1, 5, 10)):
    """Revisited Oxford and Paris: mAP and mP@k over queries with a relevant image.

    Junk is taken out by lowering the rank of what stands behind it. The precision just before
    an image and just at it are averaged; mP@k ends at the last relevant image.
    """
    wanted = {"easy": ["easy"], "medium": ["easy", "hard"], "hard": ["hard"]}[level]
    junk = {"easy": ["junk", "hard"], "medium": ["junk"], "hard": ["junk", "easy"]}[level]
    precisions, at = [], {k: [] for k in cuts}
    for row, judged in zip(distances, truth, strict=True):
        relevant = {index for name in wanted for index in judged[name]}
        ignored = {index for name in junk for index in judged[name]}
        if not relevant:
            continue
        ranks, passed = [], 0
        for rank, index in enumerate(order(row)):
            if index in ignored:
                passed += 1
            elif index in relevant:
                ranks.append(rank - passed)
        total = 0.0
        for found, rank in enumerate(ranks):
            before = 1.0 if rank == 0 else found / rank
            total += (before + (found + 1) / (rank + 1)) / 2
        precisions.append(total / len(relevant))
        for k in cuts:
            least = min(max(ranks) + 1, k)
            at[k].append(sum(rank + 1 <= least for rank in ranks) / least)
    return mean(precisions), {k: mean(values) for k, values in at.items()}


def holidays(distances, numbers):
    """INRIA Holidays: the first of each group asks; itself is taken out of its ranking."""
    values = []
    for number, row in distances.items():
        mine = [g for g, other in enumerate(numbers) if other // 100 == number // 100]
        ranks = [
            rank for rank, g in enumerate(order(row, without={numbers.index(number)})) if g in mine
        ]
        total = 0.0
        for found, rank in enumerate(ranks):
            before = 1.0 if rank == 0 else found / rank
            total += (before + (found + 1) / (rank + 1)) / 2
        values.append(total / (len(mine) - 1))
    return mean(values)


def ukbench(distances, objects):
    """N-S score: pictures of the query's object among the first four, itself included."""
    return mean(
        [sum(objects[g] == objects[q] for g in order(row)[:4]) for q, row in enumerate(distances)]
    )


def gpr1200(distances, categories):
    """Average precision by steps over the whole ranking, the query in it, over all relevant."""
    values = []
    for q, row in enumerate(distances):
        found, total = 0, 0.0
        for rank, g in enumerate(order(row), 1):
            if categories[g] == categories[q]:
                found += 1
                total += found / rank
        values.append(total / found)
    return mean(values)


def metric_learning(distances, classes, cuts):
    """Recall@k, R-precision and mAP@R of metric learning: each image asks all others."""
    recall = {k: [] for k in cuts}
    r_precision, map_at_r = [], []
    for q, row in enumerate(distances):
        right = [classes[g] == classes[q] for g in order(row, without={q})]
        for k in cuts:
            recall[k].append(float(any(right[:k])))
        size = sum(right)
        r_precision.append(sum(right[:size]) / size)
        steps = [sum(right[: i + 1]) / (i + 1) for i in range(size) if right[i]]
        map_at_r.append(sum(steps) / size)
    return {k: mean(values) for k, values in recall.items()}, mean(r_precision), mean(map_at_r)


def recall_between(distances, asked, searched, cuts):
    """Recall@k of In-shop: queries and gallery are different pictures of the same items."""
    return {
        k: mean(
            [
                float(any(searched[g] == item for g in order(row)[:k]))
                for row, item in zip(distances, asked, strict=True)
            ]
        )
        for k in cuts
    }


def zero_shot(distances, asked, searched, cut):
    """Sketches ask photographs: mAP over all, mAP@k over min(R, k), and P@k."""
    whole, early, precision = [], [], []
    for row, label in zip(distances, asked, strict=True):
        right = [searched[g] == label for g in order(row)]
        steps = [sum(right[: i + 1]) / (i + 1) if r else 0 for i, r in enumerate(right)]
        whole.append(sum(steps) / sum(right))
        early.append(sum(steps[:cut]) / min(sum(right), cut))
        precision.append(sum(right[:cut]) / cut)
    return mean(whole), mean(early), mean(precision)


def mean(values):
    return sum(values) / len(values)
