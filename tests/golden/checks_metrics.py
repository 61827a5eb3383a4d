"""Metrics: so far equivariance, its moves of images by themselves and the whole measures."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from sg_keras.metrics import equivariance
from tests.golden.layout import images_in, images_out, tensor
from tests.golden.manifest import Case, take_args
from tests.golden.networks import build_generator, load_weights
from tests.golden.report import Options, Result, UncoveredError, judge_outputs


def check(case: Case, options: Options) -> Result:
    """Run one case. Uncovered where it has no code yet."""
    if case.function not in FUNCTIONS:
        raise UncoveredError(f"no code for {case.function!r}")
    return FUNCTIONS[case.function](case, options)


def _images(case: Case) -> np.ndarray:
    return images_in(case.arrays["x"]).astype(np.float64)


def _mask_out(mask: np.ndarray, case: Case) -> np.ndarray:
    """A mask [H,W] as the case holds it, [N,C,H,W]."""
    return np.broadcast_to(mask, case.arrays["x"].shape)


def check_translation(case: Case, options: Options) -> Result:
    """Images shifted by parts of their size; what is not valid is not compared."""
    whole = case.function == "integer translation"
    move = equivariance.translate_whole if whole else equivariance.translate_fraction
    y, mask = move(_images(case), float(case.arrays["tx"]), float(case.arrays["ty"]))
    return judge_outputs(case, {"y": images_out(y), "mask": _mask_out(mask, case)}, options)


def check_rotation(case: Case, options: Options) -> Result:
    """Images rotated by an angle, and the filters for it."""
    constants = take_args(case, "a", "amax", "up")
    if constants != {"a": 3, "amax": 6, "up": 4}:
        raise UncoveredError(f"the rotation filter has other constants than {constants}")
    angle = float(case.arrays["angle"])
    y, mask = equivariance.rotate(_images(case), angle)
    pseudo_y, pseudo_mask = equivariance.pseudo_rotate(_images(case), angle)
    found = {
        "rotation_matrix": equivariance.rotation_matrix(angle),
        "filter_rot": equivariance.rotation_filter(-angle, 4),
        "filter_pseudo": equivariance.rotation_filter(angle, 1),
        "y": images_out(y),
        "mask": _mask_out(mask, case),
        "pseudo_y": images_out(pseudo_y),
        "pseudo_mask": _mask_out(pseudo_mask, case),
    }
    return judge_outputs(case, found, options)


def check_equivariance(case: Case, options: Options) -> Result:
    """EQ-T, EQ-T_frac and EQ-R of a small generator."""
    G = build_generator(case.args, options.impl)
    judgements = load_weights(case, G, "G/", None, options)
    ws = [G.mapping(tensor(z, options.dtype)) for z in case.arrays["z"]]

    @tf.function(jit_compile=False)
    def synthesize(w: tf.Tensor, transform: tf.Tensor) -> tf.Tensor:
        return G.synthesis(w, transform=tf.cast(transform, w.dtype))

    found = {
        "psnr_eqt_int": equivariance.eqt_int(synthesize, ws, case.arrays["u_t_int"]),
        "psnr_eqt_frac": equivariance.eqt_frac(synthesize, ws, case.arrays["u_t_frac"]),
        "psnr_eqr": equivariance.eqr(synthesize, ws, case.arrays["u_angle"]),
    }
    return judge_outputs(case, {name: np.asarray(value) for name, value in found.items()}, options, judgements)


FUNCTIONS = {
    "integer translation": check_translation,
    "fractional translation (a=3)": check_translation,
    "fractional rotation and pseudo rotation": check_rotation,
    "EQ-T, EQ-T_frac, EQ-R end to end": check_equivariance,
}
