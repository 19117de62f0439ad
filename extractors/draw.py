"""Pictures of local features: key points as circles, matches as lines.

``python -m extractors.draw IMAGE --detector sift --out FILE.png`` draws a picture's key points.
"""

import argparse
import difflib
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL import ImageOps

from extractors import DETECTORS
from extractors.local_features.detector import LocalFeatures
from extractors.preprocessing import Image

INLIER, OUTLIER = (0, 114, 178), (213, 94, 0)
"""Blue and vermilion, which colour-blind people tell apart."""

_POINT, _EDGE = (240, 228, 66), (0, 0, 0)
_WIDE = 960
"""Pixels at which key points are drawn, about."""

_LARGEST_PICTURE = 100_000_000
_SHIFT = 4
"""Fraction bits of the coordinates that OpenCV draws at."""

_LINES = 60
"""Lines drawn of each kind; more are a carpet."""


def keypoints_picture(image: Image, features: LocalFeatures, strongest: int = 150) -> Image:
    """Draw key points as circles of their size with a line in their direction.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        The prepared RGB picture in which they were found.
    features : LocalFeatures
        What was found in it.
    strongest : int
        Points drawn; many more hide the picture.

    Returns
    -------
    ndarray of uint8, shape (zoom * height, zoom * width, 3)
        A copy, enlarged by a whole number if it is small.
    """
    zoom = max(1, round(_WIDE / max(image.shape[:2])))
    picture = cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    points = features.points[:strongest].tolist()
    for thickness, colour in ((3, _EDGE), (1, _POINT)):  # yellow on black shows on anything
        for x, y, size, angle, _ in points:
            centre = (zoom * (x + 0.5), zoom * (y + 0.5))
            radius = max(2.0, zoom * size / 2)
            tip = (
                centre[0] + radius * np.cos(np.deg2rad(angle)),
                centre[1] + radius * np.sin(np.deg2rad(angle)),
            )
            cv2.circle(
                picture, _fixed(centre), round(radius * 2**_SHIFT), colour, thickness,
                cv2.LINE_AA, _SHIFT,
            )  # fmt: skip
            cv2.line(picture, _fixed(centre), _fixed(tip), colour, thickness, cv2.LINE_AA, _SHIFT)
    return np.asarray(picture, np.uint8)


def matches_picture(
    image: Image,
    features: LocalFeatures,
    other: Image,
    other_features: LocalFeatures,
    pairs: NDArray[np.intp],
    inliers: NDArray[np.bool_],
) -> Image:
    """Draw two pictures side by side and lines between their matches.

    Parameters
    ----------
    image, other : ndarray of uint8, shape (height, width, 3)
        The prepared RGB pictures.
    features, other_features : LocalFeatures
        What was found in them.
    pairs : ndarray of intp, shape (n_pairs, 2)
        Indices of matching points.
    inliers : ndarray of bool, shape (n_pairs,)
        Pairs drawn in blue and above the others, which are vermilion.
    """
    gap = 8
    height = max(len(image), len(other))
    offset = image.shape[1] + gap
    picture = np.full((height, offset + other.shape[1], 3), 255, np.uint8)
    picture[: len(image), : image.shape[1]] = image
    picture[: len(other), offset:] = other
    for kind, colour in ((~inliers, OUTLIER), (inliers, INLIER)):
        drawn = pairs[kind]
        for index, match in drawn[:: -(-len(drawn) // _LINES) or 1]:
            start = features.points[index, :2]
            end = other_features.points[match, :2] + (offset, 0)
            cv2.line(picture, _fixed(start), _fixed(end), colour, 1, cv2.LINE_AA, _SHIFT)
            for place in (start, end):
                cv2.circle(
                    picture, _fixed(place), 2 << _SHIFT, colour, cv2.FILLED, cv2.LINE_AA, _SHIFT
                )
    return picture


def detector_name(text: str) -> str:
    """Check the name of a detector, for a command's options."""
    if text not in DETECTORS:
        close = difflib.get_close_matches(text, DETECTORS, n=1, cutoff=0.4)
        hint = f"did you mean {close[0]!r}?" if close else f"choose of {', '.join(DETECTORS)}"
        raise argparse.ArgumentTypeError(f"no such detector {text!r}; {hint}")
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (2 after bad input)."""
    parser = argparse.ArgumentParser(
        prog="python -m extractors.draw", description="Draw a picture's key points."
    )
    parser.add_argument("image", type=Path, metavar="IMAGE")
    parser.add_argument(
        "--detector",
        type=detector_name,
        default="sift",
        metavar="NAME",
        help=f"{', '.join(DETECTORS)} (default: %(default)s)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE.png",
        help="where to draw it (default: IMAGE-DETECTOR.png in this folder)",
    )
    parser.add_argument(
        "--points", type=int, metavar="N", default=150, help="draw the N strongest (%(default)s)"
    )
    options = parser.parse_args(arguments)
    out = options.out or Path(f"{options.image.stem}-{options.detector}.png")
    detector = DETECTORS[options.detector]
    try:
        image = _read(options.image)
        features = detector.detect(image)
        drawn = keypoints_picture(detector.prepare(image), features, options.points)
        PILImage.fromarray(drawn).save(out)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(f"{len(features)} key points, the strongest drawn in {out}\n")
    return 0


def _read(path: Path) -> Image:
    """Read a picture upright as RGB; this room knows no other reader."""
    try:
        with PILImage.open(path) as picture:
            if picture.width * picture.height > _LARGEST_PICTURE:
                raise ValueError("it is too large")
            return np.array(ImageOps.exif_transpose(picture).convert("RGB"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is no picture that can be read ({error})") from error


def _fixed(place: Sequence[float] | NDArray[np.floating]) -> tuple[int, int]:
    return round(float(place[0]) * 2**_SHIFT), round(float(place[1]) * 2**_SHIFT)


if __name__ == "__main__":
    sys.exit(main())
