"""upfirdn2d and its helpers, setup_filter, bias_act, conv2d_resample, modulated convolution."""

from __future__ import annotations

from typing import Any

import numpy as np

from sg_keras import ops
from tests.golden.derivatives import derivatives
from tests.golden.layout import axis_back, axis_last, images_in, images_out, kernel_in, kernel_out, tensor
from tests.golden.manifest import Case, take_args
from tests.golden.report import Options, Result, UncoveredError, judge_outputs
from tests.golden.tolerance import Judgement, compare


def check(case: Case, options: Options) -> Result:
    """Run one op case. Uncovered where the function has no code yet."""
    if case.function not in FUNCTIONS:
        raise UncoveredError(f"no code for {case.function!r}")
    return FUNCTIONS[case.function](case, options)


def _cotangent(case: Case, name: str, convert: Any, options: Options) -> Any:
    array = case.get(name)
    return None if array is None else tensor(convert(array), options.dtype)


def _present(**arrays: Any) -> dict[str, Any]:
    return {name: array for name, array in arrays.items() if array is not None}


def _filter_as_given(case: Case, options: Options) -> list[Judgement]:
    """Where the taps before setup_filter are given, ours has to make the stored filter out of them."""
    arguments = case.entry.get("derived", {}).get("setup_filter")
    if arguments is None or case.get("f_raw") is None:
        return []
    made = ops.setup_filter(case.arrays["f_raw"], **arguments)
    return [compare("f from f_raw", made, case.arrays["f"], case.tolerance, options.dtype)]


def check_upfirdn2d(case: Case, options: Options) -> Result:
    """upfirdn2d, upsample2d, downsample2d, and filter2d: ours is upsample2d by 1."""
    args = take_args(case, "up", "down", "padding", "flip_filter", "gain")
    if case.function == "filter2d":
        operation, args["up"] = ops.upsample2d, 1
    else:
        operation = getattr(ops, case.function)
    f = case.get("f")
    result = derivatives(
        lambda inputs: operation(inputs["x"], f, impl=options.impl, **args),
        {"x": tensor(images_in(case.arrays["x"]), options.dtype)},
        _cotangent(case, "dy", images_in, options),
        _present(x=_cotangent(case, "ddx", images_in, options)),
    )
    found = {"y": images_out(result.y)}
    if result.first:
        found["dx"] = images_out(result.first["x"])
    if result.second:
        found["d2_dy"] = images_out(result.second["dy"])
    return judge_outputs(case, found, options, _filter_as_given(case, options))


def check_setup_filter(case: Case, options: Options) -> Result:
    """A list of calls: call i makes out<i>."""
    found = {}
    for call in take_args(case, "calls")["calls"]:
        call = dict(call)
        index, source = call.pop("index"), call.pop("f")
        found[f"out{index}"] = ops.setup_filter(None if source is None else case.arrays[source], **call)
    return judge_outputs(case, found, options)


def check_bias_act(case: Case, options: Options) -> Result:
    """Ours adds b along the last axis, so the axis `dim` of the case is moved there and back."""
    args = take_args(case, "act", "alpha", "gain", "clamp", "dim")
    dim = args.pop("dim")
    b = case.get("b")
    result = derivatives(
        lambda inputs: ops.bias_act(inputs["x"], inputs.get("b"), impl=options.impl, **args),
        _present(
            x=_cotangent(case, "x", lambda a: axis_last(a, dim), options),
            b=None if b is None else tensor(b, options.dtype),
        ),
        _cotangent(case, "dy", lambda a: axis_last(a, dim), options),
        _present(x=_cotangent(case, "v", lambda a: axis_last(a, dim), options)),
    )
    found: dict[str, Any] = {"y": axis_back(result.y, dim)}
    for prefix, values in (("d", result.first), ("g2_", result.second)):
        for name, value in values.items():
            found[prefix + name] = np.asarray(value) if name == "b" else axis_back(value, dim)
    return judge_outputs(case, found, options)


def check_filtered_lrelu(case: Case, options: Options) -> Result:
    """Bias, upsampling, leaky ReLU, gain, clamp and downsampling in one op."""
    args = take_args(case, "up", "down", "padding", "gain", "slope", "clamp", "flip_filter")
    b = case.get("b")
    result = derivatives(
        lambda inputs: ops.filtered_lrelu(
            inputs["x"], case.get("fu"), case.get("fd"), inputs.get("b"), impl=options.impl, **args
        ),
        _present(
            x=tensor(images_in(case.arrays["x"]), options.dtype),
            b=None if b is None else tensor(b, options.dtype),
        ),
        _cotangent(case, "dy", images_in, options),
        _present(x=_cotangent(case, "v", images_in, options), b=_cotangent(case, "vb", np.asarray, options)),
    )
    found = {"y": images_out(result.y)}
    for prefix, values in (("d", result.first), ("g2_", result.second)):
        for name, value in values.items():
            found[prefix + name] = np.asarray(value) if name == "b" else images_out(value)
    return judge_outputs(case, found, options)


def check_conv2d_resample(case: Case, options: Options) -> Result:
    """Convolution with FIR up- and downsampling."""
    args = take_args(case, "up", "down", "padding", "groups", "flip_weight", "flip_filter")
    f = case.get("f")
    result = derivatives(
        lambda inputs: ops.conv2d_resample(inputs["x"], inputs["w"], f, impl=options.impl, **args),
        {
            "x": tensor(images_in(case.arrays["x"]), options.dtype),
            "w": tensor(kernel_in(case.arrays["w"]), options.dtype),
        },
        _cotangent(case, "dy", images_in, options),
        _present(x=_cotangent(case, "v", images_in, options), w=_cotangent(case, "vw", kernel_in, options)),
    )
    return judge_outputs(case, _published(result), options)


def check_modulated_conv2d(case: Case, options: Options) -> Result:
    """StyleGAN2's modulated convolution; styles are [N, in]."""
    args = take_args(case, "up", "down", "padding", "demodulate", "flip_weight")
    f, noise = case.get("resample_filter"), case.get("noise")
    if noise is not None:
        # [N,1,H,W] (one map a sample) or [H,W] (one for all), to [N,H,W,1] or [1,H,W,1].
        noise = tensor(images_in(noise.reshape(-1, 1, *noise.shape[-2:])), options.dtype)
    result = derivatives(
        lambda inputs: ops.modulated_conv2d(
            inputs["x"], inputs["w"], inputs["s"], noise=noise, f=f, impl=options.impl, **args
        ),
        {
            "x": tensor(images_in(case.arrays["x"]), options.dtype),
            "w": tensor(kernel_in(case.arrays["weight"]), options.dtype),
            "s": tensor(case.arrays["styles"], options.dtype),
        },
        _cotangent(case, "dy", images_in, options),
        _present(
            x=_cotangent(case, "vx", images_in, options),
            w=_cotangent(case, "vw", kernel_in, options),
            s=_cotangent(case, "vs", np.asarray, options),
        ),
    )
    return judge_outputs(case, _published(result), options)


def check_modulated_conv2d_stylegan3(case: Case, options: Options) -> Result:
    """StyleGAN3's modulated convolution; input_gain is a scalar, [in] or [N, in]."""
    args = take_args(case, "padding", "demodulate")
    gain = case.get("input_gain")
    result = derivatives(
        lambda inputs: ops.modulated_conv2d_stylegan3(
            inputs["x"],
            inputs["w"],
            inputs["s"],
            input_gain=None if gain is None else tensor(gain, options.dtype),
            impl=options.impl,
            **args,
        ),
        {
            "x": tensor(images_in(case.arrays["x"]), options.dtype),
            "w": tensor(kernel_in(case.arrays["weight"]), options.dtype),
            "s": tensor(case.arrays["styles"], options.dtype),
        },
        _cotangent(case, "dy", images_in, options),
        _present(
            x=_cotangent(case, "vx", images_in, options),
            w=_cotangent(case, "vw", kernel_in, options),
            s=_cotangent(case, "vs", np.asarray, options),
        ),
    )
    return judge_outputs(case, _published(result), options)


def _published(result: Any) -> dict[str, np.ndarray]:
    """y, d<name> and g2_<name> of a convolution, in the published layout."""
    back = {"x": images_out, "dy": images_out, "w": kernel_out, "s": np.asarray}
    found = {"y": images_out(result.y)}
    for prefix, values in (("d", result.first), ("g2_", result.second)):
        for name, value in values.items():
            found[prefix + name] = back[name](value)
    return found


FUNCTIONS = {
    "upfirdn2d": check_upfirdn2d,
    "filter2d": check_upfirdn2d,
    "upsample2d": check_upfirdn2d,
    "downsample2d": check_upfirdn2d,
    "setup_filter": check_setup_filter,
    "bias_act": check_bias_act,
    "filtered_lrelu": check_filtered_lrelu,
    "conv2d_resample": check_conv2d_resample,
    "StyleGAN2 modulated_conv2d": check_modulated_conv2d,
    "StyleGAN3 modulated_conv2d": check_modulated_conv2d_stylegan3,
}
