"""Exports by command line."""

import importlib
import json

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.config.choices import EXPORT_FORMATS
from sg_keras.export import parity
from sg_keras.export.formats import FORMATS
from sg_keras.tools import export


def test_the_tool_replaces_an_older_export_and_nothing_else(unconditional_snapshot, tmp_path, capsys):
    command = [f"--network={unconditional_snapshot}", f"--outdir={tmp_path / 'model'}"]
    assert export.main(command) == 0
    assert export.main(command) == 0
    assert "SavedModel with signatures mapping, synthesis and generate" in capsys.readouterr().out
    generate = tf.saved_model.load(tmp_path / "model").signatures["generate"]
    assert generate(z=tf.zeros([2, 8]), truncation_psi=tf.constant(0.5))["images"].shape == (2, 16, 16, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    (tmp_path / "model" / "thesis.txt").write_text("years of work", encoding="utf-8")
    assert export.main(command) == 1
    assert "found thesis.txt in it, expected an empty folder, an older export or nothing yet" in capsys.readouterr().err
    assert (tmp_path / "model" / "thesis.txt").is_file()


def test_formats_of_the_option_are_those_that_there_are():
    assert tuple(FORMATS) == EXPORT_FORMATS


def test_several_formats_compared_with_the_network(unconditional_snapshot, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(parity, "_TIMED_SEC", 0)
    command = [f"--network={unconditional_snapshot}", f"--outdir={tmp_path / 'out'}", "--noise-mode=none"]
    assert export.main([*command, "--format=savedmodel,keras,safetensors", "--check", "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[7:16:3]] == [
        [n, "mapping"] for n in ("savedmodel", "keras", "safetensors")
    ]
    found = json.loads(lines[-1])
    assert found["is_close"] is True and list(found["formats"]) == ["savedmodel", "keras", "safetensors"]
    assert found["formats"]["keras"]["parity"]["float32"]["generate"]["equal_pixels"] == 1.0
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(found["formats"])
    assert found["formats"]["keras"]["bytes"] == sum(p.stat().st_size for p in (tmp_path / "out" / "keras").iterdir())
    monkeypatch.setitem(parity.TOLERANCES, "float32", (-1.0, 1))
    assert export.main([*command, "--format=keras", "--check", f"--outdir={tmp_path / 'other'}"]) == 1
    assert "NOT the same" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, message",
    [
        (["--format=litert", "--noise-mode=random"], "--noise-mode: found random with litert, expected const or none"),
        (["--check", "--noise-mode=random"], "--check: found it with --noise-mode=random, expected const or none"),
        (["--opset=12"], "--opset: found 12, expected a whole number, from 13 to 18"),
        (["--format=onnx"], "--format=onnx: found no package tf2onnx, expected it: pip install 'sg-keras[export]'"),
        (["--format=web", "--runtime=nowhere"], "nowhere: found no dist/ort.wasm.bundle.min.mjs"),
    ],
)
def test_one_line_errors(words, message, unconditional_snapshot, tmp_path, capsys, monkeypatch):
    if "tf2onnx" in message:
        imported = importlib.import_module
        missing = lambda name, *more: imported("no_such_package" if name == "tf2onnx" else name, *more)  # noqa: E731
        monkeypatch.setattr(importlib, "import_module", missing)
    monkeypatch.chdir(tmp_path)
    assert export.main([f"--network={unconditional_snapshot}", "--outdir=out", *words]) == 1
    error = capsys.readouterr().err
    assert error.startswith("Error: ") and error.count("\n") == 1 and message in error
    assert not list(tmp_path.iterdir())


def test_a_network_without_its_companions(unconditional_snapshot, tmp_path, capsys):
    alone = tmp_path / "average.keras"
    alone.write_bytes((unconditional_snapshot / "G_ema.keras").read_bytes())
    assert export.main([f"--network={alone}", "--format=pkl", f"--outdir={tmp_path / 'out'}"]) == 1
    assert "--network: " in (error := capsys.readouterr().err) and "expected a snapshot's folder" in error
    assert export.main([f"--network={alone}", "--format=keras", f"--outdir={tmp_path / 'out'}"]) == 0
    assert np.isclose(json.loads((tmp_path / "out" / "description.json").read_text())["network"]["z_dim"], 8)
