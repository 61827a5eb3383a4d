"""A tiny run, its iteration traced and its plan, made once for all tests that look at them."""

import dataclasses
import functools

from sg_keras.config import DatasetConfig, RunConfig, TrainingConfig, TrainingOptions, resolve
from sg_keras.planning.measured_steps import MeasuredSteps
from sg_keras.planning.plan import Plan, make_plan
from sg_keras.planning.published import PublishedRow
from sg_keras.planning.traced_step import TracedStep, trace_step

MEASURED = MeasuredSteps(
    iterations=20,
    phase_sec={"Gmain": 0.3, "Greg": 0.8, "Dmain": 0.4, "Dreg": 1.6},
    rest_sec=0.1,
    data_wait_sec=0.05,
    start_sec=30.0,
    peak_bytes=900_000_000,
    device_bytes=0,
    precision="float32",
    bfloat16_speedup=2.0,
)


def tiny_config(**options: object) -> TrainingConfig:
    options = {"cfg": "stylegan2", "batch": 8, "gamma": 1.0, "gpus": 0, "cbase": 64, "map_depth": 1} | options
    data = DatasetConfig(path="data", resolution=8, channels=1, num_images=100)
    return resolve(TrainingOptions(**options), data, RunConfig(outdir="runs", total_kimg=100))


@functools.cache
def tiny_step() -> TracedStep:
    return trace_step(tiny_config())


def rows(config: TrainingConfig) -> list[PublishedRow]:
    """The run itself on 1 and 8 GPUs, as if it were published."""
    one = dataclasses.replace(config, gpus=1)
    eight = dataclasses.replace(config, gpus=8, batch=64)
    slow, fast = {"V100": 20.0, "A100": 10.0}, {"V100": 3.0, "A100": 1.5}
    return [PublishedRow("tiny-1gpu", "Tiny", one, slow, 1.0), PublishedRow("tiny-8gpus", "Tiny", eight, fast, 1.0)]


@functools.cache
def tiny_plan() -> Plan:
    """With steps that nobody has measured."""
    config = tiny_config()
    return make_plan(config, rows(config), measure=lambda _: MEASURED, available=2 * 10**9, price_per_hour=3.0)
