"""Networks that a tool's command line names, with errors that begin with the option as it is called there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from sg_keras.files.errors import explain_file_error

if TYPE_CHECKING:
    from sg_keras.models import Generator
    from sg_keras.weights import Networks

Result = TypeVar("Result")


def load_generator(typed: str, ops: str) -> Generator:
    """G_ema of what --network names.

    Args:
        typed: the value of --network.
        ops: implementation of the fused ops.

    Raises:
        ValueError: there are no such networks; one line that begins with --network.
    """
    return load_networks("--network", typed, ops, ("G_ema",))["G_ema"]


def label_facts(typed: str) -> tuple[str, np.ndarray, tuple[str, ...]]:
    """What the labels of the networks that --network names are: "classes", "vectors" or "" (not known), and examples.

    Args:
        typed: the value of --network.

    Returns:
        The kind; label vectors of training images, float32 [n,c_dim], none where none are kept; names of classes.
    """
    from sg_keras.weights import training_config

    config = named_errors("--network", lambda: training_config(typed))
    if config is None:
        return "", np.zeros([0, 0], np.float32), ()
    data = config.dataset
    examples = np.array(data.label_examples, np.float32).reshape([-1, max(data.c_dim, 1)])
    return data.label_kind, examples, data.class_names


def load_networks(option: str, typed: str, ops: str, names: Sequence[str]) -> Networks:
    """Networks of what an option or argument names: see `sg_keras.weights.load`.

    Args:
        option: what to call it in errors.
        typed: its value.
        ops: implementation of the fused ops.
        names: which networks are wanted.

    Raises:
        ValueError: there are no such networks; one line that begins with `option`.
    """
    from sg_keras.weights import load

    return named_errors(option, lambda: load(typed, ops, names))


def named_errors(option: str, work: Callable[[], Result]) -> Result:
    """What `work` returns.

    Raises:
        ValueError: in place of a ValueError or an OSError of `work`; one line that begins with `option`.
    """
    try:
        return work()
    except OSError as error:
        raise ValueError(f"{option}: {explain_file_error(error)}") from error
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from error
