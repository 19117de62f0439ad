"""What is kept of a row on a task: a record, its ranking, its costs.

::

    <out>/<dataset>/records/<query set>/<row>.json         scores, counts, protocol card
    <out>/<dataset>/records/<query set>/<row>.npz          the ranking
    <out>/<dataset>/records/<query set>/<row>.costs.json   seconds and milliseconds

Records and rankings are equal, byte for byte, from run to run; costs are measurements.
"""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.files import Json, read_json, write_json, write_whole
from retrieval.ranking import Ranking


@dataclass(frozen=True)
class RecordPlace:
    """Where the record of a row on a task lies.

    Attributes
    ----------
    folder : Path
        ``<out>/<dataset>/records/<query set>``.
    row : str
        The row's name.
    """

    folder: Path
    row: str

    def path(self, ending: str) -> Path:
        """One of the record's files."""
        return self.folder / f"{self.row}{ending}"

    def read(self) -> Json | None:
        """The record, or None if there is none."""
        return read_json(self.path(".json"))

    def is_finished(self, key: str) -> bool:
        """Whether the record of exactly this work is there, whole."""
        record = self.read()
        if record is None or record.get("key") != key:
            return False
        return self.path(".npz").exists() and self.path(".costs.json").exists()

    def write(self, record: Json, ranking: Ranking, costs: Json) -> None:
        """Write all three files, the record last."""
        write_whole(self.path(".npz"), ranking.save)
        write_json(self.path(".costs.json"), costs)
        write_json(self.path(".json"), record)

    def write_absence(self, record: Json) -> None:
        """Write the record of a row that gave no numbers, and remove what an older run left."""
        for ending in (".npz", ".costs.json"):
            self.path(ending).unlink(missing_ok=True)
        write_json(self.path(".json"), record)


def read_records(folder: Path, split_hash: str) -> list[Json]:
    """All records of a task that belong to this split, each with its costs, by row name."""
    records = []
    for path in sorted(folder.glob("*.json")):
        if path.name.endswith(".costs.json"):
            continue
        record = read_json(path)
        if record and record.get("card", {}).get("split hash") == split_hash:
            place = RecordPlace(folder, record["row"])
            records.append(record | {"costs": read_json(place.path(".costs.json")) or {}})
    return records
