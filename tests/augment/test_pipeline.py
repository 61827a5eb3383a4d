"""The pipeline as a whole: what holds for every pipe, image and p."""

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.augment import PIPES, AugmentPipeline, AugmentRandom, AugmentTransforms, DiffAugment
from tests.augment.fixed_random import CompleteRandom

pytestmark = pytest.mark.rounding

LINEAR = AugmentTransforms.of_pipe("bgcf", cutout=1, brightness=0)
SHAPES = [(16, 16, 3), (12, 20, 1)]


def _images(shape, count=6, dtype=np.float32, seed=0):
    return tf.constant(np.random.RandomState(seed).uniform(-1, 1, [count, *shape]).astype(dtype))


def _random(first_sample=0):
    return AugmentRandom(tf.constant([1, 2], tf.int64), first_sample)


@pytest.mark.parametrize("pipe", PIPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_changes_at_p_0_to_the_last_bit(impl, pipe, shape):
    x = _images(shape)
    np.testing.assert_array_equal(AugmentPipeline(AugmentTransforms.of_pipe(pipe), impl)(x, p=0.0, random=_random()), x)


@pytest.mark.parametrize("pipe", PIPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_pipe_changes_every_image_at_p_1(pipe, shape):
    x = _images(shape)
    y = np.asarray(AugmentPipeline(AugmentTransforms.of_pipe(pipe))(x, p=1.0, random=_random()))
    assert y.shape == x.shape and np.all(np.isfinite(y))
    changed = np.any(y != x, axis=(1, 2, 3))
    assert np.all(changed) if pipe != "blit" else np.any(changed)


def test_results_repeat():
    augment = AugmentPipeline(AugmentTransforms.of_pipe("bgcfnc"))
    x = _images((16, 16, 3))
    results = [np.asarray(augment(x, p=0.6, random=_random(40))) for _ in range(2)]
    np.testing.assert_array_equal(*results)


def test_results_do_not_depend_on_the_micro_batch():
    """But for rounding, and for the reach of reflection, which is that of the micro-batch."""
    augment = AugmentPipeline(AugmentTransforms.of_pipe("bgcfnc", **dict.fromkeys(PIPES["bg"], 0.0)))
    x = _images((16, 16, 3))
    whole = augment(x, p=0.6, random=_random(40))
    np.testing.assert_allclose(augment(x[2:5], p=0.6, random=_random(42)), whole[2:5], atol=2e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_linear_in_the_images(impl, shape):
    augment = AugmentPipeline(LINEAR, impl)
    x, y = _images(shape, dtype=np.float64), _images(shape, dtype=np.float64, seed=1)
    if impl == "custom":
        x, y = tf.cast(x, tf.float32), tf.cast(y, tf.float32)
    mixed, *parts = (augment(a, p=0.9, random=_random()) for a in (2 * x - 3 * y, x, y))
    np.testing.assert_allclose(mixed, 2 * parts[0] - 3 * parts[1], atol=1e-4 if impl == "custom" else 1e-11)


def test_the_gradient_is_the_transpose(impl):
    augment = AugmentPipeline(LINEAR, impl)
    x, y = _images((12, 20, 3)), _images((12, 20, 3), seed=1)
    with tf.GradientTape() as tape:
        tape.watch(x)
        forward = augment(x, p=1.0, random=CompleteRandom())
    transposed = tape.gradient(forward, x, output_gradients=y)
    np.testing.assert_allclose(tf.reduce_sum(forward * y), tf.reduce_sum(x * transposed), rtol=1e-4)


def test_second_derivatives_of_everything(impl):
    """Of sum(y^3) along a direction, as R1 needs them, against differences of first derivatives."""
    augment = AugmentPipeline(AugmentTransforms.of_pipe("bgcfnc"), impl)
    x, v = _images((8, 10, 3), 2, np.float64), _images((8, 10, 3), 2, np.float64, seed=1)

    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            cubes = tf.reduce_sum(augment(x, p=1.0, random=CompleteRandom(3)) ** 3)
        return tape.gradient(cubes, x)

    with tf.GradientTape() as tape:
        tape.watch(x)
        along = tf.reduce_sum(gradient(x) * v)
    second = tape.gradient(along, x)
    differences = (gradient(x + 1e-4 * v) - gradient(x - 1e-4 * v)) / 2e-4
    np.testing.assert_allclose(second, differences, atol=1e-6 * np.abs(differences).max())


def test_one_graph_serves_every_p_sample_and_margin():
    augment = AugmentPipeline(AugmentTransforms.of_pipe("bgcfnc"))

    @tf.function
    def step(images, p, first_sample):
        with tf.GradientTape() as tape:
            tape.watch(images)
            result = augment(images, p=p, random=_random(first_sample))
        return result, tape.gradient(result, images)

    x = _images((16, 16, 3), dtype=np.float64)
    for p in (0.0, 0.3, 1.0):
        for first_sample in (0, 64, 10**9):
            result, gradient = step(x, tf.constant(p), tf.constant(first_sample, tf.int64))
            np.testing.assert_allclose(result, augment(x, p=p, random=_random(first_sample)), atol=1e-10)
            assert result.shape == gradient.shape == x.shape
    assert step.experimental_get_tracing_count() == 1


def test_a_batch_of_unknown_size_and_an_empty_one():
    augment = AugmentPipeline(AugmentTransforms.of_pipe("bgcfnc"))
    step = tf.function(
        lambda x: augment(x, p=1.0, random=_random()), input_signature=[tf.TensorSpec([None, 16, 16, 3], tf.float64)]
    )
    x = _images((16, 16, 3), dtype=np.float64)
    np.testing.assert_allclose(step(x), augment(x, p=1.0, random=_random()), atol=1e-10)
    assert step(x[:0]).shape == (0, 16, 16, 3)


def test_groups_without_a_transform_leave_nothing_in_the_graph():
    def operations(pipe):
        augment = AugmentPipeline(AugmentTransforms.of_pipe(pipe), "reference")
        step = tf.function(lambda x: augment(x, p=1.0, random=_random())).get_concrete_function(_images((16, 16, 3)))
        return {operation.type for operation in step.graph.get_operations()}

    assert not operations("color") & {"EnsureShape", "DepthwiseConv2dNative"}
    assert "DepthwiseConv2dNative" in operations("blit")


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
def test_half_precision(dtype):
    augment = AugmentPipeline(AugmentTransforms.of_pipe("bgcfnc"))
    x = tf.cast(_images((16, 16, 3)), dtype)
    y = augment(x, p=1.0, random=_random())
    assert y.dtype == dtype
    expected = augment(tf.cast(x, tf.float32), p=1.0, random=_random())
    np.testing.assert_array_equal(y, tf.cast(expected, dtype))


def test_p_gets_no_gradient():
    p = tf.constant(0.5)
    with tf.GradientTape() as tape:
        tape.watch(p)
        y = AugmentPipeline(AugmentTransforms.of_pipe("bgcfnc"))(_images((16, 16, 3)), p=p, random=_random())
    assert tape.gradient(y, p) is None


@pytest.mark.parametrize(
    "layer",
    [AugmentPipeline(AugmentTransforms.of_pipe("bgcf", scale_std=0.3), "reference"), DiffAugment("cutout,color")],
)
def test_the_configuration_makes_the_same_layer(layer):
    copy = type(layer).from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    x = _images((16, 16, 3))
    np.testing.assert_array_equal(copy(x, p=0.5, random=_random()), layer(x, p=0.5, random=_random()))


@pytest.mark.parametrize("shape", [(4, 8, 8, None), (4, 8, 8), (4, None, 8, 3)])
def test_what_is_no_batch_of_images_is_refused(shape):
    for layer in (AugmentPipeline(AugmentTransforms.of_pipe("bgc")), DiffAugment()):
        with pytest.raises(ValueError, match="images: found shape"):
            tf.function(lambda x, layer=layer: layer(x, p=1.0, random=_random())).get_concrete_function(
                tf.TensorSpec(shape, tf.float32)
            )


@pytest.mark.parametrize("layer", [AugmentPipeline(AugmentTransforms.of_pipe("color")), DiffAugment("color")])
def test_colours_of_rgba_change_as_those_of_rgb_and_alpha_does_not(layer):
    x = _images((12, 20, 4))
    y = layer(x, p=1.0, random=_random())
    np.testing.assert_array_equal(y[..., :3], layer(x[..., :3], p=1.0, random=_random()))
    np.testing.assert_array_equal(y[..., 3], x[..., 3])


@pytest.mark.parametrize("channels", [2, 5])
def test_other_channels_have_no_colours_but_all_else(channels):
    x = _images((12, 20, channels))
    for layer in (AugmentPipeline(AugmentTransforms.of_pipe("color")), DiffAugment("color")):
        np.testing.assert_array_equal(layer(x, p=1.0, random=_random()), x)
    for layer in (AugmentPipeline(AugmentTransforms.of_pipe("bg", cutout=1.0)), DiffAugment("translation,cutout")):
        apart = [layer(x[..., i : i + 1], p=1.0, random=_random()) for i in range(channels)]
        np.testing.assert_allclose(layer(x, p=1.0, random=_random()), np.concatenate(apart, axis=3), atol=1e-6)
