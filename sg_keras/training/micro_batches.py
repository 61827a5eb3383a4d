"""--batch-gpu=auto: the largest micro-batches that memory allows, found by running out of it."""

from __future__ import annotations

import dataclasses

from sg_keras.training.run_directory import continue_run_directory
from sg_keras.training.session import Session


def smaller_micro_batches(session: Session) -> bool:
    """Go down to half the micro-batch, or the next smaller size that can be trained with.

    The size is kept in training_config.json: a continued run starts with it.

    Returns:
        Whether there was one: not where --batch-gpu gives a size, on several devices (whose shares of the batch are
        dealt out already, and which would wait for the one that failed), and at the smallest one.
    """
    model, config = session.model, session.config
    sizes = [size for size in config.possible_batch_gpu() if size <= model.batch_gpu // 2]
    if not config.batch_gpu_auto or model.num_replicas > 1 or not sizes:
        return False
    session.log.line(
        f"Out of memory with micro-batches of {model.batch_gpu} images: going on from the same state with "
        f"{sizes[-1]} (--batch-gpu; it is part of the definition of some losses, see docs/training_configs.md)"
    )
    model.set_batch_gpu(sizes[-1])
    continue_run_directory(session.run_dir, dataclasses.replace(config, batch_gpu=sizes[-1]))
    return True
