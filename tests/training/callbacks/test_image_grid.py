"""Which images a grid shows, and how it becomes a file."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from sg_keras.data import open_dataset
from sg_keras.inference import tile
from sg_keras.training.callbacks.image_grid import grid_size, make_sample_grid, save_png


@pytest.mark.parametrize(
    "resolution, size", [(8, (32, 32)), (32, (32, 32)), (256, (30, 16)), (512, (15, 8)), (1024, (7, 4))]
)
def test_published_sizes(resolution, size):
    assert grid_size(resolution) == size


def test_a_row_has_one_label_and_rows_go_through_the_labels():
    grid = make_sample_grid(open_dataset("digits", use_labels=True), (6, 12), z_dim=4, seed=0)
    rows = np.argmax(grid.labels, axis=1).reshape(12, 6)
    assert (rows == rows[:, :1]).all()
    assert rows[:, 0].tolist() == [*range(10), 0, 1]
    zeros = grid.reals.reshape(12, 6, -1)[[0, 10]].reshape(12, -1)
    assert len(np.unique(zeros, axis=0)) == 12  # the second row of zeros shows others


def test_without_labels_images_are_mixed(image_folder):
    grid = make_sample_grid(open_dataset(image_folder), (7, 4), z_dim=4, seed=0)
    assert grid.reals.shape == (28, 8, 8, 3) and grid.labels.shape == (28, 0)
    assert len(np.unique(grid.reals.reshape(28, -1), axis=0)) == 24  # all there are, then again from the first


def test_the_same_grid_every_time(image_folder):
    dataset = open_dataset(image_folder, use_labels=True)
    first, second = (make_sample_grid(dataset, (5, 4), z_dim=4, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.reals, second.reals)
    np.testing.assert_array_equal(first.z, second.z)
    assert not np.array_equal(first.z, make_sample_grid(dataset, (5, 4), z_dim=4, seed=4).z)


@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB")])
def test_png(tmp_path, channels, mode):
    image = np.random.default_rng(0).integers(0, 256, [4, 6, channels], np.uint8)
    save_png(image, tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as read:
        assert read.mode == mode
        np.testing.assert_array_equal(np.asarray(read).reshape(image.shape), image)
    assert [path.name for path in tmp_path.iterdir()] == ["grid.png"]


@pytest.mark.parametrize(
    "cond, names, rows",
    [
        (True, ["cat", "dog", "owl"], ("cat", "dog", "owl", "cat")),
        (True, ["cat", "dog"], ()),  # of another number of classes
        (False, ["cat", "dog", "owl"], ()),
    ],
)
def test_rows_are_named_where_classes_are(image_folder, tmp_path, cond, names, rows):
    folder = shutil.copytree(image_folder, tmp_path / "named")
    labels = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    (folder / "dataset.json").write_text(json.dumps(labels | {"class_names": names}), encoding="utf-8")
    grid = make_sample_grid(open_dataset(folder, use_labels=cond), (5, 4), z_dim=4, seed=0)
    assert grid.row_names == rows
    drawn, pixels = grid.drawn(grid.reals), tile(grid.reals, 5)
    assert (drawn.shape[1] > 40) == bool(rows)
    np.testing.assert_array_equal(drawn[:, -40:], pixels)  # the images stay as they are
