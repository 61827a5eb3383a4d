"""Times of functions that are run in turns, so that whatever disturbs the machine disturbs all of them.

What a function finds in the caches is what the one before it left: one that leaves many changed lines there has the
next one wait for them to be written. So each runs several times in its turn, and the first run is not timed.
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from sg_keras.training.distribution.threads import configure_threads

Call = Callable[[], object]

_RUNS_IN_A_TURN = 3


def use_threads(threads: int) -> None:
    """Binds the process to so many cores, each of them for one thread that computes, and one op at a time."""
    configure_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def compiled(function: Callable[..., object], arguments: Sequence[tf.Tensor], xla: bool = False) -> Call:
    """The function as one graph, run on these arguments and ready to be timed."""
    graph = tf.function(lambda *a: function(*a), autograph=False, jit_compile=xla).get_concrete_function(*arguments)

    def call() -> object:
        return graph(*arguments)

    call()  # the first call prepares
    return call


def with_gradients(function: Callable[..., tf.Tensor]) -> Callable[..., tuple]:
    """(arguments..., cotangent of the result) -> the result and the gradients by all arguments."""

    def forward_and_backward(*arguments: tf.Tensor) -> tuple:
        *inputs, cotangent = arguments
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            result = function(*inputs)
        return result, tape.gradient(result, inputs, cotangent)

    return forward_and_backward


def median_seconds(calls: Mapping[str, Call], budget_sec: float, min_rounds: int = 5) -> dict[str, float]:
    """Median time of each call. In a round each has its turn; there are rounds until the budget is used up."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + budget_sec
    rounds = 0
    while rounds < min_rounds or time.perf_counter() < end:
        for name, call in calls.items():
            call()
            for _ in range(_RUNS_IN_A_TURN):
                start = time.perf_counter()
                result = call()
                seconds[name].append(time.perf_counter() - start)
                del result  # its memory is free for the next call
        rounds += 1
    return {name: statistics.median(times) for name, times in seconds.items()}


def page_faults(call: Call) -> int:
    """Pages of memory that the operating system had to provide in one call."""
    call()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    call()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
