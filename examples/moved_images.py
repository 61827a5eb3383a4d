"""An image strip: the same style w drawn moved and rotated, by StyleGAN3-T, -R and, beside them, StyleGAN2.

    python -m examples.moved_images --networks=T_RUN,R_RUN,STYLEGAN2_RUN --seed=3 [--class=3] --out=moved.png

A row for each network, a column for each motion. StyleGAN3 gets the motion as its input's transform. StyleGAN2 has no
such input: its constant, the 4x4 image that everything grows from, is moved in the same way (bilinear, zeros
outside), and its noise stays. Below each image stands how well it agrees with the unmoved one moved by a good filter,
in decibels (EQ-T and EQ-R of arXiv:2106.12423, appendix E, of this one motion): the higher, the better it moved as a
whole.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sg_keras.tools.quiet_start import quiet_start

# What is done to the image: to the right and down as shares of its side, and degrees counterclockwise.
MOTIONS: tuple[tuple[str, tuple[float, float], float], ...] = (
    ("as it is", (0.0, 0.0), 0.0),
    ("1/16 right", (1 / 16, 0.0), 0.0),
    ("1.5 pixels down", (0.0, 1.5 / 32), 0.0),
    ("1/8 right, down", (1 / 8, 1 / 8), 0.0),
    ("15 degrees", (0.0, 0.0), 15.0),
    ("45 degrees", (0.0, 0.0), 45.0),
    ("90 degrees", (0.0, 0.0), 90.0),
)
_SIDE = 128  # pixels of an image in the strip
_LINE = 18  # pixels of a line of text
_MARGIN = 110  # pixels for the networks' names


def draw(G: Any, w: np.ndarray, translate: tuple[float, float], degrees: float) -> np.ndarray:
    """Image [1,H,W,C] of styles w [1,num_ws,w_dim], moved."""
    from sg_keras.inference import inverse_transform

    transform = inverse_transform(translate, degrees)
    if G.takes_transform:
        return G.synthesis(w, transform=transform.astype(np.float32)).numpy()
    return _with_moved_constant(G, w, transform)


def _with_moved_constant(G: Any, w: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """StyleGAN2's image when its constant is sampled at transformed places."""
    from sg_keras.ops import warp_affine

    constant = next(v for v in G.variables if v.path.endswith("b4/const"))
    kept = constant.numpy()
    theta = transform[:2].astype(np.float32) * [[1, 1, 2], [1, 1, 2]]  # from shares of the side to -1..1
    constant.assign(warp_affine(kept[np.newaxis], theta[np.newaxis].astype(np.float32), kept.shape[:2])[0])
    try:
        return G.synthesis(w, noise_mode="const").numpy()
    finally:
        constant.assign(kept)


def agreement(still: np.ndarray, moved: np.ndarray, translate: tuple[float, float], degrees: float) -> float:
    """Decibels between a moved image [1,H,W,C] and the unmoved one, which a filter moves."""
    from sg_keras.metrics.equivariance import PeakSignalToNoise, pseudo_rotate, rotate, translate_fraction

    still, moved = still.astype(np.float64), moved.astype(np.float64)
    ratio = PeakSignalToNoise()
    if degrees:
        expected, mask = rotate(still, math.radians(degrees))
        found, found_mask = pseudo_rotate(moved, math.radians(degrees))
        ratio.add(found, expected, mask * found_mask)
    else:
        ratio.add(moved, *translate_fraction(still, *translate))
    return ratio.decibels()


def strip(networks: dict[str, Any], seed: int, class_index: int | None) -> Image.Image:
    """The strip of some generators, by the names that are written beside their rows."""
    from sg_keras.inference import class_label, latent

    width, height = _MARGIN + _SIDE * len(MOTIONS), _LINE + (_SIDE + _LINE) * len(networks)
    image = Image.new("L", (width, height), 255)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(13)
    for column, (label, _, _) in enumerate(MOTIONS):
        pen.text((_MARGIN + column * _SIDE + 4, 2), label, 0, font)
    for row, (name, G) in enumerate(networks.items()):
        top = _LINE + row * (_SIDE + _LINE)
        pen.text((4, top + _SIDE // 2), name, 0, font)
        label = np.zeros([1, 0], np.float32) if class_index is None else class_label(class_index, G.c_dim)
        w = G.mapping(latent(seed, G.z_dim).astype(np.float32), label).numpy()
        for column, (frame, decibels) in enumerate(_moved(G, w)):
            left = _MARGIN + column * _SIDE
            image.paste(_enlarged(frame), (left, top))
            if column:
                pen.text((left + 4, top + _SIDE + 1), f"{decibels:.0f} dB", 0, font)
    return image


def _moved(G: Any, w: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
    """The image of each motion, and how well it agrees with the first."""
    still = draw(G, w, (0.0, 0.0), 0.0)
    for _, translate, degrees in MOTIONS:
        moved = draw(G, w, translate, degrees)
        yield moved, agreement(still, moved, translate, degrees)


def _enlarged(frame: np.ndarray) -> Image.Image:
    from sg_keras.ops.pixel_values import to_uint8

    return Image.fromarray(to_uint8(frame[0].mean(axis=-1))).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the strip as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--networks", required=True, help="run directories or snapshots, separated by commas")
    parser.add_argument("--seed", type=int, default=0, help="of the latent")
    parser.add_argument("--class", dest="class_index", type=int, help="of a conditional network")
    parser.add_argument("--out", required=True, help="PNG file to write")
    options = parser.parse_args(argv)
    with quiet_start():
        import tensorflow  # noqa: F401
    import sg_keras

    try:
        generators = [sg_keras.load(path)["G_ema"] for path in options.networks.split(",")]
        strip({G.cfg: G for G in generators}, options.seed, options.class_index).save(options.out)
    except (ValueError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    print(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
