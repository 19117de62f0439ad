"""Records of a run: of each dataset a description, of each method a record and its ranking.

::

    <out>/<dataset>/dataset.json                              what was searched
    <out>/<dataset>/images.csv, problems.csv                  its images, and problems of some
    <out>/<dataset>/training/<extractor>.csv                  loss and accuracy of every epoch
    <out>/<dataset>/records/<query set>/<method>.json         scores, counts, protocol card
    <out>/<dataset>/records/<query set>/<method>.npz          the ranking
    <out>/<dataset>/records/<query set>/<method>.costs.json   seconds and milliseconds

Records and rankings are equal, byte for byte, from run to run; costs are measurements.
"""

import hashlib
import json
import logging
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import msgspec

from benchmarks.formats.files import (
    DAMAGED,
    Json,
    T,
    entries,
    read_checked,
    with_checksum,
    without_checksum,
    write_checked,
    write_whole,
)
from benchmarks.pipeline.records.archive import Packed, packed_names, read_packed
from benchmarks.pipeline.records.schema import ANY_RECORD
from datasets.errors import DamagedError
from datasets.file_names import FileName
from datasets.json_files import check_json, parse_json_as, read_json_as
from retrieval.metrics import mean_scores
from retrieval.ranking import Ranking

DESCRIPTION = "dataset.json"
IMAGES = "images.csv"
PROBLEMS = "problems.csv"

RECORDS = "records"
PLOTS = "plots"

_RANKING = "ranking sha256"
"""Field of a record with the hash of its ranking's file."""

_AGAIN = "damaged: it counts as absent, and the next run of the method makes it anew"

log = logging.getLogger(__name__)

PHOTOS = "query"
"""The query set of pictures like the gallery's; others are ``query-<name>``."""


class Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Scores that others published, by metric, and where."""

    method: str
    scores: dict[str, float]
    source: str


class Followed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published protocol that a query set follows.

    Attributes
    ----------
    name : str
        Its name.
    metrics : list of str
        Names of its metrics, the headline first.
    denominators : str
        By what they are divided, and over what their means are.
    differences : list of str
        What the run differs in.
    published : list of Number
        Numbers of others, not run here.
    """

    name: str
    metrics: list[str]
    denominators: str
    differences: list[str]
    published: list[Number] = []


class Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A dataset, as its tables need it.

    Attributes
    ----------
    name, licence, split, split_hash : str
        Its name and terms, the rule by which it is split, and the hash of its content.
    query_sets : list of str
        Names of the query sets.
    labelled : bool
        Whether there are right answers.
    problems : list of tuple of str
        Image, problem and outcome of each.
    layout, warnings : list of str
        What was understood of its folder, and what makes scores doubtful.
    protocols : dict of str to Followed
        By query set, where it follows a published protocol.
    images_hash : str
        That of the list of images, see
        `benchmarks.pipeline.records.images.hash_of_list`; empty in results of former versions.
    task_hashes : dict of str to str
        Hash of the content without other query sets, by query set; empty in such results.
    folders : dict of str to str
        Part to the folder of its images, see `datasets.task.Dataset`.
    """

    name: str
    licence: str
    split: str
    split_hash: str
    query_sets: list[FileName]
    labelled: bool
    problems: list[tuple[str, str, str]]
    layout: list[str] = []
    warnings: list[str] = []
    protocols: dict[str, Followed] = {}
    images_hash: str = ""
    task_hashes: dict[str, str] = {}
    folders: dict[str, str] = {}

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a dataset's description from its results folder.

        Raises
        ------
        DamagedError
            If it is missing or something else.
        """
        path = folder / DESCRIPTION
        about = read_json_as(path, cls, DAMAGED)
        if about is None:
            raise DamagedError(f"{path}: no such file; run again")
        return about

    def covers(self, record: Json, query_set: str) -> bool:
        """Whether a record is of a query set's pictures, whatever other sets lay beside them."""
        task_hash = self.task_hashes.get(query_set)
        return query_set in self.query_sets and is_of(record, self.split_hash, task_hash)


def is_of(record: Json, split_hash: str, task_hash: str | None) -> bool:
    """Whether a record is of a task: of its split, or of the same pictures without other sets.

    What other query sets are like decides only how `+centred` methods learn.
    """
    card = record["card"]
    if task_hash is None or "+centred" in record["method"]:
        return bool(card["split hash"] == split_hash)
    return card["split hash"] == split_hash or card.get("task hash") == task_hash


@dataclass(frozen=True)
class RecordPath:
    """The files of a method's record on a task.

    Attributes
    ----------
    folder : Path
        ``<out>/<dataset>/records/<query set>``.
    method : str
        The method's name.
    """

    folder: Path
    method: str

    def file(self, ending: str) -> Path:
        """One of the record's files."""
        return self.folder / f"{self.method}{ending}"

    def read(self) -> Json | None:
        """The record, or None if there is none, or a damaged one, which is then made again.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        path = self.file(".json")
        try:
            record = read_record(path, _AGAIN)
            if record and record["method"] != self.method:
                raise DamagedError(f"{path}: is the record of {record['method']}; {_AGAIN}")
            asked = record["card"].get("query set") if record else None
            if asked not in (None, self.folder.name):
                raise DamagedError(f"{path}: is a record of the query set {asked}; {_AGAIN}")
        except DamagedError as error:
            say_once(str(error))
            return None
        return record

    def read_costs(self) -> dict[str, float | None] | None:
        """Costs of the method; None if there are none, or damaged ones."""
        try:
            return _read_checked(self.file(".costs.json"), dict[str, float | None], _AGAIN)
        except DamagedError as error:
            say_once(str(error))
            return None

    def read_ranking(self, record: Json) -> Ranking | None:
        """The ranking that a record is about; None if it is damaged or another's.

        Parameters
        ----------
        record : dict
            The record, with numbers.
        """
        path = self.file(".npz")
        try:
            packed = None if path.exists() else _read_packed(path)
            ranking = Ranking.from_compact(*packed) if packed else Ranking.load(path)
        except ValueError as error:
            say_once(f"{error}; {_AGAIN}")
            return None
        content = packed.content if packed else path.read_bytes()
        if not _agrees(record, ranking, content):
            place = packed.place if packed else path
            say_once(f"{place}: is not the ranking of its record; {_AGAIN}")
            return None
        return ranking

    def read_packable(self) -> dict[str, bytes]:
        """The record's files as members of an archive, see `benchmarks.pipeline.records.archive`.

        Returns
        -------
        dict of str to bytes
            Ending to content; without a ranking where there are no numbers, empty where there is
            no record or a damaged one.
        """
        record = self.read()
        ranking = self.read_ranking(record) if record and record["status"] == "ok" else None
        if record is None or (ranking is None and record["status"] == "ok"):
            return {}
        made = {} if ranking is None else {".npz": ranking.to_compact()}
        if ranking is not None:
            record |= {_RANKING: hashlib.sha256(made[".npz"]).hexdigest()}
        if costs := self.read_costs():
            made[".costs.json"] = _packable(costs)
        return made | {".json": _packable(record)}

    def is_finished(self, key: str) -> bool:
        """Whether the record of exactly this work is there, whole."""
        record = self.read()
        if record is None or record.get("key") != key or self.read_costs() is None:
            return False
        return self.read_ranking(record) is not None

    def write(self, record: Json, ranking: Ranking, costs: Json) -> None:
        """Write all three files, the record last."""
        write_whole(self.file(".npz"), ranking.save, lasting=True)
        self.write_costs(costs)
        write_checked(self.file(".json"), record | {_RANKING: _sha256(self.file(".npz"))})

    def write_costs(self, costs: Json) -> None:
        """Write the method's costs."""
        write_checked(self.file(".costs.json"), costs)

    def write_absence(self, record: Json) -> None:
        """Write the record of a method without numbers, and remove what an older run left."""
        for ending in (".npz", ".costs.json"):
            self.file(ending).unlink(missing_ok=True)
        write_checked(self.file(".json"), record)


def _agrees(record: Json, ranking: Ranking, content: bytes) -> bool:
    """Whether a ranking is that of a record, and has its scores; an old one has no hash."""
    if record.get(_RANKING, found := hashlib.sha256(content).hexdigest()) != found:
        return False
    scores = mean_scores(ranking)
    noted = [(scores.get(name, value), value) for name, value in record.get("scores", {}).items()]
    return all(math.isclose(one or 0, other) for one, other in noted if other is not None)


def _packable(content: Json) -> bytes:
    text = json.dumps(with_checksum(content), ensure_ascii=False, sort_keys=True)
    return text.encode()


def _read_packed(path: Path) -> Packed | None:
    """Read what an archive has for one of a record's files."""
    parts = path.absolute().parts
    return read_packed(Path(*parts[:-3]), "/".join(parts[-3:])) if len(parts) > 3 else None


def _read_checked(path: Path, kind: type[T], remedy: str) -> T | None:
    """Read one of a record's files, or what an archive has for it; see `read_checked`."""
    found = read_checked(path, kind, remedy)
    packed = _read_packed(path) if found is None else None
    if packed is None:
        return found
    content = parse_json_as(packed.content, Json, packed.place, remedy)
    return without_checksum(content, kind, packed.place, remedy)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def say_once(message: str) -> None:
    """Warn of something that is met wherever a record is read."""
    log.warning("%s", message)


def record_paths(folder: Path, query_set: str) -> list[RecordPath]:
    """Records of a query set, in order of their files, as these or in an archive.

    Parameters
    ----------
    folder : Path
        ``<out>/<dataset>``.
    query_set : str
        Its name.
    """
    place = folder / RECORDS / query_set
    names = {path.name for path in entries(place, "*.json")}
    names |= set(packed_names(folder, f"{RECORDS}/{query_set}"))
    records = (name for name in sorted(names) if name.endswith(".json"))
    return [
        RecordPath(place, name.removesuffix(".json"))
        for name in records
        if not name.endswith(".costs.json")
    ]


def read_record(path: Path, remedy: str = DAMAGED) -> Json | None:
    """Read a record, or None if there is no such file.

    Parameters
    ----------
    path : Path
        The file.
    remedy : str
        What to do about a file that is no record, to end the message with.

    Raises
    ------
    DamagedError
        If the file is no record; names the place.
    InputError
        If it cannot be read.
    """
    record = _read_checked(path, Json, remedy)
    if record is None:
        return None
    check_json(record, ANY_RECORD, str(path), remedy)
    return record
