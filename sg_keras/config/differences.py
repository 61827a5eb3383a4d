"""What differs between the saved configuration of a run and the one it is to be continued with.

An option that would alter the run is refused with a table; one that only says how long, how often or where
(everything in ALLOWED) is taken. Which are which, their declarations say (`sg_keras.config.options`). Continuing:
`compare(saved, adopt_choices(saved, requested))`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from sg_keras.config import data_fingerprint
from sg_keras.config.options.declaration import Resume
from sg_keras.config.options.fields import FIELD_OPTIONS, fields_with, flatten
from sg_keras.config.presets import ADA_KIMG, EMA_RAMPUP, PRESETS, decide_precision
from sg_keras.config.sizes import resolution_text
from sg_keras.config.training_config import TrainingConfig

Difference = tuple[str, Any, Any]  # field ("part.field"), saved value, requested value

#: Fields that may change from one continuation to the next: no bit of the training state depends on them.
ALLOWED = fields_with(Resume.ANY)

#: Fields that say which images there are.
DATA = fields_with(Resume.DATA)


def compare(saved: TrainingConfig, requested: TrainingConfig) -> tuple[list[Difference], list[Difference]]:
    """Differences in the order of the fields, as (blocking, allowed) lists of (field, saved, requested).

    A data set is its content: the same images may lie elsewhere. Where one of the configurations has no fingerprint of
    them, the path decides.
    """
    may_change = ALLOWED | _data_that_may_change(saved, requested)
    old = dict(flatten(dataclasses.asdict(saved)))
    new = dict(flatten(dataclasses.asdict(requested)))
    changed = [(field, old[field], new[field]) for field in old if old[field] != new[field]]
    blocking = [difference for difference in changed if difference[0] not in may_change]
    allowed = [difference for difference in changed if difference[0] in may_change]
    return blocking, allowed


def _data_that_may_change(saved: TrainingConfig, requested: TrainingConfig) -> set[str]:
    changes = data_fingerprint.changes(saved.dataset.fingerprint, requested.dataset.fingerprint)
    if changes is None:
        return {"dataset.fingerprint"}
    return set() if changes else {"dataset.fingerprint", "dataset.path"}


def data_changes(saved: TrainingConfig, requested: TrainingConfig) -> str:
    """In what the images differ from those of the saved configuration, in words for messages; "" if in nothing."""
    old, new = saved.dataset, requested.dataset
    counts = [] if old.num_images == new.num_images else [f"{new.num_images} images instead of {old.num_images}"]
    changes = data_fingerprint.changes(old.fingerprint, new.fingerprint)
    if changes is None and old.path != new.path:
        counts.append("another path, which alone can tell, as the run keeps no fingerprint of its images yet")
    return ", ".join([*counts, *(changes or ())])


def adopt_choices(saved: TrainingConfig, requested: TrainingConfig) -> TrainingConfig:
    """`requested` with what its command line left to the program taken from the saved configuration.

    That is `ops="auto"`, `precision="auto"`, the batch_gpu that "auto" came to, and the source of transfer learning
    with the defaults that follow from it: the command that continues such a run gives another --resume, and must not
    be refused for that. What the run knows of unchanged images beyond what was found of them now is kept.
    """
    requested = _with_known_fingerprint(saved, requested)
    if requested.ops == "auto":
        requested = dataclasses.replace(requested, ops=saved.ops)
    if requested.precision == "auto":
        requested = decide_precision(requested, saved.precision)
    if requested.batch_gpu_auto and saved.batch_gpu in requested.possible_batch_gpu():
        requested = dataclasses.replace(requested, batch_gpu=saved.batch_gpu)
    if saved.resume is None or requested.resume is not None:
        return requested
    requested = dataclasses.replace(
        requested, resume=saved.resume, resume_partial=saved.resume_partial, graft=saved.graft
    )
    if requested.ema_rampup == EMA_RAMPUP:
        requested = dataclasses.replace(requested, ema_rampup=saved.ema_rampup)
    if requested.augment.ada_kimg == ADA_KIMG:
        augment = dataclasses.replace(requested.augment, ada_kimg=saved.augment.ada_kimg)
        requested = dataclasses.replace(requested, augment=augment)
    if requested.loss.blur_init_sigma == PRESETS[requested.generator.cfg].blur_init_sigma:
        loss = dataclasses.replace(
            requested.loss, blur_init_sigma=saved.loss.blur_init_sigma, blur_fade_kimg=saved.loss.blur_fade_kimg
        )
        requested = dataclasses.replace(requested, loss=loss)
    return requested


def _with_known_fingerprint(saved: TrainingConfig, requested: TrainingConfig) -> TrainingConfig:
    old, new = saved.dataset, requested.dataset
    if new.fingerprint and data_fingerprint.changes(old.fingerprint, new.fingerprint) != ():
        return requested
    if not new.fingerprint and (old.path, old.num_images) != (new.path, new.num_images):  # not known to be the same
        return requested
    known = data_fingerprint.merged(old.fingerprint, new.fingerprint)
    return dataclasses.replace(requested, dataset=dataclasses.replace(new, fingerprint=known))


def format_differences(differences: list[Difference]) -> str:
    """A table of (field, saved, requested) with the option that sets each field."""
    rows = [("option", "field", "saved", "requested")]
    for field, old, new in differences:
        option = FIELD_OPTIONS.get(field)
        rows.append((f"--{option}" if option else "", field, _text(field, old), _text(field, new)))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _text(field: str, value: Any) -> str:
    if field == "dataset.resolution":
        return resolution_text(value)
    return "none" if value in (None, "") else str(value)
