"""Which transforms occur, and their parameters."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import erfinv

from sg_keras.augment import PIPES, AugmentRandom, AugmentTransforms
from sg_keras.augment.sampling import GATES, NORMALS, UNIFORMS, sample_parameters
from tests.augment.fixed_random import PercentileRandom

FULL = AugmentTransforms.of_pipe("bgcfnc")


def _parameters(p, random, count, transforms=FULL):
    found = sample_parameters(transforms, p, random, count, tf.float32)
    return {name: np.asarray(values) for name, values in found.items()}


def _tables(first_sample, count, seed=(3, 4)):
    random = AugmentRandom(seed, first_sample)
    tables = random.uniforms(count), random.normals(count), random.gates(count), random.noise_images(count, (3, 5, 1))
    return [np.asarray(table) for table in tables]


def test_a_sample_gets_the_same_numbers_whatever_the_micro_batch():
    whole = _tables(1000, 64)
    for first, count in ((0, 1), (0, 8), (5, 3), (63, 1)):
        for table, part in zip(whole, _tables(1000 + first, count), strict=True):
            np.testing.assert_array_equal(table[first : first + count], part)


def test_samples_tables_and_seeds_have_numbers_of_their_own():
    tables = [*_tables(0, 16), *_tables(2**40, 16), *_tables(0, 16, seed=(3, 5)), *_tables(0, 16, seed=(4, 4))]
    numbers = np.concatenate([table.ravel() for table in tables])
    assert np.unique(numbers).size > 0.999 * numbers.size


def test_numbers_are_distributed_as_they_should_be():
    uniforms, normals, gates, noise = _tables(0, 20000)
    for table in (uniforms, gates):
        assert table.min() >= 0 and table.max() < 1
        np.testing.assert_allclose(table.mean(axis=0), 0.5, atol=0.01)
        np.testing.assert_allclose(table.var(axis=0), 1 / 12, atol=0.003)
    for table in (normals, noise.reshape(len(noise), -1)):
        np.testing.assert_allclose(table.mean(axis=0), 0, atol=0.04)
        np.testing.assert_allclose(table.var(axis=0), 1, atol=0.06)
    everything = np.concatenate([uniforms, normals, gates], axis=1)
    correlations = np.corrcoef(everything, rowvar=False) - np.eye(everything.shape[1])
    assert np.abs(correlations).max() < 0.04


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_transforms_occur_with_their_probability(p):
    transforms = AugmentTransforms.of_pipe(
        "bgcfnc", scale=0.5, hue=2.0, imgfilter=0.8, imgfilter_bands=(1, 0.5, 0, 1), rotate=0.7
    )
    found = _parameters(p, AugmentRandom((1, 1), 0), 20000, transforms)
    expected = dict.fromkeys([*UNIFORMS, *NORMALS], p)
    expected |= {"scale": 0.5 * p, "hue": min(2 * p, 1), "imgfilter_0": 0.8 * p, "imgfilter_1": 0.4 * p}
    expected |= {"imgfilter_2": 0.0, "imgfilter_3": 0.8 * p}
    expected |= {"xflip": p / 2, "rotate90": 3 * p / 4, "lumaflip": p / 2}  # not turning is one of the choices
    expected |= dict.fromkeys(("rotate_before", "rotate_after"), 1 - np.sqrt(1 - 0.7 * p))
    for name, values in found.items():
        neutral = -2 if name.startswith("cutout") else 0
        np.testing.assert_allclose(np.mean(values != neutral), expected[name], atol=0.015, err_msg=name)
    either = (found["rotate_before"] != 0) | (found["rotate_after"] != 0)
    np.testing.assert_allclose(either.mean(), 0.7 * p, atol=0.015)


def test_both_axes_of_a_transform_occur_together():
    found = _parameters(0.5, AugmentRandom((1, 1), 0), 1000)
    for name, neutral in (("xint", 0), ("xfrac", 0), ("cutout", -2)):
        np.testing.assert_array_equal(found[f"{name}_x"] == neutral, found[f"{name}_y"] == neutral)


def test_a_transform_gets_the_same_numbers_in_every_pipe():
    full, geom = (_parameters(0.5, AugmentRandom((1, 1), 7), 32, AugmentTransforms.of_pipe(p)) for p in ("bgc", "geom"))
    for name in ("scale", "rotate_before", "aniso", "rotate_after", "xfrac_x", "xfrac_y"):
        np.testing.assert_array_equal(full[name], geom[name])


def test_growing_p_only_adds_transforms():
    small, large = (_parameters(p, AugmentRandom((1, 1), 0), 200) for p in (0.2, 0.6))
    for name, values in small.items():
        occurs = values != (-2 if name.startswith("cutout") else 0)
        np.testing.assert_array_equal(values[occurs], large[name][occurs])


def test_percentile_mode():
    found = _parameters(1.0, PercentileRandom(0.8), 2)

    assert found["rotate_after"].tolist() == [0, 0]
    np.testing.assert_allclose(found["xint_y"], 0.6 / 8, rtol=1e-6)
    np.testing.assert_allclose(found["scale"], 0.2 * erfinv(0.6), rtol=1e-6)
    np.testing.assert_allclose(found["noise"], 0.1 * erfinv(0.8), rtol=1e-6)


def test_every_gate_belongs_to_a_transform():
    assert set(GATES) == set(UNIFORMS.values()) | set(NORMALS.values())


@pytest.mark.parametrize(
    ("pipe", "changes", "message"),
    [
        ("abc", {}, "augpipe: found 'abc', expected one of blit, geom"),
        ("bgc", {"scale": -1}, "scale: found -1, expected a number of at least 0"),
        ("bgc", {"xint_max": 1.5}, "xint_max: found 1.5, expected 0 to 1"),
        ("bgc", {"noise_std": float("nan")}, "noise_std: found nan"),
        ("bgc", {"imgfilter_bands": (1, 1)}, "imgfilter_bands: found (1, 1), expected 4 numbers"),
    ],
)
def test_wrong_transforms_are_refused(pipe, changes, message):
    with pytest.raises(ValueError) as error:
        AugmentTransforms.of_pipe(pipe, **changes)
    assert str(error.value).startswith(message)


def test_named_pipes():
    names = {"blit", "geom", "color", "filter", "noise", "cutout", "bg", "bgc", "bgcf", "bgcfn", "bgcfnc", "body"}

    assert set(PIPES) == names
    bgc = AugmentTransforms.of_pipe("bgc")
    assert bgc.geometric and bgc.colored and not bgc.has("imgfilter", "noise", "cutout")
