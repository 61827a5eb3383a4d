"""What every layer and network of ours has to do as a citizen of Keras, as one check for all of them."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sg_keras.training.precision_choice import bfloat16_problem

BATCH = 4
#: An argument of a call: the shape of a tensor with its batch, several of them, or None.
Argument = tuple[int, ...] | list[tuple[int, ...]] | None


def check_layer(
    layer_class: type[keras.layers.Layer],
    kwargs: dict[str, Any],
    call: Sequence[Argument],
    outputs: Sequence[tuple[int, ...]],
    folder: pathlib.Path,
    dtype: str = "float32",
    mixed: Sequence[str] | None = None,
    symbolic: bool = True,
) -> None:
    """Build, run, differentiate, serialise, call symbolically, save inside a model, and run in mixed precision.

    Args:
        layer_class: the layer or network.
        kwargs: of its constructor.
        call: arguments of its call.
        outputs: shapes of what it returns, None left out.
        folder: for the saved model.
        dtype: of variables and inputs.
        mixed: types of the outputs under the policy mixed_bfloat16, None = all bfloat16.
        symbolic: whether it can be part of a functional model.
    """
    layer = layer_class(**kwargs, dtype=dtype, name="layer")
    arguments = _tensors(call, dtype)
    found = _check_gradients(layer, arguments)
    assert [tuple(y.shape) for y in found] == list(outputs)
    assert {y.dtype.name for y in found} == {v.dtype for v in layer.variables} | {dtype}
    _check_serialisation(layer, arguments, found)
    if symbolic:
        _check_model(layer, call, arguments, found, folder)
    if not bfloat16_problem():
        _check_mixed_precision(layer_class(**kwargs, dtype="mixed_bfloat16", name="mixed"), call, outputs, mixed)


def _check_gradients(layer: keras.layers.Layer, arguments: list[Any]) -> list[tf.Tensor]:
    """The outputs; every input and trainable variable has a finite gradient."""
    inputs = _flat(arguments)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = _flat(layer(*arguments))
        loss = tf.add_n([tf.reduce_mean(tf.square(y - 0.3)) for y in outputs])
    sources = [*inputs, *(v.value for v in layer.trainable_variables)]
    names = [*(f"input {i}" for i in range(len(inputs))), *(v.path for v in layer.trainable_variables)]
    for name, gradient in zip(names, tape.gradient(loss, sources), strict=True):
        assert gradient is not None, f"{name}: no gradient"
        assert np.all(np.isfinite(gradient)), name
    return outputs


def _check_serialisation(layer: keras.layers.Layer, arguments: list[Any], expected: list[tf.Tensor]) -> None:
    """The configuration is JSON and complete: the copy has the same variables and, with the same values, outputs."""
    assert keras.saving.get_registered_name(type(layer)).startswith("sg_keras>")
    written = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    twin = keras.saving.deserialize_keras_object(written)
    assert type(twin) is type(layer)
    assert twin.get_config() == layer.get_config()
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
    twin(*arguments)
    assert [v.path for v in twin.variables] == [v.path for v in layer.variables]
    assert [v.trainable for v in twin.variables] == [v.trainable for v in layer.variables]
    twin.set_weights(layer.get_weights())
    for found, y in zip(_flat(twin(*arguments)), expected, strict=True):
        np.testing.assert_array_equal(found, y)


def _check_model(
    layer: keras.layers.Layer, call: Sequence[Argument], arguments: list[Any], expected: list[tf.Tensor], folder: Any
) -> None:
    """Part of a functional model with an open batch size, which is saved and loaded."""
    symbolic = _map(lambda shape: keras.Input(shape[1:], dtype=layer.variable_dtype), call)
    outputs = _flat(layer(*symbolic))
    model = keras.Model(_flat(symbolic), outputs)
    assert [tuple(y.shape) for y in outputs] == [(None, *y.shape[1:]) for y in expected]
    assert [y.dtype for y in outputs] == [y.dtype.name for y in expected]
    model.save(folder / "model.keras")
    loaded = keras.saving.load_model(folder / "model.keras")
    for candidate in (model, loaded):
        for found, y in zip(_flat(candidate(_flat(arguments))), expected, strict=True):
            np.testing.assert_array_equal(found, y)


def _check_mixed_precision(
    layer: keras.layers.Layer,
    call: Sequence[Argument],
    shapes: Sequence[tuple[int, ...]],
    dtypes: Sequence[str] | None,
) -> None:
    outputs = _flat(layer(*_tensors(call, "float32")))
    assert {v.dtype for v in layer.variables} <= {"float32"}
    assert [y.dtype.name for y in outputs] == list(dtypes or ["bfloat16"] * len(shapes))
    assert all(np.all(np.isfinite(tf.cast(y, tf.float32))) for y in outputs)


def _tensors(call: Sequence[Argument], dtype: str) -> list[Any]:
    random = np.random.RandomState(0)
    return _map(lambda shape: tf.constant(random.randn(*shape), dtype), call)


def _map(function: Any, call: Sequence[Argument]) -> list[Any]:
    """The function of each shape among the arguments of a call."""
    return [
        None if a is None else [function(shape) for shape in a] if isinstance(a, list) else function(a) for a in call
    ]


def _flat(values: Any) -> list[Any]:
    """Tensors in lists and tuples, None left out."""
    if isinstance(values, list | tuple):
        return [tensor for value in values for tensor in _flat(value)]
    return [] if values is None else [values]
