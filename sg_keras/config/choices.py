"""Words among which an option and the field that it sets have the choice."""

from __future__ import annotations

from collections.abc import Sequence

CFGS = ("stylegan2", "stylegan3-t", "stylegan3-r")
AUGMENT_MODES = ("noaug", "ada", "fixed", "diffaug")
GENERATOR_ARCHITECTURES = ("skip", "resnet", "orig")  # the default first
DISCRIMINATOR_ARCHITECTURES = ("resnet", "skip", "orig")
PRECISIONS = ("float32", "float16", "bfloat16")
IMPLEMENTATIONS = ("auto", "custom", "reference")  # of our operations
IMAGE_FORMATS = ("png", "jpeg", "webp")  # of generated images
EXTENSIONS = ("tile", "mirror")  # how StyleGAN2's constant goes on beyond its edges
ON_BAD_IMAGE = ("stop", "skip")
ON_NAN = ("stop", "rollback")
#: Conversion of originals: filters of resizing, and ways to a size; the last two make several images of an original.
RESIZE_FILTERS = ("lanczos", "box", "bicubic", "hamming")
CROP_TRANSFORMS = ("none", "center-crop", "center-crop-wide", "center-crop-tall", "fit", "random-crops", "tiles")
#: What networks are exported as.
EXPORT_FORMATS = ("savedmodel", "onnx", "litert", "openvino", "keras", "safetensors", "pkl", "web")
#: Versions of ONNX's operators that networks are exported in: from, to.
ONNX_OPSETS = (13, 18)


def one_of(words: Sequence[str]) -> str:
    """The words as messages list them.

    Example:
        >>> one_of(("skip", "resnet", "orig"))
        'skip, resnet or orig'
    """
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
