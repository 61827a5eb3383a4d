"""An exported generator in a process that knows nothing of sg_keras: a grid of images, a row a class.

    python examples/use_savedmodel.py SAVEDMODEL GRID.png

Needs TensorFlow, NumPy and Pillow alone. Prints nothing but one line on what it did.
"""

import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from PIL import Image

COLUMNS = 10


def load(folder: str):
    """The SavedModel in `folder`. TensorFlow takes brackets, * and ? in a path for a pattern: it is given none."""
    before = pathlib.Path.cwd()
    os.chdir(folder)
    try:
        return tf.saved_model.load(".")
    finally:
        os.chdir(before)


def main(folder: str, grid_path: str) -> int:
    """Load the SavedModel in `folder` and write the grid."""
    generate = load(folder).signatures["generate"]
    _, inputs = generate.structured_input_signature
    classes = inputs["c"].shape[1] if "c" in inputs else 1
    count = classes * COLUMNS
    arguments = {"z": np.random.RandomState(0).randn(count, inputs["z"].shape[1]), "truncation_psi": 1.0}
    if "c" in inputs:
        arguments["c"] = np.repeat(np.eye(classes), COLUMNS, axis=0)
    outputs = generate(**{name: tf.constant(value, tf.float32) for name, value in arguments.items()})
    images = outputs["images_uint8"].numpy()
    _, height, width, channels = images.shape
    grid = images.reshape(classes, COLUMNS, height, width, channels).transpose(0, 2, 1, 3, 4)
    grid = grid.reshape(classes * height, COLUMNS * width, channels)
    Image.fromarray(grid[:, :, 0] if channels == 1 else grid).save(grid_path)
    if any(name.partition(".")[0] == "sg_keras" for name in sys.modules):
        print("found sg_keras among the loaded modules, expected it to be absent", file=sys.stderr)
        return 1
    print(f"{count} images from {folder} without sg_keras: {grid_path}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
