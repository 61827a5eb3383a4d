"""The formats of exports: how each is written, and how it is opened again to be compared."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from sg_keras.export import litert, onnx_file, openvino_model, saved_model, web_page, weight_files
from sg_keras.export.parity import Functions, GeneratorFunctions
from sg_keras.export.saved_generator import SavedFunctions
from sg_keras.models import Generator
from sg_keras.weights.load import load


@dataclasses.dataclass(frozen=True)
class ExportSettings:
    """What is exported, and how.

    Attributes:
        networks: "G_ema", and beside it "G" and "D", which formats of weights take.
        opset: of ONNX.
        noise_mode: "const", "random" or "none".
        class_names: of the labels, where they have names.
        labels: [c_dim] each, by name, that a page offers; None = all classes.
        title: of a page.
        runtime: folder or archive of onnxruntime-web; None = npm's.
    """

    networks: Mapping[str, keras.Model]
    opset: int = 18
    noise_mode: str = "const"
    class_names: Sequence[str] = ()
    labels: Mapping[str, np.ndarray] | None = None
    title: str = ""
    runtime: str | None = None

    @functools.cached_property
    def onnx_models(self) -> dict[str, Any]:
        """What formats that are made of ONNX share."""
        return onnx_file.onnx_models(self.G, opset=self.opset, noise_mode=self.noise_mode, class_names=self.class_names)

    @property
    def G(self) -> Generator:  # noqa: N802
        """The generator that is exported."""
        generator: Generator = self.networks["G_ema"]
        return generator


@dataclasses.dataclass(frozen=True)
class ExportFormat:
    """A format.

    Attributes:
        what: is written, in words; {} stands for the functions' names.
        write: writes an export into a folder.
        open: gives its functions, by a name each (such as the type of their weights), "" where there is one kind alone.
        needs: networks that are exported.
        packages: optional ones that writing takes, and then those that comparing takes, by the modules' names.
        noise_modes: that it can have.
    """

    what: str
    write: Callable[[ExportSettings, pathlib.Path], pathlib.Path]
    open: Callable[[ExportSettings, pathlib.Path], dict[str, Functions]]
    needs: tuple[str, ...] = ("G_ema",)
    packages: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    noise_modes: tuple[str, ...] = ("const", "none")


def _onnx(settings: ExportSettings) -> dict[str, Any]:
    return {"opset": settings.opset, "noise_mode": settings.noise_mode, "models": settings.onnx_models}


def _write_page(settings: ExportSettings, folder: pathlib.Path) -> pathlib.Path:
    return web_page.export_web_page(
        settings.G,
        folder,
        noise_mode=settings.noise_mode,
        labels=settings.labels,
        title=settings.title,
        runtime=settings.runtime,
        models=settings.onnx_models,
    )


def _open_litert(settings: ExportSettings, folder: pathlib.Path) -> dict[str, Functions]:
    batch = litert.fixed_batch(settings.G)
    return {name: litert.LiteRTGenerator(folder / file, batch) for name, file in litert.FILES.items()}


def _loaded(settings: ExportSettings, path: pathlib.Path) -> dict[str, Functions]:
    return {"": GeneratorFunctions(load(path, "auto", ("G_ema",))["G_ema"], settings.noise_mode)}


def _weights(kind: str) -> ExportFormat:
    """A format of files with all networks' weights."""
    return ExportFormat(
        f"G, D and G_ema as {weight_files.FILES[kind]}",
        lambda settings, folder: weight_files.export_weights(settings.networks, folder, kind),
        lambda settings, folder: _loaded(settings, folder / weight_files.FILES[kind]),
        needs=("G", "D", "G_ema"),
    )


EXTRA = "export"  # that has the optional packages
_ONNX = ("onnx", "tf2onnx")
FORMATS: dict[str, ExportFormat] = {
    "savedmodel": ExportFormat(
        "SavedModel with signatures {}",
        lambda s, folder: saved_model.export_saved_model(s.G, folder, noise_mode=s.noise_mode),
        lambda s, folder: {"": SavedFunctions(folder)},
        noise_modes=("const", "random", "none"),
    ),
    "onnx": ExportFormat(
        "ONNX files {}",
        lambda s, folder: onnx_file.export_onnx(s.G, folder, **_onnx(s)),
        lambda s, folder: {"": onnx_file.OnnxGenerator(folder)},
        packages=(_ONNX, ("onnxruntime",)),
        noise_modes=("const", "random", "none"),
    ),
    "litert": ExportFormat(
        "LiteRT files in float32 and float16 with signatures {}",
        lambda s, folder: litert.export_litert(s.G, folder, noise_mode=s.noise_mode),
        _open_litert,
        packages=((), ("ai_edge_litert.interpreter",)),
    ),
    "openvino": ExportFormat(
        "OpenVINO models {}",
        lambda s, folder: openvino_model.export_openvino(s.G, folder, **_onnx(s)),
        lambda s, folder: {"": openvino_model.OpenVinoGenerator(folder)},
        packages=((*_ONNX, "openvino"), ()),
    ),
    "keras": ExportFormat(
        "G_ema as a .keras file",
        lambda s, folder: weight_files.export_keras(s.G, folder),
        lambda s, folder: _loaded(s, folder / weight_files.KERAS_FILE),
    ),
    "safetensors": _weights("safetensors"),
    "pkl": _weights("pkl"),
    "web": ExportFormat(
        "a page that opens from disk",
        _write_page,
        lambda s, folder: {"": web_page.PageGenerator(folder / web_page.PAGE_FILE)},
        packages=(_ONNX, ("onnxruntime",)),
    ),
}
