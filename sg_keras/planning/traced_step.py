"""The graphs of a run's iteration, traced without taking memory for its networks, however large they are.

The model is built in a graph that is never run, where a variable is a name and a shape. Its phases, the functions that
training compiles, are then traced of shapes alone, second derivatives included.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from sg_keras.config import TrainingConfig
from sg_keras.training.step.micro_batch import Data, IterationScalars
from sg_keras.training.step.phase import Phase
from sg_keras.training.step.stylegan import StyleGAN, build_stylegan


@dataclasses.dataclass(frozen=True)
class TracedPhase:
    """A phase as training runs it.

    Attributes:
        name: such as "Gmain".
        interval: it runs at every `interval`-th iteration.
        graph: of one replica's share of an iteration's batch, all rounds of micro-batches.
    """

    name: str
    interval: int
    graph: tf.Graph


@dataclasses.dataclass(frozen=True)
class StateSizes:
    """Bytes of what lasts from iteration to iteration, on each device.

    Attributes:
        networks: G, D and G_ema, their buffers included.
        optimizers: Adam's moments.
        snapshot: what the files of a network snapshot hold.
        checkpoint: what an exact checkpoint holds.
    """

    networks: int
    optimizers: int
    snapshot: int
    checkpoint: int


@dataclasses.dataclass(frozen=True)
class TracedStep:
    """A run's iteration.

    Attributes:
        phases: that have weight at some point of the run.
        sizes: of the state.
    """

    phases: tuple[TracedPhase, ...]
    sizes: StateSizes


def trace_step(config: TrainingConfig) -> TracedStep:
    """Trace the phases of one replica, as they are at the start of the run.

    Args:
        config: of the run; an "auto" precision counts as float32.

    Raises:
        ValueError: the configuration gives no networks; one line.

    Example:
        >>> from sg_keras.config import DatasetConfig, RunConfig, TrainingOptions, resolve
        >>> options = TrainingOptions(cfg="stylegan2", batch=4, gamma=1.0, gpus=0, cbase=64)
        >>> data = DatasetConfig(path="data", resolution=8, channels=1)
        >>> step = sg_keras.planning.traced_step.trace_step(resolve(options, data, RunConfig(outdir="runs")))
        >>> [(phase.name, phase.interval) for phase in step.phases]
        [('Gmain', 1), ('Greg', 4), ('Dmain', 1), ('Dreg', 16)]
    """
    config = _of_one_replica(config)
    with tf.Graph().as_default():
        model = build_stylegan(config)
    data, scalars = _data(config, model.num_phases), _scalars(config, model)
    # Outside of that graph: inside, == and != of tensors would be Python's.
    phases = tuple(
        TracedPhase(phase.name, phase.interval, _graph(model, phase, data, scalars)) for phase in model.phases
    )
    return TracedStep(phases, _sizes(model))


def _of_one_replica(config: TrainingConfig) -> TrainingConfig:
    """With the share of the batch, and of the devices, that one replica has."""
    share = config.batch // config.num_replicas
    # float16 as bfloat16: of the same size, and the compiled ops that GPUs have for both are there without a GPU, too.
    precision = {"auto": "float32", "float16": "bfloat16"}.get(config.precision, config.precision)
    return dataclasses.replace(config, batch=share, gpus=0, cpu_devices=1, cluster_size=1, precision=precision)


def _data(config: TrainingConfig, num_phases: int) -> Data:
    batch, data = config.batch, config.dataset
    return {
        "image": tf.TensorSpec([batch, data.size.height, data.size.width, data.channels], tf.uint8),
        "label": tf.TensorSpec([batch, data.c_dim], tf.float32),
        "gen_label": tf.TensorSpec([batch, num_phases, data.c_dim], tf.float32),
    }


def _scalars(config: TrainingConfig, model: StyleGAN) -> IterationScalars:
    """Which of an iteration's scalars there are: what is None is not in the graph."""
    number = tf.TensorSpec([], tf.float64)
    return IterationScalars(
        cur_nimg=tf.TensorSpec([], tf.int64),
        r1_gamma=number,
        pl_weight=number,
        adam_beta2=dict.fromkeys(model.optimizers, number),
        blur_sigma=None if model.schedules.at(0).blur_sigma is None else number,
        augment_p=None if config.augment.mode == "noaug" else tf.TensorSpec([], tf.float32),
    )


def _graph(model: StyleGAN, phase: Phase, data: Data, scalars: IterationScalars) -> tf.Graph:
    def on_replica(data: Data, scalars: IterationScalars) -> None:
        model.statistics.add(phase.update(model, data, scalars))

    return tf.function(on_replica, autograph=False).get_concrete_function(data, scalars).graph


def _sizes(model: StyleGAN) -> StateSizes:
    networks = {network.name: _bytes(network.variables) for network in (model.G, model.D, model.G_ema)}
    moments = sum(_bytes([*adam.momentums, *adam.velocities]) for adam in model.optimizers.values())
    whole = sum(networks.values())
    return StateSizes(whole, moments, snapshot=whole, checkpoint=_bytes(model.state_variables().values()))


def _bytes(variables: Iterable[Any]) -> int:
    return sum(math.prod(v.shape) * tf.as_dtype(v.dtype).size for v in variables)
