"""The augmentation pipeline: at one percentile, with recorded random numbers, its derivatives, and its filters."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from sg_keras import augment
from sg_keras.augment import sampling, wavelets
from tests.augment.fixed_random import PercentileRandom
from tests.golden.derivatives import derivatives
from tests.golden.layout import images_in, images_out, tensor
from tests.golden.manifest import Case, take_args
from tests.golden.report import Options, Result, UncoveredError, judge_outputs

_FIELDS = tuple(field.name for field in dataclasses.fields(augment.AugmentTransforms))


def check(case: Case, options: Options) -> Result:
    """Run one case. Uncovered where the function has no code yet."""
    if case.function not in FUNCTIONS:
        raise UncoveredError(f"no code for {case.function!r}")
    return FUNCTIONS[case.function](case, options)


def check_constants(case: Case, options: Options) -> Result:
    """Taps of the geometric warp and of the filter bank."""
    take_args(case)
    return judge_outputs(case, {"Hz_geom": wavelets.geometry_filter(), "Hz_fbank": wavelets.filter_bank()}, options)


def check_pipeline(case: Case, options: Options) -> Result:
    """The whole pipeline, with derivatives where the case has them."""
    args = take_args(case, *_FIELDS, "debug_percentile", "p")
    percentile, p = args.pop("debug_percentile", None), args.pop("p")
    transforms = augment.AugmentTransforms(**args)
    if percentile is None:
        random: augment.RandomSource = RecordedRandom(case, transforms)
    else:
        noise = case.get("noise")
        random = PercentileRandom(percentile, None if noise is None else tensor(images_in(noise), "float32"))
    layer = augment.AugmentPipeline(transforms, options.impl)
    dy, v = (None if a is None else tensor(images_in(a), options.dtype) for a in (case.get("dy"), case.get("v")))
    result = derivatives(
        lambda inputs: layer(inputs["x"], p=p, random=random),
        {"x": tensor(images_in(case.arrays["images"]), options.dtype)},
        dy,
        None if v is None else {"x": v},
    )
    found = {"y": images_out(result.y)}
    if result.first:
        found["dx"] = images_out(result.first["x"])
    if result.second:
        found["d2_dy"] = images_out(result.second["dy"])
    return judge_outputs(case, found, options)


class RecordedRandom:
    """Numbers from a file, in the order in which the published pipeline draws them.

    For each transform in use: its parameters, then the number that decides whether it occurs. Noise has its image
    after these; cutout's decision comes before its centre.
    """

    def __init__(self, case: Case, transforms: augment.AugmentTransforms) -> None:
        names = sorted(name for name in case.arrays if name.startswith("draw"))
        self._recorded = [case.arrays[name] for name in names]
        self._count = case.arrays["images"].shape[0]
        self._found: dict[str, np.ndarray] = {}
        self._gates: dict[str, np.ndarray] = {}
        gray = case.arrays["images"].shape[1] == 1
        self._read(transforms, gray)
        if self._recorded:
            raise ValueError(f"{len(self._recorded)} recorded draws are left over")

    def _read(self, transforms: augment.AugmentTransforms, gray: bool) -> None:
        order = {"xflip": "xflip", "rotate90": "rotate90", "xint": "xint", "scale": "scale", "rotate_before": "rotate"}
        order |= {"aniso": "aniso", "rotate_after": "rotate", "xfrac": "xfrac", "brightness": "brightness"}
        order |= {"contrast": "contrast", "lumaflip": "lumaflip", "hue": "hue", "saturation": "saturation"}
        order |= dict.fromkeys(sampling.IMGFILTER_BANDS, "imgfilter") | {"noise": "noise"}
        for name, multiplier in order.items():
            if transforms.has(multiplier) and not (gray and name in ("hue", "saturation")):
                self._found[name] = self._take(-1)
                self._gates[name] = self._take(1)[:, 0]
        if transforms.has("noise"):
            self._noise = self._recorded.pop(0)
        if transforms.has("cutout"):
            self._gates["cutout"] = self._take(1)[:, 0]
            self._found["cutout"] = self._take(2)

    def _take(self, width: int) -> np.ndarray:
        return self._recorded.pop(0).reshape(self._count, width)

    def uniforms(self, count: Any) -> tf.Tensor:
        return self._table(sampling.UNIFORMS)

    def normals(self, count: Any) -> tf.Tensor:
        return self._table(sampling.NORMALS)

    def gates(self, count: Any) -> tf.Tensor:
        never = np.ones(self._count, np.float32)
        return tf.constant(np.stack([self._gates.get(name, never) for name in sampling.GATES], axis=1))

    def noise_images(self, count: Any, shape: Any) -> tf.Tensor:
        return tf.constant(images_in(self._noise))

    def _table(self, columns: Any) -> tf.Tensor:
        """Transforms along x and y are recorded together, under their common name."""
        values = []
        for name in columns:
            whole, _, axis = name.rpartition("_")
            axes = axis in ("x", "y")
            found = self._found.get(whole if axes else name, np.zeros([self._count, 2], np.float32))
            values.append(found[:, 1 if axes and axis == "y" else 0])
        return tf.constant(np.stack(values, axis=1))


FUNCTIONS = {"AugmentPipe.forward": check_pipeline, "filter constants": check_constants}
