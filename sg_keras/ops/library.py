"""Finds and loads the compiled op library, and decides between the compiled and the reference implementations.

The library is built for one TensorFlow release, whose version is part of its file name, and lies beside this module;
the environment variable SG_KERAS_OPS_LIBRARY names another file, for tests of other builds. What it was built for is in
its stamp (`build_stamp`), which is compared with what is running before it is loaded. It holds its code for several
generations of processors and runs that for the newest; SG_KERAS_PROCESSOR holds it to an older one, for tests.

Every op takes `impl`: "custom" is the compiled op (an error where it is missing), "reference" is plain TensorFlow,
and "auto" is the compiled op where it can serve, else the reference.
"""

from __future__ import annotations

import ctypes
import functools
import logging
import os
import pathlib
from types import ModuleType

import tensorflow as tf

import sg_keras
from sg_keras.files.errors import first_line
from sg_keras.ops.build_stamp import BuildStamp, read_stamp, stamp_problem

#: The reference in the form that runs fastest in exported graphs: long filters as products with matrices.
PORTABLE = "portable"
IMPLEMENTATIONS = ("auto", "custom", "reference")
CUSTOM_DTYPES = (tf.float32, tf.float64, tf.bfloat16)  # the types that the compiled kernels for CPUs are built for
_OP_NAMES = (
    "sg_keras_bias_act",
    "sg_keras_bias_act_grad",
    "sg_keras_channel_dot",
    "sg_keras_channel_scale",
    "sg_keras_filtered_lrelu",
    "sg_keras_filtered_lrelu_masked",
    "sg_keras_scale_bias_act",
    "sg_keras_scale_bias_act_grad",
    "sg_keras_upfirdn2d",
    "sg_keras_warp_affine",
    "sg_keras_warp_affine_matrix_gradient",
    "sg_keras_warp_affine_transpose",
)
_HOW_TO_BUILD = "run `make ops` in a checkout or reinstall the package"
PATH_VARIABLE = "SG_KERAS_OPS_LIBRARY"  # of the environment: names another file
PROCESSOR_VARIABLE = "SG_KERAS_PROCESSOR"  # of the environment: the newest generation of processors whose code may run
PROCESSORS = ("baseline", "avx2", "avx512")

logger = logging.getLogger(__name__)


def library_path() -> pathlib.Path:
    """Where the library for the running TensorFlow belongs, whether it exists or not."""
    named = os.environ.get(PATH_VARIABLE)
    if named:
        return pathlib.Path(named).absolute()
    return pathlib.Path(__file__).with_name(f"sg_keras_ops-tf{tf.__version__}.so")


@functools.cache
def _load() -> tuple[ModuleType | None, str]:
    """Returns the loaded library and "", or None and one line on why there is none.

    Raises:
      ValueError: SG_KERAS_PROCESSOR names no generation of processors; other code than was wished for would run.
    """
    wish = os.environ.get(PROCESSOR_VARIABLE)
    if wish and wish not in PROCESSORS:
        raise ValueError(f"{PROCESSOR_VARIABLE}: found {wish!r}, expected one of {', '.join(PROCESSORS)}")
    path = library_path()
    if not path.exists():
        return None, f"no compiled ops for TensorFlow {tf.__version__} ({_found_instead(path)}; {_HOW_TO_BUILD})"
    try:
        running = sg_keras.__version__, tf.__version__, tf.sysconfig.CXX11_ABI_FLAG
        problem = stamp_problem(read_stamp(path), *running)
        module = None if problem else tf.load_op_library(str(path))
    except (tf.errors.NotFoundError, tf.errors.InvalidArgumentError, OSError) as error:
        problem = first_line(error)
    if problem:
        return None, f"{path} does not fit TensorFlow {tf.__version__} ({problem}; {_HOW_TO_BUILD})"
    missing = [name for name in _OP_NAMES if not hasattr(module, name)]
    if missing:
        return None, f"{path} is out of date, it lacks {', '.join(missing)} ({_HOW_TO_BUILD})"
    return module, ""


def _found_instead(path: pathlib.Path) -> str:
    if os.environ.get(PATH_VARIABLE):
        return f"{PATH_VARIABLE}: found no file {path}"
    others = sorted(other.name for other in path.parent.glob("sg_keras_ops-tf*.so"))
    return f"found only {', '.join(others)}" if others else "found none"


def library_stamp() -> BuildStamp | None:
    """What the library was built from and for; None where there is none that can be used."""
    return None if custom_ops_problem() else read_stamp(library_path())


def library_processor() -> str | None:
    """The generation of processors, of `PROCESSORS`, whose code the library runs here.

    None where there is no library that can be used, or one that is older than its sources and does not say.
    """
    if custom_ops_problem():
        return None
    loaded = ctypes.CDLL(str(library_path()))  # what TensorFlow has loaded
    if not hasattr(loaded, "sg_keras_processor"):
        return None
    loaded.sg_keras_processor.restype = ctypes.c_char_p
    return loaded.sg_keras_processor().decode()


def custom_ops() -> ModuleType:
    """The loaded library.

    Raises:
        ValueError: there is no library that fits the running TensorFlow, or SG_KERAS_PROCESSOR is wrong.
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
    problem = custom_ops_problem()
    if problem:
        logger.warning("ops: reference (pure TensorFlow), since there are %s", problem)
        return "reference"
    for gpu in tf.config.get_visible_devices("GPU"):
        problem = _gpu_problem(gpu)
        if problem:
            logger.warning("ops: reference (pure TensorFlow), since %s (%s)", problem, _HOW_TO_BUILD)
            return "reference"
    logger.info("ops: custom (%s)", library_path() if os.environ.get(PATH_VARIABLE) else library_path().name)
    return "custom"


def _gpu_problem(gpu: tf.config.PhysicalDevice) -> str:
    """What keeps the loaded library from serving this GPU, or ""."""
    stamp = library_stamp()
    if stamp is None or not stamp.has_cuda:
        return "the compiled ops have no GPU kernels: they were built where nvcc was not found"
    details = tf.config.experimental.get_device_details(gpu)
    capability = details.get("compute_capability")
    if capability is None or stamp.supports(capability):
        return ""
    found = f"{details.get('device_name', gpu.name)} has compute capability {capability[0]}.{capability[1]}"
    return f"{found}, and the compiled ops are for {stamp.cuda_archs} (SG_KERAS_CUDA_ARCHS adds others)"


@functools.cache
def custom_dtypes() -> tuple[tf.DType, ...]:
    """The types that the compiled ops take here: float16, too, where they run on GPUs."""
    gpus = tf.config.get_visible_devices("GPU")
    on_gpus = bool(gpus) and not custom_ops_problem() and not any(_gpu_problem(gpu) for gpu in gpus)
    return (*CUSTOM_DTYPES, tf.float16) if on_gpus else CUSTOM_DTYPES


def resolve_impl(impl: str, dtype: tf.DType | str | None = None) -> str:
    """Which implementation `impl` means here: "custom" or "reference".

    Args:
        impl: "auto", "custom" or "reference"; "portable" is the reference to all ops but resampling.
        dtype: type of the data. "auto" takes the reference for types that the compiled kernels lack. None: any.

    Raises:
        ValueError: unknown `impl`, or "custom" where the library or a kernel for `dtype` is missing.

    Example:
        >>> sg_keras.ops.resolve_impl("reference")
        'reference'
        >>> sg_keras.ops.resolve_impl("auto") in ("custom", "reference")
        True
    """
    if impl == PORTABLE:
        return "reference"
    if impl not in IMPLEMENTATIONS:
        raise ValueError(f"impl: found {impl!r}, expected one of {', '.join(IMPLEMENTATIONS)}")
    if impl == "reference":
        return impl
    if impl == "custom":
        custom_ops()
    elif _auto_choice() == "reference":
        return "reference"
    if dtype is None or tf.as_dtype(dtype) in custom_dtypes():
        return "custom"
    if impl == "auto":
        return "reference"
    names = ", ".join(d.name for d in custom_dtypes())
    raise ValueError(f"impl='custom': found dtype {tf.as_dtype(dtype).name}, expected one of {names}")
