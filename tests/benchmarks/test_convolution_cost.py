"""Products run alone really run."""

from __future__ import annotations

import pytest

from benchmarks.convolution_cost import TimedAlone
from benchmarks.op_profile import record_ops
from sg_keras.planning.products import Product
from tests.planning.test_products import PRODUCTS_AND_FLOPS


@pytest.mark.parametrize("product", [product for product, _ in PRODUCTS_AND_FLOPS[:5]], ids=str)
def test_every_repeat_really_runs(product: Product) -> None:
    timed = TimedAlone(product, repeats=6)
    kinds = [op.kind for op in record_ops(lambda: timed.seconds(calls=2))]
    assert sum(kind in ("convolution", "matrix product") for kind in kinds) == 12
