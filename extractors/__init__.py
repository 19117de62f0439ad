"""The menu of extractors, which turn images into vectors.

Each line of `MENU` is a name and a configured extractor, with scikit-learn's transformers behind
it where it needs them. All that is learned is learned from training images. This package knows
nothing of the others.
"""

from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from extractors.base import FAMILIES, Description, Descriptor, Extractor, describe, steps_of
from extractors.hand_crafted.colour import (
    ColourCorrelogram,
    ColourHistogram,
    ColourMoments,
    TinyImage,
)
from extractors.hand_crafted.gist import Gist
from extractors.hand_crafted.lines import Lines
from extractors.hand_crafted.shape import (
    EdgeOrientationHistogram,
    FourierDescriptors,
    HistogramOfOrientedGradients,
    HuMoments,
    ZernikeMoments,
)
from extractors.hand_crafted.texture import (
    GaborBank,
    Haralick,
    LocalBinaryPattern,
    ThresholdAdjacency,
)
from extractors.local_features.binary import Akaze, Orb
from extractors.local_features.detector import Detector
from extractors.local_features.encoders import BagOfWords, Fisher, Vlad
from extractors.local_features.sift import DenseSift, Sift
from extractors.local_features.surf import Surf
from extractors.networks.backbone import Backbone
from extractors.networks.finetuning import FineTuned
from extractors.networks.hub import Preset, clip, dino, siglip
from extractors.networks.preparation import ToSize
from extractors.networks.pretrained import MapPooling, Pretrained, Stem
from extractors.networks.scratch import CompactCnn, PlainCnn
from extractors.preprocessing import LongestSide, Square
from extractors.whitening import Whitening

__all__ = [
    "DETECTORS",
    "FAMILIES",
    "MENU",
    "Description",
    "Descriptor",
    "Extractor",
    "describe",
    "pretrained_networks",
]

RESNET152 = Backbone("ResNet152", cut="conv4_block36_out")
RESNET50 = Backbone("ResNet50")
DENSENET169 = Backbone("DenseNet169", cut="pool4_pool")
EFFICIENTNET = Backbone("EfficientNetLite0")

MIDDLE = ToSize(224, 224, 0.875, "bicubic")
WHOLE = ToSize(224, 224, None, "bilinear")

MENU: dict[str, Extractor | Pipeline] = {
    # colour
    "rgb-histogram": ColourHistogram("rgb", bins=(8, 8, 8)),
    "hsv-histogram": ColourHistogram("hsv", bins=(16, 4, 4)),
    "lab-histogram": ColourHistogram("lab", bins=(8, 8, 8)),
    "hsv-histogram-grid": ColourHistogram("hsv", bins=(8, 3, 3), grid=4),
    "colour-moments": make_pipeline(ColourMoments("hsv"), StandardScaler()),
    "colour-moments-grid": make_pipeline(ColourMoments("lab", grid=4), StandardScaler()),
    "colour-correlogram": ColourCorrelogram(),
    "tiny-image": TinyImage(),
    # texture
    "lbp": LocalBinaryPattern(),
    "haralick": make_pipeline(Haralick(), StandardScaler()),
    "gabor": make_pipeline(GaborBank(), StandardScaler()),
    "pftas": ThresholdAdjacency(),
    # shape, of edges
    "hog": HistogramOfOrientedGradients(),
    "edge-orientation-histogram": EdgeOrientationHistogram(),
    "gist": Gist(),
    # shape, of silhouettes: region-based, region-based, boundary-based
    "hu-moments": make_pipeline(HuMoments(), StandardScaler()),
    "zernike-moments": make_pipeline(ZernikeMoments(), StandardScaler()),
    "fourier-descriptors": make_pipeline(FourierDescriptors(), StandardScaler()),
    # shape of edges, of drawings that are made of every picture: the bridge to sketches
    "hog-lines": HistogramOfOrientedGradients(prepare=Lines(then=Square(128))),
    "edge-orientation-histogram-lines": EdgeOrientationHistogram(
        prepare=Lines(then=LongestSide(128))
    ),
    "gist-lines": Gist(prepare=Lines(then=Square(128))),
    # local features, as bags of visual words
    "sift-bovw": make_pipeline(Sift(), BagOfWords(1000), TfidfTransformer()),
    "rootsift-bovw": make_pipeline(
        Sift(), BagOfWords(1000, root=True, power=0.5), TfidfTransformer()
    ),
    "sift-bovw-pyramid": make_pipeline(Sift(), BagOfWords(256, grids=(1, 2)), TfidfTransformer()),
    "surf-bovw": make_pipeline(Surf(), BagOfWords(1000), TfidfTransformer()),
    "orb-bovw": make_pipeline(Orb(), BagOfWords(1000), TfidfTransformer()),
    "akaze-bovw": make_pipeline(Akaze(), BagOfWords(1000), TfidfTransformer()),
    "dense-sift-bovw": make_pipeline(DenseSift(), BagOfWords(1000), TfidfTransformer()),
    # local features, aggregated
    "sift-vlad": make_pipeline(Sift(), Vlad(64, root=True), Whitening(128)),
    "sift-fisher": make_pipeline(Sift(), Fisher(64, root=True), Whitening(128)),
    # networks trained from scratch
    "cnn-plain": PlainCnn(),
    "cnn-compact": CompactCnn(),
    # networks trained on ImageNet, as they are
    "efficientnet-lite0": Pretrained(EFFICIENTNET),
    "densenet169": Pretrained(DENSENET169),
    "vgg16": Pretrained(Backbone("VGG16")),
    "xception": Pretrained(Backbone("Xception", side=299)),
    "mobilenetv3large": Pretrained(Backbone("MobileNetV3Large")),
    "efficientnetv2b0": Pretrained(Backbone("EfficientNetV2B0")),
    "convnexttiny": Pretrained(Backbone("ConvNeXtTiny")),
    "resnet50": Pretrained(RESNET50),
    "resnet152": Pretrained(RESNET152),
    "resnet152-gem": Pretrained(RESNET152, power=3.0),
    "resnet152-conv4": make_pipeline(Stem(RESNET152), MapPooling()),
    # vision transformers, trained on pictures alone or with captions; an extra
    "dinov2-small": dino("dinov2-small", "DINOV2Backbone", "dinov2/dinov2_small/1", MIDDLE),
    "dinov2-base": dino("dinov2-base", "DINOV2Backbone", "dinov2/dinov2_base/1", MIDDLE),
    "dinov3-small": dino(
        "dinov3-small", "DINOV3Backbone", "dinov3/dinov3_vit_small_lvd1689m/1", WHOLE
    ),
    "dinov3-base": dino(
        "dinov3-base", "DINOV3Backbone", "dinov3/dinov3_vit_base_lvd1689m/1", WHOLE
    ),
    "clip-base-patch32": clip("clip-base-patch32", "clip/clip_vit_base_patch32/3"),
    "clip-base-patch16": clip("clip-base-patch16", "clip/clip_vit_base_patch16/3"),
    "siglip-base": siglip("siglip-base", "siglip/siglip_base_patch16_224/1"),
    "siglip2-base": siglip("siglip2-base", "siglip/siglip2_base_patch16_224/1"),
    # their last block trained further: transfer learning
    "densenet169-finetuned": make_pipeline(Stem(DENSENET169), FineTuned(DENSENET169)),
    "resnet152-finetuned": make_pipeline(Stem(RESNET152), FineTuned(RESNET152)),
    "resnet152-flatten": make_pipeline(
        Stem(RESNET152), FineTuned(RESNET152, feature="flatten", dropout_after_softmax=True)
    ),
}

DETECTORS: dict[str, Detector] = {
    "sift": Sift(),
    "surf": Surf(),
    "orb": Orb(),
    "akaze": Akaze(),
    "dense-sift": DenseSift(),
}
"""Detectors alone, for those who want keypoints and not vectors."""


def pretrained_networks() -> dict[str, str]:
    """Names of the networks in the menu that ``--weights`` takes a "file" or "folder" for."""
    steps = [step for entry in MENU.values() for step in steps_of(entry)]
    backbones = [getattr(step, "backbone", None) for step in steps]
    return {one.name: "folder" if isinstance(one, Preset) else "file" for one in backbones if one}
