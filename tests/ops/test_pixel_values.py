"""The two ways between uint8 and -1..1."""

import doctest

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.ops import pixel_values
from sg_keras.ops.pixel_values import from_uint8, to_uint8

LEVELS = np.arange(256, dtype=np.uint8)


def test_every_level_comes_back():
    np.testing.assert_array_equal(to_uint8(from_uint8(LEVELS)), LEVELS)


def test_arrays_and_tensors_have_the_same_bits():
    values = from_uint8(tf.constant(LEVELS))
    np.testing.assert_array_equal(values.numpy(), from_uint8(LEVELS))
    shades = np.linspace(-1.2, 1.2, 1001, dtype=np.float32)
    np.testing.assert_array_equal(to_uint8(tf.constant(shades)).numpy(), to_uint8(shades))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_tensor_is_computed_in_the_type_asked_for(dtype):
    values = from_uint8(tf.constant(LEVELS), dtype)
    assert values.dtype.name == dtype
    np.testing.assert_array_equal(values.numpy(), (tf.cast(LEVELS, dtype) / 127.5 - 1).numpy())


def test_the_examples_are_true():
    assert doctest.testmod(pixel_values).failed == 0
