"""The data of a run: opened, compared with what its configuration says, and batch by batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from sg_keras.config import TrainingConfig, data_fingerprint
from sg_keras.data import ImageDataset, make_pipeline, open_dataset
from sg_keras.training.distribution.devices import own_samples, split_for_replicas
from sg_keras.training.step.micro_batch import Data


def open_run_dataset(config: TrainingConfig) -> ImageDataset:
    """Open the data set that a configuration says, and make sure that it is what it was.

    Raises:
        ValueError: its facts or its files are others; one line.
    """
    data = config.dataset
    dataset = open_dataset(
        data.path,
        use_labels=data.c_dim > 0,
        mirror=data.mirror,
        mirrory=data.mirrory,
        resolution=data.resolution,
        cfg=config.generator.cfg,
        skip_bad=data.on_bad_image == "skip",
    )
    for name, expected in (("channels", data.channels), ("c_dim", data.c_dim), ("num_images", data.num_images)):
        if getattr(dataset, name) != expected:
            raise ValueError(
                f"--data: found {name} {getattr(dataset, name)} in {data.path}, expected {expected}, as "
                "the configuration says"
            )
    changes = data_fingerprint.changes(data.fingerprint, dataset.fingerprint)
    if changes:
        raise ValueError(
            f"--data: found {data.path} with {', '.join(changes)}, expected the images that the configuration says: "
            "they have changed since, or on several workers are not those of the chief"
        )
    return dataset


def whole_batches(
    config: TrainingConfig, dataset: ImageDataset, num_phases: int, start_nimg: int, own: np.ndarray | None = None
) -> Iterator[Data]:
    """Batches of all replicas together, or the `own` samples of each.

    Args:
        config: of the run.
        dataset: open.
        num_phases: sets of labels for fakes per iteration.
        start_nimg: real images seen before the first batch.
        own: numbers of samples within a batch, int64.
    """
    return iter(
        make_pipeline(
            dataset,
            seed=config.seed,
            batch=config.batch,
            start_nimg=start_nimg,
            num_phases=num_phases,
            workers=config.dataset.workers,
            own=own,
        )
    )


def batches_of_worker(
    config: TrainingConfig, dataset: ImageDataset, num_phases: int, start_nimg: int, strategy: tf.distribute.Strategy
) -> Iterator[Data]:
    """This worker's batches as `train_step` takes them, one on its way to the devices while another is trained on.

    Args:
        config, dataset, num_phases, start_nimg: as of `whole_batches`.
        strategy: over whose replicas each batch is spread.
    """
    own = own_samples(strategy, config.batch, config.batch_gpu)
    waiting: Data | None = None
    for data in whole_batches(config, dataset, num_phases, start_nimg, own):
        ready, waiting = waiting, split_for_replicas(data, strategy, config.batch_gpu)
        if ready is not None:
            yield ready
