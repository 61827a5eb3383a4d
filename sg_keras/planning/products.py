"""The convolutions and matrix products of a traced function.

Counted are the ops that mix channels: convolutions and their two gradients, matrix products. FIR filters are none of
them: they are depthwise convolutions or an op of ours, which have types of their own. Counted is what the function's
outputs and side effects depend on, which is what TensorFlow runs: gradients with respect to something that nobody asked
for are in the trace, but not in the count. (benchmarks.training_step compares with what ran.)
"""

from __future__ import annotations

import collections
import dataclasses
import math
from collections.abc import Iterable

import tensorflow as tf

from sg_keras.training.step.augmentation import SCOPE as AUGMENTATION

Shape = tuple[int, ...]

CONVOLUTIONS = ("Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter")
MATRIX_PRODUCTS = ("MatMul", "BatchMatMulV2", "Einsum")
_CONVOLUTION_ATTRIBUTES = ("strides", "padding", "explicit_paddings", "dilations")
_ATTRIBUTES = {
    **dict.fromkeys(CONVOLUTIONS, _CONVOLUTION_ATTRIBUTES),
    "MatMul": ("transpose_a", "transpose_b"),
    "BatchMatMulV2": ("adj_x", "adj_y"),
    "Einsum": ("equation",),
}
# Inputs that hold numbers; the other one of a convolution's gradient is the shape of the result.
_OPERANDS = {"Conv2DBackpropInput": (1, 2), "Conv2DBackpropFilter": (0, 2)}


@dataclasses.dataclass(frozen=True)
class Product:
    """One convolution, gradient of a convolution or matrix product: everything its speed depends on."""

    op_type: str
    operands: tuple[Shape, Shape]
    result: Shape
    dtype: str
    attributes: tuple[tuple[str, bool | str | tuple[int, ...]], ...]

    @property
    def flops(self) -> int:
        """Floating point operations, two a multiply-add; what meets padding is counted too."""
        if self.op_type in CONVOLUTIONS:
            return 2 * self._convolution_multiply_adds()
        return 2 * self._product_multiply_adds()

    def _convolution_multiply_adds(self) -> int:
        # The forward convolution that this is, or is the gradient of: each output pixel meets the whole kernel.
        kernel, output = {
            "Conv2D": (self.operands[1], self.result),
            "Conv2DBackpropInput": self.operands,
            "Conv2DBackpropFilter": (self.result, self.operands[1]),
        }[self.op_type]
        return math.prod(output[:3]) * math.prod(kernel)

    def _product_multiply_adds(self) -> int:
        attributes, (left, right) = dict(self.attributes), self.operands
        if self.op_type == "Einsum":
            labels = str(attributes["equation"]).split("->")[0].split(",")
            sizes = {
                label: size
                for term, shape in zip(labels, (left, right), strict=True)
                for label, size in zip(term, shape, strict=True)
            }
            return math.prod(sizes.values())
        transposed = attributes.get("transpose_a", attributes.get("adj_x"))
        return math.prod(self.result) * left[-2 if transposed else -1]

    def apply(self, left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
        """Run the op on operands of its shapes."""
        attributes = {name: list(v) if isinstance(v, tuple) else v for name, v in self.attributes}
        result = tf.constant(self.result)
        if self.op_type == "Conv2D":
            return tf.raw_ops.Conv2D(input=left, filter=right, **attributes)
        if self.op_type == "Conv2DBackpropInput":
            return tf.raw_ops.Conv2DBackpropInput(input_sizes=result, filter=left, out_backprop=right, **attributes)
        if self.op_type == "Conv2DBackpropFilter":
            return tf.raw_ops.Conv2DBackpropFilter(input=left, filter_sizes=result, out_backprop=right, **attributes)
        if self.op_type == "MatMul":
            return tf.raw_ops.MatMul(a=left, b=right, **attributes)
        if self.op_type == "BatchMatMulV2":
            return tf.raw_ops.BatchMatMulV2(x=left, y=right, **attributes)
        return tf.raw_ops.Einsum(inputs=[left, right], **attributes)

    def __str__(self) -> str:
        shapes = " ".join("x".join(map(str, shape)) for shape in self.operands)
        return f"{self.op_type} {shapes} -> {'x'.join(map(str, self.result))}"


def products_of(graph: tf.Graph) -> collections.Counter[Product]:
    """How often each product of the networks runs in one call of a traced function; augmentation is no part of them.

    Args:
        graph: of a concrete function.

    Raises:
        ValueError: a shape is not known, or products lie inside control flow, where their number is not known.
    """
    for name, nested in _nested_products(graph):
        raise ValueError(f"{name}: found {nested} inside control flow, expected all products in the function itself")
    ops = (op for op in operations_that_run(graph) if op.type in _ATTRIBUTES and AUGMENTATION not in op.name)
    return collections.Counter(_product(op) for op in ops)


def operations_that_run(graph: tf.Graph) -> set[tf.Operation]:
    """What the outputs and the side effects of a function depend on."""
    pending = [tensor.op for tensor in graph.outputs] + list(graph.control_outputs)
    found: set[tf.Operation] = set()
    while pending:
        op = pending.pop()
        if op not in found:
            found.add(op)
            pending += [tensor.op for tensor in op.inputs]
            pending += op.control_inputs
    return found


def _nested_products(graph: tf.Graph) -> Iterable[tuple[str, str]]:
    for function in graph.as_graph_def().library.function:
        for node in function.node_def:
            if node.op in _ATTRIBUTES:
                yield function.signature.name, node.op


def _product(op: tf.Operation) -> Product:
    first, second = _OPERANDS.get(op.type, (0, 1))
    tensors = (op.inputs[first], op.inputs[second], op.outputs[0])
    for tensor in tensors:
        if not tensor.shape.is_fully_defined():
            raise ValueError(f"{op.name}: found shape {tensor.shape}, expected one that is known at tracing")
    left, right, result = (tuple(tensor.shape.as_list()) for tensor in tensors)
    attributes = ((name, _plain(op.get_attr(name))) for name in _ATTRIBUTES[op.type])
    return Product(op.type, (left, right), result, op.outputs[0].dtype.name, tuple(attributes))


def _plain(value: bool | bytes | list[int]) -> bool | str | tuple[int, ...]:
    if isinstance(value, bytes):
        return value.decode()
    return tuple(value) if isinstance(value, list) else value
