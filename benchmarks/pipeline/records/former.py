"""Records that were published when their fields had other names, read in today's."""

from benchmarks.formats.files import Json

_FORMER_PROTOCOL = "f3235fa9f441b188e2e6e14b25d250e7dfdd809b3a0691e797ba051e33bc4f5e"
"""Hash of the code of ``protocol 1``, by which records named it before versions were declared."""

_FORMER_FAMILIES = {
    "colour": "colour",
    "texture": "texture",
    "shape": "shape",
    "gist": "shape",
}
"""Module of an extractor's class to its family, for records that do not name the family."""


def in_todays_words(record: Json) -> Json:
    """Read a record that was written when its fields had other names.

    A *method* was called row, *distractors* were called confusion images, and neither the
    protocol's version nor an extractor's family was named.
    """
    if "method" in record:
        return record
    card = dict(record["card"])
    if card.pop("protocol code", None) == _FORMER_PROTOCOL:
        card["protocol version"] = "protocol 1"
    card["extractor"] = _with_family(card["extractor"])
    counts = {
        {
            "confusion images": "distractors",
            "images without key points": "images without keypoints",
        }.get(name, name): count
        for name, count in record.get("counts", {}).items()
    }
    same = {key: value for key, value in record.items() if key not in ("row", "counts")}
    made = same | {"method": record["row"], "card": card}
    if "key points per gallery image" in made:
        made["keypoints per gallery image"] = made.pop("key points per gallery image")
    return made | ({"counts": counts} if counts else {})


def _with_family(extractor: Json) -> Json:
    if "rows" in extractor:
        same = {key: value for key, value in extractor.items() if key != "rows"}
        members = extractor["rows"].items()
        return same | {"extractors": {name: _with_family(part) for name, part in members}}
    if "network" in extractor:
        family = "network"
    elif "detector" in extractor:
        family = "local"
    else:
        module = f".{extractor.get('head', {}).get('class', '')}".split(".")[-2]
        family = _FORMER_FAMILIES.get(module, "other")
    return extractor | {"family": family}
