"""Metrics on given features, path lengths of a small generator, and equivariance with its moves of images."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from sg_keras.metrics import equivariance, frechet, path_length
from sg_keras.metrics.inception_score import inception_score
from sg_keras.metrics.kernel_distance import subset_kernel_distances
from sg_keras.metrics.precision_recall import precision_recall
from sg_keras.weights.published_names import load_published_weights
from tests.golden.layout import images_in, images_out, tensor
from tests.golden.manifest import Case, take_args
from tests.golden.networks import DERIVED, build_generator, load_weights
from tests.golden.report import Options, Result, UncoveredError, judge_outputs
from tests.golden.tolerance import compare


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
        "psnr_eqt_int": equivariance.eqt_int(synthesize, ws, case.arrays["u_t_int"]).decibels(),
        "psnr_eqt_frac": equivariance.eqt_frac(synthesize, ws, case.arrays["u_t_frac"]).decibels(),
        "psnr_eqr": equivariance.eqr(synthesize, ws, case.arrays["u_angle"]).decibels(),
    }
    return judge_outputs(case, {name: np.asarray(value) for name, value in found.items()}, options, judgements)


def _numbers(**found: float | np.ndarray) -> dict[str, np.ndarray]:
    return {name: np.asarray(value) for name, value in found.items()}


def check_frechet(case: Case, options: Options) -> Result:
    """Mean, covariance, and the distance by both ways to the root."""
    real, fake = (frechet.FeatureMoments.of(case.arrays[name]) for name in ("real", "gen"))
    found = _numbers(
        mu_real=real.mean,
        sigma_real=real.covariance,
        mu_gen=fake.mean,
        sigma_gen=fake.covariance,
        fid=frechet.frechet_distance(real, fake),
    )
    as_published = frechet.frechet_distance(real, fake, method="sqrtm")
    judgements = [compare("fid by sqrtm", np.asarray(as_published), case.arrays["fid"], case.tolerance, options.dtype)]
    return judge_outputs(case, found, options, judgements)


def check_kernel(case: Case, options: Options) -> Result:
    """The mean over subsets, with the indices that the published code draws."""
    constants = take_args(case, "num_subsets", "max_subset_size", "numpy_seed")
    random = np.random.RandomState(constants["numpy_seed"])
    found = subset_kernel_distances(
        case.arrays["real"],
        case.arrays["gen"],
        subsets=constants["num_subsets"],
        size=constants["max_subset_size"],
        random=random,
    )
    return judge_outputs(case, _numbers(kid=found.mean()), options)


def check_precision_recall(case: Case, options: Options) -> Result:
    """With features and distances in float16, and in float32."""
    k = take_args(case, "nhood_size")["nhood_size"]
    half, full = (precision_recall(case.arrays["real"], case.arrays["gen"], k=k, half=half) for half in (True, False))
    found = _numbers(
        precision=half.precision.mean(),
        recall=half.recall.mean(),
        precision_f64=full.precision.mean(),
        recall_f64=full.recall.mean(),
    )
    return judge_outputs(case, found, options)


def check_inception_score(case: Case, options: Options) -> Result:
    """Mean and standard deviation over splits."""
    mean, std = inception_score(case.arrays["probs"], splits=take_args(case, "num_splits")["num_splits"])
    return judge_outputs(case, _numbers(mean=mean, std=std), options)


def check_outliers(case: Case, options: Options) -> Result:
    """The mean of the distances that are not left out, and the limits."""
    mean, low, high = path_length.mean_without_outliers(case.arrays["dist"])
    return judge_outputs(case, _numbers(ppl=mean, lo=low, hi=high), options)


def check_slerp(case: Case, options: Options) -> Result:
    """At t, and a step later."""
    a, b, t = (tensor(case.arrays[name], options.dtype) for name in ("a", "b", "t"))
    epsilon = take_args(case, "eps")["eps"]
    found = _numbers(y=path_length.slerp(a, b, t), y_eps=path_length.slerp(a, b, t + epsilon))
    return judge_outputs(case, found, options)


def check_path_length(case: Case, options: Options) -> Result:
    """Distances along paths of a small generator; what sees are averages of 4x4 pixels."""
    args = dict(case.args)
    G = build_generator(args.pop("G_kwargs"), options.impl)
    judgements = load_weights(case, G, "G/", [1, 3, 3, 1], options)
    load_published_weights(G, {**case.below("G/param/"), **_without_derived(case), **case.below("noise/")})
    sampling = path_length.PathSampling(**args)

    def features(images: tf.Tensor) -> tf.Tensor:
        return tf.reshape(tf.nn.avg_pool2d(images / 255, 4, 4, "VALID"), [images.shape[0], -1])

    ends = tf.split(tensor(case.arrays["z"], options.dtype), 2)
    networks = (G.mapping, lambda w: G.synthesis(w, noise_mode="const"), features)
    found = path_length.path_distances(tuple(ends), tensor(case.arrays["t_uniform"], options.dtype), sampling, networks)
    return judge_outputs(case, _numbers(dist=found), options, judgements)


def _without_derived(case: Case) -> dict[str, np.ndarray]:
    return {name: value for name, value in case.below("G/buffer/").items() if not name.endswith(DERIVED)}


FUNCTIONS = {
    "Frechet distance": check_frechet,
    "Kernel inception distance": check_kernel,
    "precision / recall": check_precision_recall,
    "inception score": check_inception_score,
    "PPL outlier rejection and mean": check_outliers,
    "slerp": check_slerp,
    "PPL sampler with a stand-in feature extractor": check_path_length,
    "integer translation": check_translation,
    "fractional translation (a=3)": check_translation,
    "fractional rotation and pseudo rotation": check_rotation,
    "EQ-T, EQ-T_frac, EQ-R end to end": check_equivariance,
}
