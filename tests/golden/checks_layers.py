"""Single layers with given weights: output, input gradient and parameter gradients."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sg_keras.layers import (
    AliasFreeDesign,
    AliasFreeLayer,
    Conv2D,
    Dense,
    FourierInput,
    MinibatchStd,
    SynthesisLayer,
    ToRGB,
)
from sg_keras.models import Mapping as MappingNetwork
from sg_keras.ops import setup_filter
from tests.golden.layout import images_in, images_out, tensor, weight_in, weight_out
from tests.golden.manifest import Case, take_args
from tests.golden.report import OK, Options, Result, UncoveredError, failed, judge_outputs
from tests.golden.tolerance import Judgement, compare

DERIVED = ("resample_filter", "up_filter", "down_filter", "transform")  # buffers that are no variables of ours
ZERO = tf.UnconnectedGradients.ZERO


def check(case: Case, options: Options) -> Result:
    """Run one layer case. Uncovered where the layer has no code yet."""
    if case.function not in FUNCTIONS:
        raise UncoveredError(f"no code for {case.function!r}")
    return FUNCTIONS[case.function](case, options)


def weights_of(layer: keras.layers.Layer, names: Mapping[str, Any]) -> dict[str, Any]:
    """Our variables by dotted published name, found as attributes of the layer."""
    return {name: functools.reduce(getattr, name.split("."), layer) for name in names}


def assign(case: Case, layer: keras.layers.Layer, options: Options) -> tuple[dict[str, Any], list[Judgement]]:
    """Give a built layer the case's weights, all of them and no others.

    Returns:
        The trainable variables by name, and the judgements of buffers that are no variables of ours.
    """
    parameters = case.below("param/")
    buffers = case.below("buffer/")
    derived = {name: buffers.pop(name) for name in list(buffers) if name.endswith(DERIVED)}
    variables = weights_of(layer, {**parameters, **buffers})
    if len(layer.variables) != len(variables):
        raise ValueError(f"{len(layer.variables)} variables in the layer, {len(variables)} in the case")
    for name, variable in variables.items():
        variable.assign(weight_in(name, {**parameters, **buffers}[name]))
    judgements = [
        compare(f"buffer/{name}", _derived(case, layer, name), array, case.tolerance, options.dtype)
        for name, array in derived.items()
    ]
    return {name: variables[name] for name in parameters}, judgements


def _derived(case: Case, layer: keras.layers.Layer, name: str) -> np.ndarray | None:
    """A buffer that follows from arguments, or is one of the call."""
    if name == "resample_filter":
        return setup_filter(case.args.get("resample_filter"))
    return case.arrays["buffer/transform"] if name == "transform" else getattr(layer.design, name)()


def vector_jacobian(
    function: Callable[[dict[str, tf.Tensor]], tf.Tensor],
    inputs: dict[str, tf.Tensor],
    variables: Mapping[str, Any],
    dy: tf.Tensor,
) -> tuple[tf.Tensor, dict[str, np.ndarray]]:
    """y, and its gradients as d<input> and dparam/<name>, in our layout for inputs and the published for parameters."""
    values = [variable.value for variable in variables.values()]
    with tf.GradientTape() as tape:
        tape.watch(list(inputs.values()))
        y = function(inputs)
    targets = [*inputs.values(), *values]
    gradients = tape.gradient(y, targets, output_gradients=dy, unconnected_gradients=ZERO) if targets else []
    found = {f"d{name}": np.asarray(g) for name, g in zip(inputs, gradients, strict=False)}
    for name, g in zip(variables, gradients[len(inputs) :], strict=True):
        found[f"dparam/{name}"] = weight_out(name, g)
    return y, found


def _run(case: Case, options: Options, layer: keras.layers.Layer, call: Mapping[str, Any]) -> Result:
    """Build, assign, call on x (and w_latent) with keyword options, differentiate, judge."""
    layer.build((None, *images_in(case.arrays["x"]).shape[1:]))
    variables, judgements = assign(case, layer, options)
    inputs = {"x": tensor(images_in(case.arrays["x"]), options.dtype)}
    if case.get("w_latent") is not None:
        inputs["w_latent"] = tensor(case.arrays["w_latent"], options.dtype)
    dy = tensor(images_in(case.arrays["dy"]), options.dtype)
    y, found = vector_jacobian(lambda given: layer(*given.values(), **call), inputs, variables, dy)
    found["y"] = y
    found = {name: a if name.startswith("dparam/") else images_out(a) for name, a in found.items()}
    return judge_outputs(case, found, options, judgements)


def check_dense(case: Case, options: Options) -> Result:
    """Fully connected layer of either generation."""
    args = take_args(
        case, "in_features", "out_features", "bias", "activation", "lr_multiplier", "weight_init", "bias_init"
    )
    if args.pop("in_features") != case.arrays["x"].shape[-1]:
        raise ValueError("in_features is not the width of x")
    return _run(case, options, Dense(args.pop("out_features"), impl=options.impl, **args), {})


def check_conv(case: Case, options: Options) -> Result:
    """Convolution with equalised learning rate and resampling."""
    args = take_args(
        case,
        "in_channels",
        "out_channels",
        "kernel_size",
        "bias",
        "activation",
        "up",
        "down",
        "resample_filter",
        "conv_clamp",
        "gain",
    )
    del args["in_channels"]
    gain = args.pop("gain", 1)
    return _run(case, options, Conv2D(args.pop("out_channels"), impl=options.impl, **args), {"gain": gain})


def check_minibatch_std(case: Case, options: Options) -> Result:
    """Minibatch standard deviation."""
    return _run(case, options, MinibatchStd(**take_args(case, "group_size", "num_channels")), {})


def check_synthesis_layer(case: Case, options: Options) -> Result:
    """StyleGAN2's modulated layer with noise."""
    args = take_args(
        case,
        "in_channels",
        "out_channels",
        "w_dim",
        "resolution",
        "kernel_size",
        "up",
        "use_noise",
        "activation",
        "resample_filter",
        "conv_clamp",
        "noise_mode",
        "gain",
    )
    del args["in_channels"]
    call = {name: args.pop(name) for name in ("noise_mode", "gain") if name in args}
    return _run(case, options, SynthesisLayer(args.pop("out_channels"), impl=options.impl, **args), call)


def check_torgb(case: Case, options: Options) -> Result:
    """StyleGAN2's layer from features to image channels."""
    args = take_args(case, "in_channels", "out_channels", "w_dim", "kernel_size", "conv_clamp")
    del args["in_channels"]
    return _run(case, options, ToRGB(args.pop("out_channels"), impl=options.impl, **args), {})


def check_mapping(case: Case, options: Options) -> Result:
    """Mapping network of either generation, with truncation and the running mean of w."""
    args = take_args(
        case,
        "z_dim",
        "c_dim",
        "w_dim",
        "num_ws",
        "num_layers",
        "embed_features",
        "layer_features",
        "activation",
        "lr_multiplier",
        "w_avg_beta",
    )
    mapping = MappingNetwork(impl=options.impl, **args)
    mapping.build()
    variables, judgements = assign(case, mapping, options)
    z, c = (None if case.get(name) is None else tensor(case.arrays[name], options.dtype) for name in ("z", "c"))
    inputs = {} if z is None else {"z": z}
    dy = tensor(case.arrays["dy"], options.dtype)
    y, found = vector_jacobian(lambda given: mapping(given.get("z"), c), inputs, variables, dy)
    found["y"] = np.asarray(y)
    for name in case.names("output"):
        variant = dict(case.variants.get(name, {}))
        if name.startswith("y_"):
            found[name] = np.asarray(mapping(z, c, **variant))
    found.update(_running_means(case, mapping, c, options))
    return judge_outputs(case, found, options, judgements)


def _running_means(case: Case, mapping: MappingNetwork, c: tf.Tensor, options: Options) -> dict[str, np.ndarray]:
    """update<j>_w_avg: the running mean after successive micro-batches update<j>_z of the same labels."""
    found: dict[str, np.ndarray] = {}
    w_avg = None if mapping.w_avg is None else tf.convert_to_tensor(mapping.w_avg)
    while (z := case.get(f"update{len(found)}_z")) is not None:
        w = mapping.styles(tensor(z, options.dtype), c)
        w_avg = mapping.updated_w_avg(w_avg, tf.reduce_mean(w, axis=0))
        found[f"update{len(found)}_w_avg"] = np.asarray(w_avg)
    return found


def check_fourier_input(case: Case, options: Options) -> Result:
    """StyleGAN3's Fourier features of w, which the case calls x."""
    arguments = take_args(case, "w_dim", "channels", "size", "sampling_rate", "bandwidth")
    layer = FourierInput(impl=options.impl, **arguments)
    transform = tensor(case.arrays["buffer/transform"], options.dtype)
    return _run(case, options, layer, {"transform": transform})


def check_alias_free_layer(case: Case, options: Options) -> Result:
    """StyleGAN3's layer, with its filters and padding."""
    own = ("w_dim", "conv_clamp", "magnitude_ema_beta")
    args = take_args(case, *own, *(field.name for field in dataclasses.fields(AliasFreeDesign)))
    arguments = {name: args.pop(name) for name in own if name in args}
    layer = AliasFreeLayer(AliasFreeDesign(**args), impl=options.impl, **arguments)
    result = _run(case, options, layer, {})
    found = {"padding": list(layer.design.padding), "up_factor": layer.design.up, "down_factor": layer.design.down}
    expected = {name: value for name, value in case.entry.get("derived", {}).items() if name in found}
    if result.status == OK and expected != {name: found[name] for name in expected}:
        return failed(case.name, f"found {found}, expected {expected}")
    return result


FUNCTIONS = {
    "StyleGAN2 MappingNetwork": check_mapping,
    "StyleGAN3 MappingNetwork": check_mapping,
    "StyleGAN2 FullyConnectedLayer": check_dense,
    "StyleGAN3 FullyConnectedLayer": check_dense,
    "StyleGAN2 Conv2dLayer": check_conv,
    "MinibatchStdLayer": check_minibatch_std,
    "StyleGAN2 SynthesisLayer": check_synthesis_layer,
    "StyleGAN2 ToRGBLayer": check_torgb,
    "StyleGAN3 SynthesisInput": check_fourier_input,
    "StyleGAN3 SynthesisLayer": check_alias_free_layer,
}
