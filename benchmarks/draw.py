"""Draw the keypoints of a picture, or the matches of two, as the benchmark sees them.

``python -m benchmarks.draw PICTURE --detector surf --out FILE.png`` draws circles of the
keypoints' size with a line in their direction. With a second picture it draws lines between the
matches that geometric verification looks at: blue where they agree on one transform, vermilion
where they do not.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.cli.command import command, make_parser
from benchmarks.cli.options import a_path, positive
from benchmarks.cli.outputs import require_output_file
from benchmarks.formats.sheets import DRAWN, is_drawn, write_picture
from benchmarks.formats.terminal import visible
from datasets.errors import InputError, UnreadableImageError
from datasets.reading import Pixels, read_image
from extractors import DETECTORS
from extractors.local_features.detector import LocalFeatures
from retrieval.reranking.spatial import Verification

INLIER, OUTLIER = (0, 114, 178), (213, 94, 0)
"""Blue and vermilion, which colour-blind people tell apart."""

_POINT, _EDGE = (240, 228, 66), (0, 0, 0)
_WIDE = 960
"""Pixels at which keypoints are drawn, about."""

_SHIFT = 4
"""Fraction bits of the coordinates that OpenCV draws at."""

_STRONGEST, _MODEL = 150, "affine"
"""Keypoints drawn, and the transform of matches, where nothing else is said."""

_LINES = 60
"""Lines drawn of each kind; more are a carpet."""


def draw_keypoints(image: Pixels, features: LocalFeatures, strongest: int = _STRONGEST) -> Pixels:
    """Draw keypoints as circles of their size with a line in their direction.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        The prepared RGB picture in which they were found.
    features : LocalFeatures
        The picture's local features.
    strongest : int
        Points drawn; many more hide the picture.

    Returns
    -------
    ndarray of uint8, shape (zoom * height, zoom * width, 3)
        A copy, enlarged by a whole number if it is small.
    """
    zoom = max(1, round(_WIDE / max(image.shape[:2])))
    size = image.shape[1] * zoom, image.shape[0] * zoom
    picture = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    for thickness, colour in ((3, _EDGE), (1, _POINT)):  # yellow on black shows on anything
        for x, y, diameter, angle, _ in features.points[:strongest].tolist():
            centre = np.array([x + 0.5, y + 0.5]) * zoom
            radius = max(2.0, zoom * diameter / 2)
            tip = centre + radius * np.array(
                [np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))]
            )
            _circle(picture, centre, radius, colour, thickness)
            _line(picture, centre, tip, colour, thickness)
    return picture


def draw_matches(
    image: Pixels,
    features: LocalFeatures,
    other: Pixels,
    other_features: LocalFeatures,
    pairs: NDArray[np.intp],
    inliers: NDArray[np.bool_],
) -> Pixels:
    """Draw two pictures side by side and lines between their matches.

    Parameters
    ----------
    image, other : ndarray of uint8, shape (height, width, 3)
        The prepared RGB pictures.
    features, other_features : LocalFeatures
        Their local features.
    pairs : ndarray of intp, shape (n_pairs, 2)
        Indices of matching points.
    inliers : ndarray of bool, shape (n_pairs,)
        Pairs drawn in blue and above the others, which are vermilion.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        As high as the higher picture, white beside the lower.
    """
    gap = 8
    height = max(len(image), len(other))
    offset = image.shape[1] + gap
    picture = np.full((height, offset + other.shape[1], 3), 255, np.uint8)
    picture[: len(image), : image.shape[1]] = image
    picture[: len(other), offset:] = other
    for chosen, colour in ((~inliers, OUTLIER), (inliers, INLIER)):
        drawn = pairs[chosen]
        for index, match in drawn[:: -(-len(drawn) // _LINES) or 1]:
            start = features.points[index, :2]
            end = other_features.points[match, :2] + (offset, 0)
            _line(picture, start, end, colour, 1)
            for place in (start, end):
                _circle(picture, place, 2, colour, cv2.FILLED)
    return picture


Place = NDArray[np.floating]
Colour = tuple[int, int, int]


def _circle(picture: Pixels, centre: Place, radius: float, colour: Colour, thick: int) -> None:
    size = round(radius * 2**_SHIFT)
    cv2.circle(picture, _fixed(centre), size, colour, thick, cv2.LINE_AA, _SHIFT)


def _line(picture: Pixels, start: Place, end: Place, colour: Colour, thick: int) -> None:
    cv2.line(picture, _fixed(start), _fixed(end), colour, thick, cv2.LINE_AA, _SHIFT)


def _fixed(place: Iterable[float]) -> tuple[int, int]:
    """Whole coordinates in units of 1/16 pixel, as OpenCV takes them."""
    x, y = (round(float(value) * 2**_SHIFT) for value in place)
    return x, y


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_intermixed_args(arguments)  # OTHER may follow options
    if options.other and options.points:
        raise InputError("--points goes with a single picture; leave it out")
    if options.model and not options.other:
        raise InputError("--model goes with two pictures; leave it out")
    detector = DETECTORS[options.detector]
    paths = [options.picture] + ([options.other] if options.other else [])
    require_output_file(options.out, "--out", paths, DRAWN, is_drawn)
    images = [detector.prepare(_read(path)) for path in paths]
    features = detector.transform(images)
    counts = " and ".join(str(len(one)) for one in features)
    if options.other:
        first, second = features
        verified = Verification(options.model or _MODEL).inliers(
            first.points, first.descriptors, second.points, second.descriptors, first.binary
        )
        picture = draw_matches(
            images[0], first, images[1], second, verified.pairs, verified.inliers
        )
        said = f", {len(verified.pairs)} matches, {verified.inliers.sum()} inliers"
    else:
        most = options.points or _STRONGEST
        picture = draw_keypoints(images[0], features[0], most)
        said = f", the {most} strongest of them" if len(features[0].points) > most else ""
    write_picture(options.out, Image.fromarray(picture))
    sys.stdout.write(f"{counts} keypoints{said}; drawn in {visible(str(options.out))}\n")
    return 0


def _read(path: Path) -> Pixels:
    try:
        return read_image(path)
    except UnreadableImageError as error:
        raise InputError(f"{path}: {error}; give a picture") from error


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("draw", __doc__)
    parser.add_argument("picture", type=a_path, metavar="PICTURE")
    parser.add_argument(
        "other", type=a_path, nargs="?", metavar="OTHER", help="draw the matches with this picture"
    )
    parser.add_argument(
        "--detector", choices=DETECTORS, default="sift", help="default: %(default)s"
    )
    parser.add_argument(
        "--points",
        type=positive,
        metavar="N",
        help=f"draw the N strongest keypoints of a single picture (default: {_STRONGEST})",
    )
    parser.add_argument(
        "--model",
        choices=("affine", "homography"),
        help=f"transform that inliers of two pictures agree on (default: {_MODEL})",
    )
    parser.add_argument(
        "--out",
        type=a_path,
        metavar="FILE",
        default=Path("drawn.png"),
        help="a PNG, JPEG, WebP or PDF file (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
