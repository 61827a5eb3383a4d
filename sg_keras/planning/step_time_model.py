"""The seconds of a training step by number of GPUs: a model, its fit, and the published rows as it takes them.

The model, for N GPUs of one machine:

    seconds an iteration = rounds * (overhead + batch_gpu * compute) + 2 (N - 1) / N * bytes / bandwidth
    seconds a kimg       = seconds an iteration * 1000 / batch

*compute*, seconds an image, belongs to a GPU type and configuration (cfg and resolution). *overhead*, seconds a round
of micro-batches, is what does not shrink with the micro-batch, such as starting kernels; it belongs to a GPU type and
cfg, whose layers are about the same in number at every resolution. *bandwidth* belongs to a GPU type. *bytes* is what a
ring all-reduce sums up: gradients of G and D in float32, each as often as its phases are due. A configuration has three
parameters, then, two of which it shares. The equation is linear in compute, overhead and 1 / bandwidth, so they are
found by least squares of relative errors, with none below zero.

Beyond one machine of 8, machines sum up over the network what each of them has summed up already, at full line rate and
while nothing else happens: 2 (M - 1) / M * bytes / network is added for M machines.
"""

from __future__ import annotations

import csv
import dataclasses
import pathlib
import re
from collections.abc import Callable, Iterable

import numpy as np
from scipy.optimize import nnls

from sg_keras.config import TrainingConfig
from sg_keras.config.sizes import image_size
from sg_keras.weights.parameter_counts import parameter_counts

FITTED, MACHINE = (1, 8), 8  # numbers of GPUs: of the rows that are fitted; of a machine
_BYTES = 4  # of a gradient's number, float32 in every precision
_SECONDS = "sec_per_kimg_"  # the rest of a column's name is the GPU type


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    cfg: str
    resolution: int
    gpus: int
    batch: int
    batch_gpu: int
    exchanged_gb: float  # gradients an iteration, 1e9 bytes
    sec_per_kimg: dict[str, float] = dataclasses.field(default_factory=dict)  # by GPU type, as published

    @property
    def configuration(self) -> str:
        """What compute belongs to. Of images that are no squares, the resolution is their level."""
        return f"{self.cfg} {self.resolution}x{self.resolution}"

    @property
    def rounds(self) -> int:
        """Micro-batches that a GPU works through in an iteration."""
        return self.batch // (self.gpus * self.batch_gpu)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StepModel:
    """The fitted parameters of one GPU type."""

    compute: dict[str, float]  # seconds an image, by configuration
    overhead: dict[str, float]  # seconds a round, by cfg
    exchange: float  # seconds a GB within a machine: 1 / bandwidth


def ring_share(members: int) -> float:
    """How often a ring all-reduce of so many members moves a buffer through each link."""
    return 2 * (members - 1) / members


def fit(rows: Iterable[Row], gpu_type: str) -> StepModel:
    """Parameters by the rows of 1 and 8 GPUs; others are not looked at."""
    chosen = [row for row in rows if row.gpus in FITTED]
    compute = sorted({row.configuration for row in chosen})
    overhead = sorted({row.cfg for row in chosen})
    column = {name: number for number, name in enumerate([*compute, *overhead])}
    terms = np.zeros((len(chosen), len(column) + 1))
    for line, row in zip(terms, chosen, strict=True):
        line[column[row.configuration]] = row.rounds * row.batch_gpu
        line[column[row.cfg]] = row.rounds
        line[-1] = ring_share(row.gpus) * row.exchanged_gb
        line *= 1000 / row.batch / row.sec_per_kimg[gpu_type]
    found, _ = nnls(terms, np.ones(len(chosen)))
    return StepModel(
        compute={name: float(found[column[name]]) for name in compute},
        overhead={name: float(found[column[name]]) for name in overhead},
        exchange=float(found[-1]),
    )


def predict(model: StepModel, row: Row, network_gbit: float = np.inf) -> float:
    """Seconds a kimg. Up to 8 GPUs are one machine, more are machines of 8 with such a network connection each."""
    work = row.rounds * (model.overhead[row.cfg] + row.batch_gpu * model.compute[row.configuration])
    within = ring_share(min(row.gpus, MACHINE)) * row.exchanged_gb * model.exchange
    between = ring_share(-(-row.gpus // MACHINE)) * row.exchanged_gb * 8 / network_gbit
    return (work + within + between) * 1000 / row.batch


def error(model: StepModel, row: Row, gpu_type: str) -> float:
    """Of the prediction, relative to the published seconds; positive = the model is too slow."""
    return predict(model, row) / row.sec_per_kimg[gpu_type] - 1


def grown(row: Row, gpus: int) -> Row:
    """The row of 8 GPUs on more of them, each with the same work: the batch grows."""
    return dataclasses.replace(row, gpus=gpus, batch=row.batch // row.gpus * gpus, sec_per_kimg={})


# ---- the table -------------------------------------------------------------------------------------------------------


def read_rows(path: pathlib.Path, read_options: Callable[[list[str], int], TrainingConfig]) -> list[Row]:
    """The lines of those configurations that are there for one GPU and for several.

    Args:
        path: of a CSV file.
        read_options: from the words of a command line and a resolution to the run's configuration.

    Raises:
        ValueError, OSError: no such table, other columns, or two groups of lines for the same configuration.
    """
    with path.open(newline="", encoding="utf-8") as table:
        reader = csv.DictReader(table)
        lines = list(reader)
    if not {"section", "label", "options"} <= set(reader.fieldnames or ()):
        raise ValueError(f"{path}: found columns {reader.fieldnames}, expected section, label, options and seconds")
    groups: dict[tuple[str, str], list[dict[str, str]]] = {}
    for line in lines:
        groups.setdefault((line["section"], line["label"]), []).append(line)
    rows: list[Row] = []
    for (section, label), group in groups.items():
        gpus = {_gpus(line["options"]) for line in group}
        if 1 not in gpus or len(gpus) < 2:
            continue
        found = [_read_row(line, read_options) for line in group]
        if {row.configuration for row in rows} & {row.configuration for row in found}:
            raise ValueError(f"{path}: found {found[0].configuration} again in {section}, {label}, expected it once")
        rows += found
    return rows


def _gpus(options: str) -> int:
    match = re.search(r"--gpus=([0-9]+)", options)
    return int(match.group(1)) if match else 0


def _read_row(line: dict[str, str], read_options: Callable[[list[str], int], TrainingConfig]) -> Row:
    match = re.search(r"([0-9]+)x[0-9]+", f"{line['section']} {line['label']}")
    if match is None:
        raise ValueError(f"{line['section']}, {line['label']}: found no resolution, expected one such as 256x256")
    seconds = {
        name.removeprefix(_SECONDS).upper(): float(text) for name, text in line.items() if name.startswith(_SECONDS)
    }
    return row_of(read_options(line["options"].split(), int(match.group(1))), seconds)


def row_of(config: TrainingConfig, sec_per_kimg: dict[str, float] | None = None) -> Row:
    """A run's line, with its networks' gradients; seconds as published, where they are known."""
    return Row(
        cfg=config.generator.cfg,
        resolution=image_size(config.dataset.resolution).level,
        gpus=max(config.gpus, 1) * config.cluster_size,
        batch=config.batch,
        batch_gpu=config.batch_gpu,
        exchanged_gb=exchanged_gb(config),
        sec_per_kimg=dict(sec_per_kimg or {}),
    )


def exchanged_gb(config: TrainingConfig) -> float:
    """Gradients that a run's iteration sums over its GPUs, on average: main phases always, regularisation when due."""
    counts = parameter_counts(config)
    G, D = counts["G"].parameters, counts["D"].parameters
    g_reg, d_reg = config.loss.g_reg_interval, config.loss.d_reg_interval
    return _BYTES * (G * (1 + (1 / g_reg if g_reg else 0)) + D * (1 + 1 / d_reg)) / 1e9
