"""Option values -> TrainingConfig, with the facts that only the data set knows."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sg_keras.config import (
    Cluster,
    DatasetConfig,
    RunConfig,
    TrainingConfig,
    TrainingOptions,
    cluster_of_tf_config,
    resolve,
    resolve_run,
)
from sg_keras.config.options.declaration import values_of
from sg_keras.config.schedule import scheduled_text
from sg_keras.config.training_config import BatchSizeError
from sg_keras.files.cache import is_url
from sg_keras.files.errors import explain_file_error
from sg_keras.flags.batch_sizes import batch_message
from sg_keras.flags.capacity_options import capacity_contradictions
from sg_keras.flags.options import BY_KEY, OPTIONS, Option

_BUILT_IN = ("digits",)
_LABEL_EXAMPLES, _LABEL_NUMBERS = 8, 64  # vectors that are kept at most, and numbers of all of them


def check_combinations(
    values: Mapping[str, Any], typed: Mapping[str, str], options: Sequence[Option] = OPTIONS
) -> None:
    """Refuse options that contradict each other, all of them in one line, before anything is opened."""
    problems = [
        *_without_the_other(values, typed, options),
        *_contradictions(values, typed),
        *capacity_contradictions(values, typed),
    ]
    if problems:
        raise ValueError("; ".join(problems))


def _without_the_other(values: Mapping[str, Any], typed: Mapping[str, str], options: Sequence[Option]) -> Iterator[str]:
    """Options that are declared to go with certain values of another one alone."""
    for option in options:
        other, value = option.only_with, values[option.key]
        if other is None or not other.is_refused or option.key not in typed or not value:
            continue
        if values[other.key] not in other.values:
            expected = f"--{other.key}={' or '.join(other.values)}"
            found = f"{value} with --{other.key}={values[other.key]}"
            yield f"{typed[option.key]}: found {found}, expected it with {expected} alone"


def _contradictions(values: Mapping[str, Any], typed: Mapping[str, str]) -> Iterator[str]:
    outdir = pathlib.Path(values["outdir"])
    if outdir.exists() and not outdir.is_dir():
        yield f"{typed['outdir']}: found the file {outdir}, expected a directory, or nothing yet"
    devices, index = values["cpu_devices"], typed.get("worker_index")
    if values["gpus"] > 0 and devices > 1:
        yield f"{typed['cpu_devices']}: found {devices} with --gpus={values['gpus']}, expected it with --gpus=0 alone"
    if values["workers_hosts"] is not None and devices > 1:
        yield (
            f"{typed['cpu_devices']}: found {devices} with --workers_hosts, expected 1: workers without GPUs have one "
            "device each"
        )
    if index is not None and values["workers_hosts"] is None:
        yield f"{index}: found it alone, expected --workers_hosts beside it"
    if values["auto_gamma"] and values["gamma"] is not None:
        yield (
            f"{typed['auto_gamma']}: found it beside {typed['gamma']}={scheduled_text(values['gamma'])}, expected one "
            "of the two"
        )
    if values["fp32"] and values["precision"] not in (None, "auto", "float32"):
        yield f"{typed['precision']}: found {values['precision']} with --fp32=1, expected float32 or auto"


def read_cluster(values: Mapping[str, Any], typed: Mapping[str, str], tf_config: str) -> Cluster | None:
    """The workers of a run by its options, or else by TF_CONFIG; None = this one alone."""
    if values["workers_hosts"] is None:
        return cluster_of_tf_config(tf_config) if tf_config else None
    try:
        return Cluster(values["workers_hosts"], values["worker_index"])
    except ValueError as error:
        raise ValueError(_in_terms_of_options(str(error), typed)) from error


def read_dataset(
    values: Mapping[str, Any], open_dataset: Callable[..., Any], table: type[TrainingOptions] = TrainingOptions
) -> tuple[DatasetConfig, list[str]]:
    """Open the data set for its facts.

    Returns:
        The data set's part of the configuration, and lines on it that people should see.

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
            cfg=values["cfg"],
        )
    except (ValueError, OSError) as error:
        text = explain_file_error(error, path) if isinstance(error, OSError) else str(error)
        if getattr(error, "command", ""):  # of an UnpreparedImagesError
            text += f"; this makes a data set of them: {error.command}"  # type: ignore[union-attr]
        raise ValueError(text if text.startswith("--") else f"--data: {text}") from error
    notes = list(dataset.notes)
    if dataset.has_labels and not values["cond"]:
        notes.append("the data set has labels, which are not used; --cond=1 trains on them")
    dataset.close()
    facts = {
        "path": path if path in _BUILT_IN or is_url(path) else str(pathlib.Path(path).resolve()),
        "name": dataset.name,
        "resolution": dataset.resolution,
        "channels": dataset.channels,
        "c_dim": dataset.c_dim if values["cond"] else 0,
        **_label_facts(dataset, values["cond"]),
        "num_images": dataset.num_images,
        "fingerprint": dataset.fingerprint,
        **_described(dataset, values["cond"]),
    }
    return DatasetConfig(**{**values_of(table, values, "dataset"), **facts}), notes


def _described(dataset: Any, uses_labels: bool) -> dict[str, Any]:
    """What dataset.json says of classes and of how the images were made."""
    description = getattr(dataset, "description", None)  # whoever opens data sets otherwise may have none
    if description is None:
        return {}
    names = description.class_names if uses_labels and len(description.class_names) == dataset.c_dim else ()
    return {"class_names": names, "conversion": description.conversion}


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
    table: type[TrainingOptions] = TrainingOptions,
) -> TrainingConfig:
    """Build the configuration; its errors are told in terms of the options as typed."""
    cluster_size = 1 if cluster is None else len(cluster.hosts)
    options = table(transfer=transfer, cluster_size=cluster_size, **values)
    try:
        return resolve(options, dataset, resolve_run(options, dataset.num_images))
    except BatchSizeError as error:
        works = functools.partial(_sizes_work, dataset=dataset, run=resolve_run(options, dataset.num_images))
        problems = [batch_message(options, typed, works), *_other_problems(options, typed, dataset)]
        raise ValueError("; ".join(problems)) from error
    except ValueError as error:
        raise ValueError(_in_terms_of_options(str(error), typed)) from error


def _other_problems(options: TrainingOptions, typed: Mapping[str, str], dataset: DatasetConfig) -> Iterator[str]:
    """What else is wrong with options whose sizes of batches do not go together."""
    fitting = dataclasses.replace(options, batch=options.mbstd_group * 2, batch_gpu=None, cpu_devices=1, cluster_size=1)
    try:
        resolve(dataclasses.replace(fitting, gpus=min(options.gpus, 1)), dataset, RunConfig(outdir="."))
    except ValueError as error:
        yield _in_terms_of_options(str(error), typed)


def _sizes_work(options: TrainingOptions, dataset: DatasetConfig, run: RunConfig) -> bool:
    try:
        resolve(options, dataset, run)
    except BatchSizeError:
        return False
    except ValueError:  # something else, which has nothing to do with sizes of batches
        pass
    return True


def _in_terms_of_options(message: str, typed: Mapping[str, str]) -> str:
    match = re.match(r"([a-z_0-9-]+): ", message)
    option = BY_KEY.get(match.group(1).replace("-", "_")) if match else None
    if match is None or option is None:
        return message
    if option.key in typed:
        return f"{typed[option.key]}: {message[match.end() :]}"
    return f"--{option.name}: {message[match.end() :]} (by default {option.shown_default})"
