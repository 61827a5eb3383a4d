"""A small generator whose images show every one of its inputs."""

import keras
import numpy as np

from sg_keras.config.sizes import Resolution
from sg_keras.models import Generator


def tiny_generator(
    c_dim: int = 3,
    channels: int = 1,
    resolution: Resolution = 16,
    name: str = "G_ema",
    cfg: str = "stylegan2",
    width: int = 8,
    no_const: bool = False,
) -> Generator:
    """Weights that follow from nothing but the arguments; the noise and w_avg matter."""
    keras.utils.set_random_seed(0)
    G = Generator(
        z_dim=width,
        w_dim=width,
        c_dim=c_dim,
        img_resolution=resolution,
        img_channels=channels,
        channel_base=64,
        channel_max=8,
        mapping_kwargs={"num_layers": 2},
        cfg=cfg,
        synthesis_kwargs={} if cfg == "stylegan2" else {"num_layers": 3, "num_critical": 1, "margin_size": 4},
        no_const=no_const,
        name=name,
    )
    random = np.random.RandomState(1)
    for variable in G.variables:
        if variable.path.endswith(("noise_strength", "bias", "w_avg")):
            variable.assign(0.3 * random.randn(*variable.shape))
    return G
