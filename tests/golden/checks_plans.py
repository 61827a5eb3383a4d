"""StyleGAN3's layer plans: designs, filter taps, parameter counts. Nothing is allocated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sg_keras.models import Mapping as MappingNetwork
from sg_keras.models import SynthesisPlan, plan_synthesis
from sg_keras.models.generator import STYLEGAN3
from sg_keras.models.layer_plan import LayerPlan
from sg_keras.ops.filter_design import lowpass_taps
from tests.golden.manifest import Case, take_args
from tests.golden.report import Options
from tests.golden.tolerance import Judgement, compare, limits_of, same

HALF_PRECISION_RESOLUTIONS = 4  # of the published networks, where the arguments do not say
# Arguments of a whole generator that leave the plan as it is.
BESIDE_THE_PLAN = ("z_dim", "c_dim", "w_dim", "mapping_kwargs", "conv_clamp", "output_scale", "magnitude_ema_beta")
CONV_CLAMP = 256
COUNTED = ("channel_base", "channel_max", "z_dim", "w_dim", "c_dim")
MAPPING_LAYERS = 2
NAMED_ALIKE = (
    "is_torgb",
    "is_critically_sampled",
    "in_channels",
    "out_channels",
    "in_sampling_rate",
    "out_sampling_rate",
    "in_cutoff",
    "out_cutoff",
    "in_half_width",
    "out_half_width",
    "up_taps",
    "down_taps",
    "down_radial",
)


def _plan(arguments: Mapping[str, Any]) -> SynthesisPlan:
    own = {name: value for name, value in arguments.items() if name not in BESIDE_THE_PLAN}
    return plan_synthesis(**{"num_fp16_res": HALF_PRECISION_RESOLUTIONS, **own})


def _mapping_parameters(arguments: Mapping[str, Any], num_ws: int) -> int:
    sizes = {name: arguments[name] for name in ("z_dim", "c_dim", "w_dim")}
    layers = arguments.get("mapping_kwargs", {}).get("num_layers", MAPPING_LAYERS)
    mapping = MappingNetwork(num_ws=num_ws, num_layers=layers, **sizes)
    mapping.build()
    return sum(int(np.prod(v.shape)) for v in mapping.trainable_variables)


def _counts(plan: SynthesisPlan, arguments: Mapping[str, Any]) -> dict[str, int]:
    synthesis, mapping = plan.num_parameters(arguments["w_dim"]), _mapping_parameters(arguments, plan.num_ws)
    return {"total": synthesis + mapping, "mapping": mapping, "synthesis": synthesis}


# Whole designs ------------------------------------------------------------------------------------------------------


def check_design(case: Case, options: Options) -> Iterator[Judgement]:
    """Every layer of a plan, and what follows from it."""
    arguments = case.args
    plan, table = _plan(arguments), case.read_json()
    yield same("generator_kwargs", table.pop("generator_kwargs"), dict(arguments))
    radial = "r" if arguments.get("use_radial_filters") else "t"
    yield same("config", f"stylegan3-{radial}", table.pop("config"))
    yield from _numbers("input", case, _input_row(plan, arguments["w_dim"]), table.pop("input"))
    layers = table.pop("layers")
    yield same("layers", [layer.name for layer in plan.layers], [row["name"] for row in layers])
    for layer, row in zip(plan.layers, layers, strict=False):
        yield from _numbers(layer.name, case, _layer_row(layer, arguments), row)
    derived = {
        "num_ws": plan.num_ws,
        "num_params": _counts(plan, arguments),
        "num_buffer_elements": _buffer_elements(plan, arguments["w_dim"]),
    }
    yield same("the rest", derived, table)


def _numbers(name: str, case: Case, found: Mapping[str, Any], expected: Mapping[str, Any]) -> Iterator[Judgement]:
    """Names and whole numbers are equal; the others within the case's limits."""
    reals = {key for key, value in expected.items() if isinstance(value, float)}
    plain = [{key: value for key, value in row.items() if key not in reals} for row in (found, expected)]
    yield same(name, *plain)
    _, rtol, atol = limits_of(case.tolerance, name, "float64")
    for key in sorted(reals & set(found)):
        yield Judgement(f"{name}.{key}", abs(found[key] - expected[key]), atol + rtol * abs(expected[key]))


def _input_row(plan: SynthesisPlan, w_dim: int) -> dict[str, Any]:
    start = plan.input
    return {
        "channels": start.channels,
        "size": [start.size] * 2,
        "sampling_rate": start.sampling_rate,
        "bandwidth": start.bandwidth,
        "num_params": start.num_parameters(w_dim),
    }


def _layer_row(layer: LayerPlan, arguments: Mapping[str, Any]) -> dict[str, Any]:
    design = layer.design
    return {
        **{name: getattr(design, name) for name in NAMED_ALIKE},
        "name": layer.name,
        "use_fp16": layer.half_precision,
        "tmp_sampling_rate": design.internal_sampling_rate,
        "conv_kernel": design.kernel_size,
        "conv_clamp": arguments.get("conv_clamp", CONV_CLAMP),
        "up_factor": design.up,
        "down_factor": design.down,
        "padding": list(design.padding),
        "in_size": [design.in_size] * 2,
        "out_size": [design.out_size] * 2,
        "num_params": layer.num_parameters(arguments["w_dim"]),
    }


def _buffer_elements(plan: SynthesisPlan, w_dim: int) -> int:
    """Published buffers: transform, frequencies and phases, filters and magnitudes, the mean of w."""
    filters = [taps for layer in plan.layers for taps in (layer.design.up_filter(), layer.design.down_filter())]
    sizes = sum(taps.size for taps in filters if taps is not None)
    return 9 + 3 * plan.input.channels + sizes + len(plan.layers) + w_dim


# Filters and counts -------------------------------------------------------------------------------------------------


def check_filters(case: Case, options: Options) -> Iterator[Judgement]:
    """Taps as the networks use them, and before they are rounded."""
    found = {}
    for layer in _plan(case.args).layers:
        design = layer.design
        for kind, rounded, arguments in (
            ("up", design.up_filter(), (design.up_taps, design.in_cutoff, design.in_half_width, False)),
            ("down", design.down_filter(), (design.down_taps, design.out_cutoff, design.out_half_width, True)),
        ):
            taps, cutoff, half_width, may_be_radial = arguments
            if rounded is not None:
                found[f"{layer.name}/{kind}"] = rounded
                radial = may_be_radial and design.down_radial
                exact = lowpass_taps(taps, cutoff, half_width * 2, design.internal_sampling_rate, radial)
                found[f"{layer.name}/{kind}_f64"] = exact
    yield same("filters", sorted(found), sorted(case.names("output")))
    for name in case.names("output"):
        if name in found:
            yield compare(name, found[name], case.arrays[name], case.tolerance, "float64")


def counts_of_stylegan3(case: Case, key: str, entry: Mapping[str, Any]) -> Iterator[Judgement]:
    """Entries stylegan3_<t or r>_<resolution>; R has twice the channels."""
    _, kind, resolution = key.split("_")
    arguments = take_args(case, *COUNTED)
    width = 2 if kind == "r" else 1
    plan = plan_synthesis(
        int(resolution),
        img_channels=3,
        channel_base=arguments["channel_base"] * width,
        channel_max=arguments["channel_max"] * width,
        **STYLEGAN3[f"stylegan3-{kind}"],
    )
    yield same(key, _counts(plan, arguments), dict(entry))
