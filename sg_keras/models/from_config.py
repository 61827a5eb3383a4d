"""The networks of a run."""

from __future__ import annotations

import dataclasses
from typing import Any

from sg_keras.config import TrainingConfig
from sg_keras.config.schedule import Schedule, ScheduledCount
from sg_keras.config.sizes import MAPPING_LR_MULTIPLIER
from sg_keras.layers.configured_layer import accepted_by
from sg_keras.models.discriminator import Discriminator
from sg_keras.models.generator import Generator


def networks_from_config(config: TrainingConfig) -> tuple[Generator, Discriminator]:
    """G and D with new weights. What a part of the configuration calls as a network does is handed on by name.

    Example:
        >>> from sg_keras.config import DatasetConfig, RunConfig, TrainingOptions, resolve
        >>> options = TrainingOptions(cfg="stylegan2", batch=4, gamma=1.0, gpus=0, cbase=64)
        >>> data = DatasetConfig(path="data", resolution=16, channels=1)
        >>> G, D = sg_keras.models.networks_from_config(resolve(options, data, RunConfig(outdir="runs")))
        >>> G.image_shape, D.name
        ((16, 16, 1), 'D')
    """
    return Generator(**generator_arguments(config)), Discriminator(**discriminator_arguments(config))


def generator_arguments(config: TrainingConfig) -> dict[str, Any]:
    """What the generator of a run is made with; what it does not name has its default."""
    gen = config.generator
    # The published one is the default, and not said, so that networks have the configuration that they had.
    multiplier = {} if gen.mapping_lrmul == MAPPING_LR_MULTIPLIER else {"lr_multiplier": gen.mapping_lrmul}
    return {
        "mapping_kwargs": {"num_layers": gen.mapping_layers, **multiplier},
        "channels": gen.channels,
        "synthesis_kwargs": None if gen.cfg == "stylegan2" else {"magnitude_ema_beta": gen.magnitude_ema_beta},
        "name": "G",
        **_shared(config),
        **accepted_by(Generator, dataclasses.asdict(gen)),
        "num_fp16_res": _at_the_start(gen.num_fp16_res),
    }


def discriminator_arguments(config: TrainingConfig) -> dict[str, Any]:
    """The same of the discriminator."""
    disc = config.discriminator
    return {
        "mapping_kwargs": {"num_layers": disc.mapping_layers},
        "channels": disc.channels,
        "name": "D",
        **_shared(config),
        **accepted_by(Discriminator, dataclasses.asdict(disc)),
        "num_fp16_res": _at_the_start(disc.num_fp16_res),
    }


def _at_the_start(count: ScheduledCount) -> int:
    """A scheduled number of resolutions before the first image; training changes it (`set_half_resolutions`)."""
    return int(Schedule.of(count).at(0))


def _shared(config: TrainingConfig) -> dict[str, Any]:
    data = config.dataset
    return {
        "c_dim": data.c_dim,
        "img_resolution": data.resolution,
        "img_channels": data.channels,
        "impl": config.ops,
        "half_dtype": "float16" if config.precision == "float32" else config.precision,
    }
