"""How many floating point operations an iteration takes, counted in its traced graphs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import tensorflow as tf

from sg_keras.planning.live_tensors import tensor_size
from sg_keras.planning.products import Product, operations_that_run, products_of
from sg_keras.planning.traced_step import TracedStep

_UPFIRDN, _FILTERED_LRELU = "SgKeras>Upfirdn2d", ("SgKeras>FilteredLrelu", "SgKeras>FilteredLreluMasked")
_OWN = "SgKeras>"


@dataclasses.dataclass(frozen=True, slots=True)
class PhaseCost:
    """Floating point operations of one run of a phase for each image of the batch, two a multiply-add.

    Attributes:
        products: of convolutions and matrix products, those of augmentation not among them.
        filters: of the fused ops: FIR filters by their taps, others once a number.
    """

    products: float
    filters: float

    @property
    def total(self) -> float:
        """Of both."""
        return self.products + self.filters


def phase_costs(step: TracedStep, batch: int) -> dict[str, PhaseCost]:
    """Floating point operations of each phase.

    Args:
        step: traced.
        batch: images that each graph works on.
    """
    costs = {}
    for phase in step.phases:
        products = sum(product.flops * count for product, count in products_of(phase.graph).items())
        fused = sum(_fused_flops(op) for op in operations_that_run(phase.graph) if op.type.startswith(_OWN))
        costs[phase.name] = PhaseCost(products / batch, fused / batch)
    return costs


def flops_per_image(step: TracedStep, costs: Mapping[str, PhaseCost]) -> float:
    """Floating point operations for each image of an iteration, by those of its phases: each as often as it is due."""
    return sum(costs[phase.name].total / phase.interval for phase in step.phases)


def half_share(step: TracedStep, half_side: int) -> float:
    """Share of an iteration's operations in convolutions that see at least so many pixels a side."""
    every = large = 0.0
    for phase in step.phases:
        for product, count in products_of(phase.graph).items():
            flops = product.flops * count / phase.interval
            every += flops
            large += flops * (_side(product) >= half_side)
    return large / every if every else 0.0


def _side(product: Product) -> int:
    """Pixels a side of the larger images that a convolution reads or writes; 0 of matrix products."""
    shapes = (*product.operands, product.result)
    images = [shape for shape in shapes if len(shape) == 4] if product.op_type.startswith("Conv2D") else []
    # Kernels are [3,3,C,O]: small where images are not.
    return max((min(shape[1:3]) for shape in images), default=0)


def _fused_flops(op: tf.Operation) -> float:
    """Of one of our ops. Separable filters go over rows, then over columns."""
    result = tensor_size(op.outputs[0])
    if op.type == _UPFIRDN:
        taps = sum(-(-size // up) for size, up in zip(op.get_attr("filter_size"), op.get_attr("up"), strict=True))
        return 2.0 * taps * result
    if op.type in _FILTERED_LRELU:
        up, down = op.get_attr("up"), op.get_attr("down")
        between = result * down**2  # about as many as stand at the higher rate
        taps_up = sum(-(-size // up) for size in op.get_attr("up_size"))
        taps_down = op.get_attr("down_size")
        return 2.0 * between * taps_up + 2.0 * (between / down * taps_down[0] + result * taps_down[1])
    return float(result)
