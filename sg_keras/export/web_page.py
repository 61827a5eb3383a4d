"""A generator as one HTML page that opens from disk: network, runtime and all in it."""

from __future__ import annotations

import base64
import gzip
import importlib.resources
import json
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sg_keras.export.browser_runtime import PACKAGE, browser_runtime
from sg_keras.export.folder import export_folder, write_description
from sg_keras.export.onnx_file import chained, onnx_models
from sg_keras.export.signatures import GENERATE, MAPPING, SYNTHESIS, TRANSFORMED
from sg_keras.files.optional import optional_package
from sg_keras.models import Generator

EXTRA = "export"
PAGE_FILE = "index.html"
_TEMPLATE = "web_page.html"
_IMAGES = "images_uint8"


def export_web_page(
    G: Generator,
    folder: str | pathlib.Path,
    *,
    noise_mode: str = "const",
    labels: Mapping[str, np.ndarray] | None = None,
    truncation_psi: float = 1.0,
    title: str = "",
    runtime: str | pathlib.Path | None = None,
    models: Mapping[str, Any] | None = None,
) -> pathlib.Path:
    """Write a generator as index.html, which shows the images of seeds in any browser, from disk and without a network.

    The network is in it as ONNX, and onnxruntime-web, whose WebAssembly runs it. A seed gives the image that
    `sg_keras.inference.generate` gives.

    Args:
        G: generator.
        folder: where it goes. What is there already is replaced if it is such an export.
        noise_mode: "const", "random" or "none".
        labels: [c_dim] each, by name, to choose from; None = all classes, by number.
        truncation_psi: that the page begins with.
        title: of the page.
        runtime: folder or archive of the npm package onnxruntime-web; None = fetched by npm once, and kept.
        models: as `onnx_models` gives them, where they are at hand.

    Returns:
        The folder's absolute path.

    Raises:
        ValueError: a package is missing, or the folder holds something else.
        OSError: the runtime cannot be fetched or read.
    """
    found = browser_runtime(runtime)
    model = page_model(G, models or onnx_models(G, noise_mode=noise_mode))
    choices = labels or {str(index): row for index, row in enumerate(np.eye(G.c_dim))}
    facts = {
        "title": title or f"{G.cfg} {G.size}",
        "line": f"{G.cfg}, {sum(int(np.prod(v.shape)) for v in G.variables):,} parameters",
        "z_dim": G.z_dim,
        "c_dim": G.c_dim,
        "image": dict(zip(("height", "width", "channels"), G.image_shape, strict=True)),
        "takes_transform": G.takes_transform,
        "labels": [np.asarray(row, np.float64).tolist() for row in choices.values()] if G.c_dim else [],
        "label_names": list(choices) if G.c_dim else [],
        "truncation_psi": truncation_psi,
    }
    parts = {"RUNTIME": found.program, "BINARY": found.binary, "MODEL": model.SerializeToString()}
    with export_folder(folder, [PAGE_FILE], "the page") as (beside, place):
        (beside / PAGE_FILE).write_text(_page(facts, parts), encoding="utf-8")
        use = [f"open {place.name}/{PAGE_FILE} in a browser, from disk or from a server"]
        write_description(beside, G, "web page", use, runtime=f"{PACKAGE} (MIT licence)", noise_mode=noise_mode)
    return place


def page_model(G: Generator, models: Mapping[str, Any]) -> Any:
    """The ONNX model of a page: z, c, truncation_psi and, of StyleGAN3, transform -> images_uint8."""
    model = chained(models[MAPPING], models[TRANSFORMED if G.takes_transform else SYNTHESIS])
    for output in [output for output in model.graph.output if output.name != _IMAGES]:
        model.graph.output.remove(output)
    return model


def _page(facts: Mapping[str, Any], parts: Mapping[str, bytes]) -> str:
    template = (importlib.resources.files("sg_keras.export") / "data" / _TEMPLATE).read_text(encoding="utf-8")
    texts = {name: base64.b64encode(gzip.compress(content, 6, mtime=0)).decode() for name, content in parts.items()}
    texts["DATA"] = json.dumps(facts, ensure_ascii=True).replace("<", "\\u003c")
    return re.sub("@(DATA|RUNTIME|BINARY|MODEL)@", lambda match: texts[match.group(1)], template)


class PageGenerator:
    """The network in a page, run by onnxruntime on the CPU: `generate` alone, whose images are uint8.

    Args:
        path: of the page.
        threads: of onnxruntime; None = as many as it likes.

    Raises:
        ValueError: the package is missing.
    """

    signatures: Sequence[str] = (GENERATE,)
    batch: int | None = None

    def __init__(self, path: pathlib.Path, threads: int | None = None) -> None:
        runtime = optional_package("onnxruntime", EXTRA, "web")
        text = path.read_text(encoding="utf-8").partition('id="model">')[2].partition("<")[0]
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        content = gzip.decompress(base64.b64decode(text))
        self._session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._names = {found.name for found in self._session.get_inputs()}

    def __call__(self, name: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of `generate`, by name."""
        del name
        still = {"transform": np.eye(3, dtype=np.float32)[np.newaxis]} if "transform" in self._names else {}
        return {_IMAGES: self._session.run([_IMAGES], {**inputs, **still})[0]}
