"""Search spaces for tuning: the few values worth a try for parameters of menu entries.

Parameters are named as ``set_params`` takes them. Every combination of an entry's values is a
candidate, the menu's own among them. An entry that is not here has nothing to choose, or is
trained with the classes of the very images that would have to judge it.
"""

from extractors.preprocessing import LongestSide

Space = dict[str, tuple[object, ...]]
"""Values to try, by parameter."""

_CUBES = ((4, 4, 4), (6, 6, 6), (8, 8, 8), (12, 12, 12))
_HUES = ((8, 3, 3), (16, 4, 4), (32, 4, 4), (16, 8, 8))
_HOG: Space = {"cell": (8, 16, 32), "orientations": (9, 12, 18)}
_EDGES: Space = {"bins": (8, 12, 18), "grid": (2, 4, 6)}
_GIST: Space = {"scales": (3, 4, 5), "grid": (2, 4, 8)}
_WORDS: Space = {"bagofwords__words": (250, 500, 1000, 2000), "bagofwords__power": (0.5, 1.0)}
_POWERS = (1.0, 2.0, 3.0, 4.0, 5.0)

SPACES: dict[str, Space] = {
    # colour: bins and cells
    "rgb-histogram": {"bins": _CUBES, "grid": (1, 2)},
    "hsv-histogram": {"bins": _HUES, "grid": (1, 2)},
    "lab-histogram": {"bins": _CUBES, "grid": (1, 2)},
    "hsv-histogram-grid": {"bins": ((8, 2, 2), (8, 3, 3), (16, 4, 4)), "grid": (2, 4, 6)},
    "colour-moments": {"colourmoments__space": ("rgb", "hsv", "lab")},
    "colour-moments-grid": {
        "colourmoments__space": ("rgb", "hsv", "lab"),
        "colourmoments__grid": (2, 4, 6),
    },
    "colour-correlogram": {"levels": (3, 4, 6), "distances": ((1, 3), (1, 3, 5, 7))},
    # texture: number of scales
    "lbp": {"octaves": (1, 2, 3, 4), "prepare": (LongestSide(128), LongestSide(256))},
    "haralick": {"haralick__levels": (16, 32, 64), "haralick__distances": ((1,), (1, 4))},
    "gabor": {"gaborbank__octaves": (3, 4, 5), "gaborbank__orientations": (4, 6, 8)},
    # shape: cells and directions
    "hog": _HOG,
    "hog-lines": _HOG,
    "edge-orientation-histogram": _EDGES,
    "edge-orientation-histogram-lines": _EDGES,
    "gist": _GIST,
    "gist-lines": _GIST,
    "zernike-moments": {"zernikemoments__degree": (6, 8, 12, 16)},
    "fourier-descriptors": {"fourierdescriptors__harmonics": (8, 16, 24, 32)},
    # local features: number of words, and the weight of words that burst
    "sift-bovw": {
        "bagofwords__words": (500, 1000, 2000),
        "bagofwords__power": (0.5, 1.0),
        "bagofwords__root": (False, True),
    },
    "rootsift-bovw": _WORDS,
    "sift-bovw-pyramid": {
        "bagofwords__words": (128, 256, 512),
        "bagofwords__power": (0.5, 1.0),
        "bagofwords__grids": ((1, 2), (1, 3)),
    },
    "surf-bovw": _WORDS,
    "orb-bovw": _WORDS,
    "akaze-bovw": _WORDS,
    "dense-sift-bovw": _WORDS,
    "sift-vlad": {"vlad__words": (32, 64, 128), "whitening__dims": (16, 32, 64, 128)},
    "sift-fisher": {"fisher__components": (32, 64), "whitening__dims": (16, 32, 64, 128)},
    # networks: from the mean of the last map (1) towards its peaks
    "efficientnet-lite0": {"power": _POWERS},
    "densenet169": {"power": _POWERS},
    "vgg16": {"power": _POWERS},
    "xception": {"power": _POWERS},
    "mobilenetv3large": {"power": _POWERS},
    "efficientnetv2b0": {"power": _POWERS},
    "resnet50": {"power": _POWERS},
    "resnet152": {"power": _POWERS},
    "resnet152-gem": {"power": _POWERS},
    "resnet152-conv4": {"mappooling__power": _POWERS},
}
