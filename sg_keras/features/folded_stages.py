"""The first stages of EfficientNet-Lite0 with each normalisation folded into the convolution before it.

The same numbers but for rounding, for gradients with respect to the images alone: without the normalisations there is
less to keep and to go back through.
"""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from sg_keras.features.efficientnet_lite0 import STAGES


class FoldedStages:
    """The maps of the first stages.

    Args:
        network: of build_efficientnet_lite0, with its weights, which are taken as they are now.
        count: how many stages.
    """

    def __init__(self, network: keras.Model, count: int) -> None:
        self._stages = STAGES[:count]
        rescaling = network.get_layer("normalise")
        self._scale, self._offset = float(rescaling.scale), float(rescaling.offset)
        self._units = {name: _folded(network, name) for name in ["stem", *self._unit_names()]}

    def maps(self, images: tf.Tensor) -> Iterator[tf.Tensor]:
        """Maps [N,h,w,C] of each stage's last block, of images float32 [N,H,W,3] in 0..255."""
        x = self._unit(images * self._scale + self._offset, "stem", 2)
        number = 0
        for stage in self._stages:
            for block in range(stage.blocks):
                x = self._block(x, f"block{number}", stage.stride if block == 0 else 1, stage.expansion > 1)
                number += 1
            yield x

    def _unit_names(self) -> Iterator[str]:
        number = 0
        for stage in self._stages:
            for _ in range(stage.blocks):
                parts = ("expand", "depthwise", "project") if stage.expansion > 1 else ("depthwise", "project")
                yield from (f"block{number}_{part}" for part in parts)
                number += 1

    def _block(self, x: tf.Tensor, name: str, stride: int, expands: bool) -> tf.Tensor:
        start = x
        if expands:
            x = self._unit(x, f"{name}_expand", 1)
        x = self._unit(x, f"{name}_depthwise", stride)
        x = self._unit(x, f"{name}_project", 1, activate=False)
        return start + x if stride == 1 and start.shape[-1] == x.shape[-1] else x

    def _unit(self, x: tf.Tensor, name: str, stride: int, activate: bool = True) -> tf.Tensor:
        kernel, bias = self._units[name]
        convolve = tf.nn.depthwise_conv2d if name.endswith("depthwise") else tf.nn.conv2d
        x = tf.nn.bias_add(convolve(x, kernel, [1, stride, stride, 1], "SAME"), bias)
        return tf.nn.relu6(x) if activate else x


def _folded(network: keras.Model, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias of a convolution and its normalisation, float32."""
    convolution, norm = network.get_layer(f"{name}_conv"), network.get_layer(f"{name}_norm")
    kernel = np.asarray(convolution.kernel, np.float64)
    gamma, beta, mean, variance = (np.asarray(value, np.float64) for value in norm.get_weights())
    factor = gamma / np.sqrt(variance + norm.epsilon)
    channels_last = factor[:, np.newaxis] if name.endswith("depthwise") else factor
    return (kernel * channels_last).astype(np.float32), (beta - mean * factor).astype(np.float32)
