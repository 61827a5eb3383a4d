"""Whole networks from a case's keyword arguments, with a case's weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from sg_keras.checkpoint.published_names import load_published_weights, published_weights
from sg_keras.models import Discriminator, Generator
from sg_keras.ops import setup_filter
from tests.golden.manifest import Case
from tests.golden.report import Options, UncoveredError
from tests.golden.tolerance import Judgement, compare

# Arguments that only StyleGAN3's generator has.
STYLEGAN3_ARGUMENTS = {
    "num_critical",
    "first_cutoff",
    "first_stopband",
    "last_stopband_rel",
    "margin_size",
    "output_scale",
    "conv_kernel",
    "filter_size",
    "lrelu_upsampling",
    "use_radial_filters",
    "magnitude_ema_beta",
}


def build_generator(kwargs: Mapping[str, Any], impl: str) -> Generator:
    """StyleGAN2's generator; an argument that it does not know is an error."""
    if set(kwargs) & STYLEGAN3_ARGUMENTS:
        raise UncoveredError("no code for StyleGAN3's generator")
    return Generator(ops=impl, **kwargs)


def build_discriminator(kwargs: Mapping[str, Any], impl: str) -> Discriminator:
    """The discriminator of both generations; published arguments nest those of the last block."""
    kwargs = dict(kwargs)
    return Discriminator(ops=impl, **kwargs.pop("epilogue_kwargs", {}), **kwargs)


def load_weights(
    case: Case, model: keras.Model, prefix: str, resample_filter: Any, options: Options
) -> list[Judgement]:
    """Assign <prefix>param/* and <prefix>buffer/*: every variable, from every array.

    Returns:
        Judgements of the filter taps among the buffers: they follow from the arguments and are no variables of ours.
    """
    weights = {**case.below(f"{prefix}param/"), **case.below(f"{prefix}buffer/")}
    taps = {name: weights.pop(name) for name in list(weights) if name.endswith("resample_filter")}
    load_published_weights(model, weights)
    limits = {"rule": "op", "f32": {"rtol": 1e-6, "atol": 1e-6}}
    made = setup_filter(resample_filter)
    return [compare(f"{prefix}buffer/{name}", made, array, limits, options.dtype) for name, array in taps.items()]


def trainable_names(model: keras.Model) -> dict[str, Any]:
    """Trainable variables by dotted published name."""
    return {v.path.removeprefix(f"{model.name}/").replace("/", "."): v for v in model.trainable_variables}


def buffer_values(model: keras.Model) -> dict[str, np.ndarray]:
    """Non-trainable variables by dotted published name, in published layout."""
    trainable = trainable_names(model)
    return {name: value for name, value in published_weights(model).items() if name not in trainable}
