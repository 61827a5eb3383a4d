"""Networks that see: what an image shows, as numbers. For metrics, curation and projection alike."""

import sg_keras.config.tensorflow_backend  # noqa: F401  # before Keras is loaded
from sg_keras.features.box_averages import BoxAverages
from sg_keras.features.discriminator import DiscriminatorFeatures
from sg_keras.features.efficientnet_lite0 import EfficientNetLite0, build_efficientnet_lite0
from sg_keras.features.extractor import FeatureExtractor
from sg_keras.features.inception import InceptionGraph
from sg_keras.features.perceptual import PerceptualDistance
from sg_keras.features.published import open_inception, open_vgg16
from sg_keras.features.vgg16 import VGG16

__all__ = [
    "VGG16",
    "BoxAverages",
    "DiscriminatorFeatures",
    "EfficientNetLite0",
    "FeatureExtractor",
    "InceptionGraph",
    "PerceptualDistance",
    "build_efficientnet_lite0",
    "open_inception",
    "open_vgg16",
]
