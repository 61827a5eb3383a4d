"""Whole networks from a case's keyword arguments, with a case's weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from sg_keras.models import Discriminator, Generator
from sg_keras.ops import setup_filter
from sg_keras.weights.published_names import load_published_weights, published_weights
from tests.golden.manifest import Case
from tests.golden.report import Options
from tests.golden.tolerance import Judgement, compare

# Arguments that only StyleGAN3's generator has.
STYLEGAN3_ARGUMENTS = {
    "num_layers",
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

# Buffers that follow from arguments.
DERIVED = ("resample_filter", "up_filter", "down_filter", "input.transform")


def build_generator(kwargs: Mapping[str, Any], impl: str, cfg: str | None = None) -> Generator:
    """A generator of the generation that its arguments, or cfg, say; an argument that it does not know is an error."""
    further = {name: value for name, value in kwargs.items() if name in STYLEGAN3_ARGUMENTS}
    common = {name: value for name, value in kwargs.items() if name not in further}
    cfg = cfg or ("stylegan3-t" if further else "stylegan2")
    return Generator(cfg=cfg, impl=impl, synthesis_kwargs=further, **common)


def build_discriminator(kwargs: Mapping[str, Any], impl: str) -> Discriminator:
    """The discriminator of both generations; published arguments nest those of the last block."""
    kwargs = dict(kwargs)
    return Discriminator(impl=impl, **kwargs.pop("epilogue_kwargs", {}), **kwargs)


def load_weights(
    case: Case, model: keras.Model, prefix: str, resample_filter: Any, options: Options
) -> list[Judgement]:
    """Assign <prefix>param/* and <prefix>buffer/*: every variable, from every array.

    Returns:
        Judgements of the buffers that follow from the arguments and are no variables of ours: filter taps, and the
        Fourier features' transform, which is the identity.
    """
    weights = {**case.below(f"{prefix}param/"), **case.below(f"{prefix}buffer/")}
    derived = {name: weights.pop(name) for name in list(weights) if name.endswith(DERIVED)}
    load_published_weights(model, weights)
    limits = {"rule": "op", "f32": {"rtol": 1e-6, "atol": 1e-6}}
    return [
        compare(f"{prefix}buffer/{name}", _derived(model, name, resample_filter), array, limits, options.dtype)
        for name, array in derived.items()
    ]


def _derived(model: keras.Model, name: str, resample_filter: Any) -> np.ndarray | None:
    leaf = name.rpartition(".")[2]
    if leaf == "resample_filter":
        return setup_filter(resample_filter)
    if leaf == "transform":
        return np.eye(3)
    return getattr(getattr(model.synthesis, name.split(".")[-2]).design, leaf)()


def trainable_names(model: keras.Model) -> dict[str, Any]:
    """Trainable variables by dotted published name."""
    return {v.path.removeprefix(f"{model.name}/").replace("/", "."): v for v in model.trainable_variables}


def buffer_values(model: keras.Model) -> dict[str, np.ndarray]:
    """Non-trainable variables by dotted published name, in published layout."""
    trainable = trainable_names(model)
    return {name: value for name, value in published_weights(model).items() if name not in trainable}
