"""Design tables: parameter counts and shapes, initial values, layers that freeze-D freezes, StyleGAN3's layers.

A table has entries for several networks. One result stands for all entries that sg_keras has code for; every other
entry, or part of one, gets a line of its own that says so.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from sg_keras.config.presets import HALF_PRECISION_RESOLUTIONS
from sg_keras.ops import setup_filter
from sg_keras.weights.published_names import published_weights
from tests.golden.checks_half_precision import HALF_PRECISION, check_half_precision, half_by_side
from tests.golden.checks_plans import check_design, check_filters, counts_of_stylegan3
from tests.golden.manifest import Case, take_args
from tests.golden.networks import build_discriminator, build_generator, trainable_names
from tests.golden.report import Options, Result, UncoveredError, judged
from tests.golden.tolerance import Judgement, same

STANDARD_ERRORS = 5  # how far mean and spread of a random tensor may be off
GENERATOR_SIZES = ("z_dim", "w_dim", "mapping_kwargs")
SIZES = ("channel_base", "channel_max", "c_dim", "img_channels", *GENERATOR_SIZES)


def check(case: Case, options: Options) -> list[Result]:
    """Run one table. Uncovered where nothing in it has code yet."""
    if case.function not in FUNCTIONS:
        raise UncoveredError(f"no code for {case.function!r}")
    judgements: list[Judgement] = []
    missing: list[Result] = []
    for item in FUNCTIONS[case.function](case, options):
        if isinstance(item, Judgement):
            judgements.append(item)
        else:
            missing.append(item)
    return [judged(case.name, judgements), *missing] if judgements else missing


def _part(case: Case, *keys: str) -> str:
    return f"{case.name}[{'.'.join(keys)}]".replace(" ", "_")


def _size(model: keras.Model, prefix: str = "") -> int:
    return sum(int(np.prod(v.shape)) for name, v in trainable_names(model).items() if name.startswith(prefix))


# Parameter counts ---------------------------------------------------------------------------------------------------


def check_param_counts(case: Case, options: Options) -> Iterator[Judgement | Result]:
    """Entries stylegan2_<resolution>[_<architecture>]; sizes not in the entry's name are the case's arguments."""
    for key, entry in case.read_json()["counts"].items():
        generation, resolution, *architecture = key.split("_")
        if generation == "stylegan3":
            yield from counts_of_stylegan3(case, key, entry)
            continue
        shared = {"img_resolution": int(resolution), **({"architecture": architecture[0]} if architecture else {})}
        yield from _counts_of_generator(case, key, entry, shared, options)
        yield from _counts_of_discriminator(case, key, entry, shared, options)
        yield from _unknown_fields(key, entry)


def _unknown_fields(key: str, entry: Mapping[str, Any]) -> Iterator[Judgement]:
    known = {"G_total", "G_mapping", "G_synthesis", "num_ws", "G_params", "G_buffers", "D_params", "D_buffers"}
    patterns = re.compile(rf"D_total(_c_dim\d+)?|{HALF_PRECISION.pattern}")
    for field in entry:
        if field not in known and not patterns.fullmatch(field):
            yield Judgement(f"{key}.{field}", np.inf, 0.0, "field not understood by the checker")


def _counts_of_generator(
    case: Case, key: str, entry: Mapping[str, Any], shared: Mapping[str, Any], options: Options
) -> Iterator[Judgement]:
    model = build_generator({**take_args(case, *SIZES), **shared, **_half_precision(entry)}, options.impl)
    found = {
        "G_total": _size(model),
        "G_mapping": _size(model, "mapping."),
        "G_synthesis": _size(model, "synthesis."),
        "num_ws": model.num_ws,
    }
    for field, value in found.items():
        if field in entry:
            yield same(f"{key}.{field}", value, entry[field])
    yield from _shapes(key, "G", entry, model)
    if "G_block_use_fp16" in entry:
        yield same(f"{key}.G_block_use_fp16", half_by_side(model.synthesis.blocks), entry["G_block_use_fp16"])
    keras.backend.clear_session()


def _counts_of_discriminator(
    case: Case, key: str, entry: Mapping[str, Any], shared: Mapping[str, Any], options: Options
) -> Iterator[Judgement]:
    sizes = take_args(case, *SIZES)
    arguments = {**{name: sizes[name] for name in sizes if name not in GENERATOR_SIZES}, **shared}
    for field in entry:
        if total := re.fullmatch(r"D_total(?:_c_dim(\d+))?", field):
            labels = {} if total[1] is None else {"c_dim": int(total[1])}
            model = build_discriminator({**arguments, **labels, **_half_precision(entry)}, options.impl)
            yield same(f"{key}.{field}", _size(model), entry[field])
            if not labels:
                yield from _shapes(key, "D", entry, model)
            if "D_block_use_fp16" in entry:
                yield same(f"{key}.D_block_use_fp16", half_by_side(model.blocks), entry["D_block_use_fp16"])
            keras.backend.clear_session()


def _half_precision(entry: Mapping[str, Any]) -> dict[str, int]:
    """The published networks are in half precision where the entry tells of it; what it counts is the same."""
    return {"num_fp16_res": HALF_PRECISION_RESOLUTIONS} if any(map(HALF_PRECISION.fullmatch, entry)) else {}


def _shapes(key: str, network: str, entry: Mapping[str, Any], model: keras.Model) -> Iterator[Judgement]:
    """Names and shapes of parameters and buffers, the latter without filters, which ours derive from arguments."""
    if f"{network}_params" not in entry:
        return
    shapes = {name: list(value.shape) for name, value in published_weights(model).items()}
    trainable = trainable_names(model)
    yield same(
        f"{key}.{network}_params", {n: s for n, s in shapes.items() if n in trainable}, entry[f"{network}_params"]
    )
    buffers = dict(entry[f"{network}_buffers"])
    filters = {name: buffers.pop(name) for name in list(buffers) if name.endswith("resample_filter")}
    taps = list(setup_filter(model.get_config()["resample_filter"]).shape)
    yield same(f"{key}.{network}_buffers", {n: s for n, s in shapes.items() if n not in trainable}, buffers)
    yield same(f"{key}.{network}_buffers (filters)", dict.fromkeys(filters, taps), filters)


# Initial values -----------------------------------------------------------------------------------------------------


def check_initial_values(case: Case, options: Options) -> Iterator[Judgement | Result]:
    """Distribution of every tensor of freshly built networks, with a fixed seed."""
    for key, entry in case.read_json().items():
        keras.utils.set_random_seed(0)
        cfg = next((word for word in key.split() if word.startswith("stylegan")), None)
        if "G" in key.split():
            model = build_generator(entry["arguments"], options.impl, cfg)
        else:
            model = build_discriminator(entry["arguments"], options.impl)
        yield from _initial_values(key, entry["values"], model)
        keras.backend.clear_session()


def _initial_values(key: str, expected: Mapping[str, Any], model: keras.Model) -> Iterator[Judgement]:
    values, trainable = published_weights(model), trainable_names(model)
    found = {name: (list(v.shape), "param" if name in trainable else "buffer") for name, v in values.items()}
    yield same(f"{key}: names, shapes and kinds", found, {n: (e["shape"], e["kind"]) for n, e in expected.items()})
    for name in values.keys() & expected.keys():
        yield from _distribution(f"{key}: {name}", values[name], expected[name])
    yield _independent(key, model, expected)


def _distribution(name: str, value: np.ndarray, expected: Mapping[str, Any]) -> Iterator[Judgement]:
    kind = expected["distribution"]
    value = value.astype(np.float64)
    if kind == "constant":
        yield Judgement(name, float(np.abs(value - expected["value"]).max(initial=0.0)), 0.0)
    elif kind == "normal":
        std, count = expected["std"], value.size
        yield Judgement(f"{name}, mean", float(abs(value.mean())), STANDARD_ERRORS * std / np.sqrt(count))
        yield Judgement(f"{name}, spread", float(abs(value.std() - std)), STANDARD_ERRORS * std / np.sqrt(2 * count))
    elif kind == "exact":
        yield same(name, value.tolist(), expected["values"])
    elif kind == "uniform":
        width = expected["high"] - expected["low"]
        yield from _uniform(name, (value - expected["low"]) / width)
    elif kind == "uniform disc":  # the squared radius is uniform, and so is each direction
        yield from _uniform(f"{name}, radius", np.sum(value**2, axis=1) / expected["radius"] ** 2)
        yield from _uniform(f"{name}, angle", np.arctan2(value[:, 1], value[:, 0]) / (2 * np.pi) + 0.5)
    else:
        yield Judgement(name, np.inf, 0.0, f"distribution {kind!r} not understood by the checker")


def _uniform(name: str, value: np.ndarray) -> Iterator[Judgement]:
    """Range 0..1, mean and spread of numbers that should be uniform over it."""
    outside = float(np.maximum(-value, value - 1).max())
    yield Judgement(f"{name}, range", max(outside, 0.0), 1e-6)
    yield Judgement(f"{name}, mean", float(abs(value.mean() - 0.5)), STANDARD_ERRORS * np.sqrt(1 / 12 / value.size))
    # The standard error of a sample variance is sqrt((kurtosis - 1) / n) times it; a uniform kurtosis is 9/5.
    yield Judgement(f"{name}, spread", float(abs(value.var() * 12 - 1)), STANDARD_ERRORS * np.sqrt(0.8 / value.size))


def _independent(key: str, model: keras.Model, expected: Mapping[str, Any]) -> Judgement:
    """No two random tensors may begin with the same draws."""
    normal = {
        v.path: (np.asarray(v.value).ravel()[:8])
        for v in model.variables
        if expected.get(v.path.removeprefix(f"{model.name}/").replace("/", "."), {}).get("std")
    }
    same = [(a, b) for a, b in itertools.combinations(normal, 2) if _proportional(normal[a], normal[b])]
    return Judgement(f"{key}: independent draws", float(len(same)), 0.0, f"equal draws: {same[:3]}" if same else "")


def _proportional(a: np.ndarray, b: np.ndarray) -> bool:
    count = min(a.size, b.size)
    return count > 1 and np.allclose(a[:count] * b[0], b[:count] * a[0], rtol=1e-4, atol=0)


# Freeze-D -----------------------------------------------------------------------------------------------------------


def check_freeze(case: Case, options: Options) -> Iterator[Judgement]:
    """Layers whose weight and bias are not trained."""
    for key, entry in case.read_json().items():
        model = build_discriminator(entry["arguments"], options.impl)
        yield same(f"{key}: layers", sorted(model.frozen_layer_names), sorted(entry["frozen"]))
        trainable = trainable_names(model)
        frozen = {name.rpartition(".")[0] for name in published_weights(model) if name not in trainable}
        yield same(f"{key}: variables", sorted(frozen), sorted(entry["frozen"]))
        partly = sorted(name for name in trainable if name.rpartition(".")[0] in frozen)
        yield same(f"{key}: partly frozen", partly, [])
        keras.backend.clear_session()


FUNCTIONS = {
    "trainable parameter counts and per-parameter shapes": check_param_counts,
    "initial values of parameters and buffers": check_initial_values,
    "layers frozen by --freezed": check_freeze,
    "layer design table": check_design,
    "low-pass filter taps": check_filters,
    "layers in half precision by num_fp16_res": check_half_precision,
}
