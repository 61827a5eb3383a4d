"""A run's directory: made whole, used by one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

from sg_keras.checkpoint.resume import CONFIG_FILE
from sg_keras.checkpoint.whole_files import remove_partial, write_text
from sg_keras.config import TrainingConfig, next_run_number, run_directory_name

_LOCK_FILE = ".lock"
_ATTEMPTS = 100


def create_run_directory(config: TrainingConfig) -> pathlib.Path:
    """Make the next free run directory in --outdir; it has its training_config.json from the first moment on.

    Raises:
        OSError: the output directory cannot be written to.
    """
    outdir = pathlib.Path(config.run.outdir)
    outdir.mkdir(parents=True, exist_ok=True)
    new = pathlib.Path(tempfile.mkdtemp(prefix=".new-run-", dir=outdir))
    try:
        new.chmod(0o777 & ~_umask())
        (new / CONFIG_FILE).write_text(config.to_json(), encoding="utf-8")
        for _ in range(_ATTEMPTS):
            run_dir = outdir / run_directory_name(config, next_run_number(str(outdir)))
            with contextlib.suppress(FileExistsError, NotADirectoryError):
                return new.rename(run_dir)
            # OSError "directory not empty" of another run that took the name meanwhile
        raise OSError(f"{outdir}: found every next run directory taken by others, expected to get one")
    finally:
        shutil.rmtree(new, ignore_errors=True)
