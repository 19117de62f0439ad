"""Draw what geometric verification sees: the matches of two pictures, inliers apart.

``python -m benchmarks.matches IMAGE OTHER --detector sift --out FILE.png``.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from benchmarks.cli import command, make_parser
from datasets.errors import InputError, UnreadableImageError
from datasets.reading import Pixels, read_image
from extractors import DETECTORS
from extractors.draw import detector_name, matches_picture
from retrieval.reranking.spatial import Verification


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return command(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    detector = DETECTORS[options.detector]
    images = [detector.prepare(_read(path)) for path in (options.image, options.other)]
    asked, found = detector.transform(images)
    verified = Verification(options.model).inliers(
        asked.points, asked.descriptors, found.points, found.descriptors, asked.binary
    )
    picture = matches_picture(images[0], asked, images[1], found, verified.pairs, verified.inliers)
    try:
        Image.fromarray(picture).save(options.out)
    except (OSError, ValueError) as error:
        raise InputError(f"--out {options.out}: cannot be written ({error})") from error
    sys.stdout.write(
        f"{len(asked)} and {len(found)} key points, {len(verified.pairs)} matches, "
        f"{verified.inliers.sum()} inliers; drawn in {options.out}\n"
    )
    return 0


def _read(path: Path) -> Pixels:
    try:
        return read_image(path)
    except UnreadableImageError as error:
        raise InputError(f"{path}: {error}; give a picture") from error


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("matches", __doc__)
    parser.add_argument("image", type=Path, metavar="IMAGE")
    parser.add_argument("other", type=Path, metavar="OTHER")
    parser.add_argument(
        "--detector",
        type=detector_name,
        default="sift",
        metavar="NAME",
        help=f"{', '.join(DETECTORS)} (default: %(default)s)",
    )
    parser.add_argument(
        "--model", choices=("affine", "homography"), default="affine", help="default: %(default)s"
    )
    parser.add_argument("--out", type=Path, metavar="FILE.png", default=Path("matches.png"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
