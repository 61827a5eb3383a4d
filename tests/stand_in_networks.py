"""Small files in the forms of the networks of published scores, which may not come along."""

from __future__ import annotations

import io
import pathlib
import tarfile

import numpy as np
import tensorflow as tf

from sg_keras.features.inception import GRAPH_NAME

CHANNELS, FEATURES, CLASSES = 6, 16, 12
EPSILON = 1e-3


def inception_weights(seed: int = 0) -> dict[str, np.ndarray]:
    """Of a convolution with its normalisation, a second convolution, and the classifier."""
    draw = np.random.default_rng(seed).standard_normal
    return {
        "kernel": 0.3 * draw([5, 5, 3, CHANNELS]),
        "mean": 0.1 * draw([CHANNELS]),
        "variance": np.exp(draw([CHANNELS])),
        "beta": draw([CHANNELS]),
        "gamma": draw([CHANNELS]),
        "kernel2": 0.3 * draw([3, 3, CHANNELS, FEATURES]),
        "classifier": draw([FEATURES, CLASSES]),
        "bias": draw([CLASSES]),
    }


def inception_graph(weights: dict[str, np.ndarray]) -> tf.compat.v1.GraphDef:
    """A frozen graph with the original's tensor names, of one image, with the ops of its time."""
    graph = tf.Graph()
    with graph.as_default():
        constants = {name: tf.constant(value, tf.float32, name=name) for name, value in weights.items()}
        fed = tf.compat.v1.placeholder(tf.float32, [1, 299, 299, 3], name="Sub")
        x = tf.multiply(fed, tf.constant(0.0078125), name="Mul")
        x = tf.nn.conv2d(x, constants["kernel"], 4, "VALID", name="conv/Conv2D")
        x = tf.identity(x, name="normalised")  # replaced below
        x = tf.nn.conv2d(tf.nn.relu(x), constants["kernel2"], 4, "SAME")
        x = tf.reduce_mean(tf.nn.relu(x), axis=[1, 2], keepdims=True, name="pool_3")
        x = tf.reshape(x, [1, FEATURES], name="pool_3/_reshape")
        x = tf.matmul(x, constants["classifier"], name="softmax/logits/MatMul")
        tf.nn.softmax(tf.add(x, constants["bias"], name="softmax/logits"), name="softmax")
    frozen = graph.as_graph_def(add_shapes=True)
    frozen.versions.producer = 8  # the last that may hold the old normalisation
    for node in frozen.node:
        if node.name == "normalised":
            node.op = "BatchNormWithGlobalNormalization"
            node.input.extend(["mean", "variance", "beta", "gamma"])
            node.attr["variance_epsilon"].f = EPSILON
            node.attr["scale_after_normalization"].b = True
    return frozen


def write_inception(path: pathlib.Path, seed: int = 0) -> pathlib.Path:
    """A stand-in as .pb, or packed as its publishers have it where the name ends in .tgz."""
    content = inception_graph(inception_weights(seed)).SerializeToString(deterministic=True)
    if path.suffix != ".tgz":
        path.write_bytes(content)
        return path
    with tarfile.open(path, "w:gz") as archive:
        for name, data in (("LICENSE", b"Apache"), (f"./{GRAPH_NAME}", content)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def write_vgg16(path: pathlib.Path, weights: dict[str, tuple[np.ndarray, np.ndarray]]) -> pathlib.Path:
    """Kernels and biases by layer, as Keras' file of weights has them."""
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in weights]
        for layer, pair in weights.items():
            group = file.create_group(layer)
            names = [f"{layer}_W_1:0", f"{layer}_b_1:0"]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, value in zip(names, pair, strict=True):
                group.create_dataset(name, data=np.asarray(value, np.float32))
    return path


def vgg16_weights(
    widths: tuple[int, ...] = (2, 3, 4, 4, 4, 8), seed: int = 0
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Random ones for five blocks and dense layers of these widths."""
    random, before, found = np.random.default_rng(seed), 3, {}

    def layer(name: str, *shape: int) -> None:
        kernel = random.standard_normal(shape) * np.sqrt(2 / np.prod(shape[:-1]))
        found[name] = (kernel, 0.1 * random.standard_normal(shape[-1]))

    for block, (width, count) in enumerate(zip(widths[:-1], (2, 2, 3, 3, 3), strict=True), 1):
        for number in range(1, count + 1):
            layer(f"block{block}_conv{number}", 3, 3, before, width)
            before = width
    layer("fc1", 49 * before, widths[-1])
    layer("fc2", widths[-1], widths[-1])
    layer("predictions", widths[-1], 1000)
    return found
