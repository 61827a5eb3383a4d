"""Keras layers of the StyleGAN networks, channels-last."""

import sg_keras.config.tensorflow_backend  # noqa: F401  # before Keras is loaded
from sg_keras.layers.alias_free_design import AliasFreeDesign
from sg_keras.layers.alias_free_layer import AliasFreeLayer
from sg_keras.layers.conv import Conv2D
from sg_keras.layers.dense import Dense
from sg_keras.layers.fourier_input import FourierInput
from sg_keras.layers.minibatch_std import MinibatchStd
from sg_keras.layers.synthesis_layer import SynthesisLayer, ToRGB

__all__ = [
    "AliasFreeDesign",
    "AliasFreeLayer",
    "Conv2D",
    "Dense",
    "FourierInput",
    "MinibatchStd",
    "SynthesisLayer",
    "ToRGB",
]
