"""Counts without building agree with networks that are built."""

import math

import pytest

from sg_keras.config import DatasetConfig, RunConfig, TrainingOptions, resolve
from sg_keras.models import networks_from_config
from sg_keras.weights.parameter_counts import ParameterCount, parameter_counts

CASES = [
    ("stylegan2", 16, 0, {}),
    ("stylegan2", (64, 96), 5, {"freezed": 3}),
    ("stylegan3-t", 16, 0, {}),
    ("stylegan3-t", (24, 40), 3, {}),
    ("stylegan3-r", 16, 2, {}),
    ("stylegan3-r", (48, 32), 0, {}),
    ("stylegan2", 16, 3, {"fmaps": "4:5,8:4,16:7", "no_const": True, "map_depth": 12, "cbase": None}),
    ("stylegan3-t", (18, 22), 0, {"fmaps": "4:5,8:4,16:7,32:3", "d_fmaps": "4:3,8:3,16:3", "cbase": None}),
]


def _config(cfg, resolution, c_dim=0, channels=3, **options):
    given = {"cfg": cfg, "batch": 4, "gamma": 1.0, "gpus": 0, "cbase": 64, "cond": c_dim > 0, **options}
    resolved = TrainingOptions(**given)
    data = DatasetConfig(path="data", resolution=resolution, channels=channels, c_dim=c_dim)
    return resolve(resolved, data, RunConfig(outdir="runs"))


@pytest.mark.parametrize("cfg, resolution, c_dim, options", CASES)
def test_counts_are_those_of_built_networks(cfg, resolution, c_dim, options):
    config = _config(cfg, resolution, c_dim, channels=4, **options)
    counts = parameter_counts(config)
    for name, network in zip("GD", networks_from_config(config), strict=True):
        for layer in getattr(network, "frozen_layer_names", ()):  # they are parameters as well
            block, _, part = layer.partition(".")
            getattr(getattr(network, block), part).trainable = True
        learnt, fixed = (
            sum(math.prod(v.shape) for v in variables)
            for variables in (network.trainable_variables, network.non_trainable_variables)
        )
        assert counts[name] == ParameterCount(learnt, fixed)
        assert learnt + fixed == network.count_params()


@pytest.mark.parametrize(
    "capacity, millions", [("config-f", 59), ("m", 64), ("l", 70), ("xl", 106), ("xxl", 150), ("small", 13.3)]
)
def test_capacities_have_the_reported_parameters(capacity, millions):
    """G and D of StyleGAN2 at 1024x1024 together, within a percent; and nothing ends there."""
    for resolution, more in ((1024, 1.0), (2048, 1.003)):
        counts = parameter_counts(_config("stylegan2", resolution, cbase=None, capacity=capacity))
        assert counts["G"].parameters + counts["D"].parameters == pytest.approx(more * 1e6 * millions, rel=0.01)
    for cfg in ("stylegan3-t", "stylegan3-r"):
        assert parameter_counts(_config(cfg, 2048, cbase=None, capacity=capacity))["G"].parameters > 2e6


def test_large_ones_are_counted_in_no_time():
    """The number that tests/models/test_image_sizes.py finds in the network itself."""
    counts = parameter_counts(_config("stylegan2", (512, 768), cbase=32768))
    assert counts["D"] == ParameterCount(31_080_001, 0)
    assert str(counts["D"]) == "31,080,001 parameters" and str(counts["G"]).endswith(" in buffers")
