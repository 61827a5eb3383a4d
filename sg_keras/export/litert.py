"""Generators as LiteRT (TensorFlow Lite) files, and such files run by LiteRT's interpreter."""

from __future__ import annotations

import pathlib
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from sg_keras.export.folder import described_signatures, export_folder, write_description
from sg_keras.export.parity import SIGNATURES
from sg_keras.export.saved_model import write_signatures
from sg_keras.export.signatures import GeneratorSignatures
from sg_keras.files.optional import optional_package
from sg_keras.models import Generator

EXTRA = "export"
FILES = {"float32": "generator_float32.tflite", "float16": "generator_float16.tflite"}


def export_litert(G: Generator, folder: str | pathlib.Path, *, noise_mode: str = "const") -> pathlib.Path:
    """Write a generator as two LiteRT files, with weights in float32 and in float16.

    Each holds the signatures of the SavedModel under the same names. StyleGAN2 takes batches of any size, StyleGAN3 one
    image at a time. Both compute in float32, and take and give it.

    Args:
        G: generator.
        folder: where they go. What is there already is replaced if it is such an export.
        noise_mode: "const", "random" or "none".

    Returns:
        The folder's absolute path.

    Raises:
        ValueError: the folder holds something else.
    """
    module = GeneratorSignatures(G, noise_mode=noise_mode, batch=fixed_batch(G))
    with export_folder(folder, ["*.tflite"], "the LiteRT files") as (beside, place):
        for weights, content in _converted(module).items():
            (beside / FILES[weights]).write_bytes(content)
        inputs = ", ".join(["z=z", *(["c=c"] if G.c_dim > 0 else []), "truncation_psi=np.array(0.7, np.float32)"])
        use = [
            "import numpy as np",
            "from ai_edge_litert.interpreter import Interpreter",
            f"generate = Interpreter('{place.name}/{FILES['float32']}').get_signature_runner('generate')",
            f"images = generate({inputs})['images_uint8']",
        ]
        facts = {"signatures": described_signatures(G), "batch": fixed_batch(G), "noise_mode": noise_mode}
        write_description(beside, G, "LiteRT", use, **facts)
    return place


def fixed_batch(G: Generator) -> int | None:
    """Images of a call of a LiteRT file; None = any number."""
    return 1 if G.takes_transform else None


def _converted(module: GeneratorSignatures) -> dict[str, bytes]:
    """The files' contents, by the type of their weights."""
    contents = {}
    with tempfile.TemporaryDirectory() as folder:
        write_signatures(module, pathlib.Path(folder))
        for weights in FILES:
            converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=sorted(module.signatures()))
            if weights == "float16":
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
                converter.target_spec.supported_types = [tf.float16]
            contents[weights] = converter.convert()
    return contents


class LiteRTGenerator:
    """The functions of a generator in a LiteRT file, run by ai_edge_litert.

    Args:
        path: of the file.
        batch: images of a call that it was made for; None = any number.
        threads: of the interpreter.

    Raises:
        ValueError: the package is missing.
    """

    signatures: Sequence[str] = SIGNATURES

    def __init__(self, path: pathlib.Path, batch: int | None, threads: int | None = None) -> None:
        module = optional_package("ai_edge_litert.interpreter", EXTRA, "litert")
        self.batch = batch
        self._interpreter = module.Interpreter(model_content=path.read_bytes(), num_threads=threads)
        self._runners: dict[str, Any] = {}

    def __call__(self, name: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of a function, by name."""
        runner = self._runners.setdefault(name, self._interpreter.get_signature_runner(name))
        outputs: dict[str, np.ndarray] = runner(**inputs)
        return outputs
