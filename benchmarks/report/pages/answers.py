"""Answers to an unlabelled challenge: nearest images of every query, a file for each method."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.formats.files import Json, write_json
from benchmarks.pipeline.records.record import PHOTOS
from benchmarks.pipeline.records.results import ImageEntry, Results
from datasets.errors import InputError
from datasets.json_files import read_json_as
from retrieval.ranking import Ranking

FOLDER = "answers"

ANSWERS = 10
"""Neighbours per query."""


def write_answers(folder: Path, results: Results) -> None:
    """Write the answers that the rankings of an unlabelled dataset give, and remove all others.

    Parameters
    ----------
    folder : Path
        ``<out>/<dataset>``; gets ``answers/<method>.json``, and those of other query sets than
        ``query`` in folders of their names.
    results : Results
        Of the dataset.
    """
    place = folder / FOLDER
    names = _bare_names(results, "gallery", results.gallery)
    made: dict[Path, Json] = {}
    for query_set, task in {} if results.about.labelled else results.tasks.items():
        own = place if query_set == PHOTOS else place / query_set
        queries = _bare_names(results, query_set, task.queries)
        for method, ranking in task.rankings.items():
            images = _nearest(ranking, queries, names)
            made[own / f"{method}.json"] = {"groupname": method, "images": images}
    for path in place.glob("**/*.json"):
        if path not in made and _is_answer(path):
            path.unlink()
    for path, content in made.items():
        write_json(path, content)


def _bare_names(results: Results, part: str, images: Sequence[ImageEntry]) -> list[str]:
    """Names of a part's images below its folder."""
    folder = results.about.folders.get(part, part)
    return [image.id.removeprefix(f"{folder}/") for image in images]


def _nearest(ranking: Ranking, queries: list[str], names: list[str]) -> dict[str, list[str]]:
    return {
        query: [names[index] for index in indices if index >= 0]
        for query, indices in zip(queries, ranking.neighbours[:, :ANSWERS].tolist(), strict=True)
    }


def _is_answer(path: Path) -> bool:
    try:
        content = read_json_as(path, Json, "damaged") or {}
    except InputError:
        return False
    return content.get("groupname") == path.stem
