"""What a run holds in memory at its peak, by parts, from the graphs that it will run.

Tensors follow from the traced graphs (`live_tensors`), the state from its shapes. What Python and TensorFlow hold
before anything is built, and what tracing adds, is measured in this process. Three constants were
chosen by runs of three small configurations on a CPU, and the copies of a grid by a fourth: see their comments.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from sg_keras.config import TrainingConfig
from sg_keras.data.pipeline import PREFETCHED_BATCHES
from sg_keras.planning.live_tensors import LiveBytes, most_live_bytes
from sg_keras.planning.traced_step import TracedStep
from sg_keras.training.callbacks.image_grid import grid_size

#: TensorFlow's thread pools, its data pipeline's, and code and caches of kernels that are used for the first time.
_RUNTIME = 100 * 2**20
#: What an executor keeps of each op of a graph, beside what tracing has made of it in Python.
_BYTES_PER_OP = 7 * 2**10
#: Share of the tensors' memory that glibc's heap cannot use again for tensors of other sizes.
_FRAGMENTED = 0.12

_NUMBER = 4  # bytes, float32


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPlan:
    """Bytes of each part at the peak.

    Attributes:
        process: what Python and TensorFlow hold without a model.
        graphs: traced, and as TensorFlow executes them.
        networks: G, D and G_ema.
        optimizers: Adam's moments.
        gradients: of the trained variables.
        activations: of the phase that takes most.
        backward: gradients of activations and the like, at the same moment.
        batches: read ahead.
        grids: images of the run's grids.
        fragmented: heap that the allocator cannot use.
        peak_phase: that phase.
        micro_batch: images that it is for.
        on_gpu: whether tensors and state are on GPUs; graphs, batches read ahead and grids never are.
    """

    process: int
    graphs: int
    networks: int
    optimizers: int
    gradients: int
    activations: int
    backward: int
    batches: int
    grids: int
    fragmented: int
    peak_phase: str
    micro_batch: int
    on_gpu: bool

    @property
    def device_bytes(self) -> int:
        """On each GPU, of TensorFlow's allocator; on a CPU the same tensors in the process's memory."""
        return self.networks + self.optimizers + self.gradients + self.activations + self.backward

    @property
    def process_bytes(self) -> int:
        """Peak of the process's resident memory; with GPUs without what CUDA's libraries hold."""
        own = self.process + self.graphs + self.batches + self.grids
        return own if self.on_gpu else own + self.device_bytes + self.fragmented

    @property
    def limiting_bytes(self) -> int:
        """What has to fit: on the GPU, or else in the machine's memory."""
        return self.device_bytes if self.on_gpu else self.process_bytes

    @property
    def bytes_per_image(self) -> float:
        """What each image of a micro-batch takes."""
        return (self.activations + self.backward) * self._with_heap / self.micro_batch

    @property
    def _with_heap(self) -> float:
        return 1.0 if self.on_gpu else 1.0 + _FRAGMENTED

    def largest_micro_batch(self, available: int) -> int:
        """Images of the largest micro-batch for which so many bytes are enough, in proportion; 0 where none is."""
        rest = self.limiting_bytes - self.bytes_per_image * self.micro_batch
        return max(int((available - rest) / self.bytes_per_image), 0)

    def parts(self) -> Iterator[tuple[str, int]]:
        """Each part's name and bytes."""
        for field in dataclasses.fields(self):
            if field.type == "int" and field.name != "micro_batch":
                yield field.name, getattr(self, field.name)


def memory_plan(config: TrainingConfig, step: TracedStep, process: int, traced: int) -> MemoryPlan:
    """The memory of a run.

    Args:
        config: of the run.
        step: its iteration, traced.
        process: bytes that the process held before it was traced.
        traced: bytes that tracing added.
    """
    live = {phase.name: most_live_bytes(phase.graph) for phase in step.phases}
    peak_phase = max(live, key=lambda name: live[name].total)
    peak: LiveBytes = live[peak_phase]
    ops = sum(len(phase.graph.get_operations()) for phase in step.phases)
    on_gpu = config.gpus > 0
    return MemoryPlan(
        process=process,
        graphs=traced + _RUNTIME + ops * _BYTES_PER_OP,
        networks=step.sizes.networks,
        optimizers=step.sizes.optimizers,
        gradients=peak.gradients,
        activations=peak.activations,
        backward=peak.backward,
        batches=_batch_bytes(config),
        grids=_grid_bytes(config),
        fragmented=0 if on_gpu else int(_FRAGMENTED * peak.total),
        peak_phase=peak_phase,
        micro_batch=config.batch_gpu,
        on_gpu=on_gpu,
    )


def _batch_bytes(config: TrainingConfig) -> int:
    """Batches that are read, that wait, and two with the training step: uint8 images and labels."""
    data = config.dataset
    image = data.size.height * data.size.width * data.channels + _NUMBER * 5 * data.c_dim
    return image * config.batch * (PREFETCHED_BATCHES + data.workers + 2)


def _grid_bytes(config: TrainingConfig) -> int:
    """Images of a grid, uint8: the reals, their grid and the latest one of fakes stay; fakes and a file come and go."""
    data = config.dataset
    columns, rows = config.run.sample_grid or grid_size(data.resolution)
    return 5 * columns * rows * data.size.height * data.size.width * data.channels
