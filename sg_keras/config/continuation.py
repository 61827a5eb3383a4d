"""How far a continuation may differ from its run: other devices, another micro-batch, or a fork with other options."""

from __future__ import annotations

import dataclasses

from sg_keras.config import data_fingerprint
from sg_keras.config.differences import (
    DATA,
    Difference,
    adopt_choices,
    compare,
    data_changes,
    format_differences,
)
from sg_keras.config.options.declaration import Resume
from sg_keras.config.options.fields import fields_with
from sg_keras.config.training_config import TrainingConfig

#: Devices: the same micro-batches are shared out otherwise, which changes results by rounding alone.
DEVICES = fields_with(Resume.DEVICES)

#: Fields on which the variables of a run depend. All others may differ in a fork.
SHAPES = fields_with(Resume.SHAPE)


class DataChangedError(ValueError):
    """A run would go on with other images than it was trained on. One line."""


def continued_config(
    saved: TrainingConfig,
    requested: TrainingConfig,
    where: str,
    batch_gpu_typed: bool,
    data_changed: bool = False,
    keep_gamma: bool = False,
) -> tuple[TrainingConfig, list[str]]:
    """The configuration that a run goes on with, and lines on what is not as it was.

    Args:
        saved: of the run.
        requested: now.
        where: the run, for messages.
        batch_gpu_typed: whether the size of micro-batches was asked for; otherwise the run's is kept where it fits.
        data_changed: whether the images may be others.
        keep_gamma: whether the run's weight of the R1 penalty holds, whatever is requested.

    Raises:
        DataChangedError: the images are others, and nothing else differs that would alter the run.
        ValueError: options would alter the run; the message holds a table.
    """
    if keep_gamma:
        loss = dataclasses.replace(requested.loss, r1_gamma=saved.loss.r1_gamma)
        requested = dataclasses.replace(requested, loss=loss)
    config = _with_saved_micro_batches(saved, adopt_choices(saved, requested), batch_gpu_typed)
    differences, _ = compare(saved, config)
    may_differ = {*DEVICES, *fields_with(Resume.MICRO_BATCH), *(DATA if data_changed else ())}
    blocking = [difference for difference in differences if difference[0] not in may_differ]
    if blocking and DATA.issuperset(field for field, _, _ in blocking):
        raise DataChangedError(
            f"--data: found {config.dataset.path} with {data_changes(saved, config)}, expected the images that {where} "
            "was trained on, or --fork for a new run from its state, or --data_changed=accept to go on with these"
        )
    if blocking:
        raise ValueError(
            f"--resume: found options that differ from those of {where} and would alter the run, expected "
            "the same (or --fork, which starts a new run from its state):\n\n"
            f"{format_differences(blocking)}\n"
        )
    return config, [*_data_notes(saved, config), *_notes(saved, config)]


def forked_config(
    saved: TrainingConfig, requested: TrainingConfig, where: str, batch_gpu_typed: bool
) -> tuple[TrainingConfig, list[Difference]]:
    """The configuration of a fork, and in what it differs from that of the run it starts from.

    Raises:
        ValueError: options would alter the networks' variables; the message holds a table.
    """
    config = _with_saved_micro_batches(saved, adopt_choices(saved, requested), batch_gpu_typed)
    blocking, allowed = compare(saved, config)
    shapes = [difference for difference in blocking if difference[0] in SHAPES]
    if shapes:
        raise ValueError(
            f"--fork: found options that differ from those of {where} and would alter the networks, expected "
            f"the same (or --resume with a network snapshot):\n\n{format_differences(shapes)}\n"
        )
    found_first = {"dataset.fingerprint"} if not saved.dataset.fingerprint else set()  # no option was changed
    return config, [difference for difference in blocking + allowed if difference[0] not in found_first]


def _with_saved_micro_batches(saved: TrainingConfig, config: TrainingConfig, typed: bool) -> TrainingConfig:
    if typed or config.batch != saved.batch or saved.batch_gpu not in config.possible_batch_gpu():
        return config
    return dataclasses.replace(config, batch_gpu=saved.batch_gpu)


def _notes(saved: TrainingConfig, config: TrainingConfig) -> list[str]:
    notes = []
    if config.batch_gpu != saved.batch_gpu:
        notes.append(
            f"Continuing with micro-batches of {config.batch_gpu} images instead of {saved.batch_gpu} (--batch-gpu): "
            "the minibatch standard deviation, path length regularisation and StyleGAN3's normalisation of styles are "
            "defined within a micro-batch, so the run goes another way than it would have gone"
        )
    elif any(getattr(config, field) != getattr(saved, field) for field in DEVICES):
        notes.append(
            f"Continuing on {devices_text(config)} instead of {devices_text(saved)}, with the same micro-batches: the "
            "results are the same but for rounding"
        )
    return notes


def _data_notes(saved: TrainingConfig, config: TrainingConfig) -> list[str]:
    old, new = saved.dataset, config.dataset
    if data_changes(saved, config):
        return [
            f"The data set is another one from here on (--data_changed=accept): {data_changes(saved, config)}, in "
            f"{new.path}; the run goes another way than it would have gone"
        ]
    if new.path != old.path and data_fingerprint.changes(old.fingerprint, new.fingerprint) == ():
        return [f"The data set lies elsewhere now, in {new.path} instead of {old.path}, with the same images"]
    return []


def devices_text(config: TrainingConfig) -> str:
    """The devices of a run, for people."""
    count, kind = config.num_replicas, "GPU" if config.gpus else "CPU device"
    workers = f" on {config.cluster_size} workers" if config.cluster_size > 1 else ""
    return f"{count} {kind}{'s' if count > 1 else ''}{workers}"
