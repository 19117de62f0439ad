"""Numbers of others, to be read beside ours: published, or of the project that this one redoes.

None of them was measured here, and none is in a table with measured rows.
"""

from pathlib import Path

from benchmarks.formats.markdown import markdown

_ORIGINAL = (
    ("its own test", "ResNet152, fine-tuned", ".938", ".953", ".955", ".960"),
    ("its own test", "CNN from scratch", ".170", ".398", ".510", ".637"),
    ("its competition", "ResNet152, fine-tuned", ".292", "–", ".631", ".723"),
    ("its competition", "CNN from scratch", ".677", "–", ".769", ".815"),
)

_PUBLISHED = (
    (
        "ResNet152, ImageNet → ImageNet-Sketch, top-1 of classification",
        ".783 → .286",
        "Wang et al. (2019), NeurIPS, doi:10.48550/arXiv.1905.13549",
    ),
    (
        "VGG16, ImageNet → ImageNet-Sketch, top-1 of classification",
        ".716 → .175",
        "Wang et al. (2019), as above",
    ),
    (
        "16 classes of edge drawings: people; AlexNet; ResNet50",
        ".87; .40; .18",
        "Geirhos et al. (2019), ICLR, doi:10.48550/arXiv.1811.12231",
    ),
)


def context(out: Path) -> str:
    """The section of a page in a results folder, in Markdown."""
    ours = Path("original-protocol", "summary.md")
    name = (
        f"[original-protocol]({ours.as_posix()})" if (out / ours).exists() else "original-protocol"
    )
    original = markdown(["", "", "top-1", "top-3", "top-5", "top-10"], _ORIGINAL)
    published = markdown(["published", "score", "source"], _PUBLISHED)
    return f"""
## Numbers of others, not run here

The competition entry that this suite redoes reported:

{original}
These are not comparable with ours, for four reasons. *Its own test* had 600 queries, which were
100 pictures and five augmented copies of each, in a gallery of 800 pictures and their copies
(4,800): a query's copies are queries as well, so there were 100 independent questions, not 600.
{name} has our animals with such copies in gallery and queries, by other
rows and with confusion images (`benchmarks.run --original-protocol`). *Its features*: the network
was trained on raw pixels and asked with ImageNet preprocessing; here one object does both. *Its
competition* had 65 queries, some of them sketches, and 5,335 confusion images in a gallery of
6,355, which is where the order of the two networks turned around. *Its pictures* are not ours.

{published}"""
