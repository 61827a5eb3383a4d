"""Workers that share a run share what scores see, too: each sees every n-th block of images."""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
import tensorflow as tf

from sg_keras.config import Cluster
from sg_keras.features import FeatureExtractor
from sg_keras.metrics.feature_blocks import BLOCK, FeatureCache, ImageBlock, block_features, keep_features
from sg_keras.training.distribution.collectives import broadcast_text, run_on_replicas
from sg_keras.training.step.replica import sum_over_replicas

_LOGGER = logging.getLogger(__name__)


class SharedFeatures:
    """Fills the caches of all workers together, so that the chief finds in its own what each of them has seen.

    All workers must call the same methods in the same order. What one of them cannot see is left to the chief.

    Args:
        strategy: over all workers.
        cluster: the workers.
    """

    def __init__(self, strategy: tf.distribute.Strategy, cluster: Cluster) -> None:
        self._strategy, self._index, self._workers = strategy, cluster.index, len(cluster.hosts)
        local = len(strategy.extended.worker_devices)

        def on_replica(own: tf.Tensor) -> tf.Tensor:
            number = tf.distribute.get_replica_context().replica_id_in_sync_group
            return sum_over_replicas([own * tf.cast(tf.equal(number % local, 0), own.dtype)])[0]

        self._add_up = run_on_replicas(strategy, on_replica)

    def chosen_by_chief(self, text: str) -> str:
        """What the chief gives here, on every worker."""
        return broadcast_text(self._strategy, text)

    def everywhere(self, here: Iterable[bool]) -> list[bool]:
        """Of some things, which are so on all workers."""
        return [int(count) == self._workers for count in self._sum(np.array([*here], np.int32))]

    def fill(
        self,
        blocks: Iterable[ImageBlock],
        extractors: Mapping[str, FeatureExtractor],
        most: Mapping[str, int],
        cache: FeatureCache,
        on_images: Callable[[int], None] | None = None,
    ) -> bool:
        """Have features of the first images in the cache of every worker; arguments as of `features_of`.

        Returns:
            Whether they are all there. What kept another worker from it is left to it.

        Raises:
            Exception: what came up here, once the other workers know that something did.
        """
        done, told = 0, on_images or (lambda done: None)
        for group in _groups(blocks, self._workers):
            wanted = {name: extractor for name, extractor in extractors.items() if most[name] > done}
            if not wanted:
                break
            if not self._shared(group, wanted, cache, functools.partial(told, done)):
                return False
            done += sum(block.count for block in group)
        return True

    def _shared(
        self,
        group: list[ImageBlock],
        extractors: Mapping[str, FeatureExtractor],
        cache: FeatureCache,
        on_start: Callable[[], None],
    ) -> bool:
        """See a block of a group here, and exchange features. False where any worker could not."""
        own: dict[str, np.ndarray] = {}
        failure: Exception | None = None
        try:
            on_start()
            if self._index < len(group):
                own = block_features(group[self._index], extractors, cache)
        except Exception as error:  # whatever it is, the others wait for this worker
            failure = error
        widths = [own[name].shape[1] if name in own else 0 for name in extractors]
        (failed, *found) = self._sum(np.array([int(failure is not None), *widths], np.int32)).tolist()
        if failure is not None:
            raise failure
        if failed:
            _LOGGER.warning("another worker could not see its images for scores: the chief sees them alone")
            return False
        for (name, extractor), total in zip(extractors.items(), found, strict=True):
            self._exchange(group, extractor, own.get(name), total // len(group), cache)
        return True

    def _exchange(
        self,
        group: list[ImageBlock],
        extractor: FeatureExtractor,
        own: np.ndarray | None,
        width: int,
        cache: FeatureCache,
    ) -> None:
        places = np.zeros([self._workers, BLOCK, width], np.float32)
        if own is not None:
            places[self._index, : len(own)] = own
        for number, (block, values) in enumerate(zip(group, self._sum(places), strict=False)):
            if number != self._index:
                keep_features(block, extractor, values[: block.count], cache)

    def _sum(self, values: np.ndarray) -> np.ndarray:
        return self._add_up(values)[0]


def _groups(blocks: Iterable[ImageBlock], size: int) -> Iterator[list[ImageBlock]]:
    waiting = iter(blocks)
    while group := list(itertools.islice(waiting, size)):
        yield group
