"""Grids of images: which reals, which latents, and the PNG file."""

from __future__ import annotations

import dataclasses
import pathlib

import keras
import numpy as np
import tensorflow as tf

from sg_keras.config.sizes import Resolution, image_size
from sg_keras.data import ImageDataset
from sg_keras.files.atomic import atomic_file
from sg_keras.inference import named_rows, png_bytes, tile, to_uint8, viewable

_MAX_WIDTH, _MAX_HEIGHT = 7680, 4320  # pixels, of a whole grid
_LATENTS_KEY = -1  # beside the seed; training's own keys are not negative


def grid_size(resolution: Resolution) -> tuple[int, int]:
    """Columns and rows of a grid, as published: as many as fit 7680 x 4320 pixels, 7 to 32 and 4 to 32."""
    size = image_size(resolution)
    return int(np.clip(_MAX_WIDTH // size.width, 7, 32)), int(np.clip(_MAX_HEIGHT // size.height, 4, 32))


@dataclasses.dataclass(frozen=True)
class SampleGrid:
    """The images of a run's grids, the same from its first to its last one.

    Attributes:
        columns, rows: of the grid.
        reals: uint8 [columns*rows,H,W,C].
        z: float32 [columns*rows,z_dim].
        labels: float32 [columns*rows,c_dim], of the reals and for the fakes.
        row_names: of each row's class, empty where rows have none or classes no names.
    """

    columns: int
    rows: int
    reals: np.ndarray
    z: np.ndarray
    labels: np.ndarray
    row_names: tuple[str, ...] = ()

    def drawn(self, images: np.ndarray) -> np.ndarray:
        """The grid of images uint8 [columns*rows,H,W,C] as people see it, uint8 [H,W,1 or 3]."""
        return named_rows(tile(viewable(images), self.columns), self.row_names)


def make_sample_grid(dataset: ImageDataset, size: tuple[int, int] | None, z_dim: int, seed: int) -> SampleGrid:
    """Choose the images of a run's grids: one label per row where there are labels, a random choice otherwise.

    Args:
        dataset: where the reals and labels are from; no mirrored copies are shown.
        size: columns and rows, None = as published.
        z_dim: width of a latent.
        seed: of the run.
    """
    columns, rows = size or grid_size(dataset.resolution)
    items = _grid_items(dataset, columns, rows)
    z = tf.random.stateless_normal([columns * rows, z_dim], [_LATENTS_KEY, seed], alg="philox")
    labels = dataset.labels(items)
    return SampleGrid(columns, rows, dataset.images(items), z.numpy(), labels, _row_names(dataset, labels, rows))


def _row_names(dataset: ImageDataset, labels: np.ndarray, rows: int) -> tuple[str, ...]:
    names = dataset.description.class_names
    if dataset.label_kind != "classes" or len(names) != dataset.c_dim:
        return ()
    classes = labels.argmax(axis=1).reshape(rows, -1)
    if (classes != classes[:, :1]).any():  # so many classes that rows mix them
        return ()
    return tuple(names[number] for number in classes[:, 0])


def _grid_items(dataset: ImageDataset, columns: int, rows: int) -> np.ndarray:
    # NumPy promises the raw stream of Philox for good, unlike Generator.permutation.
    order = np.argsort(np.random.Philox(key=[0, 0]).random_raw(dataset.num_images), kind="stable")
    groups = _label_groups(dataset, order)
    taken = [0] * len(groups)
    items = []
    for row in range(rows):
        number = row % len(groups)
        group = groups[number]
        items += [group[(taken[number] + column) % len(group)] for column in range(columns)]
        taken[number] += columns
    return np.array(items, np.int64)


def _label_groups(dataset: ImageDataset, order: np.ndarray) -> list[np.ndarray]:
    """Items by label, labels in ascending order; a single group where labels say little about which belong together."""
    if dataset.c_dim == 0:
        return [order]
    # The first column decides the order, and one-hot vectors of low classes are the greater ones.
    labels, number = np.unique(-dataset.labels(order), axis=0, return_inverse=True)
    if 2 * len(labels) > len(order):
        return [order]
    return [order[number.reshape(-1) == index] for index in range(len(labels))]


def generate_images(G: keras.Model, z: np.ndarray, labels: np.ndarray, batch: int) -> np.ndarray:
    """Images uint8 [N,H,W,C] of latents and labels, with constant noise.

    Args:
        G: generator.
        z: [N,z_dim].
        labels: [N,c_dim].
        batch: at a time, as many as fit into memory.
    """
    pieces = [slice(start, start + batch) for start in range(0, len(z), batch)]
    return np.concatenate([to_uint8(np.asarray(G(z[piece], labels[piece], noise_mode="const"))) for piece in pieces])


def save_png(image: np.ndarray, path: pathlib.Path) -> None:
    """Write an image uint8 [H,W,1, 3 or 4] as a PNG that is never seen half-written."""
    with atomic_file(path) as beside:
        beside.write_bytes(png_bytes(image))
