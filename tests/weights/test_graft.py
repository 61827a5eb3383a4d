"""Networks that begin as smaller and larger ones, in float64: what is kept is kept to the last bits."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from sg_keras.models import Discriminator, Generator
from sg_keras.ops import downsample2d, setup_filter, upsample2d
from sg_keras.weights.graft import GraftedNetwork
from sg_keras.weights.load import load
from sg_keras.weights.transfer import assign_grafts, compare_networks, graft_networks

FILTER = setup_filter([1, 3, 3, 1])
LABELS = np.eye(3)[[0, 1, 2, 0]]
#: A few hundred additions of numbers of the size of the result, at most: 2e-14 was found.
ROUNDING = 1e-12
#: StyleGAN3 normalises styles over all channels, new ones, too; that cancels but for the 1e-8 in each of five
#: normalisations of 8 numbers or more: 1e-8 / 8 / 2 * 5, and what the activations make of it.
#: 1e-10 was found.
STYLEGAN3_EPSILON = 2e-8


def generator(seed=0, **arguments):
    chosen = {"z_dim": 8, "w_dim": 8, "img_resolution": 16, "channel_base": 64, "channel_max": 8, "name": "G"}
    if arguments.get("cfg", "stylegan2") != "stylegan2":
        chosen["synthesis_kwargs"] = {"num_layers": 4, "num_critical": 1, "margin_size": 4}
    return shaken(Generator, seed, {**chosen, "mapping_kwargs": {"num_layers": 2}, **arguments})


def discriminator(seed=0, **arguments):
    chosen = {"img_resolution": 16, "channel_base": 64, "channel_max": 8, "mapping_kwargs": {"num_layers": 2}}
    return shaken(Discriminator, seed, {**chosen, **arguments})


def shaken(cls, seed, arguments):
    """A network in which everything matters, the source's (seed 0) as well as a new one's."""
    keras.config.set_dtype_policy("float64")
    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(seed)
    network, random = cls(impl="reference", **arguments), np.random.default_rng(seed)
    for variable in network.variables if seed == 0 else ():
        if variable.path.endswith(("bias", "noise_strength", "w_avg")):
            variable.assign(np.asarray(variable.value) + 0.3 * random.standard_normal(variable.shape))
        elif variable.path.endswith("magnitude_ema"):
            variable.assign(0.7)
    return network


def grafted(source, target):
    """The target with the source's weights, what was done, and the report on it."""
    name = source.name
    networks = {"G_ema": source, name: source}
    grafts = graft_networks(networks, [target])
    report = compare_networks(networks, [target], "there", "a file", grafts)
    assign_grafts(grafts, [target])
    (found,) = report.networks
    listed = [*found.taken, *(row[0] for row in (*found.fitted, *found.new, *found.mismatched, *found.missing))]
    assert sorted(listed) == sorted(v.path.removeprefix(f"{name}/").replace("/", ".") for v in target.variables)
    assert found.kept in report.summary() and all(name in report.text() for name in listed)
    return grafts[name], found


def images(G, psi=0.7):
    z = np.random.default_rng(1).standard_normal([4, 8])
    return G(z, LABELS if G.c_dim else None, truncation_psi=psi)


def assert_same(found, expected, limit):
    assert found.shape == expected.shape
    scale = float(tf.reduce_max(tf.abs(expected)))
    assert scale > 0.01
    np.testing.assert_allclose(found, expected, rtol=0, atol=limit * scale)


WIDER = {"channel_base": 128, "channel_max": 12}


@pytest.mark.parametrize(
    "of_both, wider, limit",
    [
        ({"c_dim": 3}, {"channels": [[4, 12], [8, 10], [16, 9]], "w_dim": 12}, ROUNDING),
        ({"architecture": "resnet"}, {**WIDER, "mapping_kwargs": {"num_layers": 2, "lr_multiplier": 0.1}}, ROUNDING),
        ({"cfg": "stylegan3-t"}, {**WIDER, "w_dim": 12}, STYLEGAN3_EPSILON),
    ],
)
def test_wider_generators_make_the_same_images(of_both, wider, limit):
    source, target = generator(**of_both), generator(1, **of_both, **wider)
    _, found = grafted(source, target)
    assert found.kept == "makes the source's images at first"
    assert found.fitted and not (found.new or found.mismatched or found.missing or found.unused)
    assert_same(images(target), images(source), limit)


@pytest.mark.parametrize(
    "of_both",
    [{"c_dim": 3}, {"architecture": "skip"}, {"architecture": "orig", "mbstd_num_channels": 2}],
)
def test_wider_discriminators_give_the_same_logits(of_both):
    source, target = discriminator(**of_both), discriminator(1, **of_both, **WIDER)
    _, found = grafted(source, target)
    assert found.kept == "gives the source's logits at first"
    assert found.fitted and not (found.new or found.mismatched or found.missing or found.unused)
    shown, labels = images(generator()), LABELS if source.c_dim else None
    assert_same(target(shown, labels), source(shown, labels), ROUNDING)


def test_a_larger_generator_enlarges_the_images_by_its_own_filter():
    source, target = generator(), generator(1, img_resolution=64, channel_base=256, channel_max=12)
    _, found = grafted(source, target)
    assert found.kept == "makes the source's images at first, enlarged to 64x64 by its own filter"
    assert {name.split(".")[1] for name, _ in found.new} == {"b32", "b64"} and not found.unused
    assert_same(images(target), upsample2d(upsample2d(images(source), FILTER), FILTER), ROUNDING)


@pytest.mark.parametrize("architecture", ["resnet", "skip", "orig"])
def test_a_larger_discriminator_sees_the_images_reduced_by_its_own_filter(architecture):
    """Also far beyond the range of images, since nothing is held in the linear part of an activation."""
    of_both = {"architecture": architecture, "mbstd_num_channels": int(architecture == "resnet")}
    source = discriminator(**of_both)
    target = discriminator(1, **of_both, img_resolution=64, channel_base=1024, channel_max=12)
    _, found = grafted(source, target)
    assert found.kept == "gives the source's logits of the images reduced to 16x16 by its own filter, at first"
    assert {name.split(".")[0] for name, _ in found.new} == {"b32", "b64"} and not found.unused
    shown = 5 * np.random.default_rng(2).standard_normal([4, 64, 64, 3])
    assert_same(target(shown), source(downsample2d(downsample2d(shown, FILTER), FILTER)), ROUNDING)


def test_a_discriminator_too_narrow_to_carry_the_image_says_so():
    _, found = grafted(discriminator(), discriminator(1, img_resolution=32))
    assert found.kept == (
        "begins as something else than the source: the new blocks of D have 2 channels and lrelu (expected 6 and lrelu "
        "to carry 3 colours): its logits begin anew"
    )


def test_a_smaller_generator_makes_the_image_before_the_last_blocks():
    source, target = generator(), generator(1, img_resolution=8)
    _, found = grafted(source, target)
    assert found.kept == "makes the source's images at first, as they are at 8x8 before its last blocks"
    assert {name.split(".")[1] for name, _ in found.unused} == {"b16"}
    z = np.random.default_rng(1).standard_normal([4, 8])
    layers = dict(source.synthesis.activations(source.mapping(z, truncation_psi=0.7)))
    assert_same(images(target), layers["b8.torgb"], ROUNDING)


def test_a_smaller_discriminator_gets_a_new_first_layer():
    _, found = grafted(discriminator(), discriminator(1, img_resolution=8))
    assert found.kept.endswith("D has lost its highest blocks, and b8.fromrgb, which takes their place, is new")
    assert [name for name, _ in found.new] == ["b8.fromrgb.weight", "b8.fromrgb.bias"]


def test_narrower_networks_keep_the_channels_of_most_weight():
    """Of channels that the others do not read at all, nothing is missed."""
    source = generator()
    kept = [0, 2, 3, 5, 6]
    for variable in source.variables:
        value = np.asarray(variable.value).copy()
        if variable.path.endswith(("conv0/weight", "conv1/weight", "torgb/weight")) and value.shape[2] == 8:
            value[:, :, [1, 4, 7]] *= 1e-14
            variable.assign(value)
    target = generator(1, channel_max=5)
    graft, found = grafted(source, target)
    assert_same(images(target), images(source), ROUNDING)
    np.testing.assert_array_equal(
        graft.values["synthesis.b4.const"], np.moveaxis(source.synthesis.b4.const, 2, 0)[kept]
    )
    assert found.kept.startswith("begins as something else than the source: channels are left out in 4 places")


def test_the_average_leaves_out_what_the_generator_leaves_out():
    target = generator(1, channel_max=4)
    networks = {"G": generator(), "G_ema": generator(2)}
    grafts = graft_networks(networks, [target, generator(1, channel_max=4, name="G_ema")])
    for name, source in networks.items():
        const = np.moveaxis(np.asarray(source.synthesis.b4.const), 2, 0)
        found = grafts[name].values["synthesis.b4.const"]
        rows = [int(np.argmin(np.abs(const - row).sum(axis=(1, 2)))) for row in found]
        if name == "G":
            expected = rows
    assert rows == expected and len(set(rows)) == 4


def test_stylegan3_at_another_size_is_taken_by_layer_and_called_something_else():
    of_both = {"cfg": "stylegan3-t", "channel_base": 1024}
    _, found = grafted(generator(**of_both), generator(1, **of_both, img_resolution=32))
    assert found.kept == (
        "begins as something else than the source: 4 of 5 layers of StyleGAN3 have other rates or frequencies there "
        "(L1 to L4)"
    )
    assert not (found.fitted or found.new or found.missing or found.mismatched or found.unused)


def test_without_a_constant_the_layers_in_its_place_make_it():
    size = (32, 48)
    source = generator(img_resolution=size, channel_base=128)
    target = generator(1, img_resolution=size, no_const=True, channel_base=128, channel_max=12, w_dim=12)
    _, found = grafted(source, target)
    assert found.kept == "makes the source's images at first" and not (found.unused or found.missing)
    assert {name.rpartition(".")[0] for name, _ in found.new} == {
        *("synthesis.b4.fc", "synthesis.b4.conv0", "synthesis.b4.conv0.affine")
    }
    assert_same(images(target), images(source), ROUNDING)
    again = generator(2, img_resolution=size, no_const=True, channel_base=128, channel_max=16, w_dim=12)
    assert not grafted(target, again)[1].new
    assert_same(images(again), images(source), ROUNDING)
    assert grafted(target, source)[1].missing == (
        ("synthesis.b4.const", tuple(np.roll(source.synthesis.b4.const.shape, 1))),
    )


@pytest.mark.parametrize("before, after", [(3, 1), (1, 3)])
def test_between_gray_and_rgb_images_are_gray(before, after):
    source, target = generator(img_channels=before), generator(1, img_channels=after, **WIDER)
    _, found = grafted(source, target)
    assert found.kept == "makes the source's images in gray at first" and not (found.mismatched or found.missing)
    gray = tf.reduce_mean(images(source), axis=3, keepdims=True)
    assert_same(images(target), tf.repeat(gray, after, axis=3), ROUNDING)
    source = discriminator(img_channels=before)
    target = discriminator(1, img_channels=after, img_resolution=32, channel_base=256)
    _, found = grafted(source, target)
    assert found.kept.startswith("gives the source's logits (of gray images) of the images reduced to 16x16")
    shown = np.random.default_rng(2).standard_normal([4, 32, 32, after])
    gray = np.repeat(shown.mean(axis=3, keepdims=True), before, axis=3)
    assert_same(target(shown), source(downsample2d(gray, FILTER)), ROUNDING)


def test_more_mapping_layers_are_named_as_missing():
    _, found = grafted(generator(), generator(1, mapping_kwargs={"num_layers": 4}))
    assert {name.rpartition(".")[0] for name, _ in found.missing} == {"mapping.fc2", "mapping.fc3"}
    assert not found.mismatched


def test_labels_can_be_added():
    source, target = generator(), generator(1, c_dim=3, **WIDER)
    _, found = grafted(source, target)
    assert {name.partition(".")[0] for name, _ in found.new} == {"mapping"} and not (found.missing or found.mismatched)
    expected = images(source)
    assert_same(images(target), expected, ROUNDING)
    source, target = discriminator(), discriminator(1, c_dim=3, **WIDER)
    _, found = grafted(source, target)
    assert found.kept == "gives the source's logits at first" and not (found.missing or found.mismatched)
    assert_same(target(expected, LABELS), source(expected), ROUNDING)


def test_labels_cannot_be_taken_away():
    _, found = grafted(discriminator(c_dim=3), discriminator(1))
    assert [name for name, *_ in found.mismatched] == ["b4.out.weight", "b4.out.bias"]
    assert found.kept == "begins as something else than the source: 2 tensors begin anew"


@pytest.mark.parametrize("name", ["tf1_sg2_32.pkl", "sg3t_32_proto4_numpy2.pkl"])
def test_official_networks_are_widened_too(name):
    """In float32, as they are loaded: 8e-7 was found."""
    path = pathlib.Path(__file__).parents[1] / "fixtures" / "golden" / "pickles" / name
    source = load(path, ops="reference")["G_ema"]
    keras.utils.set_random_seed(1)
    alike = Generator.from_config(source.get_config())
    _, found = grafted(source, alike)
    assert len(found.taken) == len(source.variables)
    for here, there in zip(alike.variables, source.variables, strict=True):
        np.testing.assert_array_equal(here, there)
    target = Generator.from_config({**source.get_config(), "channel_base": 1024, "channel_max": 40})
    _, found = grafted(source, target)
    assert found.kept == "makes the source's images at first" and found.fitted
    z = np.random.default_rng(1).standard_normal([4, source.z_dim]).astype(np.float32)
    c = None if source.c_dim == 0 else np.eye(source.c_dim, dtype=np.float32)[[0, 1, 0, 1]]
    assert_same(target(z, c), source(z, c), 2e-5)


def test_what_cannot_be_grafted_is_refused():
    source, target = generator(cfg="stylegan3-t"), generator(1)
    grafts = graft_networks({"G": source, "G_ema": source}, [target])
    report = compare_networks({"G": source}, [target], "there.pkl", "a file", grafts)
    with pytest.raises(ValueError, match=r"--resume: found .* built alike but for channels and size; --resume_partial"):
        report.check(partial=False)
    report.check(partial=True)
    assert "StyleGAN2 and StyleGAN3 have only the mapping network in common" in report.summary()
    assert isinstance(grafts["G"], GraftedNetwork)
