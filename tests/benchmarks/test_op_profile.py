"""Reading of TensorFlow's traces."""

from __future__ import annotations

import pytest
import tensorflow as tf

from benchmarks.op_profile import BETWEEN_OPS, OpRun, count_by_type, record_ops, seconds_by_kind
from sg_keras.ops import bias_act, library


def test_time_is_split_among_what_runs_together() -> None:
    runs = [
        OpRun("a", "Conv2D", "1", 0.0, 4.0),
        OpRun("b", "Mul", "2", 3.0, 5.0),  # one second beside the convolution
        OpRun("c", "MatMul", "1", 7.0, 8.0),
    ]
    found = seconds_by_kind(runs)
    assert found == pytest.approx(
        {"convolution": 3.5, "elementwise and rest": 1.5, "matrix product": 1.0, BETWEEN_OPS: 2.0}
    )
    assert sum(found.values()) == pytest.approx(8.0)


def test_nothing_recorded_is_nothing() -> None:
    assert seconds_by_kind([]) == {}


@pytest.mark.parametrize(
    ("op_type", "kind"),
    [
        ("_MklNativeConv2DBackpropFilter", "convolution"),
        ("DepthwiseConv2dNative", "upfirdn"),
        ("SgKeras>Upfirdn2d", "upfirdn"),
        ("_MklFusedMatMul", "matrix product"),
        ("BatchMatMulV2", "matrix product"),
        ("SgKeras>BiasActGrad", "bias_act"),
        ("ResourceApplyAdam", "optimizer"),
        ("StatelessRandomNormalV2", "random numbers"),
        ("Sum", "reduction"),
        ("StridedSlice", "data movement"),
        ("Mul", "elementwise and rest"),
    ],
)
def test_kinds(op_type: str, kind: str) -> None:
    assert OpRun("name", op_type, "thread", 0.0, 1.0).kind == kind


def test_recording_sees_each_op_with_its_type_and_time() -> None:
    @tf.function(autograph=False, jit_compile=False)
    def two_products(x: tf.Tensor) -> tf.Tensor:
        return tf.nn.relu(x @ x) @ x

    x = tf.random.normal([64, 64])
    two_products(x)
    runs = record_ops(lambda: two_products(x))
    assert sum(count for op_type, count in count_by_type(runs).items() if "MatMul" in op_type) == 2
    assert all(op.seconds >= 0 for op in runs)
    assert [op.start_sec for op in runs] == sorted(op.start_sec for op in runs)


@pytest.mark.skipif(bool(library.custom_ops_problem()), reason="no compiled ops")
def test_recording_sees_our_own_ops() -> None:
    """TensorFlow's profiler does not take types with a namespace for ops."""
    double = tf.function(lambda x: bias_act(x, act="lrelu", impl="custom"), autograph=False, jit_compile=False)
    x = tf.random.normal([4, 8])
    double(x)
    assert [op.kind for op in record_ops(lambda: double(x)) if op.op_type.startswith("SgKeras>")] == ["bias_act"]
