"""Graphs go when nobody uses them, and no earlier."""

import gc
import weakref

import pytest
import tensorflow as tf

from tests.released_graphs import GROWTH, Collector, release_with_their_graphs


def times_three():
    """A compiled function of x * x whose gradient is said to be 3, and that of its gradient 5."""

    @tf.custom_gradient
    def slope(upstream):
        return 3 * upstream, lambda second: 5 * second

    @tf.custom_gradient
    def square(x):
        return x * x, slope

    return tf.function(lambda x: tf.cond(x > 0, lambda: square(x), lambda: square(-x)))


def test_a_graph_goes_with_its_function_and_not_before():
    release_with_their_graphs()
    function = times_three()
    x = tf.constant(2.0)
    concrete = function.get_concrete_function(x)
    graph = weakref.ref(concrete.graph)
    gc.collect()
    for call in (function, concrete):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = call(x)
        assert (float(y), float(tape.gradient(y, x))) == (4, 3)
    gc.collect()
    assert graph() is not None
    del function, concrete, call, tape
    gc.collect()
    assert graph() is None


@pytest.mark.parametrize("growth, collects", [(GROWTH // 2, False), (2 * GROWTH, True)])
def test_garbage_is_collected_when_the_process_has_grown(growth, collects, monkeypatch):
    memory, collected = [10 * GROWTH], []
    monkeypatch.setattr("tests.released_graphs.resident_bytes", lambda: memory[0])
    monkeypatch.setattr(gc, "collect", lambda: collected.append(True))
    collector = Collector()
    collector.after_test()
    memory[0] += growth
    collector.after_test()
    collector.after_test()
    assert collected == [True] * collects
