"""Which ops TensorFlow ran, for how long, and what share of the time each kind of op took.

Read from TensorFlow's own profiler, whose trace holds every op that an executor ran, with its thread, start and end.
Recording costs a few microseconds an op, so the shares are a little off towards many small ops; no speed is taken from
a recorded run.
"""

from __future__ import annotations

import collections
import dataclasses
import pathlib
import re
import tempfile
from collections.abc import Callable, Iterable

import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from sg_keras.training.step.augmentation import SCOPE as AUGMENTATION

# The first pattern found in an op's type decides. oneDNN's ops are called _MklNativeConv2D, _MklFusedMatMul and such.
_KINDS = (
    ("filtered_lrelu", r"FilteredLrelu"),
    ("upfirdn", r"Upfirdn2d|DepthwiseConv2d"),
    ("convolution", r"Conv2D"),
    ("matrix product", r"MatMul|Einsum"),
    ("bias_act", r"BiasAct|BiasAdd|LeakyRelu"),
    ("optimizer", r"ResourceApply|AssignVariableOp|AssignAddVariableOp"),
    ("random numbers", r"Random"),
    ("reduction", r"^_?(Mkl)?(Sum|Mean|Max|L2Loss|All|Prod|AddN)$"),
    (
        "data movement",
        r"Transpose|Pad|Slice|Concat|Tile|Pack|Reverse|Fill|Gather|Split|Cast|Copy|ZerosLike|Broadcast|"
        r"Reshape|Identity|ExpandDims|Squeeze|Shape|Const",
    ),
)
_OURS = re.compile(r"SgKeras>\w+")
_REST = "elementwise and rest"
BETWEEN_OPS = "between ops"


@dataclasses.dataclass(frozen=True)
class OpRun:
    """One run of one op."""

    name: str
    op_type: str
    thread: str
    start_sec: float
    end_sec: float

    @property
    def seconds(self) -> float:
        """How long it ran."""
        return self.end_sec - self.start_sec

    @property
    def kind(self) -> str:
        """What sort of op it is, for sums over many. Augmentation is one, whatever its ops do."""
        if AUGMENTATION in self.name:
            return AUGMENTATION
        return next((kind for kind, pattern in _KINDS if re.search(pattern, self.op_type)), _REST)


def record_ops(run: Callable[[], object]) -> list[OpRun]:
    """Every op that runs on the CPU during `run`, in order of their starts."""
    options = tf.profiler.experimental.ProfilerOptions(host_tracer_level=3, python_tracer_level=0)
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder, options=options)
        try:
            run()
        finally:
            tf.profiler.experimental.stop()
        traces = list(pathlib.Path(folder).rglob("*.xplane.pb"))
        runs = [op for trace in traces for op in _ops_of(trace.read_bytes())]
    return sorted(runs, key=lambda op: op.start_sec)


def _ops_of(trace: bytes) -> Iterable[OpRun]:
    space = xplane_pb2.XSpace()
    space.ParseFromString(trace)
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                about = plane.event_metadata[event.metadata_id]
                name, _, op_type = about.name.partition(":")
                # The profiler does not know op types with a namespace for such and displays another name.
                if op_type.startswith(":") or not (op_type == about.display_name or _OURS.fullmatch(op_type)):
                    continue  # what the executor, the allocator and Python did
                start = line.timestamp_ns * 1e-9 + event.offset_ps * 1e-12
                yield OpRun(name, op_type, line.name, start, start + event.duration_ps * 1e-12)


def count_by_type(runs: Iterable[OpRun]) -> collections.Counter[str]:
    """How often each type of op ran."""
    return collections.Counter(op.op_type for op in runs)


def seconds_by_kind(runs: Iterable[OpRun], of: Callable[[OpRun], str] = lambda op: op.kind) -> dict[str, float]:
    """The time from the first op's start to the last one's end, split among the kinds of ops that ran in it.

    A moment in which several ops ran counts for each in equal parts, one in which none ran as `BETWEEN_OPS`.

    Args:
        runs: in order of their starts.
        of: the kind of an op.
    """
    edges = sorted([(op.start_sec, 1, of(op)) for op in runs] + [(op.end_sec, -1, of(op)) for op in runs])
    seconds: collections.Counter[str] = collections.Counter()
    running: collections.Counter[str] = collections.Counter()
    last = edges[0][0] if edges else 0.0
    for at, step, kind in edges:
        total = running.total()
        for other, count in running.items():
            seconds[other] += (at - last) * count / total if total else 0.0
        if not total:
            seconds[BETWEEN_OPS] += at - last
        running[kind] += step
        last = at
    return dict(seconds.most_common())
