"""The demos, `make demo` and `make demo-stylegan3`: train on handwritten digits, look at the result, measure, export.

    python -m examples.demo_digits [--cfg=stylegan2|stylegan3-t|stylegan3-r] [--outdir=DIR] [--minutes=MAX]
        [--kimg=KIMG]

Trains a class-conditional generator on the 1,797 digits of the UCI optical recognition set, on the CPU, in a run
directory of its own each time, for a number of minutes at most. What is done then, in that directory:
  demo-grid.png       100 images of G_ema, a row a digit, not truncated and not selected
  demo-quality.json   the three measures of examples/digits_quality.py
  demo-walk.webp      a short film of a moving latent (StyleGAN3)
  demo-savedmodel/    G_ema for use without sg_keras
  demo-savedmodel.png a grid that a second process, without sg_keras, made with it
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import pathlib
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sg_keras.tools.quiet_start import quiet_start

ROOT = pathlib.Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True)
class Demo:
    """What is trained, and for how long at most; --kimg is chosen so that two cores finish within that."""

    flags: tuple[str, ...]
    max_minutes: float
    films: bool = False


_COMMON = (
    "--data=digits",
    "--cond=1",
    "--gpus=0",
    "--batch=32",
    "--gamma=1",
    "--aug=noaug",
    "--cbase=512",
    "--z-dim=64",
    "--w-dim=64",
    "--map-depth=2",
    "--glr=0.0025",
    "--dlr=0.0025",
    "--ema_kimg=5",
    "--tick=2",
    "--snap=10",
    "--image_snap=5",
    "--sample-grid=10x10",
    "--metrics=fd1k",
    "--features=boxes",
)
_STYLEGAN3_R = ("--batch=16", "--gamma=0.3", "--cbase=1024", "--cmax=32", "--ema_kimg=2.5", "--blur_fade_kimg=16")
DEMOS = {
    "stylegan2": Demo(("--cfg=stylegan2", *_COMMON, "--cmax=64", "--kimg=160"), 8),
    "stylegan3-t": Demo(("--cfg=stylegan3-t", *_COMMON, "--cmax=32", "--kimg=64"), 20, films=True),
    "stylegan3-r": Demo(("--cfg=stylegan3-r", *_COMMON, *_STYLEGAN3_R, "--kimg=40"), 20, films=True),
}
STOP_GRACE_SEC = 120.0  # for saving the state after the time is up
COLUMNS = 10
WALK_SEEDS = range(8)
FRAMES_BETWEEN, FRAMES_PER_SEC = 15, 30
ENLARGED = 6  # pixels of the film for each of the image


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; exit status 0 unless a step of it fails. Missing a quality target is no failure."""
    options = _parse(argv)
    started = time.monotonic()
    demo = DEMOS[options.cfg]
    minutes = demo.max_minutes if options.minutes is None else options.minutes
    command = training_command(options.outdir, demo, options.kimg)
    _headline("Training on 1,797 handwritten digits", f"{minutes:g} minutes at most; Ctrl-C stops and saves")
    print(shlex.join(command), flush=True)
    try:
        finished = train(command, minutes * 60)
        with quiet_start():
            import tensorflow  # noqa: F401
        run_dir = newest_run(options.outdir)
        places = show(run_dir, demo)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nStopped. To go on: {shlex.join([*command, '--resume=latest'])}", file=sys.stderr)
        return 130
    _headline("Where everything is", f"after {(time.monotonic() - started) / 60:.1f} minutes")
    _print_places(run_dir, places, command, finished)
    return 0


def training_command(outdir: str, demo: Demo, kimg: float | None = None) -> list[str]:
    """The command of a demo's training run; it can be given by hand, too."""
    flags = [flag if kimg is None or not flag.startswith("--kimg=") else f"--kimg={kimg:g}" for flag in demo.flags]
    return [sys.executable, "run_training.py", f"--outdir={outdir}", *flags]


def train(command: Sequence[str], max_sec: float) -> bool:
    """Run the training command with its own display; at the time limit it is asked to save its state and stop.

    Returns:
        Whether it came to its end before that.

    Raises:
        subprocess.CalledProcessError: it failed.
        KeyboardInterrupt: the user interrupted it; its state is saved.
    """
    with subprocess.Popen(command, cwd=ROOT) as process, _ended_on_error(process):
        try:
            status = process.wait(max_sec)
            finished = True
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            status = process.wait(STOP_GRACE_SEC)
            finished = False
    if status != 0:
        raise subprocess.CalledProcessError(status, shlex.join(command))
    return finished


@contextlib.contextmanager
def _ended_on_error(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:  # the terminal has sent it to the training process as well, which saves now
        process.wait(STOP_GRACE_SEC)
        raise
    except BaseException:
        process.kill()
        raise


def newest_run(outdir: str) -> pathlib.Path:
    """The run directory that was made last."""
    from sg_keras.checkpoint.resume import newest_run_directory

    run_dir = newest_run_directory(ROOT / outdir)
    if run_dir is None:
        raise OSError(f"{outdir}: found no run directory, expected the one of the training run")
    return run_dir


def show(run_dir: pathlib.Path, demo: Demo) -> dict[str, pathlib.Path]:
    """Draw, measure and export G_ema of a run, and use the export in a second process.

    Returns:
        What it left in the run directory, by what it is.
    """
    import sg_keras
    from examples import digits_quality
    from sg_keras.export.saved_model import export_saved_model

    names = {
        "grid": "demo-grid.png",
        "quality": "demo-quality.json",
        "model": "demo-savedmodel",
        "model's grid": "demo-savedmodel.png",
    } | ({"film": "demo-walk.webp"} if demo.films else {})
    places = {what: run_dir / name for what, name in names.items()}
    _headline("An image grid", "a row a digit, no truncation, not selected")
    G_ema = sg_keras.load(run_dir)["G_ema"]
    write_grid(G_ema, places["grid"])
    print(places["grid"])

    _headline("How good they are", "2,000 samples of G_ema against the 1,797 real digits")
    measures = digits_quality.measure(G_ema)
    places["quality"].write_text(json.dumps(measures, indent=2) + "\n", encoding="utf-8")
    print(digits_quality.report(measures))
    if not digits_quality.meets_targets(measures):
        print("  Below target: training was too short here. It can be continued, see below.")

    if demo.films:
        _headline("A film", "a walk through the latents of eight digits: details move with the strokes they belong to")
        write_walk(G_ema, places["film"])
        print(places["film"])

    _headline("A SavedModel", "exported here, then loaded by a process that does not import sg_keras")
    export_saved_model(G_ema, places["model"])
    use_elsewhere(places["model"], places["model's grid"])
    return places


def use_elsewhere(model: pathlib.Path, grid: pathlib.Path) -> None:
    """Let a process that does not import sg_keras draw a grid with an exported model."""
    script = pathlib.Path(__file__).with_name("use_savedmodel.py")
    result = subprocess.run(
        [sys.executable, str(script), str(model), str(grid)],
        cwd=model.parent,
        text=True,
        capture_output=True,
        check=False,
    )
    if result.returncode != 0:
        raise OSError(f"{script.name}: found exit status {result.returncode}, expected 0:\n{result.stderr.strip()}")
    print(result.stdout.strip())


def write_grid(G: Any, path: pathlib.Path) -> None:
    """A grid of seeds 0, 1, 2 ... with a row for each class."""
    from sg_keras.files.atomic import atomic_file
    from sg_keras.inference import generate, png_bytes, tile

    classes = [row for row in range(G.c_dim) for _ in range(COLUMNS)]
    images = np.stack(list(generate(G, range(len(classes)), classes)))
    with atomic_file(path) as beside:
        beside.write_bytes(png_bytes(tile(images, COLUMNS)))


def write_walk(G: Any, path: pathlib.Path) -> None:
    """A closed film of the styles of some seeds, each of the next class."""
    from sg_keras.inference import film_format, interpolate, write_film

    classes = [seed % G.c_dim for seed in WALK_SEEDS]
    film = interpolate(G, WALK_SEEDS, classes, frames_between=FRAMES_BETWEEN)
    write_film(path, film, film_format(path, FRAMES_PER_SEC), enlarge=ENLARGED)


def _print_places(
    run_dir: pathlib.Path, places: dict[str, pathlib.Path], command: Sequence[str], finished: bool
) -> None:
    print(f"{run_dir}/")
    rows = [
        (places["grid"].name, "the image grid"),
        (f"{places['model'].name}/", "the exported model; description.json in it says how to use it"),
        (places["model's grid"].name, "images made with that"),
        (places["quality"].name, "the measures"),
        *([(places["film"].name, "a film of a moving latent; browsers play it")] if "film" in places else []),
        ("reals.png, fakes*.png", "real digits, and the generator's while it learned"),
        ("log.txt, stats.jsonl", "what was printed, and the statistics"),
        ("checkpoints/", "the exact state, from which the run can be continued"),
    ]
    for name, meaning in rows:
        print(f"  {name:<23} {meaning}")
    program = [sys.executable, "-m"]
    generate = ["sg_keras.tools.generate", f"--network={run_dir}", "--seeds=0-63", "--class=3", "--outdir=images"]
    longer = [_twice_as_long(word) if finished else word for word in command]
    for label, words in (
        ("TensorBoard", [*program, "tensorboard.main", f"--logdir={run_dir}"]),
        ("More images", [*program, *generate]),
        ("Continue this run, to the same bits as if it had never stopped", [*longer, f"--resume={run_dir}"]),
    ):
        print(f"\n{label}:\n  {shlex.join(words)}")


def _twice_as_long(word: str) -> str:
    name, _, value = word.partition("=")
    return f"{name}={2 * float(value):g}" if name == "--kimg" else word


def _headline(title: str, details: str) -> None:
    print(f"\n=== {title} ({details})", flush=True)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train on handwritten digits and look at the result.")
    parser.add_argument("--cfg", choices=DEMOS, default="stylegan2", help="what is trained")
    parser.add_argument("--outdir", default="runs/demo", help="where run directories are made")
    parser.add_argument("--minutes", type=float, help="of training, at most; the demo's own by default")
    parser.add_argument("--kimg", type=float, help="thousands of images to train on, instead of the demo's")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
