"""What a run says of an error that ends it, and what must be released then."""

from __future__ import annotations

import contextlib
import logging
import pathlib
import traceback
from collections.abc import Iterator

import tensorflow as tf

from sg_keras.checkpoint.manager import FOLDER, saved_checkpoints
from sg_keras.data import DataError
from sg_keras.files.errors import explain_file_error, first_line
from sg_keras.training.distribution.workers import LostWorkerError
from sg_keras.training.run_log import RunLog

_LOGGED_IN_FULL = ("sg_keras.checkpoint", "sg_keras.training.run_directory", "sg_keras.training.callbacks.status")


@contextlib.contextmanager
def messages_logged(log: RunLog) -> Iterator[None]:
    """Within, warnings of this package are lines of the log, and TensorFlow's are not shown.

    What is removed from a run directory is kept in log.txt alone.
    """
    handler = logging.Handler()
    handler.emit = lambda record: _tell(log, record)  # type: ignore[method-assign]
    logger = logging.getLogger("sg_keras")
    logger.addHandler(handler)
    propagate, logger.propagate = logger.propagate, False
    levels = {name: logging.getLogger(name).level for name in _LOGGED_IN_FULL}
    for name in levels:
        logging.getLogger(name).setLevel(logging.INFO)
    tf.get_logger().setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _tell(log: RunLog, record: logging.LogRecord) -> None:
    if record.levelno >= logging.WARNING:
        log.line(f"Note: {record.getMessage()}")
    else:
        log.keep(record.getMessage())


@contextlib.contextmanager
def errors_logged(log: RunLog, run_dir: pathlib.Path) -> Iterator[None]:
    """Keep what ends a run in log.txt; whoever started it prints it.

    An error of the files that the run writes (a full disk, one that became read-only) says how to go on.
    """
    try:
        yield
    except (DataError, LostWorkerError, ValueError) as error:
        log.keep(f"Error: {error}")
        raise
    except OSError as error:
        line = f"{explain_file_error(error)}; {_way_on(run_dir)}"
        log.keep(f"Error: {line}")
        raise OSError(line) from error
    except tf.errors.ResourceExhaustedError as error:
        reason = first_line(error)
        log.keep(f"Error: out of memory: {reason}")
        raise OSError(
            f"--batch-gpu: found too little memory for micro-batches of this size ({reason}), expected smaller ones, "
            "or on one device --batch-gpu=auto"
        ) from error
    except Exception:
        log.keep(traceback.format_exc())
        raise


def _way_on(run_dir: pathlib.Path) -> str:
    prefixes = saved_checkpoints(run_dir / FOLDER)
    if not prefixes:
        return "there is no checkpoint yet"
    return f"once that is mended, --resume={run_dir} goes on from its last whole checkpoint, {prefixes[-1].name}"


@contextlib.contextmanager
def clear_traceback_frames() -> Iterator[None]:
    """Within, an error takes along no local variables of the calls that it ended.

    Python keeps the traceback of an error that ends the process until it shuts down. A tf.data iterator in one of its
    frames would be destroyed only then, and would wait for readers that wait for Python: the process would hang.
    """
    try:
        yield
    except BaseException as error:
        for link in _chain(error):
            traceback.clear_frames(link.__traceback__)
        raise


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        link = waiting.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            yield link
            waiting += [link.__cause__, link.__context__]
