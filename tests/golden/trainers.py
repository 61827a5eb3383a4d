"""The training model with a case's networks, settings and recorded random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from sg_keras.config import LossConfig, OptimizerConfig
from sg_keras.training.step.phase import Phase
from sg_keras.training.step.stylegan import StyleGAN
from tests.golden.layout import images_in, tensor
from tests.golden.manifest import Case
from tests.golden.networks import build_discriminator, build_generator, load_weights
from tests.golden.report import Options, UncoveredError
from tests.golden.tolerance import Judgement

# Our phases by other names that cases give them.
_PHASE_OF = {"Gboth": "Gmain", "Gpl": "Greg", "Dr1": "Dreg"}


class RecordedRandom:
    """Gives the phases a case's numbers instead of random ones. One iteration is `batch` images from `start_nimg` on.

    Args:
        latents: z [iterations, axes, batch, z_dim].
        path_noise: [micro-batches of Greg, n, C, H, W], consumed in order; or none.
        axes: where in `latents` the phase of each index has its own.
        batch, batch_gpu, start_nimg: as in training.
        path_interval: iterations between two runs of Greg.
        dtype: of the run.
        noise_mode: of the synthesis layers.
    """

    style_mixing_prob = 0.0

    def __init__(
        self,
        latents: np.ndarray,
        path_noise: np.ndarray | None,
        axes: dict[int, int],
        *,
        batch: int,
        batch_gpu: int,
        start_nimg: int,
        path_interval: int,
        dtype: str,
        noise_mode: str = "const",
    ) -> None:
        self._latents = tensor(latents, dtype)
        # The noise images as [micro-batches, n, H, W, C].
        has_noise = path_noise is not None and path_noise.size > 0
        self._path_noise = tensor(np.moveaxis(path_noise, 2, -1), dtype) if has_noise else None
        self._axes, self._batch, self._batch_gpu = axes, batch, batch_gpu
        self._start, self._path_interval = start_nimg, path_interval
        self.noise_mode = noise_mode

    def _position(self, first_sample: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Iteration, and position of the sample in its batch."""
        seen = tf.cast(first_sample, tf.int64) - self._start
        return seen // self._batch, seen % self._batch

    def latents(self, phase: int, first_sample: tf.Tensor, count: int) -> tf.Tensor:
        iteration, start = self._position(first_sample)
        return self._latents[iteration, self._axes[phase]][start : start + count]

    def path_noise(self, phase: int, first_sample: tf.Tensor, shape: Sequence[int]) -> tf.Tensor:
        if self._path_noise is None:
            raise ValueError("the case has no path length noise")
        iteration, start = self._position(first_sample)
        rounds = self._batch // self._batch_gpu
        noise = self._path_noise[iteration // self._path_interval * rounds + start // self._batch_gpu]
        tf.debugging.assert_equal(tf.shape(noise), list(shape), "path length noise of another shape")
        return noise

    def layer_noise_seed(self, phase: int, first_sample: tf.Tensor) -> tf.Tensor:
        return tf.zeros([2], tf.int64)


def our_phase(name: str) -> str:
    """Our name of a case's phase."""
    return _PHASE_OF.get(name, name)


def loss_config(case: Case, g_reg_interval: int | None, d_reg_interval: int) -> LossConfig:
    """The losses' settings. Uncovered where a case wants what training does not have yet."""
    args = case.args
    if args.get("style_mixing_prob"):
        raise UncoveredError("no code for recorded style mixing")
    if args.get("augment", "none") != "none":
        raise UncoveredError("no code for augmentation")
    names = ("pl_weight", "pl_batch_shrink", "pl_decay", "blur_init_sigma", "blur_fade_kimg")
    return LossConfig(
        r1_gamma=args["r1_gamma"],
        style_mixing_prob=0.0,
        g_reg_interval=g_reg_interval,
        d_reg_interval=d_reg_interval,
        **{name: args[name] for name in names if name in args},
    )


def build_trainer(
    case: Case,
    options: Options,
    prefix: str,
    loss: LossConfig,
    optimizer: OptimizerConfig,
    model_class: type[StyleGAN] = StyleGAN,
    **settings: Any,
) -> tuple[StyleGAN, list[Judgement]]:
    """Both networks with the weights <prefix>G/* and <prefix>D/*, and the training model around them."""
    networks, judgements = [], []
    for name, build in (("G", build_generator), ("D", build_discriminator)):
        kwargs = case.args[f"{name}_kwargs"]
        network = build(kwargs, options.impl)
        taps = kwargs.get("resample_filter", (1, 3, 3, 1))
        judgements += load_weights(case, network, f"{prefix}{name}/", taps, options)
        networks.append(network)
    return model_class(*networks, loss=loss, optimizer=optimizer, **settings), judgements


def phase_named(model: StyleGAN, name: str) -> Phase:
    """A phase of the model by its name."""
    for phase in model.phases:
        if phase.name == name:
            return phase
    raise ValueError(f"training has no phase {name!r}, but {[phase.name for phase in model.phases]}")


def real_images(array: np.ndarray, dtype: str) -> tf.Tensor:
    """Reals [N,C,H,W] as [N,H,W,C]."""
    return tensor(images_in(array), dtype)
