"""Shows that a run killed at random moments ends in the same bits as one that was left alone.

    python -m examples.kill_and_resume [--kills=10] [--ops=custom,reference] [--seed=0] [--folder=DIR] [OPTION ...]

A small conditional StyleGAN2 on the built-in digits, on the CPU; options of training that stand at the end, such as
--cfg=stylegan3-r or --aug=ada, change it. For each implementation of the ops: one run without
interruption; one of half the length, killed with SIGKILL and continued; and one killed --kills times, every other time
in the midst of a save. The fingerprints of all three must be the same. Takes about a quarter of a minute a kill.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

_ROOT = pathlib.Path(__file__).parents[1]
_TICK_KIMG = 0.064  # 2 iterations and a checkpoint
_TICKS_A_KILL = 5  # more than a run gets ahead between two kills, so that it is not at its end before the last
_OPTIONS = (
    "--cfg=stylegan2", "--data=digits", "--cond=1", "--gpus=0", "--batch=32", "--gamma=0.01", "--aug=noaug",
    "--cbase=256", "--cmax=16", "--z-dim=32", "--w-dim=32", "--map-depth=2", f"--tick={_TICK_KIMG}", "--snap=1",
    "--image_snap=1000", "--sample-grid=8x8", "--metrics=none")  # fmt: skip
_LONGEST_SEC = 3600


_further_options: list[str] = []  # of the command line


def _start(outdir: pathlib.Path, ops: str, ticks: int) -> subprocess.Popen[str]:
    kimg = f"--kimg={ticks * _TICK_KIMG:g}"
    words = [sys.executable, str(_ROOT / "run_training.py"), f"--outdir={outdir}", f"--ops={ops}", kimg]
    return subprocess.Popen(
        [*words, *_OPTIONS, *_further_options, "--resume=latest"],
        cwd=_ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def _finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=_LONGEST_SEC)
    if process.returncode != 0:
        raise RuntimeError(f"a run ended with exit status {process.returncode}:\n{errors}")


def _wait(process: subprocess.Popen[str], condition: Callable[[], bool]) -> bool:
    """Wait until the condition holds; False if the process ended first."""
    deadline = time.monotonic() + _LONGEST_SEC
    while not condition():
        if process.poll() is not None:
            return False
        if time.monotonic() > deadline:
            raise TimeoutError(f"a run did nothing for {_LONGEST_SEC} s")
        time.sleep(0.0005)
    return True


def _status_lines(outdir: pathlib.Path) -> int:
    return sum(log.read_text(encoding="utf-8").count("\ntick ") for log in outdir.glob("*/log.txt"))


def _is_saving(outdir: pathlib.Path) -> bool:
    return any(outdir.glob("*/checkpoints/*_temp")) or any(outdir.glob("*/.partial-network-snapshot-*"))


def _kill_at_random(outdir: pathlib.Path, ops: str, ticks: int, in_a_save: bool) -> str:
    """Continue the run and kill it after a random time, or in the first save after that. Returns where it was."""
    process, before = _start(outdir, ops, ticks), _status_lines(outdir)
    _wait(process, lambda: _status_lines(outdir) > before)
    time.sleep(random.uniform(0, 1))
    saving = _wait(process, lambda: _is_saving(outdir)) if in_a_save else _is_saving(outdir)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    if process.returncode != -signal.SIGKILL:
        raise RuntimeError(f"a run ended with exit status {process.returncode} before it was killed:\n{errors}")
    return "in a save" if saving else "between saves"


def _fingerprint(outdir: pathlib.Path) -> str:
    (run_dir,) = outdir.iterdir()
    words = [sys.executable, "-m", "sg_keras.tools.fingerprint", str(run_dir)]
    return subprocess.run(words, cwd=_ROOT, check=True, capture_output=True, text=True).stdout.strip()


def _undisturbed(folder: pathlib.Path, ops: str, ticks: int) -> str:
    _finish(_start(folder, ops, ticks))
    return _fingerprint(folder)


def _half_and_half(folder: pathlib.Path, ops: str, ticks: int) -> str:
    """Train N of 2N iterations, SIGKILL, and train the rest."""
    half = _start(folder, ops, ticks)
    _wait(half, lambda: any(folder.glob(f"*/checkpoints/ckpt-{ticks // 2}.json")))
    half.send_signal(signal.SIGKILL)
    half.communicate()
    _finish(_start(folder, ops, ticks))
    return _fingerprint(folder)


def _killed(folder: pathlib.Path, ops: str, ticks: int, kills: int) -> str:
    for number in range(kills):
        moment = _kill_at_random(folder, ops, ticks, in_a_save=number % 2 == 1)
        print(f"  kill {number + 1:3d} {moment}, after {_status_lines(folder)} status lines in all", flush=True)
    _finish(_start(folder, ops, ticks))
    return _fingerprint(folder)


def main() -> int:
    """Exit status 0 if all fingerprints of an implementation are the same."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--ops", default="custom,reference")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--folder", type=pathlib.Path, help="empty or new; removed at the end if not given")
    arguments, further = parser.parse_known_args()
    _further_options.extend(further)
    random.seed(arguments.seed)
    same, ticks = True, max(_TICKS_A_KILL * arguments.kills, 100)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or pathlib.Path(temporary)
        for ops in arguments.ops.split(","):
            expected = _undisturbed(folder / f"undisturbed-{ops}", ops, ticks)
            print(f"{ops}: left alone          {expected}", flush=True)
            halves = _half_and_half(folder / f"halves-{ops}", ops, ticks)
            print(f"{ops}: N, SIGKILL, N       {halves}", flush=True)
            killed = _killed(folder / f"killed-{ops}", ops, ticks, arguments.kills)
            print(f"{ops}: killed {arguments.kills:3d} times    {killed}", flush=True)
            same = same and expected == halves == killed
    print("the same bits" if same else "DIFFERENT BITS")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
