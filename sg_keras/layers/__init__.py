"""Keras layers of the StyleGAN networks, channels-last."""

from sg_keras.layers.conv import Conv2D
from sg_keras.layers.dense import Dense
from sg_keras.layers.minibatch_std import MinibatchStd
from sg_keras.layers.synthesis_layer import SynthesisLayer, ToRGB

__all__ = ["Conv2D", "Dense", "MinibatchStd", "SynthesisLayer", "ToRGB"]
