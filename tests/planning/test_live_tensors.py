"""Memory of tensors by hand-made graphs whose order leaves no choice."""

import tensorflow as tf

from sg_keras.planning.live_tensors import most_live_bytes, tensor_bytes

KILO = 256  # float32 numbers of 1 KiB


def _live(function, *shapes):
    specs = [tf.TensorSpec(shape) for shape in shapes]
    return most_live_bytes(tf.function(function, autograph=False).get_concrete_function(*specs).graph)


def test_a_chain_keeps_two_tensors_and_views_take_nothing():
    def chain(x):
        for _ in range(5):  # neither op writes over its input
            x = tf.reshape(tf.reverse(tf.reshape(x, [16, -1]), [0]), [-1])
        return x

    assert _live(chain, [KILO]).total == 2 * 1024


def test_ops_of_single_numbers_write_over_inputs_that_nobody_else_reads():
    def chain(x):
        x = tf.reverse(x, [0])
        for _ in range(5):
            x = tf.sqrt(x) + 1.0
        return x

    assert _live(chain, [KILO]).total == 1024


def test_activations_wait_for_the_backward_pass():
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in range(4):
                y = tf.sin(y)
            loss = tf.reduce_sum(y)
        return tape.gradient(loss, x)

    live = _live(gradient, [KILO])
    assert live.activations >= 3 * 1024 and live.backward >= 1024  # inputs of three sines, and a gradient
    assert live.total <= 6 * 1024 + 64


def test_what_nobody_asks_for_takes_nothing():
    def wasteful(x):
        tf.reverse(tf.tile(x, [1000]), [0])
        return tf.reverse(x, [0])

    assert _live(wasteful, [KILO]).total == 1024


def test_bytes_of_tensors():
    with tf.Graph().as_default():
        assert tensor_bytes(tf.zeros([2, 3], tf.bfloat16)) == 12
        assert tensor_bytes(tf.constant("text")) == 0
