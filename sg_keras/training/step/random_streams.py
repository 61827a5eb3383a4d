"""Random numbers of training: each a pure function of (noise key, phase, purpose, global sample index).

The global sample index counts real images since the start of the run, so nothing depends on how a batch is spread
over replicas, nor on how often the run was interrupted. The numbers of one micro-batch are drawn together, from the
index of its first sample.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from sg_keras import augment

_LATENT, _MIXING_LATENT, _MIXING_CUTOFF, _PATH_NOISE, _LAYER_NOISE, _AUGMENT_FAKE, _AUGMENT_REAL = range(7)
_AUGMENT = {"fake": _AUGMENT_FAKE, "real": _AUGMENT_REAL}
_PURPOSE_STRIDE = 1 << 8  # layers add up to 255 to the key of their phase's layer noise
_PHASE_STRIDE = 1 << 12
_KEY_STRIDE = 1 << 20


class PhaseRandom:
    """Everything random in a phase, from Philox keyed by [noise key and purpose, global sample index].

    Args:
        noise_key: int64 scalar variable or tensor; part of the training state.
        z_dim: width of a latent.
        style_mixing_prob: probability of style mixing in a micro-batch.
        dtype: of the numbers.
    """

    noise_mode = "random"

    def __init__(self, noise_key: tf.Variable, z_dim: int, style_mixing_prob: float, dtype: str = "float32") -> None:
        self._noise_key = noise_key
        self._z_dim = z_dim
        self.style_mixing_prob = style_mixing_prob
        self._dtype = dtype

    def latents(self, phase: int, first_sample: tf.Tensor, count: int) -> tf.Tensor:
        """Standard normal z [count,z_dim] of a phase."""
        return self._normal([count, self._z_dim], self._seed(phase, _LATENT, first_sample))

    def mixing_latents(self, phase: int, first_sample: tf.Tensor, count: int) -> tf.Tensor:
        """The second z [count,z_dim] of style mixing."""
        return self._normal([count, self._z_dim], self._seed(phase, _MIXING_LATENT, first_sample))

    def mixing_cutoff(self, phase: int, first_sample: tf.Tensor, num_ws: int) -> tf.Tensor:
        """First index of ws that comes from the second z: 1..num_ws-1, or num_ws where no mixing happens."""
        seed = self._seed(phase, _MIXING_CUTOFF, first_sample)
        uniform = tf.random.stateless_uniform([2], seed, dtype=tf.float32, alg="philox")
        cutoff = 1 + tf.cast(uniform[0] * (num_ws - 1), tf.int32)
        return tf.where(uniform[1] < self.style_mixing_prob, tf.minimum(cutoff, num_ws - 1), num_ws)

    def path_noise(self, phase: int, first_sample: tf.Tensor, shape: Sequence[int]) -> tf.Tensor:
        """Standard normal images of the path length penalty."""
        return self._normal(shape, self._seed(phase, _PATH_NOISE, first_sample))

    def layer_noise_seed(self, phase: int, first_sample: tf.Tensor) -> tf.Tensor:
        """Seed, int64 [2], of the synthesis layers' noise; a layer adds its own index to the first number."""
        return self._seed(phase, _LAYER_NOISE, first_sample)

    def augmentation(self, phase: int, kind: str, first_sample: tf.Tensor) -> augment.AugmentRandom:
        """Numbers for the augmentation of a phase's images, "fake" or "real": each sample has its own."""
        with tf.device("CPU:0"):  # where the pipeline needs them
            seed = tf.stack([self._key(phase, _AUGMENT[kind]), tf.constant(0, tf.int64)])
            return augment.AugmentRandom(seed, first_sample)

    def _key(self, phase: int, purpose: int) -> tf.Tensor:
        return tf.convert_to_tensor(self._noise_key) * _KEY_STRIDE + (phase * _PHASE_STRIDE + purpose * _PURPOSE_STRIDE)

    def _seed(self, phase: int, purpose: int, first_sample: tf.Tensor) -> tf.Tensor:
        return tf.stack([self._key(phase, purpose), tf.cast(first_sample, tf.int64)])

    def _normal(self, shape: Sequence[int], seed: tf.Tensor) -> tf.Tensor:
        return tf.random.stateless_normal(shape, seed, dtype=self._dtype, alg="philox")
