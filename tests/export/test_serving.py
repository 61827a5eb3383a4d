"""What TensorFlow Serving asks of a SavedModel. The server itself is not run here."""

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.tools import saved_model_cli

from sg_keras.export.saved_model import export_saved_model
from sg_keras.weights import load

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Of the exported generator in a snapshot of ours."""
    G = load(FIXTURES / "snapshots" / "stylegan2.keras", names=("G_ema",))["G_ema"]
    return export_saved_model(G, tmp_path_factory.mktemp("serving") / "1")


def answer(model, request):
    """What the server answers to a request in columns: its REST interface in a few lines."""
    signature = model.signatures[request["signature_name"]]
    _, expected = signature.structured_input_signature
    assert set(request["inputs"]) == set(expected)
    inputs = {name: tf.constant(value, expected[name].dtype) for name, value in request["inputs"].items()}
    return {"outputs": {name: value.numpy().tolist() for name, value in signature(**inputs).items()}}


@pytest.mark.rounding
@pytest.mark.parametrize("name", ["mapping", "generate"])
def test_a_request_has_its_response(name, folder):
    request, response = (
        json.loads((FIXTURES / "serving" / f"{name}_{what}.json").read_text()) for what in ("request", "response")
    )
    found = answer(tf.saved_model.load(str(folder)), request)
    assert found["outputs"].keys() == response["outputs"].keys()
    for key, expected in response["outputs"].items():
        np.testing.assert_allclose(
            found["outputs"][key], expected, atol=1 if key.endswith("uint8") else 1e-4, rtol=1e-4
        )


def test_the_command_line_shows_the_signatures(folder, capsys):
    for name, inputs in (("mapping", "z"), ("synthesis", "ws"), ("generate", "truncation_psi")):
        words = ["show", f"--dir={folder}", "--tag_set=serve", f"--signature_def={name}"]
        arguments = saved_model_cli.create_parser().parse_args(words)
        arguments.func()
        text = capsys.readouterr().out
        assert f"inputs['{inputs}'] tensor_info" in text and "Method name is: tensorflow/serving/predict" in text
        if name == "generate":
            assert "shape: (-1, 8, 8, 1)" in text and "dtype: DT_UINT8" in text and "shape: ()" in text
