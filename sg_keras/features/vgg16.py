"""VGG16 (arXiv:1409.1556) from Keras' file of weights: features of precision and recall, and a distance for PPL.

Neither is the published measurement. Precision and recall (arXiv:1904.06991) and perceptual path length
(arXiv:1812.04948) were published with another conversion of VGG16, other resizing, and PPL with LPIPS, whose learned
weights of channels (arXiv:1801.03924) are in no file of Keras. Figures by this network compare among themselves alone.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from sg_keras.features.batches import features_in_batches
from sg_keras.features.extractor import FeatureExtractor
from sg_keras.features.perceptual import of_unit_length
from sg_keras.features.resize import RESIZE_RULE, check_images, resized_rgb
from sg_keras.files.download import PublishedFile
from sg_keras.files.errors import file_errors_explained

if TYPE_CHECKING:
    import h5py

VGG16_FILE = PublishedFile(
    name="vgg16_weights_tf_dim_ordering_tf_kernels.h5",
    address="https://storage.googleapis.com/tensorflow/keras-applications/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5",
    beginnings=(b"\x89HDF",),
    md5="64373286793e3c8b2b4e3219cbf3544b",  # as keras.applications.VGG16 has it
)
_CONVOLUTIONS = (2, 2, 3, 3, 3)
_CLASSES = 1000
_SIDE = 224
_MEANS = (103.939, 116.779, 123.68)  # of ImageNet: blue, green, red
_BATCH = 8
_LEAST_SIDE = 16  # of which four poolings leave a pixel
_TAPS = tuple(f"block{block}_conv{count}" for block, count in enumerate(_CONVOLUTIONS, 1))


class VGG16(FeatureExtractor):
    """The 4096 features after the second dense layer, fc2, and its ReLU; images are resized to 224x224.

    Args:
        path: of Keras' vgg16_weights_tf_dim_ordering_tf_kernels.h5.

    Raises:
        ValueError: the file is another one. One line.
        OSError: it cannot be read. One line.
    """

    name = "vgg16_keras"
    resize = RESIZE_RULE
    note = "by Keras' VGG16, not by the published VGG: compare precision, recall and PPL by it among themselves alone"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        network = _loaded(path)
        self._width = network.get_layer("fc2").units
        self._fingerprint = _fingerprint(network)
        top = keras.Model(network.input, network.get_layer("fc2").output)
        self._fc2 = tf.function(lambda images: top(_caffe(images), training=False))
        self._taps = _taps_of(network)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the weights, as numbers, and of the rule by which images are made ready."""
        return self._fingerprint

    def features(self, images: np.ndarray) -> np.ndarray:
        """float32 [N,4096], none below 0: see FeatureExtractor and resized_rgb."""
        check_images(images)
        prepare = functools.partial(resized_rgb, side=_SIDE)
        return features_in_batches(images, prepare, self._fc2, batch=_BATCH, width=self._width)

    def perceptual_features(self, images: tf.Tensor) -> tf.Tensor:
        """Numbers whose squared distances say how far images look apart: LPIPS of arXiv:1801.03924, all weights 1.

        After the last convolution of each block and its ReLU, maps are scaled to length 1 over channels; equation 1
        averages squared differences over places and adds them over channels and the five blocks.

        Args:
            images: float32 [N,H,W,3] in 0..255, unrounded, of any size, which is not changed: rounding to uint8 would
                drown the small steps of PPL.

        Returns:
            float32 [N,D]; of 256x256 D is 8.6 million.

        Raises:
            ValueError: the images are smaller than 16x16, of which the last block leaves nothing.
        """
        height, width = images.shape[1:3]
        if min(height, width) < _LEAST_SIDE:
            raise ValueError(f"images: found {height}x{width}, expected {_LEAST_SIDE}x{_LEAST_SIDE} at least")
        return tf.concat([of_unit_length(maps) for maps in self._taps(_caffe(images), training=False)], axis=1)


def build_vgg16(widths: Sequence[int]) -> keras.Model:
    """The layers of keras.applications.VGG16 under their names, with weights of 0, frozen; it draws no random number.

    Args:
        widths: of the five blocks and of both dense layers: 64, 128, 256, 512, 512, 4096 (arXiv:1409.1556, column D).

    Returns:
        [N,H,W,3], blue first and centred, to [N,1000]. Dense layers take 224x224 alone.
    """
    shared = {"kernel_initializer": "zeros", "activation": "relu", "dtype": "float32"}
    images = x = keras.Input([_SIDE, _SIDE, 3], name="images", dtype="float32")
    for block, (width, count) in enumerate(zip(widths[:-1], _CONVOLUTIONS, strict=True), 1):
        for number in range(1, count + 1):
            x = keras.layers.Conv2D(width, 3, padding="same", name=f"block{block}_conv{number}", **shared)(x)
        x = keras.layers.MaxPooling2D(2, name=f"block{block}_pool", dtype="float32")(x)
    x = keras.layers.Flatten(name="flatten", dtype="float32")(x)
    for name in ("fc1", "fc2"):
        x = keras.layers.Dense(widths[-1], name=name, **shared)(x)
    x = keras.layers.Dense(_CLASSES, name="predictions", **{**shared, "activation": "softmax"})(x)
    network = keras.Model(images, x, name="vgg16")
    network.trainable = False
    return network


def _taps_of(network: keras.Model) -> keras.Model:
    """The network's convolutions, with its weights, for images of any size, to the maps that are compared."""
    images = x = keras.Input([None, None, 3], dtype="float32")
    found = []
    for layer in network.layers:
        if layer.name.startswith("block"):
            x = layer(x)
            if layer.name in _TAPS:
                found.append(x)
    return keras.Model(images, found)


def _caffe(images: tf.Tensor) -> tf.Tensor:
    """RGB in 0..255 as these weights take it: blue first, means of ImageNet subtracted."""
    return tf.reverse(images, [3]) - tf.constant(_MEANS, tf.float32)


def _loaded(path: str | os.PathLike[str]) -> keras.Model:
    """The network with the weights of a file, in whichever layout of Keras' older versions, by names of layers."""
    import h5py

    with file_errors_explained(path), open(path, "rb") as file:  # noqa: PTH123  # a path of any kind
        if not file.read(4).startswith(VGG16_FILE.beginnings):
            raise ValueError(f"{path}: found no HDF5 file, expected {VGG16_FILE.name} of {VGG16_FILE.address}")
    try:
        with h5py.File(path, "r") as file:
            network = build_vgg16([_weights(file, name)[0].shape[-1] for name in (*_TAPS, "fc1")])
            for layer in network.layers:
                if layer.weights:
                    layer.set_weights(_weights(file, layer.name))
    except (KeyError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{path}: found other weights ({reason}), expected {VGG16_FILE.name} of {VGG16_FILE.address}, with its top"
        ) from error
    return network


def _weights(file: h5py.File, layer: str) -> list[np.ndarray]:
    group = file[layer]
    return [np.asarray(group[name]) for name in group.attrs["weight_names"]]


def _fingerprint(network: keras.Model) -> str:
    digest = hashlib.sha256(f"{VGG16.name} fc2 {RESIZE_RULE} {_SIDE} {_MEANS}".encode())
    for variable in network.variables:
        digest.update(f"{variable.path} {tuple(variable.shape)}".encode() + np.asarray(variable, "<f4").tobytes())
    return digest.hexdigest()
