"""The counting of convolutions and matrix products; nothing here depends on how fast they are."""

from __future__ import annotations

import collections

import pytest
import tensorflow as tf

from sg_keras.planning.products import Product, products_of

STRIDE_1 = (("strides", (1, 1, 1, 1)), ("padding", "SAME"), ("explicit_paddings", ()), ("dilations", (1, 1, 1, 1)))
STRIDE_2 = (("strides", (1, 2, 2, 1)), ("padding", "VALID"), ("explicit_paddings", ()), ("dilations", (1, 1, 1, 1)))
PRODUCTS_AND_FLOPS = [
    # 2 * outputs [N,H,W,O] * kernel [kh,kw,C]
    (Product("Conv2D", ((2, 8, 8, 3), (3, 3, 3, 5)), (2, 8, 8, 5), "float32", STRIDE_1), 2 * 640 * 27),
    (Product("Conv2D", ((2, 9, 9, 3), (3, 3, 3, 5)), (2, 4, 4, 5), "float32", STRIDE_2), 2 * 160 * 27),
    (Product("Conv2DBackpropInput", ((3, 3, 3, 5), (2, 4, 4, 5)), (2, 9, 9, 3), "float32", STRIDE_2), 2 * 160 * 27),
    (Product("Conv2DBackpropFilter", ((2, 9, 9, 3), (2, 4, 4, 5)), (3, 3, 3, 5), "float32", STRIDE_2), 2 * 160 * 27),
    # 2 * rows * columns * summed over
    (Product("MatMul", ((4, 6), (6, 7)), (4, 7), "float32", (("transpose_a", False), ("transpose_b", False))), 336),
    (Product("MatMul", ((6, 4), (7, 6)), (4, 7), "float32", (("transpose_a", True), ("transpose_b", True))), 336),
    (Product("BatchMatMulV2", ((3, 4, 6), (3, 7, 6)), (3, 4, 7), "float32", (("adj_x", False), ("adj_y", True))), 1008),
    (Product("Einsum", ((3, 4, 6), (6, 7)), (3, 4, 7), "float32", (("equation", "nij,jk->nik"),)), 1008),
]


@pytest.mark.parametrize(("product", "flops"), PRODUCTS_AND_FLOPS, ids=str)
def test_flops_are_two_a_multiply_add(product: Product, flops: int) -> None:
    assert product.flops == flops


@pytest.mark.parametrize("product", [product for product, _ in PRODUCTS_AND_FLOPS], ids=str)
def test_apply_runs_the_op_that_is_counted(product: Product) -> None:
    def run(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
        return product.apply(left, right)

    graph = tf.function(run).get_concrete_function(*(tf.TensorSpec(shape) for shape in product.operands)).graph
    assert graph.outputs[0].shape == product.result
    assert products_of(graph) == {product: 1}


def test_second_order_gradients_are_counted_and_what_nobody_needs_is_not() -> None:
    kernel = tf.Variable(tf.ones([3, 3, 2, 4]))

    @tf.function(autograph=False)
    def slope(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.nn.conv2d(x, kernel, 1, "SAME")
                total = tf.reduce_sum(y * y * y)
            gradient = inner.gradient(total, x)
            penalty = tf.reduce_sum(gradient**2)
        return outer.gradient(penalty, kernel)

    counts: collections.Counter[str] = collections.Counter()
    for product, count in products_of(slope.get_concrete_function(tf.TensorSpec([1, 8, 8, 2])).graph).items():
        counts[product.op_type] += count
    # Once forward, once for the slope in x, once for the derivative of that in its cotangent, and the kernel's gradient
    # both through the slope and through y. The gradient of the first tape in the kernel is traced, but nobody asks.
    assert counts == {"Conv2D": 2, "Conv2DBackpropInput": 1, "Conv2DBackpropFilter": 2}


def test_fir_filters_are_not_counted() -> None:
    @tf.function(autograph=False)
    def blur(x: tf.Tensor) -> tf.Tensor:
        return tf.nn.depthwise_conv2d(x, tf.ones([4, 4, 3, 1]), [1, 1, 1, 1], "VALID")

    assert not products_of(blur.get_concrete_function(tf.TensorSpec([1, 8, 8, 3])).graph)


def test_products_inside_control_flow_are_refused() -> None:
    @tf.function(autograph=False)
    def sometimes(x: tf.Tensor) -> tf.Tensor:
        return tf.cond(tf.reduce_sum(x) > 0, lambda: x @ x, lambda: x)

    with pytest.raises(ValueError, match="found MatMul inside control flow"):
        products_of(sometimes.get_concrete_function(tf.TensorSpec([4, 4])).graph)


def test_unknown_shapes_are_refused() -> None:
    @tf.function(autograph=False)
    def square(x: tf.Tensor) -> tf.Tensor:
        return tf.matmul(x, x, transpose_b=True)

    with pytest.raises(ValueError, match="expected one that is known"):
        products_of(square.get_concrete_function(tf.TensorSpec([None, 4])).graph)
