"""Near duplicates within and across the parts of a dataset, and what they are worth."""

from pathlib import Path

from benchmarks.formats.files import Json, read_json, write_text
from benchmarks.formats.markdown import escape, markdown
from benchmarks.report.tables import share
from datasets.perceptual import BITS
from retrieval.metrics import METRICS

FILE = "leaks.json"

_SHOWN = 25


def write_leaks(folder: Path) -> None:
    """Write ``leaks.md`` from ``leaks.json``, where an audit left one."""
    found = read_json(folder / FILE)
    if found is None:
        return None
    tiers = [
        f"at least {least} if at most {most} bits differ" if most < BITS else f"at least {least}"
        for most, least in found["rule"]["tiers"]
    ]
    text = f"# {escape(found['dataset'])}: near duplicates\n\n"
    text += (
        f"{found['images']} images compared. Near duplicates: equal bytes; or a cosine of the "
        f"{found['embedding']} embeddings of {', or '.join(tiers)} of the {BITS} of their "
        "perceptual hashes (pHash, mirrored too).\n"
    )
    if not found["counts"]:
        return write_text(folder / "leaks.md", text + "\nNone found.\n")
    cells = [[parts, str(count)] for parts, count in found["counts"].items()]
    text += "\n" + markdown(["parts", "pairs"], cells) + _score_section(found)
    text += (
        "\n## Pairs\n\nThose of queries with the gallery first, then with training images. Line "
        "art looks much alike to such networks: pairs of sketches are candidates, no proof.\n\n"
    )
    cells = [_pair_cells(pair) for pair in found["pairs"][:_SHOWN]]
    text += markdown(["image", "other image", "bits", "cosine", "classes"], cells)
    more = sum(found["counts"].values()) - min(_SHOWN, len(found["pairs"]))
    if more > 0:
        text += f"\n{more} more; the first {len(found['pairs'])} are in {FILE}.\n"
    if (folder / "leaks.png").exists():
        text += "\n![](leaks.png)\n"
    return write_text(folder / "leaks.md", text)


def _pair_cells(pair: Json) -> list[str]:
    same = pair["label"] == pair["other label"]
    classes = pair["label"] if same else f"{pair['label']} / {pair['other label']}"
    bits = "equal bytes" if pair["exact"] else str(pair["bits"])
    names = [f"{pair['part']}: {pair['id']}", f"{pair['other part']}: {pair['other id']}"]
    return [*names, bits, f"{pair['cosine']:.3f}", classes]


def _score_section(found: Json) -> str:
    text = "\n## What they are worth\n"
    if not any(found["scores"].values()):
        return text + "\nNo query has a near duplicate in the gallery: no score depends on one.\n"
    for query_set, rows in found["scores"].items():
        if not rows:
            continue
        text += (
            f"\n{query_set}: {found['queries'][query_set]} queries have near duplicates in the "
            "gallery. Without: those are neither right nor wrong. Scores are of the queries that "
            "have a right image left, so the first can differ from the table's.\n\n"
        )
        headings, cells = ["extractor"], []
        for metric in ("top1", "map"):
            label = METRICS[metric].label
            headings += [label, f"{label} without", "change"]
        for name, row in rows.items():
            line = [name]
            for metric in ("top1", "map"):
                one = row[metric]
                ends = f"({one['low']:+.3f} to {one['high']:+.3f})"
                line += [share(one["with"]), share(one["without"]), f"{one['change']:+.3f} {ends}"]
            cells.append(line)
        text += markdown(headings, cells)
    return text
