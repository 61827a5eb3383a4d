"""Networks whose highest resolutions compute in half precision, beside the same networks in float32."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from sg_keras.layers.configured_layer import sublayers
from sg_keras.models import Discriminator, Generator, computes_in_half, in_full_precision, set_half_resolutions
from sg_keras.models.half_precision import is_half_resolution

SMALL = {"img_resolution": 32, "img_channels": 3, "channel_base": 256, "channel_max": 16}
LATENT = {"z_dim": 6, "w_dim": 5, "mapping_kwargs": {"num_layers": 2}}
# Layers round their results to 8 bits (bfloat16) or 11 (float16): 0.4% and 0.05% at most, each of up to nine layers
# adding its share. An error of the composition (a style left out, a wrong scale) is of the images' own size.
ROUNDING = {"bfloat16": 0.03, "float16": 0.004}


def _generator(num_fp16_res: int = 0, half_dtype: str = "bfloat16", **kwargs) -> Generator:
    keras.utils.set_random_seed(0)
    return Generator(**SMALL, **LATENT, num_fp16_res=num_fp16_res, half_dtype=half_dtype, **kwargs)


def _discriminator(num_fp16_res: int = 0, half_dtype: str = "bfloat16", **kwargs) -> Discriminator:
    keras.utils.set_random_seed(0)
    return Discriminator(**SMALL, num_fp16_res=num_fp16_res, half_dtype=half_dtype, **kwargs)


def _images() -> tf.Tensor:
    return tf.constant(np.random.RandomState(1).randn(4, 32, 32, 3), tf.float32)


def _latents() -> tf.Tensor:
    return tf.constant(np.random.RandomState(0).randn(4, 6), tf.float32)


def _error(found: tf.Tensor, expected: tf.Tensor) -> float:
    """Root mean square of the difference over that of what was expected."""
    difference = np.asarray(found, np.float64) - np.asarray(expected, np.float64)
    return float(np.linalg.norm(difference) / np.linalg.norm(np.asarray(expected, np.float64)))


@pytest.mark.parametrize(
    "num_fp16_res, expected", [(0, []), (1, [32]), (2, [16, 32]), (3, [8, 16, 32]), (4, [8, 16, 32]), (99, [8, 16, 32])]
)
def test_the_highest_resolutions_are_half_but_never_4x4(num_fp16_res, expected):
    assert [side for side in (4, 8, 16, 32) if is_half_resolution(side, 32, num_fp16_res)] == expected
    G, D = _generator(num_fp16_res), _discriminator(num_fp16_res)
    assert [b.level for b in G.synthesis.blocks if computes_in_half(b)] == expected
    assert [b.level for b in reversed(D.blocks) if computes_in_half(b)] == expected
    assert not computes_in_half(D.b4) and not computes_in_half(G.mapping)
    assert computes_in_half(G) == computes_in_half(D) == bool(expected)


def test_stylegan3_goes_by_the_layers_rates():
    G = _generator(1, cfg="stylegan3-t")
    half = [layer for layer in G.synthesis.alias_free_layers if computes_in_half(layer)]
    assert half == [layer for layer in G.synthesis.alias_free_layers if layer.design.out_sampling_rate * 2 > 32]
    assert 0 < len(half) < len(G.synthesis.alias_free_layers)
    assert not computes_in_half(G.synthesis.input_layer)


@pytest.mark.rounding
@pytest.mark.parametrize("half_dtype", [pytest.param("bfloat16", marks=pytest.mark.bfloat16), "float16"])
@pytest.mark.parametrize(
    "cfg, architecture", [("stylegan2", a) for a in ("skip", "resnet", "orig")] + [("stylegan3-r", "skip")]
)
def test_generators_are_near_those_in_float32(impl, cfg, architecture, half_dtype):
    if half_dtype == "float16" and impl == "custom":
        impl = "auto"  # CPUs have no compiled ops for it: the choice falls on the reference
    half, full = (_generator(n, half_dtype, cfg=cfg, architecture=architecture, impl=impl) for n in (2, 0))
    assert {v.dtype for v in half.variables} == {"float32"}
    images, expected = half(_latents()), full(_latents())
    assert images.dtype == tf.float32
    assert 1e-5 < _error(images, expected) < ROUNDING[half_dtype]


@pytest.mark.rounding
@pytest.mark.bfloat16
@pytest.mark.parametrize("architecture", ["resnet", "skip", "orig"])
def test_discriminators_are_near_those_in_float32_and_so_is_r1(impl, architecture):
    results = []
    for num_fp16_res in (2, 0):
        D = _discriminator(num_fp16_res, architecture=architecture, c_dim=2, impl=impl)
        images, labels = _images(), tf.one_hot([0, 1, 0, 1], 2)
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(images)
                logits = D(images, labels)
                total = tf.reduce_sum(logits)
            slope = inner.gradient(total, images)
            penalty = tf.reduce_sum(tf.square(slope))
        weight = next(v for v in D.trainable_variables if v.path == "D/b32/conv1/weight").value
        results.append((logits, slope, outer.gradient(penalty, weight)))
        assert {v.dtype for v in D.variables} == {"float32"}
        assert logits.dtype == slope.dtype == results[-1][2].dtype == tf.float32
    # Derivatives add the rounding of the backward pass, twice for the second one; slopes of activations turn, too.
    for (found, expected), limit in zip(zip(*results, strict=True), (0.05, 0.1, 0.2), strict=True):
        assert 0 < _error(found, expected) < limit


@pytest.mark.parametrize("cfg", ["stylegan2", "stylegan3-t"])
def test_large_weights_and_styles_do_not_overflow_float16(cfg):
    half, full = _generator(2, "float16", cfg=cfg), _generator(0, cfg=cfg)
    for network in (half, full):  # demodulation makes nothing of it, but products of 1e5 are beyond float16
        for variable in network.synthesis.variables:
            if variable.path.endswith("weight") and "torgb" not in variable.path and "L14" not in variable.path:
                variable.assign(variable.value * (300.0 if "affine" in variable.path else 1e4))
    images, expected = half(_latents()), full(_latents())
    assert np.all(np.isfinite(images))
    assert _error(images, expected) < 0.05


@pytest.mark.bfloat16
def test_channels_without_weights_stay_zero_in_half_precision():
    G = _generator(2)
    G.synthesis.b32.conv1.weight.assign(tf.zeros_like(G.synthesis.b32.conv1.weight.value))
    assert np.all(np.isfinite(G(_latents())))


@pytest.mark.bfloat16
def test_networks_survive_saving_and_leave_for_full_precision(tmp_path):
    for network, arguments in ((_generator(2), _latents()), (_discriminator(2), _images())):
        network.save(tmp_path / "network.keras")
        loaded = keras.models.load_model(tmp_path / "network.keras")
        assert loaded.get_config() == network.get_config() and computes_in_half(loaded)
        np.testing.assert_array_equal(loaded(arguments), network(arguments))
        full = in_full_precision(loaded, "reference")
        assert not computes_in_half(full) and full.get_config()["impl"] == "reference"
        assert 0 < _error(loaded(arguments), full(arguments)) < 0.05
        assert in_full_precision(full, "reference") is full


def _policies(layer: keras.layers.Layer, above: str = "") -> dict[str, str]:
    path = f"{above}{layer.name}/"
    found = {path: layer.dtype_policy.name}
    for part in sublayers(layer):
        found |= _policies(part, path)
    return found


@pytest.mark.parametrize(
    "kind, arguments",
    [
        (_generator, {"architecture": "skip"}),
        (_generator, {"architecture": "resnet"}),
        (_generator, {"cfg": "stylegan3-t"}),
        (_discriminator, {"architecture": "skip", "c_dim": 2}),
        (_discriminator, {"architecture": "resnet"}),
    ],
)
def test_another_number_makes_the_network_that_is_built_so(kind, arguments):
    network = kind(2, **arguments)
    variables, weights = list(network.variables), network.get_weights()
    for num_fp16_res in (0, 1):
        set_half_resolutions(network, num_fp16_res)
        other = kind(num_fp16_res, **arguments)
        assert _policies(network) == _policies(other)
        assert network.get_config() == other.get_config()
        if kind is _generator:
            assert network.synthesis.get_config() == other.synthesis.get_config()
            assert getattr(network.synthesis, "plan", None) == getattr(other.synthesis, "plan", None)
        assert [v.path for v in network.variables] == [v.path for v in other.variables]
    assert all(one is other for one, other in zip(network.variables, variables, strict=True))
    for one, other in zip(network.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.bfloat16
def test_another_number_computes_the_same_bits_as_the_network_that_is_built_so(tmp_path):
    for kind, arguments in ((_generator, _latents()), (_discriminator, _images())):
        network, built = kind(0), kind(2)
        in_float32 = network(arguments)
        set_half_resolutions(network, 2)
        np.testing.assert_array_equal(network(arguments), built(arguments))
        network.save(tmp_path / "network.keras")
        np.testing.assert_array_equal(keras.models.load_model(tmp_path / "network.keras")(arguments), built(arguments))
        set_half_resolutions(network, 0)
        np.testing.assert_array_equal(network(arguments), in_float32)
        assert in_full_precision(network, "auto") is network
        assert in_full_precision(network, "auto", copied=True) is not network


@pytest.mark.bfloat16
def test_summaries_show_the_type_of_each_block():
    for network in (_generator(1), _discriminator(1), _generator(1, cfg="stylegan3-t")):
        lines: list[str] = []
        network.summary(print_fn=lambda text, lines=lines: lines.extend(text.splitlines()))
        assert any("bfloat16" in line for line in lines) and any(" float32 " in line for line in lines)
    assert next(line for line in lines if "L14_32_3" in line).count("bfloat16") == 1


def test_an_unknown_half_type_is_refused():
    with pytest.raises(ValueError, match="half_dtype: found 'int8', expected float16 or bfloat16"):
        _generator(1, "int8")
