"""Pictures that several parts have: byte for byte, or to the pixel in other bytes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from datasets.folder_names import listed
from datasets.task import Image, Problem


def second_copies(
    gallery: Sequence[Image], queries: Mapping[str, Sequence[Image]]
) -> Iterator[str]:
    """Warnings about queries that the gallery has twice: only one is the query itself."""
    copies: dict[str, list[Image]] = defaultdict(list)
    for image in gallery:
        copies[image.sha256].append(image)
    for name, images in queries.items():
        doubled = [image for image in images if len(copies[image.sha256]) > 1]
        wrong = [
            image
            for image in doubled
            if image.labels and not all(image.labels & one.labels for one in copies[image.sha256])
        ]
        for several, what in ((len(doubled) - len(wrong), "a find"), (len(wrong), "wrong")):
            if several:
                yield (
                    f"{name}: {several:,} queries have a second copy in the gallery, which counts "
                    f"as {what}"
                )


def same_pixels(
    parts: Mapping[str, Sequence[Image]],
    queries: Mapping[str, Sequence[Image]],
    pixels: Mapping[str, str],
) -> Iterator[str]:
    """Warn of queries that are there in other bytes, saved anew or with other metadata.

    Parameters
    ----------
    parts : mapping of str to sequence of Image
        Part to its images, which are searched or learned from.
    queries : mapping of str to sequence of Image
        Query set to its images.
    pixels : mapping of str to str
        Id to a hash of an image's pixels.
    """
    for part, there in parts.items():
        files: dict[str, list[Image]] = defaultdict(list)
        for image in there:
            files[pixels[image.id]].append(image)
        for name, images in queries.items():
            copies = {
                image.id: other.id
                for image in images
                for other in files[pixels[image.id]]
                if other.sha256 != image.sha256
                and (image.group is None or image.group != other.group)
            }
            if copies:
                yield (
                    f"{name}: {len(copies):,} queries are in {part} once more, equal to the pixel "
                    f"if not in bytes, as {listed([*min(copies.items())])}; remove one"
                )


def without_copies(
    training: tuple[Image, ...],
    gallery: tuple[Image, ...],
    queries: Mapping[str, tuple[Image, ...]],
) -> tuple[tuple[Image, ...], list[Problem]]:
    """Training images without those that are also searched or asked, byte for byte."""
    used = {image.sha256: image.id for part in (gallery, *queries.values()) for image in part}
    kept = tuple(image for image in training if image.sha256 not in used)
    problems = [
        Problem(image.id, f"same bytes as {used[image.sha256]}", "left out of training")
        for image in training
        if image.sha256 in used
    ]
    return kept, problems


def equal_bytes(*parts: tuple[Image, ...]) -> list[Problem]:
    """A row for each image that another file is byte for byte."""
    problems = []
    first: dict[str, Image] = {}
    for images in parts:
        for image in images:
            other = first.setdefault(image.sha256, image)
            if (other.path, other.box) != (image.path, image.box):
                what = f"same bytes as {other.id}"
                if other.label != image.label:
                    what += " in another class (a table can say that both are right)"
                problems.append(Problem(image.id, what, "kept"))
    return problems
