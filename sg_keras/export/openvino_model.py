"""Generators as OpenVINO models, made of their ONNX models, and such models run by OpenVINO."""

from __future__ import annotations

import pathlib
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sg_keras.export.folder import described_signatures, export_folder, typed_latents, write_description
from sg_keras.export.onnx_file import onnx_models
from sg_keras.export.parity import SIGNATURES
from sg_keras.files.optional import optional_package
from sg_keras.models import Generator

EXTRA = "export"
#: OpenVINO computes in bfloat16 on CPUs that have it, with errors of some levels of 255, unless it is told not to.
FULL_PRECISION = {"INFERENCE_PRECISION_HINT": "f32"}
PRECISION_WARNING = (
    "OpenVINO computes in bfloat16 on CPUs that have it, which changes images by several levels of 255: "
    'give compile_model {"INFERENCE_PRECISION_HINT": "f32"}'
)


def export_openvino(
    G: Generator,
    folder: str | pathlib.Path,
    *,
    opset: int = 18,
    noise_mode: str = "const",
    class_names: Sequence[str] = (),
    models: Mapping[str, Any] | None = None,
) -> pathlib.Path:
    """Write a generator as OpenVINO models, one for each function as in ONNX, with float32 weights: NAME.xml, NAME.bin.

    A model cannot say in which precision it is to be computed: `PRECISION_WARNING` is in the description.

    Args:
        G: generator.
        folder: where they go. What is there already is replaced if it is such an export.
        opset, noise_mode, class_names, models: as of `export_onnx`.

    Returns:
        The folder's absolute path.

    Raises:
        ValueError: a package is missing, or the folder holds something else.
    """
    openvino = optional_package("openvino", EXTRA, "openvino")
    models = models or onnx_models(G, opset=opset, noise_mode=noise_mode, class_names=class_names)
    with export_folder(folder, ["*.xml", "*.bin"], "the OpenVINO models") as (beside, place):
        with tempfile.TemporaryDirectory() as onnx_folder:
            for name, model in models.items():
                path = pathlib.Path(onnx_folder) / f"{name}.onnx"
                path.write_bytes(model.SerializeToString())
                openvino.save_model(openvino.convert_model(path), beside / f"{name}.xml", compress_to_fp16=False)
        use = [
            "import numpy as np, openvino",
            f"model = openvino.compile_model('{place.name}/generate.xml', 'CPU', {FULL_PRECISION})",
            f"images = model({{{typed_latents(G)}}})['images_uint8']",
        ]
        facts = {"signatures": described_signatures(G), "noise_mode": noise_mode, "precision": PRECISION_WARNING}
        write_description(beside, G, "OpenVINO", use, **facts)
    return place


class OpenVinoGenerator:
    """The functions of a generator as OpenVINO models, computed in float32 on the CPU.

    Args:
        folder: of `export_openvino`.
        threads: of OpenVINO; None = as many as it likes.

    Raises:
        ValueError: the package is missing.
    """

    signatures: Sequence[str] = SIGNATURES
    batch: int | None = None

    def __init__(self, folder: pathlib.Path, threads: int | None = None) -> None:
        self._core = optional_package("openvino", EXTRA, "openvino").Core()
        self._folder = folder
        self._settings = {**FULL_PRECISION, **({} if threads is None else {"INFERENCE_NUM_THREADS": threads})}
        self._models: dict[str, Any] = {}

    def __call__(self, name: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of a function, by name."""
        model = self._models.get(name)
        if model is None:
            model = self._core.compile_model(self._folder / f"{name}.xml", "CPU", self._settings)
            self._models[name] = model
        found = model(dict(inputs))
        return {output.get_any_name(): np.array(found[output]) for output in model.outputs}
