"""The functions of a generator that exports hold, in TensorFlow's own ops and float32."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from sg_keras.layers.synthesis_layer import NOISE_MODES
from sg_keras.models import Generator, in_full_precision
from sg_keras.ops.library import PORTABLE
from sg_keras.ops.pixel_values import to_uint8

MAPPING, SYNTHESIS, GENERATE = "mapping", "synthesis", "generate"
TRANSFORMED = "synthesis_transformed"


class GeneratorSignatures(tf.Module):
    """Weights and functions of a generator, and nothing of Keras.

    * mapping: z [N,z_dim], c [N,c_dim], truncation_psi [] -> ws [N,num_ws,w_dim]
    * synthesis: ws -> images [N,H,W,C], nominally -1..1, and images_uint8 [N,H,W,C]; of StyleGAN3 the transform is an
      optional second argument
    * generate: z, c, truncation_psi -> images, images_uint8

    c is left out for a network without labels.

    Args:
        G: generator, in any implementation of the ops and any precision.
        noise_mode: "const" (the image stored in the network), "random" (fresh with each call) or "none".
        batch: images of a call; None = any number.
        any_rank: the transform may be [3,3] for all images; else it is [N,3,3], for programs that have to know ranks.

    Raises:
        ValueError: G is no generator, or there is no such noise mode.
    """

    def __init__(
        self, G: Generator, *, noise_mode: str = "const", batch: int | None = None, any_rank: bool = False
    ) -> None:
        super().__init__(name="generator")
        if not isinstance(G, Generator):
            raise ValueError(f"found {type(G).__name__}, expected a Generator to export")
        if noise_mode not in NOISE_MODES:
            raise ValueError(f"noise-mode: found {noise_mode!r}, expected {', '.join(NOISE_MODES)}")
        G = in_full_precision(G, PORTABLE)
        self.weights = [variable.value for variable in G.variables]
        latents = [tf.TensorSpec([batch, G.z_dim], tf.float32, name="z")]
        if G.c_dim > 0:
            latents.append(tf.TensorSpec([batch, G.c_dim], tf.float32, name="c"))
        latents.append(tf.TensorSpec([], tf.float32, name="truncation_psi"))
        styles = [tf.TensorSpec([batch, G.num_ws, G.w_dim], tf.float32, name="ws")]

        def ws_of(*inputs: tf.Tensor) -> tf.Tensor:
            *z_and_c, psi = inputs
            return G.mapping(*z_and_c, truncation_psi=psi)

        def outputs_of(ws: tf.Tensor, **move: tf.Tensor) -> dict[str, tf.Tensor]:
            images = G.synthesis(ws, noise_mode=noise_mode, **move)
            return {"images": images, "images_uint8": to_uint8(images)}

        def moved(ws: tf.Tensor, transform: tf.Tensor = tf.eye(3)[tf.newaxis]) -> dict[str, tf.Tensor]:  # noqa: B008
            return outputs_of(ws, transform=tf.reshape(transform, [-1, 3, 3]))

        self.mapping = _function(lambda *inputs: {"ws": ws_of(*inputs)}, latents)
        self.synthesis = still = _function(outputs_of, styles)
        self.generate = _function(lambda *inputs: outputs_of(ws_of(*inputs)), latents)
        self._signatures = {MAPPING: self.mapping, SYNTHESIS: still, GENERATE: self.generate}
        if G.takes_transform:
            matrices = tf.TensorSpec(None if any_rank else [batch, 3, 3], tf.float32, name="transform")
            self.synthesis = self._signatures[TRANSFORMED] = _function(moved, [*styles, matrices])

    def signatures(self) -> dict[str, Any]:
        """The functions, by name; of StyleGAN3 also synthesis_transformed, whose transform is no option."""
        return dict(self._signatures)


def _function(function: Any, inputs: list[tf.TensorSpec]) -> Any:
    return tf.function(function, input_signature=inputs, autograph=False, jit_compile=False)
