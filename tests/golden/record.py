"""Makes small cases of the groups whose reference files are large, from sg_keras itself.

    python -m tests.golden.record DIR

Adds to DIR/manifest.json and DIR a gradients case and a training case of tiny networks, evaluated with the reference
ops. They are no independent reference: they guard what has matched one against change.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

from sg_keras.weights.published_names import published_weights
from tests.golden.__main__ import prepare
from tests.golden.checks_gradients import run_phases
from tests.golden.checks_training import NOT_RUN, Trajectory, run_trajectory
from tests.golden.manifest import Case
from tests.golden.networks import build_discriminator, build_generator, trainable_names
from tests.golden.report import Options

NOTES = "Made by tests.golden.record from sg_keras: guards against change, no independent reference."
RESOLUTION, LABELS = 8, 2
G_KWARGS = {
    "architecture": "skip",
    "resample_filter": [1, 3, 3, 1],
    "conv_clamp": 256,
    "z_dim": 4,
    "c_dim": LABELS,
    "mapping_kwargs": {"num_layers": 2, "lr_multiplier": 0.1},
    "w_dim": 4,
    "img_resolution": RESOLUTION,
    "img_channels": 1,
    "channel_base": 32,
    "channel_max": 4,
}
D_KWARGS = {
    "architecture": "resnet",
    "resample_filter": [1, 3, 3, 1],
    "conv_clamp": 256,
    "c_dim": LABELS,
    "mapping_kwargs": {"num_layers": 1},
    "img_resolution": RESOLUTION,
    "img_channels": 1,
    "channel_base": 32,
    "channel_max": 4,
    "epilogue_kwargs": {"mbstd_group_size": 4, "mbstd_num_channels": 1},
}
PHASES = {"Gmain": 1, "Greg": 2, "Dmain": 1, "Dreg": 3}
Arrays = dict[str, np.ndarray]


def _initial(seed: int) -> Arrays:
    """<net>/param/* and <net>/buffer/* of fresh networks, with noise and biases that matter."""
    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    arrays = {}
    networks = {"G": build_generator(G_KWARGS, "reference"), "D": build_discriminator(D_KWARGS, "reference")}
    for name, network in networks.items():
        trainable = trainable_names(network)
        for key, value in published_weights(network).items():
            if key.endswith(("bias", "noise_strength", "w_avg")):
                value = value + 0.2 * random.standard_normal(value.shape)
            arrays[f"{name}/{'param' if key in trainable else 'buffer'}/{key}"] = value.astype(np.float32)
    return arrays


def _labels(random: np.random.Generator, *shape: int) -> np.ndarray:
    return np.eye(LABELS, dtype=np.float32)[random.integers(0, LABELS, shape)]


def _normal(random: np.random.Generator, *shape: int) -> np.ndarray:
    return random.standard_normal(shape).astype(np.float32)


def _case(group: str, entry: dict[str, Any], inputs: Arrays) -> Case:
    case = Case(group, Path(entry["file"]), {**entry, "arrays": {}})
    case.__dict__["arrays"] = inputs  # in place of the file that is about to be written
    return case


def record_gradients(seed: int = 1) -> tuple[dict[str, Any], Arrays, Arrays]:
    """Entry, inputs and outputs of a gradients case with half the batch in the path length penalty's share."""
    random, batch, shrink = np.random.default_rng(seed), 4, 4
    inputs = {
        "z": _normal(random, batch, 4),
        "c": _labels(random, batch),
        "real_c": _labels(random, batch),
        "real_img": random.uniform(-1, 1, [batch, 1, RESOLUTION, RESOLUTION]).astype(np.float32),
        "pl_noise": _normal(random, batch // shrink, 1, RESOLUTION, RESOLUTION),
        "pl_mean_before": np.array(0.3),
        **_initial(seed),
    }
    args = {
        "r1_gamma": 3.0,
        "pl_weight": 2,
        "pl_batch_shrink": shrink,
        "pl_decay": 0.01,
        "style_mixing_prob": 0,
        "blur_init_sigma": 0,
        "blur_fade_kimg": 0,
        "cur_nimg": 0,
        "blur_sigma_in_effect": 0,
        "gain": 2,
        "noise_mode": "const",
        "augment": "none",
        "batch": batch,
        "G_kwargs": G_KWARGS,
        "D_kwargs": D_KWARGS,
    }
    entry = {
        "file": "gradients/made_8.npz",
        "function": "loss phases: gradients of every parameter",
        "args": args,
        "notes": NOTES,
        "generation": "stylegan2",
        "tolerance": {
            "rule": "tensor",
            "f64": {"rtol": 0, "atol": 1e-6},
            "f32": {"rtol": 0, "atol": 0.02},
            "f32_without_kinks": {"rtol": 0, "atol": 2e-4},
        },
    }
    prepare("float64")
    found, _ = run_phases(_case("gradients", entry, inputs), Options("reference", "float64"))
    dropped = ("grad_Dmain/", "after_Dmain/synthesis")  # what reference cases do not hold
    outputs = {
        name: np.asarray(a, np.float32 if name.startswith("grad_") else np.float64)
        for name, a in found.items()
        if not name.startswith(dropped)
    }
    return entry, inputs, outputs


def record_training(seed: int = 2) -> tuple[dict[str, Any], Arrays, Arrays]:
    """Entry, inputs and outputs of a trajectory with two micro-batches an iteration."""
    random, batch, steps = np.random.default_rng(seed), 8, 4
    inputs = {
        "real_uint8": random.integers(0, 256, [steps, batch, 1, RESOLUTION, RESOLUTION], dtype=np.uint8),
        "real_c": _labels(random, steps, batch),
        "gen_z": _normal(random, steps, len(PHASES), batch, 4),
        "gen_c": _labels(random, steps, len(PHASES), batch),
        "pl_noise": _normal(random, steps // PHASES["Greg"] * 2, 2, 1, RESOLUTION, RESOLUTION),
        **{f"init/{name}": array for name, array in _initial(seed).items()},
    }
    args = {
        "steps": steps,
        "batch": batch,
        "batch_gpu": 4,
        "phases": [_phase(*p) for p in PHASES.items()],
        "G_reg_interval": PHASES["Greg"],
        "D_reg_interval": PHASES["Dreg"],
        "ema_kimg": 0.02,
        "ema_rampup": 0.5,
        "start_nimg": 0,
        "snapshots": [steps],
        "r1_gamma": 1.0,
        "style_mixing_prob": 0,
        "pl_weight": 2,
        "G_kwargs": G_KWARGS,
        "D_kwargs": D_KWARGS,
    }
    entry = {
        "file": "training/made_4it.npz",
        "function": "training trajectory",
        "args": args,
        "notes": NOTES,
        "generation": "stylegan2",
        "tolerance": {
            "rule": "trajectory",
            "losses": {"rtol": 1e-4, "atol": 1e-5, "plus_times_divergence": 10},
            "weights": {"default": 0.01, "mapping.*.weight": 0.05, "w_avg": 3e-4, "median_times_divergence": 10},
            "f32_times": 20,
        },
    }
    outputs: Arrays = {}
    for dtype, short, log in (("float32", "f32", "log"), ("float64", "f64", "log64")):
        prepare(dtype)
        trajectory, _ = run_trajectory(_case("training", entry, inputs), Options("reference", dtype))
        outputs |= _trajectory_arrays(trajectory, short, log)
    return entry, inputs, outputs


def _phase(name: str, interval: int) -> dict[str, Any]:
    network_interval = PHASES["Greg" if name.startswith("G") else "Dreg"]
    ratio = network_interval / (network_interval + 1)
    return {"name": name, "interval": interval, "lr": 0.002 * ratio, "betas": [0.0, 0.99**ratio], "eps": 1e-8}


def _trajectory_arrays(trajectory: Trajectory, short: str, log: str) -> Arrays:
    outputs = {f"{log}/{name}": values for name, values in trajectory.logs.items()}
    outputs[f"param_norms_G_D_Gema_{short}"] = trajectory.norms
    for (iteration, network), weights in trajectory.weights.items():
        means = trajectory.logs["Greg/pl_mean"][:iteration]
        outputs[f"{short}/iter{iteration}/pl_mean"] = np.float32(means[means != NOT_RUN][-1])
        outputs |= {
            f"{short}/iter{iteration}/{network}/{name}": value.astype(np.float32)
            for name, value in weights.items()
            if not name.endswith("noise_const")
        }
    return outputs


def _role(name: str, inputs: Arrays) -> str:
    if name not in inputs:
        return "output"
    return "parameter" if "/param/" in name else "buffer" if "/buffer/" in name else "input"


def main(folder: Path) -> None:
    """Write both cases and put them into the folder's manifest in place of earlier ones."""
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    groups = {group["group"]: group for group in content["groups"]}
    for group, record in (("gradients", record_gradients), ("training", record_training)):
        entry, inputs, outputs = record()
        arrays = {**inputs, **outputs}
        entry["arrays"] = {
            name: {"shape": list(a.shape), "dtype": str(a.dtype), "role": _role(name, inputs)}
            for name, a in arrays.items()
        }
        (folder / group).mkdir(exist_ok=True)
        np.savez_compressed(folder / entry["file"], **arrays)
        cases = groups[group]["cases"]
        cases[:] = [case for case in cases if case["file"] != entry["file"]] + [entry]
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
