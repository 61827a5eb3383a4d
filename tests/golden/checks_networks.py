"""Whole networks of both generations with given weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sg_keras.layers.configured_layer import sublayers
from sg_keras.models import Discriminator, Generator
from tests.golden.layout import images_in, images_out, tensor
from tests.golden.manifest import Case
from tests.golden.networks import build_discriminator, build_generator, load_weights
from tests.golden.report import FAIL, Options, Result, UncoveredError, judge_outputs
from tests.golden.tolerance import compare


def check(case: Case, options: Options) -> Result:
    """Run one network. Uncovered where it has no code yet."""
    if case.function not in FUNCTIONS:
        raise UncoveredError(f"no code for {case.function!r}")
    return FUNCTIONS[case.function](case, options)


def check_generator(case: Case, options: Options) -> Result:
    """Mapping outputs w*, images img*, and the running mean of w after one micro-batch."""
    model = build_generator(case.args, options.impl)
    judgements = load_weights(case, model, "", case.args.get("resample_filter", (1, 3, 3, 1)), options)
    found = {}
    for name in case.names("output"):
        variant = dict(case.variants.get(name, {}))
        if variant.pop("update_emas", False):
            found[name] = np.asarray(_updated_w_avg(case, model, options))
        elif name == "w" or name.startswith("w_"):
            found[name] = np.asarray(_mapping(case, model, variant, options))
        elif name == "img" or name.startswith("img_"):
            found[name] = images_out(_images(case, model, variant, options))
    result = judge_outputs(case, found, options, judgements)
    return _located(case, model, result, options, lambda v: _images(case, model, v, options))


def check_generator_stylegan3(case: Case, options: Options) -> Result:
    """As StyleGAN2's; also images and Fourier features under user transforms, and all running means after one call."""
    model = build_generator(case.args, options.impl)
    judgements = load_weights(case, model, "", None, options)
    updates = [name for name in case.names("output") if case.variants.get(name, {}).get("update_emas")]
    found = _after_update(case, model, options) if updates else {}
    for name in set(case.names("output")) - set(updates):
        variant = dict(case.variants.get(name, {}))
        if "transform" in variant:
            variant["transform"] = tensor(case.arrays["transforms"][variant["transform"]], options.dtype)
        if name.startswith("act_input_"):
            first = _mapping(case, model, {"samples": len(case.arrays[name])}, options)[:, 0]
            found[name] = images_out(model.synthesis.input_layer(first, **variant))
        elif name == "w" or name.startswith("w_"):
            found[name] = np.asarray(_mapping(case, model, variant, options))
        elif name.startswith("img_"):
            found[name] = images_out(_images(case, model, variant, options))
    result = judge_outputs(case, found, options, judgements)
    return _located(case, model, result, options, lambda v: _images(case, model, v, options))


def _after_update(case: Case, model: Generator, options: Options) -> dict[str, np.ndarray]:
    """Image and running means of one call that updates them all."""
    ws = _mapping(case, model, {}, options)
    image, magnitudes = model.synthesis.call_with_updates(ws, model.synthesis.magnitudes())
    found = {f"after_update/synthesis.{name}.magnitude_ema": np.asarray(m) for name, m in magnitudes.items()}
    found["after_update/mapping.w_avg"] = np.asarray(_updated_w_avg(case, model, options))
    return {**found, "img_update_emas": images_out(image)}


def _inputs(case: Case, variant: dict[str, Any], options: Options) -> tuple[tf.Tensor, tf.Tensor]:
    """z and c, of the first `samples` only where the variant says so."""
    samples = variant.pop("samples", None)
    return tensor(case.arrays["z"][:samples], options.dtype), tensor(case.arrays["c"][:samples], options.dtype)


def _mapping(case: Case, model: Generator, variant: dict[str, Any], options: Options) -> tf.Tensor:
    z, c = _inputs(case, variant, options)
    return model.mapping(z, c, **variant)


def _images(case: Case, model: Generator, variant: dict[str, Any], options: Options) -> tf.Tensor:
    """Images of the network, or of its synthesis part where `ws` names the styles."""
    ws = variant.pop("ws", None)
    if ws is not None:
        return model.synthesis(tensor(case.arrays[ws][: variant.pop("samples", None)], options.dtype), **variant)
    z, c = _inputs(case, variant, options)
    return model(z, c, **variant)


def _updated_w_avg(case: Case, model: Generator, options: Options) -> tf.Tensor:
    z, c = _inputs(case, {}, options)
    mean = tf.reduce_mean(model.mapping.styles(z, c), axis=0)
    return model.mapping.updated_w_avg(tf.convert_to_tensor(model.mapping.w_avg), mean)


def check_discriminator(case: Case, options: Options) -> Result:
    """Logits, and the mapped label where there is one."""
    model = build_discriminator(case.args, options.impl)
    judgements = load_weights(case, model, "", case.args.get("resample_filter", (1, 3, 3, 1)), options)
    c = tensor(case.arrays["c"], options.dtype)

    def logits(variant: dict[str, Any]) -> tf.Tensor:
        samples = variant.pop("samples", None)
        return model(tensor(images_in(case.arrays["img"][:samples]), options.dtype), c[:samples], **variant)

    found = {"logits": np.asarray(logits({}))}
    if model.mapping is not None:
        found["cmap"] = np.asarray(model.mapping(None, c))
    result = judge_outputs(case, found, options, judgements)
    return _located(case, model, result, options, logits)


def _located(
    case: Case, model: Generator | Discriminator, result: Result, options: Options, run: Callable[[dict[str, Any]], Any]
) -> Result:
    """Where a network fails, add the activations that differ, in the order of computation, to find the layer."""
    names = [name for name in case.names("intermediate") if name.startswith("act/")]
    if result.status != FAIL or not names:
        return result
    recorded = _record(model, lambda: run(dict(case.variants.get(names[0], {}))))
    details = []
    for name in names:
        layer, _, part = name.removeprefix("act/").partition(":")
        value = recorded.get(layer)
        value = value[0 if part == "x" else 1] if part and isinstance(value, tuple) else value
        value = value[0] if isinstance(value, tuple) else value
        if value is not None:
            expected = case.arrays[name]  # of the first samples only
            judgement = compare(name, images_out(value)[: len(expected)], expected, case.tolerance, "float32")
            details += [] if judgement.passed else [f"{name}: error {judgement.error:.3e} of {judgement.limit:.3e}"]
    return dataclasses.replace(result, details=(*result.details, *details))


def _record(model: keras.Model, run: Callable[[], Any]) -> dict[str, Any]:
    """Outputs of every layer below the model, by dotted name, during one call of run."""
    recorded: dict[str, Any] = {}
    replaced = []

    def wrap(path: str, layer: keras.layers.Layer) -> None:
        call = layer.call

        def recording(*args: Any, **kwargs: Any) -> Any:
            recorded[path] = call(*args, **kwargs)
            return recorded[path]

        object.__setattr__(layer, "call", recording)
        replaced.append(layer)
        for child in sublayers(layer):
            wrap(f"{path}.{child.name}", child)

    for child in sublayers(model):
        wrap(child.name, child)
    try:
        run()
    finally:
        for layer in replaced:
            object.__delattr__(layer, "call")
    return recorded


FUNCTIONS = {
    "StyleGAN2 Generator": check_generator,
    "StyleGAN3 Generator": check_generator_stylegan3,
    "StyleGAN2 Discriminator": check_discriminator,
}
