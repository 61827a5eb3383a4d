"""Fused image ops, one module per op: public function, reference in TensorFlow, compiled form, all derivatives."""

from sg_keras.ops.bias_act import ACTIVATIONS, bias_act
from sg_keras.ops.channel_scale import channel_scale
from sg_keras.ops.conv2d_resample import conv2d_resample
from sg_keras.ops.filter_design import design_lowpass_filter
from sg_keras.ops.filtered_lrelu import filtered_lrelu
from sg_keras.ops.filters import setup_filter
from sg_keras.ops.library import resolve_impl
from sg_keras.ops.modulated_conv2d import (
    HALF_TYPES,
    demodulation,
    in_half_range,
    modulate_and_convolve,
    modulated_conv2d,
)
from sg_keras.ops.modulated_conv2d_stylegan3 import modulated_conv2d_stylegan3
from sg_keras.ops.resample2d import downsample2d, upsample2d
from sg_keras.ops.scale_bias_act import scale_bias_act
from sg_keras.ops.upfirdn2d import upfirdn2d
from sg_keras.ops.warp_affine import warp_affine

__all__ = [
    "ACTIVATIONS",
    "HALF_TYPES",
    "bias_act",
    "channel_scale",
    "conv2d_resample",
    "demodulation",
    "design_lowpass_filter",
    "downsample2d",
    "filtered_lrelu",
    "in_half_range",
    "modulate_and_convolve",
    "modulated_conv2d",
    "modulated_conv2d_stylegan3",
    "resolve_impl",
    "scale_bias_act",
    "setup_filter",
    "upfirdn2d",
    "upsample2d",
    "warp_affine",
]
