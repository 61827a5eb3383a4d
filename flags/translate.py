"""Option values -> TrainingConfig, with the facts that only the data set knows."""

from __future__ import annotations

import dataclasses
import pathlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from sg_keras.config import (
    Cluster,
    DatasetConfig,
    RunConfig,
    TrainingConfig,
    TrainingOptions,
    cluster_of_tf_config,
    resolve,
)
from sg_keras.config.places import is_address
from sg_keras.flags.options import BY_KEY

_ONLY_WITH = {
    "stylegan2": ("pl_weight", "style_mixing_prob", "g_reg_interval", "g_arch"),
    "stylegan3-r": ("blur_fade_kimg",),
}
_BUILT_IN = ("digits",)
_SMALLEST_RESOLUTION = 8
_LABEL_EXAMPLES, _LABEL_NUMBERS = 8, 64  # vectors that are kept at most, and numbers of all of them


def check_combinations(values: Mapping[str, Any], typed: Mapping[str, str]) -> None:
    """Refuse options that contradict each other, before anything is opened."""
    for cfg, keys in _ONLY_WITH.items():
        for key in keys:
            if values["cfg"] != cfg and key in typed and values[key]:
                raise ValueError(
                    f"{typed[key]}: found {values[key]} with --cfg={values['cfg']}, expected it with --cfg={cfg} alone"
                )
    outdir = pathlib.Path(values["outdir"])
    if outdir.exists() and not outdir.is_dir():
        raise ValueError(f"{typed['outdir']}: found the file {outdir}, expected a directory, or nothing yet")
    if values["gpus"] > 0 and values["cpu_devices"] > 1:
        raise ValueError(
            f"{typed['cpu_devices']}: found {values['cpu_devices']} with --gpus={values['gpus']}, "
            "expected it with --gpus=0 alone"
        )
    if values["workers_hosts"] is not None and values["cpu_devices"] > 1:
        raise ValueError(
            f"{typed['cpu_devices']}: found {values['cpu_devices']} with --workers_hosts, expected 1: machines without "
            "GPUs have one device each"
        )
    if "worker_index" in typed and values["workers_hosts"] is None:
        raise ValueError(f"{typed['worker_index']}: found it alone, expected --workers_hosts beside it")
    if values["fp32"] and values["precision"] not in (None, "auto", "float32"):
        raise ValueError(f"{typed['precision']}: found {values['precision']} with --fp32=1, expected float32 or auto")


def read_cluster(values: Mapping[str, Any], typed: Mapping[str, str], tf_config: str) -> Cluster | None:
    """The machines of a run by its options, or else by TF_CONFIG; None = this one alone."""
    if values["workers_hosts"] is None:
        return cluster_of_tf_config(tf_config) if tf_config else None
    try:
        return Cluster(values["workers_hosts"], values["worker_index"])
    except ValueError as error:
        raise ValueError(_in_terms_of_options(str(error), typed)) from error


def read_dataset(values: Mapping[str, Any], open_dataset: Callable[..., Any]) -> tuple[DatasetConfig, bool]:
    """Open the data set for its facts.

    Returns:
        The data set's part of the configuration, and whether it has labels that are not used.

    Raises:
        ValueError: it cannot be read, or not with these options.
    """
    path = values["data"]
    try:
        dataset = open_dataset(
            path,
            use_labels=values["cond"],
            mirror=values["mirror"],
            mirrory=values["mirrory"],
            skip_bad=values["on_bad_image"] == "skip",
        )
    except (ValueError, OSError) as error:
        raise ValueError(str(error) if str(error).startswith("--") else f"--data: {error}") from error
    side = dataset.resolution
    if side < _SMALLEST_RESOLUTION or side & (side - 1):
        raise ValueError(
            f"--data: found pictures of {side}x{side} in {path}, expected a power of two a side, "
            f"{_SMALLEST_RESOLUTION} or more, which the discriminator needs"
        )
    config = DatasetConfig(
        path=path if path in _BUILT_IN or is_address(path) else str(pathlib.Path(path).resolve()),
        name=dataset.name,
        resolution=side,
        channels=dataset.channels,
        c_dim=dataset.c_dim if values["cond"] else 0,
        **_label_facts(dataset, values["cond"]),
        num_images=dataset.num_images,
        mirror=values["mirror"],
        mirrory=values["mirrory"],
        workers=values["workers"],
        on_bad_image=values["on_bad_image"],
    )
    return config, bool(dataset.has_labels and not values["cond"])


def _label_facts(dataset: Any, used: bool) -> dict[str, Any]:
    """What the labels are, for whoever generates images with the networks; a few of them, where they are vectors."""
    if not used or not dataset.c_dim:
        return {}
    examples = dataset.label_examples(min(_LABEL_EXAMPLES, _LABEL_NUMBERS // dataset.c_dim))
    return {"label_kind": dataset.label_kind, "label_examples": tuple(map(float, examples.reshape(-1)))}


def make_config(
    values: Mapping[str, Any],
    typed: Mapping[str, str],
    dataset: DatasetConfig,
    transfer: str | None,
    cluster: Cluster | None,
) -> TrainingConfig:
    """Build the configuration; its errors are told in terms of the options as typed."""
    names = {field.name for field in dataclasses.fields(TrainingOptions)} - {"transfer", "machines"}
    machines = 1 if cluster is None else len(cluster.hosts)
    options = TrainingOptions(transfer=transfer, machines=machines, **{name: values[name] for name in names})
    try:
        return resolve(options, dataset, _run_config(values))
    except ValueError as error:
        raise ValueError(_in_terms_of_options(str(error), typed)) from error


def _run_config(values: Mapping[str, Any]) -> RunConfig:
    return RunConfig(
        outdir=values["outdir"],
        total_kimg=values["kimg"],
        tick_kimg=values["tick"],
        snapshot_ticks=values["snap"],
        image_snapshot_ticks=values["image_snap"] or values["snap"],
        checkpoint_minutes=values["checkpoint_minutes"],
        keep_checkpoints=values["keep"],
        keep_every_kimg=values["keep_every"],
        on_nan=values["on_nan"],
        metrics=values["metrics"],
        desc=values["desc"] or "",
        sample_grid=values["sample_grid"],
        nobench=values["nobench"],
        deterministic=values["deterministic"],
        debug=values["debug"],
    )


def _in_terms_of_options(message: str, typed: Mapping[str, str]) -> str:
    match = re.match(r"([a-z_0-9-]+): ", message)
    option = BY_KEY.get(match.group(1).replace("-", "_")) if match else None
    if match is None or option is None:
        return message
    if option.key in typed:
        return f"{typed[option.key]}: {message[match.end() :]}"
    return f"--{option.name}: {message[match.end() :]} (by default {option.shown_default})"
