"""Training trajectories: losses of every iteration and weights after some of them, from the training model itself."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from sg_keras.config import OptimizerConfig
from sg_keras.training.step.phase import Phase
from sg_keras.training.step.stylegan import StyleGAN
from sg_keras.weights.published_names import published_weights
from tests.golden.layout import images_in, tensor
from tests.golden.manifest import Case, take_args
from tests.golden.networks import trainable_names
from tests.golden.report import Options, Result, UncoveredError, failed, judged
from tests.golden.tolerance import Judgement, best_pattern, worst_element
from tests.golden.trainers import RecordedRandom, build_trainer, loss_config, our_phase

NOT_RUN = -999.0  # in the logs of a phase that was not due
STILL = 1e-6  # how far a tensor may be off that does not move in the reference
WIDENED = 4  # times the recorded worst divergence, where that is above a tensor's limit
SNAPSHOT = re.compile(r"(f32|f64)/iter(\d+)/(G|D|G_ema)/(.+)")
ARGUMENTS = (
    "steps",
    "batch",
    "batch_gpu",
    "phases",
    "G_reg_interval",
    "D_reg_interval",
    "ema_kimg",
    "ema_rampup",
    "start_nimg",
    "snapshots",
    "r1_gamma",
    "style_mixing_prob",
    "pl_weight",
    "pl_no_weight_grad",
    "pl_batch_shrink",
    "pl_decay",
    "blur_init_sigma",
    "blur_fade_kimg",
    "noise_mode",
    "augment",
    "G_kwargs",
    "D_kwargs",
)


def check(case: Case, options: Options) -> Result:
    """Train as the case did and judge every log and snapshot. Uncovered where training has no code for it yet."""
    if case.function != "training trajectory":
        raise UncoveredError(f"no code for {case.function!r}")
    take_args(case, *ARGUMENTS)
    trajectory, judgements = run_trajectory(case, options)
    unknown = [name for name in case.names("output") if not _understood(name, case, trajectory)]
    if unknown:
        return failed(case.name, f"output arrays not understood by the checker: {', '.join(unknown[:8])}")
    for name in case.names("output"):
        if not SNAPSHOT.fullmatch(name):
            judgements.append(_judge_log(name, case, trajectory))
    for precision in ("f32", "f64"):
        for iteration in case.args["snapshots"]:
            for network in ("G", "D", "G_ema"):
                judgements += _judge_weights(precision, iteration, network, case, trajectory, options)
    return judged(case.name, judgements)


# Running ------------------------------------------------------------------------------------------------------------


def run_trajectory(case: Case, options: Options) -> tuple[Trajectory, list[Judgement]]:
    """Train as the case says. The judgements are of its filter taps and of our optimizers' settings."""
    model, judgements = _build(case, options)
    judgements += _settings(case, model)
    return _train(case, model, options), judgements


class LoggedStyleGAN(StyleGAN):
    """The training model, with the statistics of each phase of an iteration kept apart."""

    log: dict[str, float]
    case_names: dict[str, str]  # of our phases in the case

    def run_phase(self, phase: Phase, *args: Any, **kwargs: Any) -> None:
        super().run_phase(phase, *args, **kwargs)
        log = {name.removeprefix("Loss/"): value["mean"] for name, value in self.statistics.read_and_reset().items()}
        log["grad_norm"] = log.pop(f"Gradients/{phase.name}/norm")
        if phase.name == "Greg":
            log["pl_mean"] = float(self.pl_mean.numpy())
        self.log |= {f"{self.case_names[phase.name]}/{name}": value for name, value in log.items()}


@dataclasses.dataclass
class Trajectory:
    """What training left behind: logs by name, each [steps]; weights by (iteration, network); norms [steps, 3]."""

    logs: dict[str, np.ndarray]
    weights: dict[tuple[int, str], dict[str, np.ndarray]]
    norms: np.ndarray


def _intervals(case: Case) -> tuple[int | None, int]:
    """Of Greg (None: there is no such phase) and Dreg."""
    of_g, of_d = case.args["G_reg_interval"], case.args["D_reg_interval"]
    if of_d is None:
        raise UncoveredError("no code for R1 inside the discriminator's main phase")
    if of_g is None and case.args.get("pl_weight"):
        raise UncoveredError("no code for path length inside the generator's main phase")
    return of_g, of_d


def _optimizer(case: Case) -> OptimizerConfig:
    """The settings before the correction for lazy regularisation, which the case's phases have."""
    values: dict[str, Any] = {}
    for network, interval in zip("GD", _intervals(case), strict=True):
        phase = next(p for p in case.args["phases"] if p["name"].startswith(network))
        ratio = 1 if interval is None else interval / (interval + 1)
        values[f"{network.lower()}_lr"] = phase["lr"] / ratio
        values |= {
            "beta1": phase["betas"][0] ** (1 / ratio),
            "beta2": phase["betas"][1] ** (1 / ratio),
            "epsilon": phase["eps"],
        }
    return OptimizerConfig(**values)


def _build(case: Case, options: Options) -> tuple[LoggedStyleGAN, list[Judgement]]:
    args = case.args
    loss, optimizer = loss_config(case, *_intervals(case)), _optimizer(case)
    names = [our_phase(phase["name"]) for phase in args["phases"]]
    model, judgements = build_trainer(
        case,
        options,
        "init/",
        loss,
        optimizer,
        LoggedStyleGAN,
        batch=args["batch"],
        batch_gpu=args["batch_gpu"],
        ema_kimg=args["ema_kimg"],
        ema_rampup=args["ema_rampup"],
    )
    model.random = RecordedRandom(
        case.arrays["gen_z"],
        case.get("pl_noise"),
        {p.index: names.index(p.name) for p in model.phases},
        batch=args["batch"],
        batch_gpu=args["batch_gpu"],
        start_nimg=args["start_nimg"],
        path_interval=_intervals(case)[0] or 1,
        dtype=options.dtype,
        noise_mode=args.get("noise_mode", "const"),
    )
    model.case_names = {our_phase(phase["name"]): phase["name"] for phase in args["phases"]}
    model.cur_nimg.assign(args["start_nimg"])
    return model, judgements


def _settings(case: Case, model: StyleGAN) -> list[Judgement]:
    """Our phases must be the case's, with its intervals and optimizer settings."""
    judgements = []
    expected = {our_phase(phase["name"]): phase for phase in case.args["phases"]}
    for phase in model.phases:
        optimizer = model.optimizers[phase.network]
        found = [phase.interval, float(optimizer.learning_rate), optimizer.beta_1, optimizer.beta_2, optimizer.epsilon]
        entry = expected[phase.name]
        wanted = [entry["interval"], entry["lr"], *entry["betas"], entry["eps"]]
        judgements.append(worst_element(f"settings of {phase.name}", found, wanted, 1e-7 * np.abs(wanted)))
    return judgements


def _train(case: Case, model: LoggedStyleGAN, options: Options) -> Trajectory:
    steps = case.args["steps"]
    names = [our_phase(phase["name"]) for phase in case.args["phases"]]
    axes = [names.index(phase.name) if phase else 0 for phase in _by_index(model)]
    logs: dict[str, np.ndarray] = {}
    trajectory = Trajectory(logs, {}, np.zeros([steps, 3]))
    for step in range(steps):
        model.log = {"ema_beta": model.schedules.at(int(model.cur_nimg.numpy())).ema_beta}
        model.train_step(
            {
                "image": tensor(images_in(case.arrays["real_uint8"][step]), "uint8"),
                "label": tensor(case.arrays["real_c"][step], options.dtype),
                "gen_label": tensor(np.stack([case.arrays["gen_c"][step, a] for a in axes], axis=1), options.dtype),
            }
        )
        for name, value in model.log.items():
            logs.setdefault(name, np.full([steps], NOT_RUN))[step] = value
        networks = {"G": model.G, "D": model.D, "G_ema": model.G_ema}
        trajectory.norms[step] = [_norm(network) for network in networks.values()]
        if step + 1 in case.args["snapshots"]:
            for name, network in networks.items():
                trajectory.weights[step + 1, name] = published_weights(network)
    return trajectory


def _by_index(model: StyleGAN) -> list[Phase | None]:
    """The phase whose labels stand at each position of gen_label."""
    phases = {phase.index: phase for phase in model.phases}
    return [phases.get(i) for i in range(max(phases) + 1)]


def _norm(network: keras.Model) -> float:
    """Norm over all trainable parameters."""
    return float(
        np.sqrt(
            sum(np.sum(np.square(np.asarray(v.value), dtype=np.float64)) for v in trainable_names(network).values())
        )
    )


# Judging ------------------------------------------------------------------------------------------------------------


def _split_log(name: str) -> tuple[str, str, str] | None:
    """(kind, name in the float32 run, name in the float64 run) of an array that is judged like a loss."""
    if name.startswith(("log/", "log64/")):
        kind = name.partition("/")[2]
        return kind, f"log/{kind}", f"log64/{kind}"
    if name.startswith("param_norms_G_D_Gema_"):
        return "norms", "param_norms_G_D_Gema_f32", "param_norms_G_D_Gema_f64"
    if found := re.fullmatch(r"f(?:32|64)/iter(\d+)/pl_mean", name):
        return found[0][4:], f"f32/iter{found[1]}/pl_mean", f"f64/iter{found[1]}/pl_mean"
    return None


def _found_log(kind: str, trajectory: Trajectory) -> np.ndarray | None:
    if kind == "norms":
        return trajectory.norms
    if found := re.fullmatch(r"iter(\d+)/pl_mean", kind):
        # The last value of the log up to that iteration: it stays where Greg is not due.
        values = [v for v in trajectory.logs.get("Greg/pl_mean", np.zeros(0))[: int(found[1])] if v != NOT_RUN]
        return np.asarray(values[-1] if values else 0.0)
    return trajectory.logs.get(kind)


def _understood(name: str, case: Case, trajectory: Trajectory) -> bool:
    if snapshot := SNAPSHOT.fullmatch(name):
        return snapshot[4] in trajectory.weights.get((int(snapshot[2]), snapshot[3]), {})
    log = _split_log(name)
    return log is not None and _found_log(log[0], trajectory) is not None


def _judge_log(name: str, case: Case, trajectory: Trajectory) -> Judgement:
    """|a - b| <= atol + rtol*|b| + plus_times_divergence * |log - log64|, at every iteration."""
    kind, in_f32, in_f64 = _split_log(name)
    rule = case.tolerance["losses"]
    expected = case.arrays[name].astype(np.float64)
    divergence = np.abs(case.arrays[in_f32].astype(np.float64) - case.arrays[in_f64].astype(np.float64))
    limit = rule["atol"] + rule["rtol"] * np.abs(expected) + rule["plus_times_divergence"] * divergence
    found = _found_log(kind, trajectory)
    if found.shape != expected.shape:
        return Judgement(name, np.inf, 0.0, f"shape {found.shape}, expected {expected.shape}")
    return worst_element(name, found, expected, limit)


def _judge_weights(
    precision: str, iteration: int, network: str, case: Case, trajectory: Trajectory, options: Options
) -> list[Judgement]:
    """Each tensor's error relative to its way from the start, and the median over tensors.

    In a float32 run an activation within rounding of its kink may move single tensors, but not their median.
    """
    times = case.tolerance.get("f32_times", 1) if options.dtype == "float32" else 1
    prefix = f"{precision}/iter{iteration}/{network}/"
    divergence = case.entry.get("weight_divergence", {}).get(f"iter{iteration}/{network}", {})
    judgements, relative = [], []
    for name, expected in case.below(prefix).items():
        found = trajectory.weights[iteration, network][name].astype(np.float64)
        if found.shape != expected.shape:
            judgements.append(Judgement(prefix + name, np.inf, 0.0, f"shape {found.shape}, expected {expected.shape}"))
            continue
        error = float(np.abs(found - expected).max())
        moved = float(np.abs(expected.astype(np.float64) - _initial(case, network, name)).max())
        if moved == 0:
            judgements.append(Judgement(prefix + name, error, STILL, "does not move in the reference"))
            continue
        relative.append(error / moved)
        usual = Judgement(prefix + name, error / moved, _limit(name, case.tolerance["weights"], divergence))
        judgements.append(dataclasses.replace(usual, limit=times * usual.limit, usual=usual))
    if relative and "median_rel_to_update" in divergence:
        limit = case.tolerance["weights"]["median_times_divergence"] * divergence["median_rel_to_update"]
        judgements.append(Judgement(f"{prefix} (median)", float(np.median(relative)), limit))
    return judgements


def _initial(case: Case, network: str, name: str) -> np.ndarray:
    source = network.removesuffix("_ema")  # G_ema starts as a copy of G
    for kind in ("param", "buffer"):
        if (array := case.get(f"init/{source}/{kind}/{name}")) is not None:
            return array.astype(np.float64)
    raise ValueError(f"no initial value of {network}/{name}")


def _limit(name: str, limits: Mapping[str, float], divergence: Mapping[str, float]) -> float:
    """The limit of the name's pattern, widened by the recorded divergence; one below the default stays tight."""
    patterns = {p: v for p, v in limits.items() if p not in ("default", "median_times_divergence")}
    pattern = best_pattern(name, patterns)
    limit = limits["default"] if pattern is None else patterns[pattern]
    if limit < limits["default"]:
        return limit
    return max(limit, WIDENED * divergence.get("worst_rel_to_update", 0.0))
