"""The published configurations with their speed, which of them is nearest to a run, and what GPUs need for that run."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Sequence

from sg_keras.config import TrainingConfig
from sg_keras.config.options.fields import FIELD_OPTIONS, flatten
from sg_keras.planning.step_time_model import Row, StepModel, fit, predict, row_of

GPU_TYPES = ("V100", "A100")
_GPUS = re.compile(r"-[0-9]+gpus?$")
#: Options that say where a run works and how long it goes on, and not what it is.
_BESIDE = {"outdir", "data", "metrics", "seed", "snap", "tick", "kimg", "desc", "workers", "ops", "resume", "cond"}


@dataclasses.dataclass(frozen=True)
class PublishedRow:
    """A published configuration.

    Attributes:
        name: of its recipe.
        title: what it is, for people.
        config: resolved, of a data set without labels.
        sec_per_kimg: seconds for a thousand images by GPU type, with the published code.
        gpu_gb: memory of each GPU with it.
    """

    name: str
    title: str
    config: TrainingConfig
    sec_per_kimg: dict[str, float]
    gpu_gb: float


@dataclasses.dataclass(frozen=True, slots=True)
class NearestRow:
    """The published configuration that is most like a run.

    Attributes:
        row: it.
        differences: option, the run's value, the row's.
    """

    row: PublishedRow
    differences: tuple[tuple[str, str, str], ...]


def nearest_row(config: TrainingConfig, rows: Iterable[PublishedRow]) -> NearestRow:
    """The row of the same network type, near in resolution, GPUs and batch, with the fewest other differences."""

    def distance(row: PublishedRow) -> tuple[float, int]:
        return _distance(config, row.config), len(_differences(config, row.config))

    nearest = min(rows, key=distance)
    return NearestRow(nearest, _differences(config, nearest.config))


def _distance(config: TrainingConfig, other: TrainingConfig) -> float:
    """Doublings between two runs, resolution counting most; another type of network is far away."""
    far = 0.0 if config.generator.cfg == other.generator.cfg else 10.0
    resolution = abs(math.log2(config.dataset.size.level / other.dataset.size.level))
    gpus = abs(math.log2(max(config.num_replicas, 1) / other.num_replicas))
    batch = abs(math.log2(config.batch / other.batch))
    return far + 2 * resolution + gpus + batch / 2


def _differences(config: TrainingConfig, other: TrainingConfig) -> tuple[tuple[str, str, str], ...]:
    """Options that are not alike, each once, beside the resolution."""
    ours, theirs = (dict(flatten(dataclasses.asdict(each))) for each in (config, other))
    found: dict[str, tuple[str, str]] = {}
    for field, value in ours.items():
        option = "resolution" if field == "dataset.resolution" else FIELD_OPTIONS.get(field)
        if option is not None and option not in _BESIDE and value != theirs[field]:
            found.setdefault(option, (_text(value), _text(theirs[field])))
    return tuple((option, *values) for option, values in found.items())


def _text(value: object) -> str:
    if value is None or value == "":
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


# ---- time on GPUs ----------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class GpuPace:
    """What a run would take on GPUs by the published rows.

    Attributes:
        gpu_type: such as "V100".
        sec_per_kimg: seconds for a thousand images.
        source: how that was worked out.
    """

    gpu_type: str
    sec_per_kimg: float
    source: str


class GpuModel:
    """The fitted model of the published rows.

    Args:
        rows: of all published configurations; those are fitted that are there for one GPU and for several.
    """

    def __init__(self, rows: Sequence[PublishedRow]) -> None:
        self._rows = _fitted_rows(rows)
        lines = [row_of(row.config, row.sec_per_kimg) for row in self._rows]
        self._models: dict[str, StepModel] = {kind: fit(lines, kind) for kind in GPU_TYPES}

    def reference(self, config: TrainingConfig) -> PublishedRow | None:
        """The fitted row with a run's type of network and the nearest resolution, on one GPU; None = no such type."""
        own = [row for row in self._rows if row.config.generator.cfg == config.generator.cfg and row.config.gpus == 1]
        level = config.dataset.size.level
        return min(own, key=lambda row: abs(math.log2(row.config.dataset.size.level / level)), default=None)

    def paces(self, config: TrainingConfig, flop_ratio: float) -> list[GpuPace]:
        """Time on each type of GPU.

        Args:
            config: of the run; without GPUs, as on one.
            flop_ratio: operations an image, relative to those of the reference.
        """
        reference = self.reference(config)
        if reference is None:
            return []
        configuration = row_of(reference.config).configuration
        row = dataclasses.replace(row_of(config), resolution=reference.config.dataset.size.level)
        source = f"published rows of {configuration}"
        if abs(flop_ratio - 1) > 0.01:
            source += f", x {flop_ratio:.3g} by operations"
        return [GpuPace(kind, self._predict(model, row, flop_ratio), source) for kind, model in self._models.items()]

    @staticmethod
    def _predict(model: StepModel, row: Row, flop_ratio: float) -> float:
        compute = {name: seconds * flop_ratio for name, seconds in model.compute.items()}
        return predict(dataclasses.replace(model, compute=compute), row)


def _fitted_rows(rows: Sequence[PublishedRow]) -> list[PublishedRow]:
    groups: dict[str, list[PublishedRow]] = {}
    for row in rows:
        groups.setdefault(_GPUS.sub("", row.name), []).append(row)
    return [
        row for group in groups.values() if len(group) > 1 and any(r.config.gpus == 1 for r in group) for row in group
    ]
