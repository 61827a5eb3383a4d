"""Networks run over many images in batches of bounded memory, the next batch being made ready meanwhile."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Prepare = Callable[[np.ndarray], np.ndarray]  # uint8 images to what the network takes
Compute = Callable[[np.ndarray], Any]  # that to [n,D]


def features_in_batches(
    images: np.ndarray, prepare: Prepare, compute: Compute, *, batch: int, width: int
) -> np.ndarray:
    """What a network makes of images, float32 [N,width].

    A thread prepares batch k + 1 while the network works on batch k: on two cores that hides most of the resizing.

    Args:
        images: [N,...].
        prepare: called on [n,...] at a time, in another thread than the caller's.
        compute: called on what that returns, in the caller's thread; gives [n,width].
        batch: n at most.
        width: of the features, for when there are no images: TensorFlow has no convolution of none.
    """
    found = np.empty([len(images), width], np.float32)
    start = 0
    for ready in _prepared(images, prepare, batch):
        found[start : start + len(ready)] = compute(ready)
        start += len(ready)
    return found


def _prepared(images: np.ndarray, prepare: Prepare, batch: int) -> Iterator[np.ndarray]:
    """Batches one ahead of their use. One that is alone needs no thread."""
    if len(images) <= batch:
        if len(images):
            yield prepare(images)
        return
    with concurrent.futures.ThreadPoolExecutor(1, "features") as thread:
        coming = thread.submit(prepare, images[:batch])
        for start in range(batch, len(images), batch):
            ready = coming.result()
            coming = thread.submit(prepare, images[start : start + batch])
            yield ready
        yield coming.result()
