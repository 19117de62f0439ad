"""Write the augmented copies of a dataset's training images to a folder, to be looked at or used.

``python -m benchmarks.augment DATASET --out FOLDER``. They are the copies that the fine-tuned
networks learn from; gallery and queries are never varied.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PIL import Image

from benchmarks.cli.command import command, make_parser
from benchmarks.cli.options import add_options, cluster, positive, require_folders
from benchmarks.cli.outputs import others_in
from benchmarks.formats.files import remove_parts, write_whole
from benchmarks.pipeline.extraction.networks import augmented_inputs
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.workers import Workforce
from datasets.errors import InputError
from datasets.file_names import require_file_name
from datasets.task import Image as TrainingImage
from extractors.networks.augmentation import Augmentation


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = make_parser("augment", __doc__)
    parser.add_argument("dataset", metavar="DATASET", help="its name, a folder, or NAME=PATH")
    add_options(parser, "out", required=True, default=None, help="folder for the copies")
    copies = Augmentation().copies
    parser.add_argument("--copies", type=positive, metavar="N", default=copies, help="per image")
    add_options(parser, "layout", "max-pixels", "seed", "cache", "jobs", "quiet")
    options = parser.parse_args(arguments)
    require_folders(options, "out", "cache", inside=["training"])
    workforce = Workforce(options.jobs, options.quiet, cluster(options))
    dataset = load(options.dataset, options.cache, workforce, options.seed, options.layout)
    if not dataset.training:
        raise InputError(f"{options.dataset}: has no training images to make copies of")
    augmentation = replace(Augmentation(), copies=options.copies)
    pictures = augmented_inputs(dataset.training, augmentation, options.seed)
    files = [*_files(dataset.training, options.out / "training", 1 + options.copies)]
    _require_nothing_else(options.out / "training", files)
    for folder in {file.parent for file in files}:
        remove_parts(folder)
    work = zip(files, pictures, strict=True)
    for file, picture in workforce.track(work, len(pictures), f"copies of {dataset.name}"):
        write_whole(file, partial(Image.fromarray(picture.pixels()).save, format="PNG"))
    workforce.log(f"{len(pictures)} pictures are in {options.out / 'training'}")
    return 0


def _require_nothing_else(folder: Path, files: Sequence[Path]) -> None:
    """Refuse a folder with other pictures, which may be of the gallery or the queries by now."""
    if others := others_in(folder, files):
        raise InputError(
            f"--out {folder.parent}: {others[0]} is no copy of a training image of these; remove "
            f"{folder}, or choose another --out"
        )


def _files(training: Sequence[TrainingImage], folder: Path, variants: int) -> Iterator[Path]:
    """Files of every picture and its copies; no two are the same."""
    taken: set[Path] = set()
    for image in training:
        if image.label:
            require_file_name(image.label, "a folder", "name the class otherwise")
        name = Path(image.id).name.replace(".", "-")
        if folder / (image.label or "") / name in taken:  # of the same name, deeper in the class
            name = f"{name}-{image.sha256[:8]}"
        taken.add(folder / (image.label or "") / name)
        for copy in range(variants):
            ending = f"-copy-{copy}.png" if copy else ".png"
            yield folder / (image.label or "") / f"{name}{ending}"


if __name__ == "__main__":
    sys.exit(main())
