"""Networks that see: what an image shows, as numbers. For metrics, curation and projection alike."""

import sg_keras.config.tensorflow_backend  # noqa: F401  # before Keras is loaded
from sg_keras.features.box_averages import BoxAverages
from sg_keras.features.discriminator import DiscriminatorFeatures
from sg_keras.features.efficientnet_lite0 import EfficientNetLite0, build_efficientnet_lite0
from sg_keras.features.extractor import FeatureExtractor, KnowsClasses

__all__ = [
    "BoxAverages",
    "DiscriminatorFeatures",
    "EfficientNetLite0",
    "FeatureExtractor",
    "KnowsClasses",
    "build_efficientnet_lite0",
]
