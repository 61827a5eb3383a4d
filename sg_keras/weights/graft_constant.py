"""StyleGAN2's learnt constant, made by the layers that take its place (--no_const), so that images stay what they were.

The dense layer gives some channels one bright pixel each, whatever w is, and the convolution makes the constant of
them. Demodulation (arXiv:1912.04958, section 2.2) brings each filter to a norm of 1, so filters also read a channel
that is dark, with weights that bring all of them to one norm before. Styles of these channels are 1 at first.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from sg_keras.ops import ACTIVATIONS, conv2d_resample, setup_filter
from sg_keras.weights.graft_layers import Graft
from sg_keras.weights.graft_wiring import CONSTANT

CONST = "synthesis.b4.const"
_DENSE, _CONV = "synthesis.b4.fc", "synthesis.b4.conv0"
_SLOPES = {"lrelu": ACTIVATIONS["lrelu"].default_alpha, "linear": 1.0}  # activations that can be undone
_EPSILON = 1e-8  # of demodulation
_SPARE = 1.05  # filters are brought to this much more than the largest norm, so that all of them read the dark channel


def takes_constant(graft: Graft) -> bool:
    """Whether the source has a constant, and the target has not."""
    return CONST in graft.weights and f"{_DENSE}.weight" in graft.fresh


def keep_constant(graft: Graft) -> list[str]:
    """Let the layers that take the constant's place make it.

    Returns:
        Why that cannot be, in words; nothing where it can, or there is nothing to do.
    """
    if not takes_constant(graft):
        return []
    block: Any = graft.target.network.synthesis.blocks[0]
    height, width = block.size.height, block.size.width
    pixels = height * width // 4
    constant = graft.weights[CONST].astype(np.float64)[graft.placements[CONSTANT].old]
    if block.conv0.activation not in _SLOPES or block.out_channels <= pixels or constant.shape[1:] != (height, width):
        return [f"the constant cannot be made of w: it takes the activation lrelu and {pixels + 1} channels"]
    act = ACTIVATIONS[block.conv0.activation]
    before = np.where(constant > 0, constant, constant / _SLOPES[block.conv0.activation]) / act.default_gain
    responses = _responses(block, pixels)
    filters = before.reshape(len(before), -1) @ np.linalg.pinv(responses)  # [channels,pixels*9]
    brightness = _SPARE * np.sqrt(np.square(filters).sum(axis=1).max() + 1e-12)
    _set_dense(graft, pixels, brightness / act.default_gain)
    _set_filters(graft, filters, pixels, brightness)
    return []


def _responses(block: Any, pixels: int) -> np.ndarray:
    """What the convolution makes of one bright pixel with one weight of 1, [pixels*9,height*width]."""
    height, width = block.size.height // 2, block.size.width // 2
    maps = tf.reshape(tf.eye(pixels, dtype=tf.float64), [pixels, height, width, 1])
    kernels = tf.reshape(tf.eye(9, dtype=tf.float64), [3, 3, 1, 9])
    taps = setup_filter(block.conv0.resample_filter)
    made = conv2d_resample(maps, kernels, taps, up=2, padding=1, flip_weight=False, impl="reference")
    return np.transpose(np.asarray(made), [0, 3, 1, 2]).reshape(pixels * 9, -1)


def _set_dense(graft: Graft, pixels: int, bias: float) -> None:
    """Channel k of the first ones has pixel k bright, the next one none. Units are in the order channel, pixel."""
    weight, own = (graft.fresh[f"{_DENSE}.{leaf}"].astype(np.float64) for leaf in ("weight", "bias"))
    weight[: (pixels + 1) * pixels] = 0
    own[: pixels * pixels] = bias * np.eye(pixels).ravel()
    graft.values.update({f"{_DENSE}.weight": weight, f"{_DENSE}.bias": own})


def _set_filters(graft: Graft, filters: np.ndarray, pixels: int, brightness: float) -> None:
    """The filters, of the norm that those of a new network have, and styles of 1 for the channels that they read."""
    weight = graft.fresh[f"{_CONV}.weight"].astype(np.float64)
    rows, norm = graft.placements[CONSTANT].new, math.sqrt(weight[0].size)
    scale = math.sqrt(norm**2 + _EPSILON) / brightness
    dark = weight[rows, pixels].reshape(len(rows), -1)
    dark *= np.sqrt((norm**2 - scale**2 * np.square(filters).sum(axis=1)) / np.square(dark).sum(axis=1))[:, np.newaxis]
    weight[rows] = 0
    weight[rows, :pixels] = (scale * filters).reshape(len(rows), pixels, 3, 3)
    weight[rows, pixels] = dark.reshape(len(rows), 3, 3)
    styles = graft.fresh[f"{_CONV}.affine.weight"].astype(np.float64)
    bias = graft.fresh[f"{_CONV}.affine.bias"].astype(np.float64)
    styles[: pixels + 1], bias[: pixels + 1] = 0, 1
    values = {"weight": weight, "affine.weight": styles, "affine.bias": bias}
    graft.values.update({f"{_CONV}.{leaf}": value for leaf, value in values.items()})
