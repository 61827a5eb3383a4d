"""The options of `run_training.py`, as sg_keras.config.options declares them, and their absl flags.

The published trainer's options have its names and defaults (--metrics excepted); the others are ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from absl import flags as absl_flags

from sg_keras.config.options.declaration import GROUPS, MISC, REQUIRED, RUN, Option, options_of
from sg_keras.config.options.run import TrainingOptions
from sg_keras.flags.parsers import KindParser

__all__ = ["BY_KEY", "GROUPS", "MISC", "OPTIONS", "REQUIRED", "RUN", "Option", "define_flags"]

OPTIONS: tuple[Option, ...] = options_of(TrainingOptions)

BY_KEY: dict[str, Option] = {option.key: option for option in OPTIONS}


def define_flags(flag_values: absl_flags.FlagValues, options: Sequence[Option] = OPTIONS) -> None:
    """Register options as absl flags. Their values are None until they are parsed; defaults are the options'."""
    for option in options:
        parser = KindParser(option.kind)
        flag = absl_flags.Flag(parser, None, option.key, None, option.help, option.short or None)
        absl_flags.DEFINE_flag(flag, flag_values=flag_values)
