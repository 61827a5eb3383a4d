"""Generators as ONNX files, one for each function, and such files run by onnxruntime."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from sg_keras.config.choices import ONNX_OPSETS
from sg_keras.export.folder import described_signatures, export_folder, network_facts, typed_latents, write_description
from sg_keras.export.parity import SIGNATURES
from sg_keras.export.signatures import GENERATE, MAPPING, SYNTHESIS, GeneratorSignatures
from sg_keras.files.optional import optional_package
from sg_keras.models import Generator

EXTRA = "export"  # that has the packages
METADATA_KEY = "sg_keras"
_CATCH_ERRORS = "TF2ONNX_CATCH_ERRORS"  # variable of the environment


def export_onnx(
    G: Generator,
    folder: str | pathlib.Path,
    *,
    opset: int = 18,
    noise_mode: str = "const",
    class_names: Sequence[str] = (),
    models: Mapping[str, Any] | None = None,
) -> pathlib.Path:
    """Write a generator as ONNX files for batches of any size: mapping.onnx, synthesis.onnx and generate.onnx.

    Inputs and outputs are called as in the SavedModel, and each file is complete by itself, since programs open a file
    and run all of it. StyleGAN3 also has synthesis_transformed.onnx. Each has facts of the network in its metadata,
    under "sg_keras", as JSON: see `metadata`.

    Args:
        G: generator.
        folder: where they go. What is there already is replaced if it is such an export.
        opset: version of ONNX's operators, 13 to 18.
        noise_mode: "const", "random" or "none".
        class_names: of the labels, where they have names.
        models: as `onnx_models` gives them, where they are at hand.

    Returns:
        The folder's absolute path.

    Raises:
        ValueError: a package is missing, the folder holds something else, or the opset is out of range.

    Example:
        >>> import pathlib, tempfile
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=8, channel_base=64)
        >>> folder = export_onnx(G, pathlib.Path(tempfile.mkdtemp()) / "onnx")
        >>> generate = OnnxGenerator(folder)
        >>> psi = np.array(0.7, np.float32)
        >>> generate("generate", {"z": np.ones([2, 8], np.float32), "truncation_psi": psi})["images_uint8"].shape
        (2, 8, 8, 3)
    """
    models = models or onnx_models(G, opset=opset, noise_mode=noise_mode, class_names=class_names)
    with export_folder(folder, ["*.onnx"], "the ONNX files") as (beside, place):
        for name, model in models.items():
            (beside / f"{name}.onnx").write_bytes(model.SerializeToString())
        use = [
            "import numpy as np, onnxruntime",
            f"session = onnxruntime.InferenceSession('{place.name}/generate.onnx')",
            f"(images,) = session.run(['images_uint8'], {{{typed_latents(G)}}})",
        ]
        facts = {"signatures": described_signatures(G), "opset": opset, "noise_mode": noise_mode}
        write_description(beside, G, "ONNX", use, **facts)
    return place


def onnx_models(
    G: Generator, *, opset: int = 18, noise_mode: str = "const", class_names: Sequence[str] = ()
) -> dict[str, Any]:
    """ONNX models of a generator's functions, by name: see `export_onnx`."""
    if not ONNX_OPSETS[0] <= opset <= ONNX_OPSETS[1]:
        raise ValueError(f"opset: found {opset}, expected {ONNX_OPSETS[0]} to {ONNX_OPSETS[1]}")
    tf2onnx = optional_package("tf2onnx", EXTRA, "onnx")
    optional_package("onnx", EXTRA, "onnx")
    from onnx import helper

    functions = GeneratorSignatures(G, noise_mode=noise_mode).signatures()
    del functions[GENERATE]  # it is the other two, one after the other
    models = {}
    with _converting(), tf.device("/cpu:0"):
        for name, function in functions.items():
            models[name], _ = tf2onnx.convert.from_function(function, function.input_signature, opset=opset)
    models[GENERATE] = chained(models[MAPPING], models[SYNTHESIS])
    facts = json.dumps(metadata(G, noise_mode, class_names))
    for name, model in models.items():
        model.producer_name, model.doc_string = "sg_keras", f"{G.cfg} {G.size}: {name}"
        helper.set_model_props(model, {METADATA_KEY: facts})
    return models


def metadata(G: Generator, noise_mode: str, class_names: Sequence[str]) -> dict[str, Any]:
    """What a program wants to know of a network before it runs it, as JSON values."""
    return {
        "z_dim": G.z_dim,
        "w_dim": G.w_dim,
        "num_ws": G.num_ws,
        "c_dim": G.c_dim,
        "classes": list(class_names),
        "image": {"height": G.image_shape[0], "width": G.image_shape[1], "channels": G.image_shape[2]},
        "values": "images: -1..1; images_uint8: floor(127.5 x + 128) of them, clipped",
        "truncation": "truncation_psi: 1 = none, 0 = the mean style",
        "noise_mode": noise_mode,
        "network": network_facts(G),
    }


def chained(first: Any, second: Any) -> Any:
    """One ONNX model of two, whose only common name is that of the first one's output and the second one's input."""
    from onnx import compose

    kept: dict[str, Any] = {"rename_inputs": False, "rename_outputs": False}
    parts = [compose.add_prefix(model, prefix, **kept) for model, prefix in ((first, "m/"), (second, "s/"))]
    (joint,) = {value.name for value in first.graph.output} & {value.name for value in second.graph.input}
    merged = compose.merge_models(*parts, io_map=[(joint, joint)])
    versions = {entry.domain: entry for entry in first.opset_import}
    del merged.opset_import[:]  # it has each twice
    merged.opset_import.extend(versions.values())
    return merged


@contextlib.contextmanager
def _converting() -> Iterator[None]:
    """Within, tf2onnx says nothing of what it converts.

    And it keeps no copy of the graph before each of its hundred optimisations, which takes half of the time.
    """
    logger, before = logging.getLogger("tf2onnx"), os.environ.get(_CATCH_ERRORS)
    level = logger.level
    logger.setLevel(logging.ERROR)
    os.environ[_CATCH_ERRORS] = "FALSE"
    try:
        yield
    finally:
        logger.setLevel(level)
        os.environ.pop(_CATCH_ERRORS)
        if before is not None:
            os.environ[_CATCH_ERRORS] = before


class OnnxGenerator:
    """The functions of a generator in ONNX files, run by onnxruntime on the CPU.

    Args:
        folder: of `export_onnx`.
        threads: of onnxruntime; None = as many as it likes.

    Raises:
        ValueError: the package is missing.
    """

    signatures: Sequence[str] = SIGNATURES
    batch: int | None = None

    def __init__(self, folder: pathlib.Path, threads: int | None = None) -> None:
        self._runtime = optional_package("onnxruntime", EXTRA, "onnx")
        self._folder, self._threads = folder, threads
        self._sessions: dict[str, Any] = {}

    def __call__(self, name: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of a function, by name."""
        session = self._sessions.get(name)
        if session is None:
            options = self._runtime.SessionOptions()
            options.intra_op_num_threads = self._threads or 0
            content = (self._folder / f"{name}.onnx").read_bytes()
            providers = ["CPUExecutionProvider"]
            session = self._sessions[name] = self._runtime.InferenceSession(content, options, providers=providers)
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, dict(inputs)), strict=True))
