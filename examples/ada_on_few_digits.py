"""What ADA is for: 300 of the digits, with and without it, the same length, several seeds.

    python -m examples.ada_on_few_digits --outdir=DIR [--kimg=100] [--seeds=3] [--ada_kimg=30] [--target=0.6]
        [--plot=PNG]

Trains a class-conditional StyleGAN2 on a fixed subset of the digits (`subset`), and looks at every network snapshot
with three questions. Does D still take held-out reals for real: the mean sign of its scores of the 300 it is trained
on, of the 1,497 it has never seen, and of fakes; overfitting is the gap between the first two. How far are fakes of
G_ema from all 1,797 reals: the Frechet distance of examples/digits_quality.py. And where is p.

Runs that are there already are not trained again. Writes curves.json in --outdir, and the plot.
"""

from __future__ import annotations

import argparse
import io
import json
import pathlib
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from sg_keras.tools.quiet_start import quiet_start

ROOT = pathlib.Path(__file__).resolve().parents[1]
SUBSET = 300
MODES = ("noaug", "ada")
_SNAPSHOT_KIMG = 10
_LOOKED_AT_KIMG = 20  # apart: a look takes as long as five kimg of training
_TRAINING = (
    "--cfg=stylegan2", "--cond=1", "--gpus=0", "--batch=32", "--gamma=0.01", "--cbase=512", "--cmax=64", "--z-dim=64",
    "--w-dim=64", "--map-depth=2", "--glr=0.0025", "--dlr=0.0025", "--ema_kimg=5", "--tick=2", "--image_snap=5",
    f"--snap={_SNAPSHOT_KIMG // 2}", "--sample-grid=10x10")  # fmt: skip


def subset() -> tuple[np.ndarray, np.ndarray]:
    """Which of the digits are trained on, and which are held out."""
    order = np.random.RandomState(0).permutation(1797)
    return np.sort(order[:SUBSET]), np.sort(order[SUBSET:])


def write_subset(path: pathlib.Path) -> None:
    """The data set of the 300, with their labels."""
    from sg_keras.data.digits import load_digits

    images, classes = load_digits()
    labels = []
    with zipfile.ZipFile(path, "w") as archive:
        for index in subset()[0]:
            png = io.BytesIO()
            Image.fromarray(images[index, :, :, 0]).save(png, "PNG")
            archive.writestr(f"{index:04d}.png", png.getvalue())
            labels.append([f"{index:04d}.png", int(classes[index])])
        archive.writestr("dataset.json", json.dumps({"labels": labels}))


def train(outdir: pathlib.Path, data: pathlib.Path, mode: str, seed: int, options: argparse.Namespace) -> pathlib.Path:
    """The run directory of a mode and seed, trained unless it is there and complete."""
    folder = outdir / f"{mode}-{seed}"
    augmentation = [f"--aug={mode}"]
    if mode == "ada":
        augmentation += [f"--ada_kimg={options.ada_kimg:g}", f"--target={options.target:g}"]
    words = [f"--outdir={folder}", f"--data={data}", f"--kimg={options.kimg:g}", f"--seed={seed}", *augmentation]
    command = [sys.executable, "run_training.py", *_TRAINING, *words, "--resume=latest"]
    print(f"{mode}, seed {seed} ...", flush=True)
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (run_dir,) = folder.iterdir()
    return run_dir


def curve(run_dir: pathlib.Path) -> list[dict[str, float]]:
    """The three questions, at each network snapshot."""
    p_at = {}
    for line in (run_dir / "stats.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        p_at[round(row["Progress/kimg"]["mean"])] = row["Progress/augment"]["mean"]
    snapshots = {_kimg(path): path for path in sorted(run_dir.glob("network-snapshot-*"))}
    return [_look_at(path, p_at) for kimg, path in snapshots.items() if kimg > 0 and kimg % _LOOKED_AT_KIMG == 0]


def _kimg(snapshot: pathlib.Path) -> int:
    return int(snapshot.name.rpartition("-")[2])


def _look_at(snapshot: pathlib.Path, p_at: dict[int, float]) -> dict[str, float]:
    import sg_keras
    from examples import digits_quality
    from sg_keras.data.digits import load_digits
    from sg_keras.ops.pixel_values import from_uint8

    networks = sg_keras.load(snapshot)
    images, classes = load_digits()
    images = from_uint8(images)
    labels = np.eye(10, dtype=np.float32)[classes]
    trained, held_out = subset()
    kimg = _kimg(snapshot)
    vectors, _ = digits_quality.generated_vectors(networks["G_ema"])
    z = np.random.RandomState(1).randn(SUBSET, networks["G"].z_dim).astype(np.float32)
    fakes = np.asarray(networks["G"](z, labels[trained], noise_mode="const"))
    return {
        "kimg": kimg,
        "p": p_at[min(p_at, key=lambda at: abs(at - kimg))],
        "trained": _mean_sign(networks["D"], images[trained], labels[trained]),
        "held_out": _mean_sign(networks["D"], images[held_out], labels[held_out]),
        "fakes": _mean_sign(networks["D"], fakes, labels[trained]),
        "frechet": digits_quality.frechet_distance(digits_quality.real_vectors()[0], vectors),
    }


def _mean_sign(D: Any, images: np.ndarray, labels: np.ndarray) -> float:
    """Mean sign of D's scores, in batches of the size it was trained with: it compares images within a batch."""
    signs = []
    for start in range(0, len(images) - 31, 32):
        batch = slice(start, start + 32)
        signs.append(np.sign(np.asarray(D(images[batch], labels[batch]))))
    return float(np.mean(signs))


# ---- all runs --------------------------------------------------------------------------------------------------------


def plot(curves: dict[str, list[list[dict[str, float]]]], path: pathlib.Path) -> None:
    """Signs, Frechet distance and p of both modes: a thin line a seed, a thick one for their mean."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 4, figsize=(16, 4), constrained_layout=True)

    def draw(axis: Any, mode: str, name: str, colour: str, label: str) -> None:
        kimg = [row["kimg"] for row in curves[mode][0]]
        seeds = np.array([[row[name] for row in rows] for rows in curves[mode]])
        axis.plot(kimg, seeds.T, color=colour, linewidth=0.7, alpha=0.6)
        axis.plot(kimg, seeds.mean(axis=0), color=colour, linewidth=2.5, label=label)

    for axis, (mode, title) in zip(axes, (("noaug", "without augmentation"), ("ada", "with ADA")), strict=False):
        for name, colour in {"trained": "tab:blue", "held_out": "tab:orange", "fakes": "tab:gray"}.items():
            draw(axis, mode, name, colour, name.replace("_", " "))
        axis.set(title=f"mean sign of D, {title}", ylim=(-1.35, 1.05))
        axis.legend(loc="lower center", ncol=3)
    for mode, colour, label in (("noaug", "tab:red", "without"), ("ada", "tab:green", "with ADA")):
        draw(axes[2], mode, "frechet", colour, label)
        draw(axes[3], mode, "p", colour, label)
    axes[2].set(title="Frechet distance to all 1,797", yscale="log")
    axes[3].set(title="p")
    for axis in axes:
        axis.set_xlabel("kimg")
    for axis in axes[2:]:
        axis.legend()
    figure.savefig(path, dpi=80)


def summary(curves: dict[str, list[list[dict[str, float]]]]) -> str:
    """Signs and Frechet distance of the last third of each run, whose looks swing, and the best and last distance."""
    lines = [
        "mean over the last third and the seeds (smallest..largest of the seeds)",
        "mode   trained  held out  gap                  Frechet, last third      at the end             best",
    ]
    for mode, runs in curves.items():
        late = [[row for row in rows if row["kimg"] > rows[-1]["kimg"] * 2 / 3] for rows in runs]
        trained, held_out, frechet = (
            np.array([np.mean([row[key] for row in rows]) for rows in late])
            for key in ("trained", "held_out", "frechet")
        )
        end = np.array([rows[-1]["frechet"] for rows in runs])
        best = np.array([min(row["frechet"] for row in rows) for rows in runs])
        lines.append(
            f"{mode:<6} {trained.mean():7.2f}  {held_out.mean():8.2f}  {_spread(trained - held_out):<19}  "
            f"{_spread(frechet):<23}  {_spread(end):<21}  {_spread(best)}"
        )
    return "\n".join(lines)


def _spread(values: np.ndarray) -> str:
    return f"{values.mean():.3f} ({values.min():.3f}..{values.max():.3f})"


def main(argv: Sequence[str] | None = None) -> int:
    """Train what is missing, look at it, print and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--outdir", type=pathlib.Path, required=True)
    parser.add_argument("--kimg", type=float, default=100)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--ada_kimg", type=float, default=30, help="thousands of images in which p may move by 1")
    parser.add_argument("--target", type=float, default=0.6, help="mean sign of D's scores of reals that p is led by")
    parser.add_argument("--plot", type=pathlib.Path, help="PNG file")
    options = parser.parse_args(argv)
    options.outdir.mkdir(parents=True, exist_ok=True)
    with quiet_start():
        import tensorflow  # noqa: F401
    data = options.outdir.resolve() / f"digits{SUBSET}.zip"
    if not data.exists():
        write_subset(data)
    curves: dict[str, list[list[dict[str, float]]]] = {mode: [] for mode in MODES}
    for seed in range(options.seeds):
        for mode in MODES:
            curves[mode].append(curve(train(options.outdir.resolve(), data, mode, seed, options)))
    (options.outdir / "curves.json").write_text(json.dumps(curves, indent=1) + "\n", encoding="utf-8")
    print(summary(curves))
    if options.plot:
        plot(curves, options.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
