"""The Inception network of FID, KID and IS: the frozen graph of 2015-12-05, as it is (arXiv:1512.00567).

Other conversions pool differently, so nothing else gives figures that can be compared with published ones. FID
(arXiv:1706.08500) takes the 2048 numbers of `pool_3:0`. IS (arXiv:1606.03498) was published with class probabilities
from them by the weights of the last layer alone, without its bias.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import tarfile
import zlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from sg_keras.features.batches import features_in_batches
from sg_keras.features.extractor import FeatureExtractor
from sg_keras.features.resize import check_images, opaque_rgb
from sg_keras.files.download import PublishedFile
from sg_keras.files.errors import file_errors_explained, first_line

_GZIP = b"\x1f\x8b"
INCEPTION_FILE = PublishedFile(
    name="inception-2015-12-05.tgz",
    address="http://download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz",
    beginnings=(_GZIP, b"\n"),  # the archive, or the graph that is in it
)  # no checksum of it is published: the fingerprint tells files apart
GRAPH_NAME = "classify_image_graph_def.pb"
FEATURES = 2048
_INPUT, _POOL, _LOGITS = "Mul", "pool_3", "softmax/logits"
_SIDE = 299
_RULE = "RGBA over white, gray repeated; bilinear from the top left corner, no antialiasing, to 299; (x - 128) / 128"
_BATCH = 16
_EXPECTED = f"{GRAPH_NAME} of {INCEPTION_FILE.address}, or that file itself"
_OLD_NORMALISATION = "BatchNormWithGlobalNormalization"
_PASSED_THROUGH = {"Add", "AddV2", "BiasAdd", "Identity", "Reshape", "Squeeze"}


class InceptionGraph(FeatureExtractor):
    """Features and class probabilities of the original frozen graph.

    Images are resized as the graph resizes them, outside of it, and go in at its `Mul:0`.

    Args:
        path: of classify_image_graph_def.pb, or of inception-2015-12-05.tgz, which holds it.

    Raises:
        ValueError: the file is another one. One line.
        OSError: it cannot be read. One line.
    """

    name = "inception-2015-12-05"
    resize = _RULE

    def __init__(self, path: str | os.PathLike[str]) -> None:
        content = _graph_bytes(pathlib.Path(path))
        graph = _parsed(content, path)
        file_sha256 = hashlib.sha256(content).hexdigest()
        self.note = f"no checksum of the graph is published; that of this file is SHA-256 {file_sha256}"
        self._fingerprint = hashlib.sha256(f"{self.name} {_RULE} {file_sha256}".encode()).hexdigest()

        def run(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            resized = tf.raw_ops.ResizeBilinear(images=images, size=[_SIDE, _SIDE])
            inside = {f"{_INPUT}:0": (resized - 128) * (1 / 128)}
            pool, logits = tf.import_graph_def(graph, inside, [f"{_POOL}:0", f"{_LOGITS}:0"], name="")
            product = _last_product(logits, path)
            weights = product.inputs[1]
            classes = tf.transpose(weights) if product.get_attr("transpose_b") else weights
            return tf.reshape(pool, [tf.shape(images)[0], pool.shape[-1]]), tf.identity(classes)

        wrapped = tf.compat.v1.wrap_function(run, [tf.TensorSpec([None, None, None, 3], tf.float32)])
        pool, classes = wrapped.outputs
        self._run = wrapped.prune(wrapped.inputs[0], pool)
        self._classes = wrapped.prune([], classes)()
        self._width = pool.shape[-1]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the graph file's bytes and of the rule by which images are made ready."""
        return self._fingerprint

    def features(self, images: np.ndarray) -> np.ndarray:
        """float32 [N,2048], `pool_3:0`: see FeatureExtractor."""
        check_images(images)

        def compute(ready: np.ndarray) -> tf.Tensor:
            return self._run(tf.constant(ready))

        return features_in_batches(images, opaque_rgb, compute, batch=_BATCH, width=self._width)

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """float32 [N,1008]: of the classes, without the bias of the last layer, as the inception score has them."""
        return np.asarray(tf.nn.softmax(tf.constant(features, tf.float32) @ self._classes))


# ---- the file --------------------------------------------------------------------------------------------------------


def _graph_bytes(path: pathlib.Path) -> bytes:
    with file_errors_explained(path):
        with path.open("rb") as file:
            if file.read(len(_GZIP)) != _GZIP:
                return path.read_bytes()
        try:
            with tarfile.open(path, "r:gz") as archive:
                for member in archive:
                    if pathlib.PurePosixPath(member.name).name == GRAPH_NAME and member.isfile():
                        content = archive.extractfile(member)
                        return b"" if content is None else content.read()
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise ValueError(f"{path}: found a damaged archive ({first_line(error)}), expected {_EXPECTED}") from error
    raise ValueError(f"{path}: found an archive without {GRAPH_NAME}, expected {_EXPECTED}")


def _parsed(content: bytes, path: str | os.PathLike[str]) -> tf.compat.v1.GraphDef:
    """The graph as this TensorFlow can run it in a function."""
    try:
        graph = tf.compat.v1.GraphDef.FromString(content)
    except DecodeError as error:
        raise ValueError(f"{path}: found no GraphDef, expected {_EXPECTED}") from error
    names = {node.name for node in graph.node}
    for name in (_INPUT, _POOL, _LOGITS):
        if name not in names:
            found = f"a GraphDef without a tensor {name}:0" if names else "no GraphDef"
            raise ValueError(f"{path}: found {found}, expected {_EXPECTED}")
    return _modernised(graph)


def _last_product(logits: tf.Tensor, path: str | os.PathLike[str]) -> tf.Operation:
    """The matrix product whose result, with a bias added, the logits are."""
    operation = logits.op
    while operation.type in _PASSED_THROUGH:
        operation = operation.inputs[0].op
    if operation.type != "MatMul":
        raise ValueError(f"{path}: found {_LOGITS}:0 of a {operation.type}, expected a matrix product and a bias")
    return operation


# ---- an old graph in a new TensorFlow --------------------------------------------------------------------------------


def _modernised(graph: tf.compat.v1.GraphDef) -> tf.compat.v1.GraphDef:
    """The same arithmetic in ops that functions may hold; noted shapes, which are of one image, are left out.

    TensorFlow runs BatchNormWithGlobalNormalization in graphs of 2015 alone, and a function is of today.
    """
    result = tf.compat.v1.GraphDef(versions=graph.versions)
    for node in graph.node:
        nodes = _normalisation(node) if node.op == _OLD_NORMALISATION else [node]
        result.node.extend(nodes)
    for node in result.node:
        node.attr.pop("_output_shapes", None)
    return result


def _normalisation(node: tf.compat.v1.NodeDef) -> Iterator[tf.compat.v1.NodeDef]:
    """(x - mean) * (rsqrt(variance + epsilon) * gamma) + beta, in that order, as the old op's kernel computes it."""
    control = [name for name in node.input if name.startswith("^")]
    x, mean, variance, beta, gamma = (name for name in node.input if not name.startswith("^"))

    def step(op: str, name: str, *inputs: str) -> tf.compat.v1.NodeDef:
        made = tf.compat.v1.NodeDef(op=op, name=name, input=inputs, device=node.device)
        made.attr["T"].CopyFrom(node.attr["T"])
        return made

    inner = f"{node.name}/of_2015"
    epsilon = tf.compat.v1.NodeDef(op="Const", name=f"{inner}/epsilon")
    epsilon.attr["dtype"].type = node.attr["T"].type
    number = tf.make_tensor_proto(node.attr["variance_epsilon"].f, tf.as_dtype(node.attr["T"].type))
    epsilon.attr["value"].tensor.CopyFrom(number)
    yield epsilon
    yield step("Add", f"{inner}/variance", variance, epsilon.name)
    yield step("Rsqrt", f"{inner}/rsqrt", f"{inner}/variance")
    scale = f"{inner}/rsqrt"
    if node.attr["scale_after_normalization"].b:
        yield step("Mul", f"{inner}/scale", scale, gamma)
        scale = f"{inner}/scale"
    yield step("Sub", f"{inner}/centred", x, mean)
    yield step("Mul", f"{inner}/scaled", f"{inner}/centred", scale)
    yield step("Add", node.name, f"{inner}/scaled", beta, *control)
