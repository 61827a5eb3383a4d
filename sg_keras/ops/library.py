"""Finds and loads the compiled op library, and decides between the compiled and the reference implementations.

The library is built for one TensorFlow release, whose version is part of its file name, and lies beside this module.
Every op takes `impl`: "custom" is the compiled op (an error where it is missing), "reference" is plain TensorFlow,
and "auto" is the compiled op where it can serve, else the reference.
"""

from __future__ import annotations

import functools
import logging
import pathlib
from types import ModuleType

import tensorflow as tf

IMPLEMENTATIONS = ("auto", "custom", "reference")
CUSTOM_DTYPES = (tf.float32, tf.float64, tf.bfloat16)  # the types that the compiled kernels are built for
_OP_NAMES = (
    "sg_keras_bias_act",
    "sg_keras_bias_act_grad",
    "sg_keras_channel_dot",
    "sg_keras_channel_scale",
    "sg_keras_scale_bias_act",
    "sg_keras_scale_bias_act_grad",
    "sg_keras_upfirdn2d",
)
_HOW_TO_BUILD = "run `make ops` in a checkout or reinstall the package"

logger = logging.getLogger(__name__)


def library_path() -> pathlib.Path:
    """Where the library for the running TensorFlow belongs, whether it exists or not."""
    return pathlib.Path(__file__).with_name(f"sg_keras_ops-tf{tf.__version__}.so")


@functools.cache
def _load() -> tuple[ModuleType | None, str]:
    """Returns the loaded library and "", or None and one line on why there is none."""
    path = library_path()
    if not path.exists():
        others = sorted(other.name for other in path.parent.glob("sg_keras_ops-tf*.so"))
        found = f"found only {', '.join(others)}" if others else "found none"
        return None, f"no compiled ops for TensorFlow {tf.__version__} ({found}; {_HOW_TO_BUILD})"
    try:
        module = tf.load_op_library(str(path))
    except (tf.errors.NotFoundError, tf.errors.InvalidArgumentError, OSError) as error:
        reason = str(error).splitlines()[0]
        return None, f"{path} does not fit TensorFlow {tf.__version__} ({reason}; {_HOW_TO_BUILD})"
    missing = [name for name in _OP_NAMES if not hasattr(module, name)]
    if missing:
        return None, f"{path} is out of date, it lacks {', '.join(missing)} ({_HOW_TO_BUILD})"
    return module, ""


def custom_ops() -> ModuleType:
    """The loaded library.

    Raises:
      ValueError: there is no library that fits the running TensorFlow.
    """
    module, problem = _load()
    if module is None:
        raise ValueError(f"impl='custom': {problem}")
    return module


def custom_ops_problem() -> str:
    """One line on why the compiled ops cannot be used, or "" where they can."""
    return _load()[1]


@functools.cache
def _auto_choice() -> str:
    """What "auto" means in this process, logged once."""
    module, problem = _load()
    if module is None:
        logger.warning("ops: reference (pure TensorFlow), since there are %s", problem)
        return "reference"
    if tf.config.get_visible_devices("GPU"):
        logger.warning("ops: reference (pure TensorFlow), since the compiled ops have no GPU kernels yet")
        return "reference"
    logger.info("ops: custom (%s)", library_path().name)
    return "custom"


def resolve_impl(impl: str, dtype: tf.DType | str | None = None) -> str:
    """Which implementation `impl` means here: "custom" or "reference".

    Args:
      impl: "auto", "custom" or "reference".
      dtype: type of the data. "auto" takes the reference for types that the compiled kernels lack. None: any.

    Raises:
      ValueError: unknown `impl`, or "custom" where the library or a kernel for `dtype` is missing.
    """
    if impl not in IMPLEMENTATIONS:
        raise ValueError(f"impl: found {impl!r}, expected one of {', '.join(IMPLEMENTATIONS)}")
    if impl == "reference":
        return impl
    if impl == "custom":
        custom_ops()
    elif _auto_choice() == "reference":
        return "reference"
    if dtype is None or tf.as_dtype(dtype) in CUSTOM_DTYPES:
        return "custom"
    if impl == "auto":
        return "reference"
    names = ", ".join(d.name for d in CUSTOM_DTYPES)
    raise ValueError(f"impl='custom': found dtype {tf.as_dtype(dtype).name}, expected one of {names}")
