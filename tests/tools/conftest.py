"""A network snapshot of tiny networks, and a way to run tools."""

import pathlib

import pytest

from sg_keras.config import DatasetConfig, RunConfig, TrainingOptions, resolve
from sg_keras.models import Discriminator
from sg_keras.weights import write_snapshot
from tests.tiny_generator import tiny_generator


def write_tiny_snapshot(folder: pathlib.Path, c_dim: int, resolution: int = 16, cfg: str = "stylegan2") -> pathlib.Path:
    """A snapshot as a run leaves it behind."""
    config = resolve(
        TrainingOptions(
            cfg=cfg, batch=4, gamma=1.0, gpus=0, aug="noaug", cbase=64, cmax=8, map_depth=2, z_dim=8, w_dim=8
        ),
        DatasetConfig(path="digits", name="digits", resolution=resolution, channels=1, c_dim=c_dim, num_images=10),
        RunConfig(outdir="runs"),
    )
    networks = [tiny_generator(c_dim, resolution=resolution, name=name, cfg=cfg) for name in ("G", "G_ema")]
    D = Discriminator(c_dim=c_dim, img_resolution=resolution, img_channels=1, channel_base=64, channel_max=8)
    write_snapshot(folder, [*networks, D], config)
    return folder


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory) -> pathlib.Path:
    """Of gray 16x16 networks with 3 classes."""
    return write_tiny_snapshot(tmp_path_factory.mktemp("tools") / "network-snapshot-000001", c_dim=3)


@pytest.fixture(scope="session")
def unconditional_snapshot(tmp_path_factory) -> pathlib.Path:
    """Of gray 16x16 networks without classes."""
    return write_tiny_snapshot(tmp_path_factory.mktemp("tools") / "network-snapshot-000002", c_dim=0)


@pytest.fixture(scope="session")
def stylegan3_snapshot(tmp_path_factory) -> pathlib.Path:
    """Of a gray 16x16 StyleGAN3-R without classes."""
    folder = tmp_path_factory.mktemp("tools") / "network-snapshot-000003"
    return write_tiny_snapshot(folder, c_dim=0, cfg="stylegan3-r")
