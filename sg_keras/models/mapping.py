"""Mapping network: latent and label to intermediate latent w (StyleGAN, arXiv:1812.04948, section 2)."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from sg_keras.config.sizes import MAPPING_LR_MULTIPLIER
from sg_keras.layers import Dense
from sg_keras.layers.configured_layer import ConfiguredLayer


def normalize_2nd_moment(x: tf.Tensor) -> tf.Tensor:
    """Scale each row of x [N,C] to a mean square of 1 (arXiv:1710.10196, section 4.2)."""
    return x * tf.math.rsqrt(tf.reduce_mean(tf.square(x), axis=1, keepdims=True) + 1e-8)


@keras.saving.register_keras_serializable(package="sg_keras")
class Mapping(ConfiguredLayer):
    """MLP from z and the embedded label to w, repeated for each layer of the synthesis network.

    Args:
        z_dim: width of the latent, 0 = none (the discriminator's label mapping).
        c_dim: width of the label, 0 = unconditional.
        w_dim: width of w.
        num_ws: how often w is repeated, None = not at all.
        num_layers: fully connected layers; 0 = the normalised inputs are w.
        embed_features: width of the embedded label, None = w_dim.
        layer_features: width of the hidden layers, None = w_dim.
        activation: of every layer.
        lr_multiplier: learning rate multiplier of the layers (not of the label's embedding).
        w_avg_beta: decay of the running mean of w, None = no running mean.
        impl: implementation of the fused ops: "auto", "custom" or "reference".

    Call: (z [N,z_dim] or None, c [N,c_dim] or None, truncation_psi=1, truncation_cutoff=None)
        -> [N,num_ws,w_dim], or [N,w_dim] without num_ws.

    Example:
        >>> mapping = sg_keras.models.Mapping(z_dim=8, c_dim=0, w_dim=16, num_ws=6)
        >>> mapping(tf.ones([2, 8])).shape
        TensorShape([2, 6, 16])
    """

    def __init__(
        self,
        z_dim: int,
        c_dim: int,
        w_dim: int,
        num_ws: int | None,
        num_layers: int = 8,
        embed_features: int | None = None,
        layer_features: int | None = None,
        activation: str = "lrelu",
        lr_multiplier: float = MAPPING_LR_MULTIPLIER,
        w_avg_beta: float | None = 0.998,
        impl: str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if z_dim == 0 and c_dim == 0:
            raise ValueError("z_dim and c_dim: found 0 for both, expected at least one input")
        self.z_dim, self.c_dim, self.w_dim = z_dim, c_dim, w_dim
        self.num_ws, self.num_layers, self.w_avg_beta = num_ws, num_layers, w_avg_beta
        embed_features = w_dim if embed_features is None else embed_features
        layer_features = w_dim if layer_features is None else layer_features
        self.input_width = z_dim + (embed_features if c_dim > 0 else 0)
        if num_layers == 0 and self.input_width != w_dim:
            raise ValueError(f"Mapping: found inputs of width {self.input_width} and no layers, expected width {w_dim}")
        self._widths = [layer_features] * (num_layers - 1) + [w_dim] * min(num_layers, 1)
        if c_dim > 0:
            self.embed = Dense(embed_features, impl=impl, name="embed", dtype=self.dtype_policy)
        for i, width in enumerate(self._widths):
            layer = Dense(width, activation, True, lr_multiplier, impl=impl, name=f"fc{i}", dtype=self.dtype_policy)
            setattr(self, f"fc{i}", layer)

    def build(self, input_shape: Any = None) -> None:
        if self.c_dim > 0:
            self.embed.build((None, self.c_dim))
        for i, width in enumerate([self.input_width, *self._widths][: self.num_layers]):
            getattr(self, f"fc{i}").build((None, width))
        self.w_avg = None
        if self.w_avg_beta is not None and self.num_ws is not None:
            self.w_avg = self.add_weight(
                name="w_avg",
                shape=(self.w_dim,),
                initializer="zeros",
                trainable=False,
                aggregation="only_first_replica",
            )

    def call(
        self,
        z: tf.Tensor | None,
        c: tf.Tensor | None = None,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
    ) -> tf.Tensor:
        w = self.styles(z, c)
        if self.num_ws is None:
            return w
        ws = tf.repeat(w[:, None, :], self.num_ws, axis=1)
        if isinstance(truncation_psi, (int, float)) and truncation_psi == 1:
            return ws
        if self.w_avg is None:
            raise ValueError("truncation_psi: found one in a network without w_avg (w_avg_beta=None), expected 1")
        return truncate(ws, tf.convert_to_tensor(self.w_avg), truncation_psi, truncation_cutoff)

    def styles(self, z: tf.Tensor | None, c: tf.Tensor | None = None) -> tf.Tensor:
        """w [N,w_dim] before repetition and truncation."""
        inputs = [normalize_2nd_moment(z)] if self.z_dim > 0 else []
        if self.c_dim > 0:
            inputs.append(normalize_2nd_moment(self.embed(c)))
        x = inputs[0] if len(inputs) == 1 else tf.concat(inputs, axis=1)
        for i in range(self.num_layers):
            x = getattr(self, f"fc{i}")(x)
        return x

    def updated_w_avg(self, w_avg: tf.Tensor, w_mean: tf.Tensor) -> tf.Tensor:
        """The running mean [w_dim] after one more micro-batch of mean w_mean [w_dim]."""
        return w_mean + self.w_avg_beta * (w_avg - w_mean)


def truncate(ws: tf.Tensor, w_avg: tf.Tensor, psi: float | tf.Tensor, cutoff: int | None = None) -> tf.Tensor:
    """Pull the first `cutoff` of ws [N,num_ws,w_dim] (all if None) towards w_avg: w_avg + (w - w_avg) * psi.

    The truncation trick in W (StyleGAN, arXiv:1812.04948, appendix B).
    """
    # tf.cast would take a Python number by way of float32.
    psi = tf.cast(psi, ws.dtype) if tf.is_tensor(psi) else tf.convert_to_tensor(psi, ws.dtype)
    pulled = w_avg + (ws - w_avg) * psi
    return pulled if cutoff is None else tf.concat([pulled[:, :cutoff], ws[:, cutoff:]], axis=1)
