"""Measure how well keypoints find themselves again in a turned or shrunken picture.

``python -m benchmarks.keypoints FOLDER [--out DIR]`` takes up to 40 of a folder's pictures and
writes a table, as Markdown and CSV.
"""

import logging
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import mahotas.features.surf
import numpy as np
from numpy.typing import NDArray

from benchmarks.cli.command import command, make_parser
from benchmarks.cli.options import a_path
from benchmarks.cli.outputs import begins, require_apart, require_output_file
from benchmarks.formats.files import write_text
from benchmarks.formats.markdown import markdown, to_csv
from benchmarks.pipeline.records.card import commit, machine
from datasets.errors import InputError, UnreadableImageError
from datasets.reading import read_image
from datasets.walk import walk
from extractors.local_features.binary import Orb
from extractors.local_features.detector import Detector, LocalFeatures
from extractors.local_features.sift import Sift
from extractors.local_features.surf import Surf, nonfree
from extractors.preprocessing import AtMost, Grey, LongestSide, Pixels, Preprocess

log = logging.getLogger(__name__)

PICTURES = 40
LONGEST_SIDE = 480
TOLERANCE = 3.0
RATIO = 0.8

Matrix = NDArray[np.float64]
"""An affine map of places, shape (2, 3)."""

_AS_IS: Preprocess = AtMost(10 * LONGEST_SIDE)


def turned(image: Pixels, degrees: float) -> tuple[Pixels, Matrix]:
    """Rotate a picture about its centre, on a black canvas that holds all of it."""
    height, width = image.shape[:2]
    # Half a pixel off the middle, so that quarter turns are resampled like any other.
    centre = width / 2, height / 2
    matrix: Matrix = np.array(cv2.getRotationMatrix2D(centre, degrees, 1.0))
    cos, sin = np.abs(matrix[0, :2])
    size = round(width * cos + height * sin), round(width * sin + height * cos)
    matrix[:, 2] += (np.array(size) - (width, height)) / 2
    return np.asarray(cv2.warpAffine(image, matrix, size), np.uint8), matrix


def shrunk(image: Pixels, factor: float) -> tuple[Pixels, Matrix]:
    """Scale a picture down by area averaging."""
    height, width = image.shape[:2]
    size = round(width * factor), round(height * factor)
    x, y = size[0] / width, size[1] / height
    # Pixel centres have whole coordinates, so the corner lies at -1/2.
    matrix = np.array([[x, 0, x / 2 - 0.5], [0, y, y / 2 - 0.5]])
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), matrix


CHANGES: dict[str, Callable[[Pixels], tuple[Pixels, Matrix]]] = {
    "rotation 10°": lambda image: turned(image, 10),
    "rotation 30°": lambda image: turned(image, 30),
    "rotation 90°": lambda image: turned(image, 90),
    "scale 0.7": lambda image: shrunk(image, 0.7),
}


@dataclass(eq=False, repr=False)
class MahotasSurf(Detector):
    """The SURF of mahotas, at the settings that matched best with as many points."""

    dims: ClassVar[int] = 64
    dtype: ClassVar[type] = np.float32

    octaves: int = 4
    scales: int = 4
    threshold: float = 0.1
    max_points: int = 500
    prepare: Preprocess = _AS_IS

    def find(self, plane: Grey) -> tuple[NDArray[np.floating], NDArray[np.number]]:
        """Find points and descriptors in a grey picture."""
        found = mahotas.features.surf.surf(
            plane,
            nr_octaves=self.octaves,
            nr_scales=self.scales,
            threshold=self.threshold,
            max_points=self.max_points,
        )
        y, x, scale, response, _, angle = found[:, :6].T
        points = np.column_stack([x, y, scale, np.rad2deg(angle) % 360, response])
        return points, found[:, 6:]


@dataclass(eq=False, repr=False)
class PaperSurf(Surf):
    """Our SURF, even where OpenCV has its own."""

    def find(self, plane: Grey) -> tuple[NDArray[np.floating], NDArray[np.number]]:
        """Find points and descriptors in a grey picture."""
        return self.find_by_paper(plane)


def competitors() -> dict[str, Detector]:
    """Every detector of the table; OpenCV's SURF where the build has it."""
    rows: dict[str, Detector] = {
        "SIFT": Sift(prepare=_AS_IS),
        "ORB": Orb(prepare=_AS_IS),
        "SURF, mahotas": MahotasSurf(),
        "SURF, this suite's": PaperSurf(prepare=_AS_IS),
    }
    theirs = Surf(prepare=_AS_IS)
    if nonfree(theirs.octaves, theirs.threshold) is not None:
        rows["SURF, OpenCV"] = theirs
    return rows


def score(original: LocalFeatures, changed: LocalFeatures, matrix: Matrix) -> tuple[float, float]:
    """Share of the original's points that are matched rightly, and that are found again."""
    if not len(original) or not len(changed):
        return 0.0, 0.0
    expected = original.points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    places = changed.points[:, :2].astype(np.float64)
    apart = np.linalg.norm(expected[:, None] - places, axis=2)
    again = float((apart.min(axis=1) <= TOLERANCE).mean())
    norm = cv2.NORM_HAMMING if original.binary else cv2.NORM_L2
    bits = np.uint8 if original.binary else np.float32
    pairs = cv2.BFMatcher(norm).knnMatch(
        original.descriptors.astype(bits), changed.descriptors.astype(bits), k=2
    )
    right = sum(
        len(pair) == 2
        and pair[0].distance < RATIO * pair[1].distance
        and apart[pair[0].queryIdx, pair[0].trainIdx] <= TOLERANCE
        for pair in pairs
    )
    return right / len(original), again


def measure(detector: Detector, images: Sequence[Pixels]) -> list[float]:
    """One row of the table: right matches by change, repeatability, points, milliseconds."""
    scores = np.zeros((len(images), len(CHANGES), 2))
    counts, times = [], []
    detector.detect(images[0])  # the first call may have things to set up
    for scored, image in zip(scores, images, strict=True):
        begin = time.thread_time()
        original = detector.detect(image)
        times.append(time.thread_time() - begin)
        counts.append(len(original))
        for place, change in enumerate(CHANGES.values()):
            other, matrix = change(image)
            scored[place] = score(original, detector.detect(other), matrix)
    right, again = scores.mean(axis=0).T
    return [
        *right,
        again.min(),
        again.max(),
        float(np.mean(counts)),
        1e3 * float(np.median(times)),
    ]


HEADINGS = [*CHANGES, "repeatability, least", "most", "points", "ms"]


def report(rows: dict[str, list[float]], pictures: int) -> str:
    """Write the table with what it says."""
    cells = [
        [name, *(f"{value:.2f}" for value in row[:-2]), *(f"{value:.0f}" for value in row[-2:])]
        for name, row in rows.items()
    ]
    return (
        f"# Key points\n\n{pictures} pictures, longest side {LONGEST_SIDE}. Right matches per key "
        f"point of the original (ratio test {RATIO}, within {TOLERANCE:g} pixels); repeatability: "
        "share of keypoints near which the changed picture has one, least and most of the four "
        "changes; keypoints and milliseconds of processor time per picture. "
        f"OpenCV {cv2.__version__}, commit {commit()}, {machine()['processor']}.\n\n"
        + markdown(["detector", *HEADINGS], cells)
    )


def read_some(folder: Path) -> list[Pixels]:
    """Up to 40 pictures below a folder, evenly spaced by name.

    Raises
    ------
    InputError
        If none can be read.
    """
    paths = [file.path for file in walk(folder).files if file.is_picture]
    spaced = np.unique(np.linspace(0, len(paths) - 1, PICTURES).round().astype(int))
    images = []
    for path in [paths[index] for index in spaced] if paths else ():
        try:
            images.append(LongestSide(LONGEST_SIDE)(read_image(path)))
        except UnreadableImageError as error:
            log.warning("%s: %s; it is left out", path, error)
    if not images:
        raise InputError(f"{folder}: no pictures there that can be read; name another folder")
    return images


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = make_parser("keypoints", __doc__)
    parser.add_argument("folder", type=a_path, metavar="FOLDER", help="pictures, at any depth")
    parser.add_argument("--out", type=a_path, metavar="DIR", help="where keypoints.md and .csv go")
    options = parser.parse_args(arguments)
    if options.out:
        require_apart(options.out, "--out", options.folder)
        for name, begin in (("keypoints.md", "# Key points"), ("keypoints.csv", "detector,")):
            file = options.out / name
            require_output_file(file, "--out", (), "table of keypoints", begins(begin))
    images = read_some(options.folder)
    cv2.setNumThreads(1)
    rows = {name: measure(detector, images) for name, detector in competitors().items()}
    text = report(rows, len(images))
    sys.stdout.write(text)
    if options.out:
        write_text(options.out / "keypoints.md", text)
        lines = [[name, *row] for name, row in rows.items()]
        write_text(options.out / "keypoints.csv", to_csv(["detector", *HEADINGS], lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
