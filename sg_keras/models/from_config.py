"""The networks of a run."""

from __future__ import annotations

from typing import Any

from sg_keras.config import TrainingConfig
from sg_keras.models.discriminator import Discriminator
from sg_keras.models.generator import Generator


def networks_from_config(config: TrainingConfig) -> tuple[Generator, Discriminator]:
    """G and D with new weights, as a run's configuration describes them."""
    data, gen, disc = config.dataset, config.generator, config.discriminator
    shared: dict[str, Any] = {
        "c_dim": data.c_dim,
        "img_resolution": data.resolution,
        "img_channels": data.channels,
        "ops": config.ops,
        "half_dtype": "float16" if config.precision == "float32" else config.precision,
    }
    G = Generator(
        z_dim=gen.z_dim,
        w_dim=gen.w_dim,
        cfg=gen.cfg,
        mapping_kwargs={"num_layers": gen.mapping_layers},
        channel_base=gen.channel_base,
        channel_max=gen.channel_max,
        architecture=gen.architecture,
        conv_clamp=gen.conv_clamp,
        num_fp16_res=gen.num_fp16_res,
        synthesis_kwargs=None if gen.cfg == "stylegan2" else {"magnitude_ema_beta": gen.magnitude_ema_beta},
        name="G",
        **shared,
    )
    D = Discriminator(
        architecture=disc.architecture,
        channel_base=disc.channel_base,
        channel_max=disc.channel_max,
        conv_clamp=disc.conv_clamp,
        num_fp16_res=disc.num_fp16_res,
        mapping_kwargs={"num_layers": disc.mapping_layers},
        mbstd_group_size=disc.mbstd_group_size,
        mbstd_num_channels=disc.mbstd_num_channels,
        freeze_layers=disc.freeze_layers,
        name="D",
        **shared,
    )
    return G, D
