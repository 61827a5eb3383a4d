"""Sizes of networks by name: from one GPU of 8 GB to the largest that practice reports on.

Parameters of StyleGAN2's G and D together at 1024x1024, in millions: config-f 59 (arXiv:1912.04958), m 64, l 70,
xl 106, xxl 150.
"""

from __future__ import annotations

from typing import NamedTuple

from sg_keras.config.sizes import DEFAULT_CHANNEL_BASE, DEFAULT_CHANNEL_MAX


class Capacity(NamedTuple):
    """Defaults of the options of the same names."""

    cbase: int
    cmax: int
    z_dim: int = 512
    w_dim: int = 512


CONFIG_F = Capacity(DEFAULT_CHANNEL_BASE, DEFAULT_CHANNEL_MAX)

CAPACITIES: dict[str, Capacity] = {
    "small": Capacity(16384, 256, z_dim=32, w_dim=32),
    "config-f": CONFIG_F,
    "m": Capacity(49152, 512),
    "l": Capacity(65536, 512),
    "xl": Capacity(81920, 640),
    "xxl": Capacity(98304, 768),
}
