"""Networks and their blocks through the harness of the layers; users' own models with them; files from before."""

from __future__ import annotations

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from sg_keras.layers import Conv2D, Dense, MinibatchStd, SynthesisLayer, ToRGB
from sg_keras.models import Discriminator, Generator, Mapping
from sg_keras.models.discriminator import DiscriminatorBlock, DiscriminatorEpilogue
from sg_keras.models.synthesis_block import SynthesisBlock
from sg_keras.models.synthesis_stylegan2 import SynthesisStyleGAN2
from sg_keras.models.synthesis_stylegan3 import SynthesisStyleGAN3
from sg_keras.weights.snapshot import read_network
from tests.layers.harness import check_layer

SNAPSHOTS = pathlib.Path(__file__).parents[1] / "fixtures" / "snapshots"
SIZES = {"img_resolution": 8, "img_channels": 2, "channel_base": 32, "channel_max": 4}
LATENT = {"z_dim": 6, "w_dim": 5, "mapping_kwargs": {"num_layers": 2}}
DESIGN = {"num_layers": 2, "num_critical": 1, "margin_size": 2}
IMAGES, LABELS, Z, W = (4, 8, 8, 2), (4, 3), (4, 6), (4, 5)
BLOCK = {"in_channels": 4, "out_channels": 3, "w_dim": 5, "resolution": 8, "img_channels": 2}
FIRST = {**BLOCK, "in_channels": 0, "resolution": 4}
HALF, FULL = "bfloat16", "float32"
CASES = {
    "mapping": (Mapping, {"z_dim": 6, "c_dim": 3, "w_dim": 5, "num_ws": 7}, (Z, LABELS), [(4, 7, 5)], None),
    "first block": (
        SynthesisBlock,
        {**FIRST, "is_last": False},
        (None, None, [W] * 2),
        [(4, 4, 4, 3), (4, 4, 4, 2)],
        [HALF, FULL],
    ),
    "skip block": (
        SynthesisBlock,
        {**BLOCK, "is_last": True},
        ((4, 4, 4, 4), (4, 4, 4, 2), [W] * 3),
        [(4, 8, 8, 3), IMAGES],
        [HALF, FULL],
    ),
    "resnet block": (
        SynthesisBlock,
        {**BLOCK, "is_last": False, "architecture": "resnet"},
        ((4, 4, 4, 4), None, [W] * 2),
        [(4, 8, 8, 3)],
        None,
    ),
    "synthesis of StyleGAN2": (SynthesisStyleGAN2, {"w_dim": 5, **SIZES}, ((4, 4, 5),), [IMAGES], [FULL]),
    "synthesis without a constant": (
        SynthesisStyleGAN2,
        {"w_dim": 5, **SIZES, "architecture": "resnet", "no_const": True},
        ((4, 5, 5),),
        [IMAGES],
        [FULL],
    ),
    "synthesis of StyleGAN3": (SynthesisStyleGAN3, {"w_dim": 5, **SIZES, **DESIGN}, ((4, 4, 5),), [IMAGES], [FULL]),
    "discriminator block": (
        DiscriminatorBlock,
        {"in_channels": 0, "mid_channels": 3, "out_channels": 4, "resolution": 8, "img_channels": 2},
        (None, IMAGES),
        [(4, 4, 4, 4)],
        None,
    ),
    "discriminator block with an image path": (
        DiscriminatorBlock,
        {
            "in_channels": 3,
            "mid_channels": 3,
            "out_channels": 4,
            "resolution": 8,
            "img_channels": 2,
            "architecture": "skip",
        },
        ((4, 8, 8, 3), IMAGES),
        [(4, 4, 4, 4), (4, 4, 4, 2)],
        [HALF, FULL],
    ),
    "epilogue": (
        DiscriminatorEpilogue,
        {"in_channels": 4, "cmap_dim": 3, "img_channels": 2},
        ((4, 4, 4, 4), None, LABELS),
        [(4, 1)],
        None,
    ),
    "generator": (Generator, {"c_dim": 3, **LATENT, **SIZES}, (Z, LABELS), [IMAGES], [FULL]),
    "StyleGAN3-R": (
        Generator,
        {"cfg": "stylegan3-r", "synthesis_kwargs": DESIGN, **LATENT, **SIZES},
        (Z,),
        [IMAGES],
        [FULL],
    ),
    "discriminator": (Discriminator, {"c_dim": 3, "freeze_layers": 2, **SIZES}, (IMAGES, LABELS), [(4, 1)], None),
    "half precision": (
        Discriminator,
        {"num_fp16_res": 1, "half_dtype": "bfloat16", **SIZES},
        (IMAGES,),
        [(4, 1)],
        None,
    ),
}
#: Without an image they return None in its place, of which Keras makes no symbolic output.
NOT_SYMBOLIC = {"resnet block", "discriminator block"}


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.bfloat16) if case == "half precision" else case for case in CASES]
)
def test_network(case, tmp_path):
    network, kwargs, call, outputs, mixed = CASES[case]
    check_layer(network, kwargs, call, outputs, tmp_path, mixed=mixed, symbolic=case not in NOT_SYMBOLIC)


def test_a_users_model_saves_and_loads(tmp_path):
    """Layers, a network with keyword arguments, and Keras's own layers in one functional model."""
    keras.utils.set_random_seed(2)
    G = Generator(**LATENT, **SIZES)
    image, w = keras.Input((8, 8, 2)), keras.Input((5,))
    x = Conv2D(4, 3, activation="lrelu", conv_clamp=2.0)(image)
    x = SynthesisLayer(3, 5, 16, up=2)(x, w, noise_mode="none", gain=0.5)
    x = MinibatchStd()(keras.layers.Dropout(0.1)(ToRGB(2, 5)(x, w)))
    z = Dense(6, "swish", name="to_z")(keras.layers.Flatten()(x))
    model = keras.Model([image, w], {"images": G(z, truncation_psi=0.5, truncation_cutoff=2), "features": x})
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inputs = [tf.random.stateless_normal(shape, [1, 2]) for shape in (IMAGES, W)]
    for name, expected in model(inputs).items():
        np.testing.assert_array_equal(loaded(inputs)[name], expected)
    assert loaded.get_layer("to_z").get_config() == model.get_layer("to_z").get_config()


def test_frozen_stays_frozen():
    G = Generator(**LATENT, **SIZES)
    G.trainable = False
    assert Generator.from_config(G.get_config()).trainable_variables == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("stylegan2", {"c_dim": 2, "cfg": "stylegan2", "num_fp16_res": 0, "mapping_kwargs": {"num_layers": 1}}),
        ("stylegan3-t", {"cfg": "stylegan3-t", "synthesis_kwargs": DESIGN}),
        ("discriminator", {"c_dim": 2, "freeze_layers": 1, "channel_max": 2}),
    ],
)
def test_snapshots_from_before_load(name, shown):
    """Files of the release before layers were registered: every variable has the value that was written."""
    network = read_network(SNAPSHOTS / f"{name}.keras", "reference")
    assert {key: network.get_config()[key] for key in shown} == shown
    for index, variable in enumerate(network.variables):
        wave = np.sin(np.arange(np.size(variable)) * 0.7 + index).reshape(variable.shape)
        expected = 1.5 if variable.path.endswith("magnitude_ema") else wave
        np.testing.assert_allclose(variable, expected, atol=1e-6, err_msg=variable.path)
