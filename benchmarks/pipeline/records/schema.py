"""Fields that a record must have."""

from typing import Any

import msgspec

from benchmarks.formats.files import Json
from datasets.file_names import FileName


def _spaced(name: str) -> str:
    return name.replace("_", " ")


class _Head(msgspec.Struct, frozen=True):
    class_: str = msgspec.field(name="class", default="")


class _Steps(msgspec.Struct, frozen=True):
    steps: list[tuple[str, Any]] = []


class _Postprocessing(msgspec.Struct, frozen=True):
    params: _Steps = _Steps()


class _Extractor(msgspec.Struct):
    family: str = ""
    head: _Head = _Head()
    network: Json = {}
    reading: Json = {}
    postprocessing: _Postprocessing | None = None
    extractors: dict[str, "_Extractor"] = {}


class _Machine(msgspec.Struct):
    processor: str
    system: str
    cores: int | None
    blas: str = ""


class _Card(msgspec.Struct, rename=_spaced):
    split_hash: str
    extractor: _Extractor
    seed: int
    python: str
    machine: _Machine


class _Counts(msgspec.Struct, rename=_spaced):
    training_images: int
    gallery_images: int
    queries: int
    queries_scored: int
    queries_left_out: int
    queries_found_in_gallery: int
    zero_vectors: int


class _Record(msgspec.Struct, tag_field="status"):
    method: FileName
    card: _Card


class _Numbers(_Record, tag="ok"):
    chance: dict[str, float | None]
    counts: _Counts
    dimensions: int
    bytes_per_image: int
    scores: dict[str, float | None] = {}
    note: str = ""
    learned: Json = {}
    verification: dict[str, float | None] = {}


class _Skipped(_Record, tag="skipped"):
    reason: str


class _Failed(_Skipped, tag="failed"):
    pass


ANY_RECORD: Any = _Numbers | _Skipped | _Failed
"""Fields that a record of any age has; it may have more."""
