"""Losses of the training phases with the gradients of every parameter, and the blur of the discriminator's input."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from sg_keras import losses
from sg_keras.config import OptimizerConfig
from sg_keras.training.step.micro_batch import MicroBatch
from sg_keras.training.step.phase import Phase, PhaseLoss
from sg_keras.training.step.stylegan import StyleGAN
from tests.golden.layout import images_in, images_out, tensor, weight_out
from tests.golden.manifest import Case, take_args
from tests.golden.networks import buffer_values, trainable_names
from tests.golden.report import Options, Result, UncoveredError, judge_outputs
from tests.golden.tolerance import Judgement, compare, without_kinks
from tests.golden.trainers import (
    RecordedRandom,
    build_trainer,
    loss_config,
    our_phase,
    phase_named,
    real_images,
)

Arrays = dict[str, np.ndarray]
ARGUMENTS = (
    "r1_gamma",
    "pl_weight",
    "pl_batch_shrink",
    "pl_decay",
    "style_mixing_prob",
    "blur_init_sigma",
    "blur_fade_kimg",
    "cur_nimg",
    "blur_sigma_in_effect",
    "gain",
    "noise_mode",
    "augment",
    "batch",
    "G_kwargs",
    "D_kwargs",
)


def check(case: Case, options: Options) -> Result:
    """Run one case. Uncovered where it has no code yet."""
    if case.function not in FUNCTIONS:
        raise UncoveredError(f"no code for {case.function!r}")
    return FUNCTIONS[case.function](case, options)


def check_blur(case: Case, options: Options) -> Result:
    """Gaussian-like blur of images by sigma pixels."""
    sigma = take_args(case, "blur_sigma")["blur_sigma"]
    y = losses.blur_images(real_images(case.arrays["x"], options.dtype), sigma)
    return judge_outputs(case, {"y": images_out(y)}, options)


def check_phases(case: Case, options: Options) -> Result:
    """Every phase by itself on the same latents; then the sum of Dmain's two halves against the phase itself."""
    take_args(case, *ARGUMENTS)
    found, judgements = run_phases(case, options)
    return judge_outputs(case, found, options, judgements)


def run_phases(case: Case, options: Options) -> tuple[Arrays, list[Judgement]]:
    """Everything that a case may hold, by array name, and what is judged without an array."""
    model, judgements = _trainer(case, options)
    micro = MicroBatch(
        images=real_images(case.arrays["real_img"], options.dtype),
        labels=tensor(case.arrays["real_c"], options.dtype),
        gen_labels=tensor(case.arrays["c"], options.dtype),
        first_sample=tf.constant(0, tf.int64),
        size=case.args["batch"],
        scalars=model.scalars_at(case.args.get("cur_nimg", 0)),
    )
    found = _generator_main(model, micro, case)
    if any(phase.name == "Greg" for phase in model.phases):
        found |= _path_length(model, micro, case, options)
    found |= _discriminator_halves(model, micro, case)
    found |= _discriminator_main(model, micro, case)
    found |= _r1(model, micro, case)
    judgements += _halves_make_the_phase(found, case, options)
    judgements += [
        _skipped(model, name, skipped)
        for name, skipped in case.entry.get("no_gradient", {}).items()
        if f"loss_{name}" in found
    ]
    return found, judgements


def _trainer(case: Case, options: Options) -> tuple[StyleGAN, list[Judgement]]:
    args = case.args
    noise = case.get("pl_noise")
    random = RecordedRandom(
        case.arrays["z"][None, None],
        None if noise is None else noise[None],
        dict.fromkeys(range(8), 0),
        batch=args["batch"],
        batch_gpu=args["batch"],
        start_nimg=0,
        path_interval=1,
        dtype=options.dtype,
        noise_mode=args.get("noise_mode", "const"),
    )
    # Greg's place among the phases is StyleGAN2's; StyleGAN3 has none.
    g_reg_interval = 4 if case.entry.get("generation", "stylegan2") == "stylegan2" else None
    model, judgements = build_trainer(
        case, options, "", loss_config(case, g_reg_interval, 16), OptimizerConfig(), batch=args["batch"], random=random
    )
    if case.get("pl_mean_before") is not None:
        model.pl_mean.assign(tf.cast(case.arrays["pl_mean_before"], model.pl_mean.dtype))
    return model, judgements


def _phase_gradients(
    model: StyleGAN, micro: MicroBatch, case: Case, phase: Phase, prefix: str
) -> tuple[Arrays, PhaseLoss]:
    """grad_<prefix>/<name> of a phase's mean loss times the case's gain."""
    with tf.GradientTape() as tape:
        result = phase.loss(model, micro, phase.read_state(model))
        loss = tf.reduce_mean(result.loss) * case.args["gain"]
    return _gradients(tape, loss, getattr(model, phase.network), prefix), result


def _gradients(tape: tf.GradientTape, loss: tf.Tensor, network: Any, prefix: str) -> Arrays:
    variables = trainable_names(network)
    gradients = tape.gradient(
        loss, [v.value for v in variables.values()], unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    return {f"grad_{prefix}/{name}": weight_out(name, g) for name, g in zip(variables, gradients, strict=True)}


def _mean(values: tf.Tensor) -> np.ndarray:
    """Mean of a statistic, accumulated in float64 as training does."""
    return np.mean(np.asarray(values), dtype=np.float64)


def _generator_main(model: StyleGAN, micro: MicroBatch, case: Case) -> Arrays:
    found, result = _phase_gradients(model, micro, case, phase_named(model, "Gmain"), "Gmain")
    found["loss_Gmain"] = _mean(result.loss)
    found["fake_score_mean"] = _mean(result.statistics["Loss/scores/fake"])
    return found


def _path_length(model: StyleGAN, micro: MicroBatch, case: Case, options: Options) -> Arrays:
    found, result = _phase_gradients(model, micro, case, phase_named(model, "Greg"), "Gpl")
    found["loss_Gpl"] = _mean(result.loss)
    found["pl_penalty_mean"] = _mean(result.statistics["Loss/pl_penalty"])
    found["pl_mean_after"] = np.asarray(result.state["pl_mean"])
    noise = tensor(images_in(case.arrays["pl_noise"]), options.dtype)
    count = len(noise)
    z, c = tensor(case.arrays["z"][:count], options.dtype), micro.gen_labels[:count]
    ws = model.G.mapping(z, c)
    synthesis = lambda ws: model.G.synthesis(ws, noise_mode=model.random.noise_mode)  # noqa: E731
    found["pl_lengths"] = np.asarray(losses.path_lengths(synthesis, ws, noise))
    with tf.GradientTape() as tape:
        tape.watch(ws)
        projection = tf.reduce_sum(synthesis(ws) * noise) / np.sqrt(noise.shape[1] * noise.shape[2])
    found["pl_grads_wrt_ws"] = np.asarray(tape.gradient(projection, ws))
    return found


def _discriminator_halves(model: StyleGAN, micro: MicroBatch, case: Case) -> Arrays:
    """Dfake and Dreal, which together are Dmain, but for its updated running means."""
    images = model.generate(micro)
    found = {"fake_img": images_out(images)}
    for name, kind, images_, labels, loss_of in (
        ("Dfake", "fake", images, micro.gen_labels, losses.discriminator_fake_loss),
        ("Dreal", "real", micro.images, micro.labels, losses.discriminator_real_loss),
    ):
        with tf.GradientTape() as tape:
            logits = model.discriminate(images_, labels, micro, kind)
            loss = tf.reduce_mean(loss_of(logits))
            scaled = loss * case.args["gain"]
        found |= _gradients(tape, scaled, model.D, name)
        found |= {f"logits_{name}": np.asarray(logits), f"loss_{name}": np.asarray(loss)}
    return found


def _discriminator_main(model: StyleGAN, micro: MicroBatch, case: Case) -> Arrays:
    """The whole phase, with the running means it leaves behind."""
    phase = phase_named(model, "Dmain")
    found, result = _phase_gradients(model, micro, case, phase, "Dmain")
    found |= {name.replace("grad_Dmain/", "grad_Dmain_official/"): value for name, value in found.items()}
    found["loss_Dmain_total"] = _mean(result.loss)
    phase.write_state(model, result.state)
    return found | {f"after_Dmain/{name}": value for name, value in buffer_values(model.G).items()}


def _r1(model: StyleGAN, micro: MicroBatch, case: Case) -> Arrays:
    found, result = _phase_gradients(model, micro, case, phase_named(model, "Dreg"), "Dr1")
    penalty = result.statistics["Loss/r1_penalty"]
    found |= {
        "loss_Dr1": _mean(result.loss),
        "r1_penalty_mean": _mean(penalty),
        "r1_penalty_per_sample": np.asarray(penalty),
    }
    with tf.GradientTape() as tape:
        tape.watch(micro.images)
        total = tf.reduce_sum(model.discriminate(micro.images, micro.labels, micro, "real"))
    found["r1_grad_wrt_img"] = images_out(tape.gradient(total, micro.images))
    return found


def _halves_make_the_phase(found: Arrays, case: Case, options: Options) -> list[Judgement]:
    judgements: list[Judgement] = []
    # All come from one run, in which an activation is on the same side of its kink.
    tolerance = without_kinks(case.tolerance, options.dtype) or case.tolerance
    if case.below("grad_Dmain_official/"):  # there the phase moves what the halves take as it is
        return judgements
    for name in [name for name in found if name.startswith("grad_Dmain/")]:
        parameter = name.removeprefix("grad_Dmain/")
        halves = found[f"grad_Dfake/{parameter}"] + found[f"grad_Dreal/{parameter}"]
        judgements.append(compare(f"{name} (sum of halves)", found[name], halves, tolerance, options.dtype))
    return judgements


def _skipped(model: StyleGAN, name: str, expected: list[str]) -> Judgement:
    """The parameters that a phase leaves out, step counts included."""
    phase = phase_named(model, our_phase(name))
    names = trainable_names(getattr(model, phase.network))
    found = sorted(n for n in names if phase.skips(n.replace(".", "/")))
    right = found == sorted(expected)
    return Judgement(f"no_gradient {name}", 0.0 if right else np.inf, 0.0, f"found {found}, expected {expected}")


FUNCTIONS = {
    "loss phases: gradients of every parameter": check_phases,
    "discriminator input blur": check_blur,
}
