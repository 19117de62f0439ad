"""The folder that fetched sets lie in."""

import os
from pathlib import Path

import platformdirs

VARIABLE = "IMAGE_RETRIEVAL_DATASETS"
"""Environment variable that names another folder."""


def home() -> Path:
    """Folder of fetched sets: the one that `VARIABLE` names, or one among the user's data."""
    given = os.environ.get(VARIABLE, "")
    if given.strip():
        return Path(given).expanduser()
    return platformdirs.user_data_path("image-retrieval-benchmark", appauthor=False) / "datasets"


def fetched(name: str) -> Path | None:
    """The folder of a set that was fetched, or None."""
    folder = home() / name
    return folder if folder.is_dir() else None
