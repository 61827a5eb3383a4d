"""The stream of training batches as a tf.data pipeline without state."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from sg_keras.data.dataset import ImageDataset
from sg_keras.data.sample_order import IndexSampler, generated_label_indices

PREFETCHED_BATCHES = 2  # that wait to be taken


class DataError(OSError):
    """An image could not be read or decoded during training. The message is one line that names it."""


def make_pipeline(
    dataset: ImageDataset,
    *,
    seed: int,
    batch: int,
    start_nimg: int,
    num_phases: int,
    workers: int = 3,
    own: np.ndarray | None = None,
) -> tf.data.Dataset:
    """Batches of one training iteration each, without end.

    Iteration i holds the global samples start_nimg + i * batch and the batch - 1 that follow. Every element is a
    function of (seed, its first sample), so a pipeline that starts at sample k * batch gives what one that started at 0
    gives from its k-th element on: there is no iterator state to save.

    Args:
        dataset: Images and labels. It must stay open.
        seed: Any integer.
        batch: Images an iteration, over all replicas.
        start_nimg: Images already seen.
        num_phases: Training phases; each has labels of its own for its generated images.
        workers: Batches that are read and decoded at a time.
        own: Samples of each iteration that are wanted here, positions 0 to batch - 1 in any order; None = all.

    Returns:
        Dataset of dicts with static shapes, N being how many samples are wanted: "image" uint8 [N,H,W,C], "label"
        float32 [N,c_dim] and "gen_label" float32 [N,num_phases,c_dim], labels of uniformly drawn images. Damaged
        files raise a `tf.errors.OpError` when the batch is taken; `readable_data_errors` makes one line of it.

    Raises:
        ValueError: batch, num_phases or workers below 1, start_nimg below 0.
    """
    for name, value, least in (
        ("batch", batch, 1),
        ("start_nimg", start_nimg, 0),
        ("num_phases", num_phases, 1),
        ("workers", workers, 1),
    ):
        if value < least:
            raise ValueError(f"{name}: found {value}, expected {least} or more")
    wanted = np.arange(batch) if own is None else own
    read_batch = _batch_reader(dataset, seed, batch, num_phases, wanted)
    size = len(wanted)
    shape, c_dim = dataset.image_shape, dataset.c_dim

    def to_element(nimg: tf.Tensor) -> dict[str, tf.Tensor]:
        # stateful=False, as read_batch is a pure function: tf.data would run stateful functions one at a time under
        # enable_op_determinism.
        image, label, gen_label = tf.numpy_function(
            read_batch, [nimg], (tf.uint8, tf.float32, tf.float32), stateful=False
        )
        return {
            "image": tf.ensure_shape(image, (size, *shape)),
            "label": tf.ensure_shape(label, (size, c_dim)),
            "gen_label": tf.ensure_shape(gen_label, (size, num_phases, c_dim)),
        }

    batches = tf.data.Dataset.counter(start=start_nimg, step=batch)
    batches = batches.map(
        tf.autograph.experimental.do_not_convert(to_element), num_parallel_calls=workers, deterministic=True
    )
    return batches.prefetch(PREFETCHED_BATCHES).with_options(_options(workers))


def _batch_reader(
    dataset: ImageDataset, seed: int, batch: int, num_phases: int, wanted: np.ndarray
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The function from an iteration's first sample to its images, labels and labels of generated images."""
    sampler = IndexSampler(len(dataset), seed)

    def read_batch(nimg: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        items = sampler.indices(int(nimg), batch)[wanted]
        drawn = generated_label_indices(seed, int(nimg), batch, num_phases, dataset.num_images)[wanted]
        gen_labels = dataset.labels(drawn.reshape(-1)).reshape(len(wanted), num_phases, dataset.c_dim)
        try:
            return (*dataset.examples(items), gen_labels)
        except OSError as error:
            raise DataError(str(error)) from None

    return read_batch


def _options(workers: int) -> tf.data.Options:
    """A few threads of its own: the shared pool belongs to the training step."""
    options = tf.data.Options()
    options.deterministic = True
    options.autotune.enabled = False
    options.threading.private_threadpool_size = workers
    options.threading.max_intra_op_parallelism = 1
    return options


def data_error_line(error: tf.errors.OpError) -> str | None:
    """The one line of the `DataError` that TensorFlow wrapped in `error`, None if that is not its cause."""
    match = re.search(rf"\b{DataError.__name__}: (.*)", error.message)
    return match.group(1) if match else None


@contextlib.contextmanager
def readable_data_errors() -> Iterator[None]:
    """Within, a damaged file met by a pipeline raises a one-line `DataError` (an OSError) that names it.

    To be wrapped around whatever takes batches: a loop, `fit`, a distributed iterator.
    """
    try:
        yield
    except tf.errors.OpError as error:
        line = data_error_line(error)
        if line is None:
            raise
        raise DataError(line) from error
