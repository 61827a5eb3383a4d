"""StyleGAN3's promise, on small untrained networks and by the published measures: images move with their input."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sg_keras.config.sizes import parse_size
from sg_keras.metrics import equivariance
from sg_keras.models import Generator

pytestmark = pytest.mark.rounding

BATCHES, BATCH = 2, 2


@pytest.fixture(scope="module", params=["stylegan3-t 64", "stylegan3-r 64", "stylegan3-r 72x48"])
def generator(request):
    """With the capacity that the command line gives for cbase 512 and cmax 12 (twice as much for R).

    Fresh networks make faint images, in which everything is near everything. So magnitudes are measured, as training
    does in time, and images brought to the contrast of a photograph.
    """
    keras.utils.set_random_seed(0)
    cfg, size = request.param.split()
    wider = 2 if cfg == "stylegan3-r" else 1
    G = Generator(
        z_dim=16,
        w_dim=16,
        img_resolution=parse_size(size).plain,
        img_channels=3,
        cfg=cfg,
        channel_base=512 * wider,
        channel_max=12 * wider,
        synthesis_kwargs={"magnitude_ema_beta": 0.0},
    )
    ws = [G.mapping(tf.constant(z, tf.float32)) for z in np.random.RandomState(1).randn(BATCHES, BATCH, 16)]
    images, magnitudes = G.synthesis.call_with_updates(ws[0], G.synthesis.magnitudes())
    for name, variable in G.magnitude_variables().items():
        variable.assign(magnitudes[name])
    contrast = 0.5 / np.std(images)

    @tf.function(jit_compile=False)
    def synthesize(w, transform):
        return G.synthesis(w, transform=tf.cast(transform, w.dtype)) * contrast

    return cfg, synthesize, ws


@pytest.mark.parametrize("measure", [equivariance.eqt_int, equivariance.eqt_frac])
def test_translation(generator, measure):
    _, synthesize, ws = generator
    assert measure(synthesize, ws, np.random.RandomState(2).uniform(size=[BATCHES, 2])).decibels() >= 45


def test_rotation_is_what_r_has_and_t_lacks(generator):
    cfg, synthesize, ws = generator
    decibels = equivariance.eqr(synthesize, ws, np.random.RandomState(3).uniform(size=[BATCHES])).decibels()
    assert decibels >= 45 if cfg == "stylegan3-r" else decibels < 20
