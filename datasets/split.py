"""The seeded, content-hashed split of folders that have classes only."""

import hashlib
from collections.abc import Iterable, Mapping

QUERY_SHARE = 0.2
TRAINING_SHARE = 0.3
HELD_OUT_RULE = f"by content hash within each class: {QUERY_SHARE:.0%} query, the rest gallery"
RULE = (
    f"by content hash within each class: {QUERY_SHARE:.0%} query, "
    f"{TRAINING_SHARE:.0%} training, the rest gallery"
)


def split_by_content(
    classes: Mapping[str, Iterable[str]], seed: int, training_share: float = TRAINING_SHARE
) -> dict[str, str]:
    """Deal the images of each class out to query, training and gallery.

    The images of a class are ordered by the hash of seed and content; the first fifth are
    queries, the next three tenths training, the rest gallery. File names and their order have
    no influence, and copies of one image always stay together, so no query finds its own
    copy in training or gallery.

    Parameters
    ----------
    classes : mapping of str to iterable of str
        Class name to content hashes of its images.
    seed : int
        Another seed gives another split.
    training_share : float
        Share of the training images; 0 where there are others.

    Returns
    -------
    dict of str to str
        Content hash to ``"query"``, ``"training"`` or ``"gallery"``. A class of one image
        goes to the gallery (nothing could be found for it), one of two has no training.
    """
    parts: dict[str, str] = {}
    for name in sorted(classes):
        # An image that stands in two classes keeps the part that the first one gave it.
        own = {content for content in classes[name] if content not in parts}
        ordered = sorted(own, key=lambda content: _position(seed, content))
        count = len(ordered)
        queries = max(1, round(QUERY_SHARE * count)) if count > 1 else 0
        training = max(0, min(round(training_share * count), count - queries - 1))
        for index, content in enumerate(ordered):
            if index < queries:
                parts[content] = "query"
            elif index < queries + training:
                parts[content] = "training"
            else:
                parts[content] = "gallery"
    return parts


def _position(seed: int, content: str) -> str:
    return hashlib.sha256(f"{seed}:{content}".encode()).hexdigest()
