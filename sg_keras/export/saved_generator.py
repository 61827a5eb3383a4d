"""A generator that was exported as a SavedModel, read back as TensorFlow has it, to make images."""

from __future__ import annotations

import hashlib
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from sg_keras.config.sizes import image_size
from sg_keras.export.parity import SIGNATURES
from sg_keras.export.saved_model import DESCRIPTION_FILE, GRAPH_FILE
from sg_keras.files import plain_folder


def is_saved_model(place: str) -> bool:
    """Whether a path is the folder of a SavedModel."""
    return (pathlib.Path(place) / GRAPH_FILE).is_file()


class SavedGenerator:
    """The signature `generate` of a SavedModel of export_saved_model.

    Attributes:
        z_dim, c_dim: widths of latents and labels.
        image_shape: height, width and channels.
        compute_dtype: of its inputs.
        noise_mode: that it was exported with.

    Args:
        folder: of the SavedModel.

    Call: (z [N,z_dim], c [N,c_dim], truncation_psi=1, noise_mode="const") -> images [N,H,W,C], nominally -1..1. Noise
    is what it was exported with: there is no other noise_mode, and a noise_seed changes nothing.

    Raises:
        ValueError: it is no export of ours; one line.
        OSError: it cannot be read.
    """

    def __init__(self, folder: str) -> None:
        self._folder = pathlib.Path(folder).resolve()
        try:
            description = json.loads((self._folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
            network, self.noise_mode = description["network"], description.get("noise_mode", "const")
            self.z_dim, self.c_dim = int(network["z_dim"]), int(network["c_dim"])
            size, channels = image_size(_resolution(network["img_resolution"])), int(network["img_channels"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise ValueError(
                f"{folder}: found a SavedModel without a {DESCRIPTION_FILE} of ours, expected one that "
                "sg_keras.tools.export has made"
            ) from error
        self.image_shape, self.compute_dtype = (size.height, size.width, channels), "float32"
        with plain_folder(self._folder) as plain:
            self._model = tf.saved_model.load(plain.path)
        self._generate = self._model.signatures["generate"]

    def __call__(
        self, z: tf.Tensor, c: tf.Tensor, truncation_psi: float = 1.0, noise_mode: str = "const", **_: Any
    ) -> tf.Tensor:
        if noise_mode != self.noise_mode:
            raise ValueError(
                f"noise_mode: found {noise_mode!r}, expected {self.noise_mode}: a SavedModel has no other noise"
            )
        labels = {"c": c} if self.c_dim else {}
        return self._generate(z=z, truncation_psi=tf.constant(truncation_psi), **labels)["images"]

    def digest(self) -> str:
        """SHA-256 of the files, by name: all that its images follow from."""
        digest = hashlib.sha256()
        for path in sorted(self._folder.rglob("*")):
            if path.is_file() and path.name != DESCRIPTION_FILE:
                digest.update(f"{path.relative_to(self._folder)} {path.stat().st_size} ".encode() + path.read_bytes())
        return digest.hexdigest()


class SavedFunctions:
    """All signatures of a SavedModel of export_saved_model, as an export is compared by them.

    Args:
        folder: of the SavedModel.
    """

    signatures: Sequence[str] = SIGNATURES
    batch: int | None = None

    def __init__(self, folder: pathlib.Path) -> None:
        with plain_folder(folder.resolve()) as plain:
            self._model = tf.saved_model.load(plain.path)

    def __call__(self, name: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of a signature, by name."""
        outputs = self._model.signatures[name](**{key: tf.constant(value) for key, value in inputs.items()})
        return {key: value.numpy() for key, value in outputs.items()}


def _resolution(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
