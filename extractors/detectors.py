"""The menu of local features by name, for those who want key points and not vectors."""

from extractors.binary import Akaze, Orb
from extractors.local import Detector
from extractors.sift import DenseSift, Sift
from extractors.surf import Surf

DETECTORS: dict[str, Detector] = {
    "sift": Sift(),
    "surf": Surf(),
    "orb": Orb(),
    "akaze": Akaze(),
    "dense-sift": DenseSift(),
}
