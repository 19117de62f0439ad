"""The list of a dataset's images, and the hash that tells whether it was edited."""

import hashlib

from benchmarks.formats.markdown import to_csv
from datasets.task import Dataset


def hash_of_list(content: bytes) -> str:
    """SHA-256 of a list of images, in hex, the same for all ways to end a line."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def list_of_images(dataset: Dataset) -> str:
    """Content of ``images.csv``: every image of a dataset, in the order of its parts."""
    header = ["part", "id", "label", "is_distractor", "distractor", "sha256"]
    further = any(image.further or image.group for _, image in dataset.images)
    images = [
        (
            *(part, i.id, i.label, "no" if i.distractor is None else "yes"),
            *(i.distractor, i.sha256, *["|".join(i.further), i.group] * further),
        )
        for part, i in dataset.images
    ]
    header += ["further_labels", "group"] * further
    return to_csv(header, images)
