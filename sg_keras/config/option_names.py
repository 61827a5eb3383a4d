"""Which command-line option sets which field of the configuration, for messages and printouts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

#: Field of TrainingConfig (part.field) -> option, in its published spelling. Fields that no option sets are left out.
FIELD_OPTIONS: dict[str, str] = {
    "dataset.path": "data",
    "dataset.c_dim": "cond",
    "dataset.mirror": "mirror",
    "dataset.mirrory": "mirrory",
    "dataset.workers": "workers",
    "dataset.on_bad_image": "on_bad_image",
    "dataset.fingerprint": "data",
    "dataset.num_images": "data",
    "generator.cfg": "cfg",
    "generator.z_dim": "z-dim",
    "generator.w_dim": "w-dim",
    "generator.mapping_layers": "map-depth",
    "generator.channel_base": "cbase",
    "generator.channel_max": "cmax",
    "generator.architecture": "g_arch",
    "generator.conv_clamp": "fp32",
    "generator.num_fp16_res": "num_fp16_res",
    "discriminator.channel_base": "cbase",
    "discriminator.channel_max": "cmax",
    "discriminator.architecture": "d_arch",
    "discriminator.mbstd_group_size": "mbstd-group",
    "discriminator.conv_clamp": "fp32",
    "discriminator.num_fp16_res": "num_fp16_res",
    "discriminator.freeze_layers": "freezed",
    "optimizer.g_lr": "glr",
    "optimizer.d_lr": "dlr",
    "loss.r1_gamma": "gamma",
    "loss.pl_weight": "pl_weight",
    "loss.style_mixing_prob": "style_mixing_prob",
    "loss.g_reg_interval": "g_reg_interval",
    "loss.d_reg_interval": "d_reg_interval",
    "loss.blur_fade_kimg": "blur_fade_kimg",
    "augment.mode": "aug",
    "augment.p": "p",
    "augment.pipe": "augpipe",
    "augment.target": "target",
    "augment.ada_interval": "ada_interval",
    "augment.ada_kimg": "ada_kimg",
    "augment.diffaug": "diffaug",
    "run.outdir": "outdir",
    "run.total_kimg": "kimg",
    "run.tick_kimg": "tick",
    "run.snapshot_ticks": "snap",
    "run.image_snapshot_ticks": "image_snap",
    "run.checkpoint_minutes": "checkpoint_minutes",
    "run.keep_checkpoints": "keep",
    "run.keep_every_kimg": "keep_every",
    "run.on_nan": "on_nan",
    "run.metrics": "metrics",
    "run.desc": "desc",
    "run.sample_grid": "sample-grid",
    "run.nobench": "nobench",
    "run.deterministic": "deterministic",
    "run.debug": "debug",
    "batch": "batch",
    "batch_gpu": "batch-gpu",
    "batch_gpu_auto": "batch-gpu",
    "machines": "workers_hosts",
    "gpus": "gpus",
    "cpu_devices": "cpu_devices",
    "ema_kimg": "ema_kimg",
    "ema_rampup": "ema_rampup",
    "seed": "seed",
    "precision": "precision",
    "ops": "ops",
    "resume": "resume",
    "resume_partial": "resume_partial",
    "freeze": "freeze",
}


def flatten(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield ("part.field", value) pairs of nested dictionaries as `dataclasses.asdict` makes them."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
