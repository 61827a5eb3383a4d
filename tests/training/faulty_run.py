"""`run_training.py` with a fault that strikes in the midst of the run: `python -m tests.training.faulty_run FAULT ...`.

It strikes at the beginning of the seventh iteration: with --batch=8, --tick=0.032 and --snap=1 the newest checkpoint is
then that of tick 1, after five iterations.
"""

import os
import pathlib
import resource
import signal
import sys
import time

from sg_keras.data.pixels import CachedPixels
from sg_keras.tools.train import main
from sg_keras.training.step.stylegan import StyleGAN

AT_NIMG = 48
FILLER = "FILLER"  # environment variable: a file that fills its disk


def _raise() -> None:
    raise RuntimeError("the fault of the test")


def _stop() -> None:
    """As the scheduler does: a checkpoint is due at once."""
    os.kill(os.getpid(), signal.SIGTERM)


def _fill_disk() -> None:
    with pathlib.Path(os.environ[FILLER]).open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            filler.truncate(filler.tell() // 4096 * 4096 - 5 * 4096)  # less than a checkpoint takes
    _stop()


def _limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    _stop()


FAULTS = {
    "raise_while_reading": _raise,
    "stop_while_reading": _stop,
    "fill_disk": _fill_disk,
    "limit_files": _limit_files,
}


def _with_fault(fault: str) -> None:
    train_step, gather = StyleGAN.train_step, CachedPixels.gather

    def faulty_step(model: StyleGAN, data: dict) -> dict:
        if int(model.cur_nimg.numpy()) == AT_NIMG:
            FAULTS[fault]()
        return train_step(model, data)

    def slow_gather(pixels: CachedPixels, indices):
        time.sleep(0.5)
        return gather(pixels, indices)

    StyleGAN.train_step = faulty_step  # type: ignore[method-assign]
    if fault.endswith("_while_reading"):
        CachedPixels.gather = slow_gather  # type: ignore[method-assign]


if __name__ == "__main__":
    _with_fault(sys.argv[1])
    sys.exit(main(sys.argv[2:]))
