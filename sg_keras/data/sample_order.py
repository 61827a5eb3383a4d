"""Which image is sample k, and which label a generated image gets: pure functions of (seed, sample).

Both read the raw 64-bit stream of the counter-based Philox generator (Salmon et al., "Parallel random numbers: as
easy as 1, 2, 3", SC 2011). NumPy guarantees that stream across its versions, unlike `Generator.permutation`, so a run
can be continued to the same bits after an upgrade.
"""

from __future__ import annotations

import threading

import numpy as np

_EPOCH_ORDER = 1  # second key word: what the numbers are used for
_GENERATED_LABELS = 2
_WORDS_PER_COUNT = 4  # 64-bit words that Philox gives per counter value
_CACHED_EPOCHS = 2  # a batch may reach over the end of an epoch


def _philox(seed: int, purpose: int, counter: tuple[int, int]) -> np.random.Philox:
    key = np.array([seed % 2**64, purpose], np.uint64)
    return np.random.Philox(key=key, counter=np.array([*counter, 0, 0], np.uint64))


class IndexSampler:
    """Order of the training images: every epoch is a permutation of all items.

    Sample k (counted from the start of training) is item `permutation[epoch][k % num_items]` with
    `epoch = k // num_items`; the permutation depends on (seed, epoch) alone. There is no state to save, and starting
    anywhere costs one permutation. Safe to use from several threads.

    Args:
        num_items: Number of items, mirrored copies included.
        seed: Any integer.

    Raises:
        ValueError: `num_items` is not positive.
    """

    def __init__(self, num_items: int, seed: int) -> None:
        if num_items < 1:
            raise ValueError(f"num_items: found {num_items}, expected 1 or more")
        self._num_items = num_items
        self._seed = seed
        self._lock = threading.Lock()
        self._permutations: dict[int, np.ndarray] = {}

    def indices(self, start: int, count: int) -> np.ndarray:
        """Items of the samples start, ..., start + count - 1.

        Returns:
            int64 [count], values in [0, num_items).

        Raises:
            ValueError: `start` or `count` is negative.
        """
        if start < 0 or count < 0:
            raise ValueError(f"start, count: found {start}, {count}, expected 0 or more")
        pieces = [np.empty(0, np.int64)]
        end = start + count
        while start < end:
            epoch, position = divmod(start, self._num_items)
            piece = self._permutation(epoch)[position : position + end - start]
            pieces.append(piece)
            start += len(piece)
        return np.concatenate(pieces)

    def _permutation(self, epoch: int) -> np.ndarray:
        with self._lock:
            if epoch not in self._permutations:
                keys = _philox(self._seed, _EPOCH_ORDER, (0, epoch)).random_raw(self._num_items)
                while len(self._permutations) >= _CACHED_EPOCHS:
                    del self._permutations[min(self._permutations)]
                self._permutations[epoch] = np.argsort(keys, kind="stable").astype(np.int64)
            return self._permutations[epoch]


def generated_label_indices(seed: int, nimg: int, batch: int, num_phases: int, num_items: int) -> np.ndarray:
    """Items whose labels the generated images of one iteration get, drawn uniformly with replacement.

    The draw for phase p of the sample s = nimg + row depends on (seed, p, s) alone.

    Args:
        seed: Any integer.
        nimg: Real images seen before this iteration.
        batch: Images in this iteration.
        num_phases: Training phases, each with generated images of its own.
        num_items: Number of items to draw from.

    Returns:
        int64 [batch, num_phases], values in [0, num_items).
    """
    draws = []
    for block in range(-(-num_phases // _WORDS_PER_COUNT)):
        # The first counter word is the sample, so the stream from nimg on holds one row of four words a sample.
        raw = _philox(seed, _GENERATED_LABELS, (nimg, block)).random_raw(batch * _WORDS_PER_COUNT)
        draws.append(raw.reshape(batch, _WORDS_PER_COUNT))
    words = np.concatenate(draws, axis=1)[:, :num_phases]
    return (words % np.uint64(num_items)).astype(np.int64)  # bias of the modulo: num_items / 2^64
