"""The menu of local features by name, for those who want key points and not vectors."""

from extractors.local_features.binary import Akaze, Orb
from extractors.local_features.local import Detector
from extractors.local_features.sift import DenseSift, Sift
from extractors.local_features.surf import Surf

DETECTORS: dict[str, Detector] = {
    "sift": Sift(),
    "surf": Surf(),
    "orb": Orb(),
    "akaze": Akaze(),
    "dense-sift": DenseSift(),
}
