"""Small results made by hand, so that it is known who is right about which query."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pictures import fill

from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.records.card import machine
from benchmarks.pipeline.records.description import write_description
from benchmarks.pipeline.records.record import RecordPath
from benchmarks.pipeline.workers import Workforce
from datasets.task import Dataset, Image, Task
from retrieval.knn import Block
from retrieval.metrics import chance
from retrieval.protocol import judge
from retrieval.ranking import summarise

QUIET = Workforce(quiet=True)

NETWORK = {
    "network": {"keras": "3"},
    "head": {"class": "x.networks.pretrained.Pretrained"},
    "family": "network",
}
COLOUR = {"head": {"class": "x.hand_crafted.colour.ColourHistogram"}, "family": "colour"}
TEXTURE = {"head": {"class": "x.hand_crafted.texture.LocalBinaryPattern"}, "family": "texture"}
JOINT = "lbp+net+densenet169-finetuned+combsum-zscore"
ROWS = {
    "rgb": (COLOUR, 2048, "wrwrwr"),
    "lbp": (TEXTURE, 40, "wwwrdw"),
    "net": (NETWORK, 5120, "rwwrrr"),
    "net+qe": ({"extractors": {"net": NETWORK}, "steps": []}, 5120, "rwwrrr"),
    JOINT: ({"extractors": {"lbp": TEXTURE, "net": NETWORK}, "steps": []}, 5160, "rwwrrr"),
}
"""Method to its card, bytes and what comes first for each query: right, wrong or a distractor."""


def fill_parted(root: Path, classes: Sequence[str] = ("apple", "berry"), seed: int = 0) -> Path:
    """Two classes, three distractors, six queries and four sketches."""
    for number, name in enumerate(classes):
        fill(root / "training" / name, 2, seed + 10 + number, number)
        fill(root / "validation" / "gallery" / name, 6, seed + 20 + number, number)
        fill(root / "validation" / "query" / name, 3, seed + 30 + number, number)
        fill(root / "validation" / "query-sketch" / name, 2, seed + 40 + number, number)
    fill(root / "validation" / "gallery" / "distractor" / "cherry", 3, seed + 50, 2)
    return root


def fabricate(out: Path, text: str, cache: Path) -> Dataset:
    """Write the results of `ROWS`, and of a method that was skipped, on a dataset."""
    dataset = load(text, cache, QUIET)
    write_description(out, dataset)
    for task in dataset.tasks:
        folder = out / dataset.name / "records" / task.query_set
        for number, (name, (parts, size, tops)) in enumerate(ROWS.items()):
            record = _record(task, name, parts) | {"dimensions": size // 4}
            record |= {"bytes_per_image": size, "note": "few epochs: too few" * (name == "net")}
            costs = {"fit_seconds": 0.5, "extraction_ms": 1.5 * number, "search_ms": 0.25}
            RecordPath(folder, name).write(record, _ranking(task, tops), costs)
        absent = _record(task, "gone", NETWORK) | {"status": "skipped", "reason": "no weights"}
        RecordPath(folder, "gone").write_absence(absent)
    return dataset


def _record(task: Task, method: str, parts: dict) -> dict:
    judgements = judge(task.queries, task.dataset.gallery, {})
    counts = {
        "queries": len(task.queries),
        "queries scored": len(task.queries),
        "queries left out": 0,
        "queries found in gallery": 0,
        "gallery images": len(task.dataset.gallery),
        "distractors": 3,
        "training images": len(task.dataset.training),
        "zero vectors": 0,
    }
    card = {"extractor": parts, "split hash": task.dataset.fingerprint, "seed": 0}
    card |= {"machine": machine(), "commit": "none", "python": "3"}
    return {
        "method": method,
        "status": "ok",
        "card": card,
        "counts": counts,
        "chance": chance(judgements),
    }


def _ranking(task: Task, tops: str):
    judged = zip(task.queries, tops[: len(task.queries)], strict=True)
    distances = np.stack([_order(task.dataset.gallery, query, top) for query, top in judged])
    judgements = judge(task.queries, task.dataset.gallery, {})
    return summarise([Block(0, distances)], judgements)


def _order(gallery: tuple[Image, ...], query: Image, top: str) -> np.ndarray:
    """Distances: an image of the wanted sort, then all others as they are listed."""
    sorts: dict[str, Callable[[Image], bool]] = {
        "r": lambda image: image.label == query.label,
        "w": lambda image: image.label not in (query.label, None),
        "d": lambda image: image.distractor is not None,
    }
    first = next(n for n, image in enumerate(gallery) if sorts[top](image))
    distances = np.arange(1, len(gallery) + 1, dtype=np.int32)
    distances[first] = 0
    return distances
