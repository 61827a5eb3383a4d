"""Networks that see: what an image shows, as numbers. For metrics, curation and projection alike."""

import sg_keras.config.tensorflow_backend  # noqa: F401  # before Keras is loaded
from sg_keras.features.box_averages import BoxAverages
from sg_keras.features.discriminator import DiscriminatorFeatures
from sg_keras.features.efficientnet_lite0 import EfficientNetLite0, build_efficientnet_lite0
from sg_keras.features.extractor import FeatureExtractor, KnowsClasses
from sg_keras.features.perceptual import (
    ColourFeatures,
    DiscriminatorTaps,
    EfficientNetTaps,
    PerceptualFeatures,
    PixelFeatures,
    SummedFeatures,
)

__all__ = [
    "BoxAverages",
    "ColourFeatures",
    "DiscriminatorFeatures",
    "DiscriminatorTaps",
    "EfficientNetLite0",
    "EfficientNetTaps",
    "FeatureExtractor",
    "KnowsClasses",
    "PerceptualFeatures",
    "PixelFeatures",
    "SummedFeatures",
    "build_efficientnet_lite0",
]
