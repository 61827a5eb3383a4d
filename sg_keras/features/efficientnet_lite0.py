"""EfficientNet-Lite0, a small network trained on ImageNet (EfficientNet: Tan and Le, arXiv:1905.11946).

Its table 1 gives the stages, MobileNetV2 (arXiv:1801.04381) the blocks. The Lite variant has no squeeze-and-excitation,
and ReLU6 for swish. Weights are known by the names that they have in published PyTorch files; those that come along
are float16 copies (`sg_keras/features/data`).
"""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import io
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from sg_keras.features.batches import features_in_batches
from sg_keras.features.extractor import FeatureExtractor
from sg_keras.features.resize import RESIZE_RULE, check_images, resized_rgb
from sg_keras.files.errors import file_errors_explained

INPUT_SIDE, FEATURES, CLASSES = 224, 1280, 1000
VENDORED_FILE = "efficientnet_lite0_float16.npz"
VENDORED_SHA256 = "7a8e6fcebccb120d0bb98193d17b0924e8a3ac10a81a573f93ed33725dae7e92"
_MEAN, _STD = 127, 128  # of pixel values in 0..255
_NORM_EPSILON = 1e-3
_STEM_CHANNELS = 32
_BATCH = 32  # images at a time: what the first layers make of them takes 5 MB an image


class Stage(NamedTuple):
    """Blocks in a row that make maps of one size."""

    kernel: int
    channels: int
    blocks: int
    stride: int  # of the first block
    expansion: int


STAGES = (
    Stage(3, 16, 1, 1, 1),
    Stage(3, 24, 2, 2, 6),
    Stage(5, 40, 2, 2, 6),
    Stage(3, 80, 3, 2, 6),
    Stage(5, 112, 3, 1, 6),
    Stage(5, 192, 4, 2, 6),
    Stage(3, 320, 1, 1, 6),
)


class EfficientNetLite0(FeatureExtractor):
    """The 1280 features before EfficientNet-Lite0's classifier.

    Images are resized to 224x224 whatever their shape. The last bits of features depend on which images share a batch.

    Args:
        weights: by published name, in the published layout; None = the float16 copy that comes along.

    Attributes:
        network: as of build_efficientnet_lite0, frozen, in float32 whatever Keras's default is.

    Raises:
        ValueError: weights are missing or of other shapes, or the copy is not as it was made. One line.
        OSError: the copy cannot be read.

    Example:
        >>> sg_keras.features.EfficientNetLite0().features(np.zeros([2, 64, 48, 1], np.uint8)).shape
        (2, 1280)
    """

    name = "efficientnet_lite0"
    resize = RESIZE_RULE

    def __init__(self, weights: Mapping[str, np.ndarray] | None = None) -> None:
        self.network = build_efficientnet_lite0("float32")
        assign_weights(self.network, vendored_weights() if weights is None else weights)
        images = tf.TensorSpec([None, INPUT_SIDE, INPUT_SIDE, 3], tf.float32)
        self._pool = tf.function(self._pooled, input_signature=[images], jit_compile=False)

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the weights, as numbers, and of the rule by which images are resized."""
        digest = hashlib.sha256(f"{self.name} {RESIZE_RULE} {INPUT_SIDE} {_MEAN} {_STD}".encode())
        for name, variable in sorted(published_variables(self.network), key=lambda item: item[0]):
            digest.update(f"{name} {tuple(variable.shape)}".encode() + np.asarray(variable, "<f4").tobytes())
        return digest.hexdigest()

    def features(self, images: np.ndarray) -> np.ndarray:
        """float32 [N,1280], none below 0, of uint8 [N,H,W,1, 3 or 4]: see FeatureExtractor and resized_rgb."""
        check_images(images)
        prepare = functools.partial(resized_rgb, side=INPUT_SIDE)
        return features_in_batches(images, prepare, self._pool, batch=_BATCH, width=FEATURES)

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """float32 [N,1000], of ImageNet's classes, from features [N,1280]."""
        classifier = self.network.get_layer("classifier")
        return np.asarray(tf.nn.softmax(classifier(tf.constant(features, tf.float32))))

    def _pooled(self, images: tf.Tensor) -> tf.Tensor:
        return self.network(images, training=False)["pool"]


# ---- the network -----------------------------------------------------------------------------------------------------


def build_efficientnet_lite0(dtype: str = "float32") -> keras.Model:
    """The network with weights of 0, frozen: a functional model of plain Keras layers.

    Args:
        dtype: of weights and computation.

    Returns:
        [N,H,W,3] in 0..255, of any size, to "stage1" ... "stage7", the maps of each stage's last block; "pool"
        [N,1280], the mean of the last maps; "logits" [N,1000] of ImageNet's classes.

    Example:
        >>> network = sg_keras.features.build_efficientnet_lite0()
        >>> network(np.zeros([1, 64, 64, 3]))["stage4"].shape
        TensorShape([1, 4, 4, 80])
    """
    images = keras.Input([None, None, 3], name="images", dtype=dtype)
    x = keras.layers.Rescaling(1 / _STD, -_MEAN / _STD, name="normalise", dtype=dtype)(images)
    x = _unit(x, "stem", _conv(_STEM_CHANNELS, 3, 2), dtype)
    outputs, number = {}, 0
    for index, stage in enumerate(STAGES, 1):
        for block in range(stage.blocks):
            x = _block(x, f"block{number}", stage, stage.stride if block == 0 else 1, dtype)
            number += 1
        outputs[f"stage{index}"] = x
    x = _unit(x, "head", _conv(FEATURES, 1), dtype)
    outputs["pool"] = keras.layers.GlobalAveragePooling2D(name="pool", dtype=dtype)(x)
    classifier = keras.layers.Dense(CLASSES, kernel_initializer="zeros", name="classifier", dtype=dtype)
    outputs["logits"] = classifier(outputs["pool"])
    network = keras.Model(images, outputs, name=EfficientNetLite0.name)
    network.trainable = False
    return network


def _block(x: Any, name: str, stage: Stage, stride: int, dtype: str) -> Any:
    """Inverted bottleneck: 1x1 to more channels, a depthwise filter, 1x1 to few without an activation."""
    start, width = x, x.shape[-1] * stage.expansion
    if stage.expansion > 1:
        x = _unit(x, f"{name}_expand", _conv(width, 1), dtype)
    depthwise = {"kernel_size": stage.kernel, "strides": stride, "depthwise_initializer": "zeros"}
    x = _unit(x, f"{name}_depthwise", depthwise, dtype)
    x = _unit(x, f"{name}_project", _conv(stage.channels, 1), dtype, activate=False)
    if stride == 1 and start.shape[-1] == stage.channels:
        x = keras.layers.Add(name=f"{name}_add", dtype=dtype)([start, x])
    return x


def _conv(channels: int, kernel: int, stride: int = 1) -> dict[str, Any]:
    # Zeros, not random numbers: those would be missing in Keras's stream for networks that are built afterwards.
    return {"filters": channels, "kernel_size": kernel, "strides": stride, "kernel_initializer": "zeros"}


def _unit(x: Any, name: str, arguments: Mapping[str, Any], dtype: str, activate: bool = True) -> Any:
    """Convolution without a bias, padded so that ceil(size / stride) remain, normalisation, and ReLU6."""
    layer = keras.layers.Conv2D if "filters" in arguments else keras.layers.DepthwiseConv2D
    x = layer(**arguments, padding="same", use_bias=False, name=f"{name}_conv", dtype=dtype)(x)
    x = keras.layers.BatchNormalization(epsilon=_NORM_EPSILON, name=f"{name}_norm", dtype=dtype)(x)
    return keras.layers.ReLU(max_value=6, name=f"{name}_relu6", dtype=dtype)(x) if activate else x


# ---- weights ---------------------------------------------------------------------------------------------------------

#: Parts of a network or block: published names of convolution and normalisation.
_PUBLISHED = {
    "stem": ("_conv_stem", "_bn0"),
    "expand": ("_expand_conv", "_bn0"),
    "depthwise": ("_depthwise_conv", "_bn1"),
    "project": ("_project_conv", "_bn2"),
    "head": ("_conv_head", "_bn1"),
    "classifier": ("_fc", ""),
}
_LEAVES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def published_variables(network: keras.Model) -> Iterator[tuple[str, keras.Variable]]:
    """All variables of a network by published name, such as _blocks.3._bn1.running_mean."""
    for layer in network.layers:
        for variable in layer.variables:
            *block, part = layer.name.removesuffix("_conv").removesuffix("_norm").split("_")
            prefix = f"_blocks.{block[0].removeprefix('block')}." if block else ""
            published = _PUBLISHED[part][layer.name.endswith("_norm")]
            yield f"{prefix}{published}.{_LEAVES[variable.name]}", variable


def assign_weights(network: keras.Model, weights: Mapping[str, np.ndarray]) -> None:
    """Give a network of build_efficientnet_lite0 its weights.

    Args:
        network: to change.
        weights: by published name, in the published layout: convolutions [out,in,kh,kw], depthwise ones [C,1,kh,kw],
            the classifier [out,in]. Others than the network's are not looked at.

    Raises:
        ValueError: one is missing or of another shape.
    """
    for name, variable in published_variables(network):
        if name not in weights:
            raise ValueError(f"{name}: found no such weight, expected all of EfficientNet-Lite0's")
        array = np.asarray(weights[name])
        if array.ndim == 4:
            array = array.transpose(2, 3, 0, 1) if "_depthwise_" in name else array.transpose(2, 3, 1, 0)
        elif array.ndim == 2:
            array = array.T
        if array.shape != tuple(variable.shape):
            raise ValueError(f"{name}: found {list(array.shape)}, expected {list(variable.shape)} (of ours)")
        variable.assign(array.astype(variable.dtype))


def vendored_weights(path: pathlib.Path | None = None) -> dict[str, np.ndarray]:
    """The float16 copy of the weights, by published name, in the published layout.

    Args:
        path: of the copy, None = where it is installed.

    Raises:
        ValueError: the file is another than the one that was made. One line.
        OSError: it cannot be read. One line.
    """
    place = path or importlib.resources.files("sg_keras.features") / "data" / VENDORED_FILE
    with file_errors_explained(str(place)):
        content = place.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != VENDORED_SHA256:
        raise ValueError(
            f"{place}: found a file of {len(content)} bytes with SHA-256 {found}, expected {VENDORED_SHA256}: install "
            "sg_keras anew"
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
