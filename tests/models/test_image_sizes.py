"""Networks of images that are no squares of a power of two: their shapes, names and channels, and what they share."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import sg_keras
from sg_keras.config import DatasetConfig, RunConfig, TrainingOptions, resolve
from sg_keras.models import Discriminator, Generator, networks_from_config, plan_synthesis
from sg_keras.weights.network_description import shaping_arguments
from sg_keras.weights.network_file import write_networks
from sg_keras.weights.published_names import published_weights
from sg_keras.weights.published_shapes import discriminator_shapes, generator_shapes
from sg_keras.weights.transfer import compare_networks

SMALL = {"img_channels": 4, "channel_base": 256, "channel_max": 8}
CFGS = ("stylegan2", "stylegan3-t", "stylegan3-r")
SIZES = {
    "stylegan2": [(64, 96), (48, 32), (24, 24), (8, 40)],
    "stylegan3-t": [(32, 48), (24, 40), (18, 22)],
    "stylegan3-r": [(48, 32), (18, 22)],
}
CASES = [(cfg, size, {}) for cfg, sizes in SIZES.items() for size in sizes]
CASES += [
    ("stylegan2", (48, 32), {"no_const": True, "channels": [[4, 6], [8, 2], [16, 5], [32, 3]]}),
    ("stylegan3-t", (18, 22), {"channels": [[4, 7], [8, 4], [16, 6], [32, 3]]}),
]


def generator(cfg, resolution, **options):
    keras.utils.set_random_seed(0)
    return Generator(**{**SMALL, "z_dim": 6, "w_dim": 6, "cfg": cfg, "img_resolution": resolution, **options})


@pytest.mark.parametrize("cfg, size, options", CASES)
def test_networks_of_a_size(cfg, size, options, tmp_path):
    """They make and judge images of it, and are the same again from a configuration and a file."""
    of_both = {name: value for name, value in options.items() if name == "channels"}
    G, D = generator(cfg, size, **options), Discriminator(**SMALL, img_resolution=size, **of_both)
    z = tf.constant(np.random.RandomState(0).randn(4, 6), tf.float32)
    images = G(z)
    assert images.shape == (4, *size, 4) == (4, *G.image_shape) and D(images).shape == (4, 1)
    for network, shapes in ((G, generator_shapes), (D, discriminator_shapes)):
        given = {**network.get_config(), **shaping_arguments(network)}
        given["mapping_kwargs"] = {"num_layers": 8 if cfg == "stylegan2" else 2}
        assert dict(shapes(given)) == {name: value.shape for name, value in published_weights(network).items()}
    G_ema = Generator.from_config({**G.get_config(), "name": "G_ema"})
    for name in ("networks.safetensors", "network-snapshot-000000"):
        write_networks(tmp_path / name, {"G": G, "D": D, "G_ema": G_ema})
        found = sg_keras.load(tmp_path / name)
        np.testing.assert_array_equal(found["G"](z), images)
        assert found["D"].get_config() == D.get_config() and found["G"].get_config() == G.get_config()


@pytest.mark.parametrize("cfg", ["stylegan2", pytest.param("stylegan3-t", marks=pytest.mark.long)])
def test_images_of_2048(cfg):
    table = [[4 << step, 1 if step > 3 else 4] for step in range(10)]
    G = generator(cfg, 2048, channels=table, img_channels=1)
    D = Discriminator(img_resolution=2048, img_channels=1, channels=table, mbstd_group_size=1)
    images = G(tf.ones([1, 6]))
    assert images.shape == (1, 2048, 2048, 1) and D(images).shape == (1, 1)
    assert np.isfinite(images).all() and np.std(images) > 0 and G.num_ws == (20 if cfg == "stylegan2" else 16)


@pytest.mark.parametrize("cfg", CFGS)
def test_all_but_what_is_as_large_as_the_image_is_that_of_the_square(cfg):
    """Names and channels are the square's, so transfer takes nearly all of it."""
    (to_rectangle,) = compare_networks({"G": generator(cfg, 32)}, [generator(cfg, (32, 48), name="G")], "", "").networks
    assert not to_rectangle.missing and not to_rectangle.unused
    assert to_rectangle.arguments == (("img_resolution", 32, [32, 48]),)
    kinds = {name.rpartition(".")[2] for name, _, _ in to_rectangle.mismatched}
    assert kinds == ({"const", "noise_const"} if cfg == "stylegan2" else set())
    D = [Discriminator(**SMALL, img_resolution=size) for size in (32, (48, 56))]
    (to_larger,) = compare_networks({"D": D[0]}, [D[1]], "", "").networks
    assert [name for name, _, _ in to_larger.mismatched] == ["b4.fc.weight"] and not to_larger.missing


def test_stylegan3_shows_what_the_square_shows_and_more_to_its_sides():
    """At the same rate and with the same margin: all but the borders is the same image."""
    square, wide = generator("stylegan3-t", 32), generator("stylegan3-t", (32, 64))
    wide.set_weights(square.get_weights())
    z = tf.constant(np.random.RandomState(0).randn(2, 6), tf.float32)
    narrow, middle = square(z).numpy(), wide(z).numpy()[:, :, 16:48]
    difference = np.abs(narrow - middle)[:, :, 8:24]
    assert difference.max() < 0.02 * np.ptp(narrow), (difference.max(), np.ptp(narrow))


@pytest.mark.parametrize("size", [(64, 96), (384, 640), (90, 130), (720, 1280), (22, 18)])
def test_plans_keep_centres_and_end_with_the_image(size):
    plan = plan_synthesis(size, 3)
    shorter = min(size)
    for layer in plan.layers:
        design = layer.design
        assert shorter / design.out_sampling_rate == 2 ** round(np.log2(shorter / design.out_sampling_rate))
        assert all(side % 2 == 0 for side in tuple(design.out_size))
        if design.out_size != size:
            covered = [side * design.out_sampling_rate / shorter for side in size]
            assert all(c + 20 <= have < c + 22 for c, have in zip(covered, design.out_size, strict=True))
        x0, x1, y0, y1 = design.padding
        assert x0 - x1 == y0 - y1
    assert plan.layers[-1].design.out_size == size and plan.layers[-1].design.out_sampling_rate == shorter


def test_half_precision_goes_by_the_level_and_the_rate():
    halves = [b.name for b in generator("stylegan2", (64, 96), num_fp16_res=2).synthesis.blocks if _is_half(b)]
    assert halves == ["b32", "b64"]
    layers = generator("stylegan3-t", (32, 48), num_fp16_res=1).synthesis.alias_free_layers
    assert [_is_half(layer) for layer in layers] == [layer.design.out_sampling_rate * 2 > 32 for layer in layers]


def _is_half(layer):
    return layer.compute_dtype == "float16"


def test_a_large_rectangle_is_built_and_counted():
    narrow = {"channel_base": 2048, "channel_max": 64}
    options = TrainingOptions(cfg="stylegan2", batch=4, gamma=1.0, gpus=0, cbase=2048, cmax=64)
    data = DatasetConfig(path="data", resolution=(512, 768), channels=3)
    G, D = networks_from_config(resolve(options, data, RunConfig(outdir="runs")))
    assert G.image_shape == (512, 768, 3)
    pixels = [4**power for power in range(2, 10)]  # of the square's blocks, which are half as wide again here
    constant, noise, dense = 64 * pixels[0], sum(2 * count for count in pixels) - pixels[0], 64 * 64 * pixels[0]
    assert G.count_params() == Generator(img_resolution=512, **narrow).count_params() + (constant + noise) // 2
    assert D.count_params() == Discriminator(img_resolution=512, **narrow).count_params() + dense // 2
