"""Frozen configuration of a training run: the one description that every subpackage agrees on."""

from sg_keras.config.cluster import Cluster, cluster_of_tf_config
from sg_keras.config.continuation import continued_config, devices_text, forked_config
from sg_keras.config.differences import adopt_choices, compare, format_differences
from sg_keras.config.freeze import FreezeRule, parse_freeze
from sg_keras.config.options import TrainingOptions
from sg_keras.config.parts import (
    AugmentConfig,
    DatasetConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    LossConfig,
    OptimizerConfig,
    RunConfig,
)
from sg_keras.config.presets import PRESETS, decide_precision, resolve, resolve_run
from sg_keras.config.resume import ResumeRequest
from sg_keras.config.run_directory import next_run_number, run_directory_name, run_number
from sg_keras.config.training_config import TrainingConfig

__all__ = [
    "PRESETS",
    "AugmentConfig",
    "Cluster",
    "DatasetConfig",
    "DiscriminatorConfig",
    "FreezeRule",
    "GeneratorConfig",
    "LossConfig",
    "OptimizerConfig",
    "ResumeRequest",
    "RunConfig",
    "TrainingConfig",
    "TrainingOptions",
    "adopt_choices",
    "cluster_of_tf_config",
    "compare",
    "continued_config",
    "decide_precision",
    "devices_text",
    "forked_config",
    "format_differences",
    "next_run_number",
    "parse_freeze",
    "resolve",
    "resolve_run",
    "run_directory_name",
    "run_number",
]
