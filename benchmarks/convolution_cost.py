"""The time that convolutions and matrix products (`sg_keras.planning.products`) need when they are run alone."""

from __future__ import annotations

import functools
import itertools
import math
import statistics
import time
from collections.abc import Callable

import tensorflow as tf

from sg_keras.planning.products import Product

_TIMED_CALL_FLOPS = 2e8  # a few milliseconds, beside which the cost of calling is small
_MIN_REPEATS, _MAX_REPEATS = 4, 64


class TimedAlone:
    """A product that can be run by itself, one after another, to take its time.

    Args:
        product: what to run.
        repeats: runs in one call; None = so many that calling costs little beside.
    """

    def __init__(self, product: Product, repeats: int | None = None) -> None:
        self.product = product
        enough = round(_TIMED_CALL_FLOPS / product.flops)
        self.repeats = repeats or min(max(enough, _MIN_REPEATS), _MAX_REPEATS)
        self._call = self._compile(self.repeats)

    def seconds(self, calls: int) -> float:
        """Median time of one run, over so many calls."""
        times = []
        for _ in range(calls):
            start = time.perf_counter()
            self._call()
            times.append((time.perf_counter() - start) / self.repeats)
        return statistics.median(times)

    def _compile(self, repeats: int) -> Callable[[], list[tf.Tensor]]:
        # No two runs have the same operands, or they would be merged. The operands are arguments, since constants would
        # be folded. Of each result one number is returned, so that the run is not removed, and the next waits for it.
        variants = math.ceil(math.sqrt(repeats))
        operands = [
            [tf.random.normal(shape, dtype=tf.as_dtype(self.product.dtype)) for _ in range(variants)]
            for shape in self.product.operands
        ]

        @tf.function(jit_compile=False, autograph=False)
        def run(lefts: list[tf.Tensor], rights: list[tf.Tensor]) -> list[tf.Tensor]:
            numbers: list[tf.Tensor] = []
            for left, right in itertools.islice(itertools.product(lefts, rights), repeats):
                with tf.control_dependencies(numbers[-1:]):
                    result = self.product.apply(left, right)
                numbers.append(tf.slice(result, [0] * len(result.shape), [1] * len(result.shape)))
            return numbers

        call = functools.partial(run.get_concrete_function(*operands), *operands)
        call()  # the first call prepares
        return call
