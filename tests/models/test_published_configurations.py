"""StyleGAN3's published configurations: what is built of them is of the shapes and sizes that the plan says."""

from __future__ import annotations

import csv
import pathlib
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from sg_keras.config import DatasetConfig, RunConfig, TrainingOptions, resolve
from sg_keras.models import networks_from_config

with (pathlib.Path(__file__).parents[1] / "fixtures" / "training_configs.csv").open(newline="") as table:
    ROWS = [row for row in csv.DictReader(table) if "stylegan3" in row["options"]]


def configuration(row):
    """Of a run with the options of a published one."""
    options = dict(word[2:].split("=", 1) for word in row["options"].split())
    given = {name.replace("-", "_"): value for name, value in options.items()}
    sizes = {name: int(given[name]) for name in ("batch_gpu", "cbase", "map_depth", "mbstd_group") if name in given}
    return resolve(
        TrainingOptions(
            cfg=given["cfg"],
            batch=int(given["batch"]),
            gamma=float(given["gamma"]),
            gpus=int(given["gpus"]),
            ops="reference",
            **sizes,
        ),
        DatasetConfig(path="data", resolution=int(re.search(r"([0-9]+)x[0-9]+", str(row)).group(1)), channels=3),
        RunConfig(outdir="runs"),
    )


def by_networks(rows):
    """One configuration for each pair of networks."""
    configs = [configuration(row) for row in rows]
    return list({(c.dataset.resolution, c.generator, c.discriminator): c for c in configs}.values())


@pytest.mark.parametrize(
    "config", by_networks(ROWS), ids=lambda c: f"{c.generator.cfg}-{c.dataset.resolution}-{c.generator.channel_base}"
)
def test_published_configurations_build(config):
    """Shapes and parameters alone: in a graph that is never run, variables take no memory."""
    side = config.dataset.resolution
    with tf.Graph().as_default():
        G, D = networks_from_config(config)
        images = G(tf.zeros([4, G.z_dim]))
        assert images.shape == (4, side, side, 3)
        assert D(images).shape == (4, 1)
        assert G.synthesis.plan.num_parameters(G.w_dim) == sum(
            int(np.prod(v.shape)) for v in G.synthesis.trainable_variables
        )
        assert G.synthesis.alias_free_layers[0].magnitude_ema_beta == 0.5 ** (config.batch / 20000)
    keras.backend.clear_session()


def test_there_are_42_published_configurations():
    assert len(ROWS) == 42
