"""Export the averaged generator G_ema for other programs.

    python -m sg_keras.tools.export --network=RUN_DIR --outdir=exported
    python -m sg_keras.tools.export --network=RUN_DIR --format=onnx,web --check --outdir=exported

Formats: a TensorFlow SavedModel, ONNX, LiteRT, OpenVINO, Keras, weights (safetensors, pkl), and a
web page that opens from disk. description.json in each export says what it takes and gives.
--check opens each again and prints how it compares with the network.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sg_keras.files.errors import file_errors_explained
from sg_keras.flags.export_options import EXPORT_OPTIONS
from sg_keras.tools.entry import run_tool
from sg_keras.tools.network_option import label_facts, load_networks

if TYPE_CHECKING:
    from sg_keras.export.formats import ExportFormat, ExportSettings
    from sg_keras.export.parity import Parity

_COLUMNS = ("export", "function", "largest error", "equal pixels", "ms/image", "MB", "")


def main(argv: Sequence[str] | None = None) -> int:
    """Export as the command line says; returns the exit status."""
    return run_tool(_export, __doc__ or "", EXPORT_OPTIONS, argv)


def _export(values: dict[str, Any]) -> int:
    from sg_keras.export.folder import DESCRIPTION_FILE

    formats = _formats(values)
    settings = _settings(values, {name for form in formats.values() for name in form.needs})
    outdir = pathlib.Path(values["outdir"])
    found: dict[str, dict[str, Any]] = {}
    for name, form in formats.items():
        folder = outdir if len(formats) == 1 else outdir / name
        with file_errors_explained(folder):
            place = form.write(settings, folder)
        found[name] = {"folder": str(place), "bytes": _bytes(place)}
        what, size = form.what.format(_functions(settings)), found[name]["bytes"] / 1e6
        print(f"{what} in {place}; see {DESCRIPTION_FILE} there ({size:.1f} MB)", flush=True)
    is_close = _check(settings, formats, found) if values["check"] else True
    if values["json"]:
        print(json.dumps({"formats": found, "is_close": is_close}))
    return 0 if is_close else 1


def _formats(values: dict[str, Any]) -> dict[str, ExportFormat]:
    """The formats that are asked for, by name, once all that they need is known to be there."""
    from sg_keras.export.formats import EXTRA, FORMATS
    from sg_keras.files.optional import optional_package

    if values["check"] and values["noise_mode"] == "random":
        raise ValueError("--check: found it with --noise-mode=random, expected const or none, whose images repeat")
    formats = {name: FORMATS[name] for name in values["format"]}
    for name, form in formats.items():
        if values["noise_mode"] not in form.noise_modes:
            raise ValueError(
                f"--noise-mode: found {values['noise_mode']} with {name}, expected {' or '.join(form.noise_modes)}"
            )
        writing, comparing = form.packages
        for module in (*writing, *(comparing if values["check"] else ())):
            optional_package(module, EXTRA, f"--format={name}")
    return formats


def _settings(values: dict[str, Any], needed: set[str]) -> ExportSettings:
    from sg_keras.export.formats import ExportSettings
    from sg_keras.weights import training_config

    names = [name for name in ("G", "D", "G_ema") if name in needed]
    networks = load_networks("--network", values["network"], "auto", names)
    kind, examples, class_names = label_facts(values["network"])
    labels = {str(index): row for index, row in enumerate(examples)} if kind == "vectors" and len(examples) else None
    config = training_config(values["network"])
    return ExportSettings(
        networks,
        title="" if config is None else f"{config.dataset.name}, {networks['G_ema'].size}",
        opset=values["opset"],
        noise_mode=values["noise_mode"],
        class_names=class_names,
        labels=labels,
        runtime=values["runtime"],
    )


def _functions(settings: ExportSettings) -> str:
    further = ", synthesis_transformed" if settings.G.takes_transform else ""
    return f"mapping, synthesis{further} and generate"


def _check(settings: ExportSettings, formats: dict[str, ExportFormat], found: dict[str, dict[str, Any]]) -> bool:
    """Print how the exports compare with the network, and note it in `found`. Returns whether all are the same."""
    from sg_keras.export.parity import GeneratorFunctions, compare, milliseconds

    expected = GeneratorFunctions(settings.G, settings.noise_mode)
    print(_row(_COLUMNS))
    for name, ms in milliseconds(settings.G, expected).items():
        print(_row(("this package", name, "", "", f"{ms:.1f}", "", "")))
    is_close = True
    for name, form in formats.items():
        folder = pathlib.Path(found[name]["folder"])
        for kind, functions in form.open(settings, folder).items():
            rows = list(compare(settings.G, expected, functions, kind or "float32"))
            is_close &= all(row.is_close for row in rows)
            called = f"{name} {kind}".strip()
            found[name].setdefault("parity", {})[kind or "float32"] = {r.signature: dataclasses.asdict(r) for r in rows}
            for cells in _cells(called, rows, found[name]["bytes"]):
                print(_row(cells), flush=True)
    return is_close


def _cells(called: str, rows: Sequence[Parity], size: int) -> Iterator[Sequence[str]]:
    for row in rows:
        error = "" if row.error is None else f"{row.error:.1e}"
        equal = "" if row.equal_pixels is None else f"{100 * row.equal_pixels:.2f}%"
        equal += f", up to {row.max_levels}" if row.max_levels else ""
        verdict = "" if row.is_close else "NOT the same"
        yield called, row.signature, error, equal, f"{row.ms:.1f}", f"{size / 1e6:.1f}", verdict


def _row(cells: Sequence[str]) -> str:
    widths = (16, 10, 13, 16, 8, 6, 0)
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _bytes(folder: pathlib.Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
