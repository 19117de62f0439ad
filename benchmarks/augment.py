"""Write the augmented copies of a dataset's training images to a folder, to be looked at or used.

``python -m benchmarks.augment DATASET --out FOLDER``. They are the copies that the fine-tuned
rows learn from; gallery and queries are never varied.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import joblib
from PIL import Image

from benchmarks.cli import Parser, command, default_cache, natural
from benchmarks.formats.files import require_writable, write_whole
from benchmarks.pipeline.extraction.networks import variants
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.workers import Workforce
from datasets.errors import InputError
from extractors.networks.augmentation import Augmentation


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return command(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    parser = Parser(prog="python -m benchmarks.augment", description=__doc__.split("\n")[0])
    parser.add_argument("dataset", metavar="DATASET", help="its name, a folder, or NAME=PATH")
    parser.add_argument("--out", type=Path, metavar="FOLDER", required=True)
    parser.add_argument("--copies", type=int, metavar="N", default=Augmentation().copies)
    parser.add_argument("--seed", type=natural, metavar="N", default=0)
    parser.add_argument("--cache", type=Path, metavar="DIR", default=default_cache())
    options = parser.parse_args(arguments)
    if options.copies < 1:
        raise InputError(f"--copies {options.copies}: must be at least 1")
    require_writable(options.out, "--out")
    workforce = Workforce(joblib.cpu_count())
    dataset = load(options.dataset, options.cache, workforce)
    if not dataset.training:
        raise InputError(f"{options.dataset}: has no training images to make copies of")
    augmentation = replace(Augmentation(), copies=options.copies)
    pictures = variants(dataset.training, augmentation, options.seed)
    for number, picture in enumerate(
        workforce.track(pictures, len(pictures), f"copies of {dataset.name}")
    ):
        image = dataset.training[number // (1 + options.copies)]
        copy = number % (1 + options.copies)
        folder = options.out / "training" / (image.label or "")
        name = Path(image.id).name.replace(".", "-") + (f"-copy-{copy}" if copy else "")
        save = partial(Image.fromarray(picture.pixels()).save, format="PNG")
        write_whole(folder / f"{name}.png", save)
    workforce.say(f"{len(pictures)} pictures are in {options.out / 'training'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
