"""Protocols that several public sets share."""

from collections.abc import Sequence

from datasets.protocols import Protocol, Published

MARGIN = "README of Confusezius/Deep-Metric-Learning-Baselines"
"""Source of numbers of networks that were trained on a set."""


def metric_learning(
    name: str,
    classes: str,
    images: int,
    first: Sequence[int],
    published: tuple[Published, ...] = (),
) -> Protocol:
    """The protocol of metric learning: images of classes never learned from ask each other.

    Parameters
    ----------
    name : str
        Of the set.
    classes : str
        The classes that ask and are searched, in words.
    images : int
        Number of their images.
    first : sequence of int
        The numbers k of its Recall@k.
    published : tuple of Published
        Numbers of others.
    """
    return Protocol(
        f"metric learning, {name}",
        f"every image of {classes}",
        f"all other images of {classes}",
        "images of the query's class",
        (*(f"top{k}" for k in first), "rprec", "mapr"),
        "Recall@k is the share of queries with a relevant image among the first k (top-k here); "
        "mAP@R divides by R; means over all queries",
        "Oh Song et al. 2016, doi:10.1109/CVPR.2016.434",
        images,
        images,
        "the query itself",
        published=published,
    )


def leave_one_out(name: str, images: int) -> Protocol:
    """Every image asks all others; of sets that have no protocol of retrieval.

    Parameters
    ----------
    name : str
        Of the set.
    images : int
        Number of its images.
    """
    return Protocol(
        f"leave-one-out, {name} (no published one for retrieval)",
        "every image",
        "all other images",
        "images of the query's class",
        ("map", "top1", "p10"),
        "AP divides by all relevant images; means over all queries",
        "this suite",
        images,
        images,
        "the query itself",
    )
