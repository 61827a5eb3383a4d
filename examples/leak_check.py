"""Does the leak check find what leaks? Trains on the digits with augmentation, and looks at the images that come out.

    python -m examples.leak_check --kimg=40 --augpipe=blit --p=1      # rotations by 90 degrees: must leak
    python -m examples.leak_check --kimg=40 --augpipe=blit --p=0.1    # must not
    python -m examples.leak_check --network=RUN_DIR                   # of any run on the digits

With --p=1 the discriminator sees no image as it is, so nothing tells the generator which way round they are
(arXiv:2006.06676, section 2.2). Prints a line a transform: the estimated share of generated images that are
transformed, its standard error, how much of the difference from real ones the transform explains, and LEAKS where
a run would warn. docs/augmentation.md explains the figures.
"""

from __future__ import annotations

import argparse
import pathlib
import subprocess
import sys
from collections.abc import Sequence

import numpy as np

from sg_keras.config.augment_transforms import PIPES
from sg_keras.tools.quiet_start import quiet_start

_NETWORK = ("--cbase=512", "--cmax=64", "--z-dim=64", "--w-dim=64", "--map-depth=2", "--ema_kimg=5")
_LEARNING = ("--batch=32", "--gamma=1", "--glr=0.0025", "--dlr=0.0025")
_PACE = ("--tick=4", "--snap=100", "--sample-grid=10x10", "--metrics=none")


def train(options: argparse.Namespace) -> pathlib.Path:
    """Train a small StyleGAN2; returns the run directory."""
    words = [f"--outdir={options.outdir}", "--cfg=stylegan2", "--data=digits", "--cond=1", "--gpus=0", *_NETWORK]
    words += [*_LEARNING, *_PACE, "--aug=fixed", f"--augpipe={options.augpipe}", f"--p={options.p:g}"]
    subprocess.run([sys.executable, "run_training.py", *words, f"--kimg={options.kimg:g}"], check=True)
    return max(pathlib.Path(options.outdir).glob("[0-9]*-stylegan2-*"))


def print_leaks(network: pathlib.Path) -> None:
    """The leak check of G_ema of a run on the digits, with labels or without."""
    import sg_keras
    from sg_keras.augment.leaks import MAX_IMAGES, find_leaks
    from sg_keras.data import open_dataset
    from sg_keras.training.callbacks.image_grid import generate_images

    G = sg_keras.load(network)["G_ema"]
    dataset = open_dataset("digits", use_labels=G.c_dim > 0)
    rng = np.random.default_rng(0)
    items = rng.permutation(len(dataset))[:MAX_IMAGES]
    z = rng.normal(size=[len(items), G.z_dim]).astype(np.float32)
    fakes = generate_images(G, z, dataset.labels(items), 64)
    names = [name for name in PIPES["bgc"] if name not in ("hue", "saturation")]  # the digits are gray
    for leak in find_leaks(dataset.images(items), fakes, [*names, "rotate180", "noise", "cutout"]):
        print(
            f"{leak.transform:12s} share {leak.share:6.3f} +- {leak.standard_error:.3f}   explained "
            f"{leak.explained:.2f}   {'LEAKS' if leak.certain else ''}".rstrip()
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 0."""
    parser = argparse.ArgumentParser(description="Train with augmentation on the digits and look for leaks.")
    parser.add_argument("--kimg", type=float, default=40.0, help="length of the training")
    parser.add_argument("--augpipe", default="blit", choices=PIPES)
    parser.add_argument("--p", type=float, default=1.0)
    parser.add_argument("--outdir", default="runs/leak_check")
    parser.add_argument("--network", type=pathlib.Path, help="look at this run on the digits; train none")
    options = parser.parse_args(argv)
    quiet_start()
    print_leaks(options.network or train(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
