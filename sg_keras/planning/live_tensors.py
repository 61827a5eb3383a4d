"""How much memory the tensors of a graph take at once: each one from the op that makes it to the last that reads it.

Ops run in the order of their tracing, which is an order that TensorFlow may take; what nothing depends on does not run.
A tensor that only looks at another one's memory takes none of its own, and an op that works element by element takes
over the memory of an input that nobody else reads, as TensorFlow's do.
"""

from __future__ import annotations

import collections
import dataclasses
import math
from collections.abc import Iterable, Mapping

import tensorflow as tf

from sg_keras.planning.products import operations_that_run

#: Ops whose results are their inputs' memory.
_VIEWS = {
    *("Identity", "IdentityN", "Reshape", "ExpandDims", "Squeeze", "StopGradient", "PreventGradient", "EnsureShape"),
    *("Snapshot", "CheckNumerics", "Bitcast"),
}
#: Ops whose results belong to somebody else: variables and constants, arguments.
_HELD_ELSEWHERE = {"Placeholder", "NoOp", "Const", "VarHandleOp", "ReadVariableOp"}
#: Ops that can write their result over an input.
_IN_PLACE = {
    *("Abs", "Add", "AddN", "AddV2", "BiasAdd", "DivNoNan", "Exp", "LeakyRelu", "LeakyReluGrad", "Log", "Maximum"),
    *("Minimum", "Mul", "Neg", "Pow", "RealDiv", "Relu", "ReluGrad", "Rsqrt", "RsqrtGrad", "Select", "SelectV2"),
    *("Sigmoid", "Sign", "Softplus", "SoftplusGrad", "Sqrt", "SqrtGrad", "Square", "SquaredDifference", "Sub", "Tanh"),
}
_BACKWARD = "gradient_tape"  # in the names of what a gradient tape adds
_UPDATES = {"If", "StatelessIf"}  # ops that take the sums of gradients to the optimizer


@dataclasses.dataclass(frozen=True, slots=True)
class LiveBytes:
    """Bytes of a graph's tensors at the moment when they are the most.

    Attributes:
        activations: made on the way forward, the first derivatives of R1 and path lengths not among them.
        backward: made by gradient tapes.
        gradients: of the trained variables, which go to the optimizer.
    """

    activations: int
    backward: int
    gradients: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.activations + self.backward + self.gradients


class _Buffers:
    """Which tensors share memory, how large it is, and how often it is still read."""

    def __init__(self, ops: Iterable[tf.Operation]) -> None:
        self.of: dict[object, object] = {}  # tensor -> the one that owns its memory
        self.size: dict[object, int] = {}
        self.readers: collections.Counter[object] = collections.Counter()
        self.goes_to_update: set[object] = set()
        for op in ops:
            self._add(op)

    def _add(self, op: tf.Operation) -> None:
        for number, tensor in enumerate(op.outputs):
            key = tensor.ref()
            if op.type in _VIEWS and number < len(op.inputs):
                self.of[key] = self.of[op.inputs[number].ref()]
            else:
                self.of[key] = key
                self.size[key] = 0 if op.type in _HELD_ELSEWHERE else tensor_bytes(tensor)
        for owner in self.read_by(op):
            self.readers[owner] += 1
            if op.type in _UPDATES:
                self.goes_to_update.add(owner)

    def read_by(self, op: tf.Operation) -> list[object]:
        return [self.of[tensor.ref()] for tensor in op.inputs]

    def made_by(self, op: tf.Operation) -> list[object]:
        """Memory that an op takes anew."""
        return [key for key in (tensor.ref() for tensor in op.outputs) if self.of[key] == key and self.size[key]]


def tensor_size(tensor: tf.Tensor) -> int:
    """Numbers in a tensor of a graph whose rank is known; dimensions that are not known count as 1."""
    return math.prod(size or 1 for size in tensor.shape.as_list())


def tensor_bytes(tensor: tf.Tensor) -> int:
    """Of a tensor of a graph; dimensions that are not known count as 1, what are no numbers as nothing."""
    if tensor.shape.rank is None or not tensor.dtype.is_numpy_compatible or tensor.dtype == tf.string:
        return 0
    return tensor_size(tensor) * tensor.dtype.size


def most_live_bytes(graph: tf.Graph) -> LiveBytes:
    """Tensors of a traced function at the moment when they take the most memory.

    Variables, constants and arguments are not among them, nor what ops use while they run.

    Args:
        graph: of a concrete function, with shapes that are known.
    """
    needed = operations_that_run(graph)
    ops = [op for op in graph.get_operations() if op in needed]
    buffers = _Buffers(ops)
    held: dict[object, tf.Operation] = {}
    live, most, at_most = 0, -1, dict(held)
    for op in ops:
        reads = collections.Counter(buffers.read_by(op))
        for key in buffers.made_by(op):
            over = _overwritten(op, key, reads, buffers, held)
            if over is not None:
                del held[over]
                live -= buffers.size[over]
            held[key] = op
            live += buffers.size[key]
        if live > most:
            most, at_most = live, dict(held)
        buffers.readers.subtract(reads)
        for key in [*reads, *(tensor.ref() for tensor in op.outputs)]:
            if key in held and buffers.readers[key] == 0:
                del held[key]
                live -= buffers.size[key]
    return _by_kind(at_most, buffers)


def _overwritten(
    op: tf.Operation, made: object, reads: Mapping[object, int], buffers: _Buffers, held: Mapping[object, tf.Operation]
) -> object | None:
    """The input whose memory an op takes over for its result, if it can."""
    if op.type not in _IN_PLACE:
        return None
    size = buffers.size[made]
    fits = (key for key, n in reads.items() if key in held and buffers.readers[key] == n and buffers.size[key] == size)
    return next(fits, None)


def _by_kind(held: Mapping[object, tf.Operation], buffers: _Buffers) -> LiveBytes:
    kinds: collections.Counter[str] = collections.Counter()
    for key, op in held.items():
        kind = "backward" if _BACKWARD in op.name else "activations"
        kinds["gradients" if key in buffers.goes_to_update else kind] += buffers.size[key]
    return LiveBytes(kinds["activations"], kinds["backward"], kinds["gradients"])
