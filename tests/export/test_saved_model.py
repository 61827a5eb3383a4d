"""SavedModels, and their use by a process that does not know sg_keras."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.protobuf import saved_model_pb2

from examples import use_savedmodel
from sg_keras.export.saved_model import export_saved_model
from sg_keras.inference import inverse_transform
from tests.tiny_generator import tiny_generator

# Also differentiates twice, as a projector or a second training would.
STRANGER = """
import sys
import numpy as np, tensorflow as tf
folder, path = sys.argv[1:]
data = dict(np.load(path))
z, c, psi = (tf.constant(data[name]) for name in ("z", "c", "psi"))
model = tf.saved_model.load(folder)
ws = model.signatures["mapping"](z=z, c=c, truncation_psi=psi)["ws"]
data["ws"] = ws
data["synthesis"] = model.signatures["synthesis"](ws=ws)["images"]
both = model.signatures["generate"](z=z, c=c, truncation_psi=psi)
data["generate"], data["uint8"] = both["images"], both["images_uint8"]
with tf.GradientTape() as outer:
    outer.watch(z)
    with tf.GradientTape() as inner:
        inner.watch(z)
        loss = tf.reduce_sum(model.generate(z, c, psi)["images"] ** 2)
    first = inner.gradient(loss, z)
data["first"], data["second"] = first, outer.gradient(first, z)
assert not [name for name in sys.modules if name.startswith("sg_keras")]
np.savez(path, **data)
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """(folder, generator)"""
    G = tiny_generator()
    return export_saved_model(G, tmp_path_factory.mktemp("export") / "deep" / "model"), G


def derivatives(G, z, c, psi):
    z = tf.constant(z)
    with tf.GradientTape() as outer:
        outer.watch(z)
        with tf.GradientTape() as inner:
            inner.watch(z)
            loss = tf.reduce_sum(G(z, c, truncation_psi=float(psi)) ** 2)
        first = inner.gradient(loss, z)
    return first, outer.gradient(first, z)


@pytest.mark.long
def test_a_stranger_gets_the_same_images_and_derivatives(exported, tmp_path):
    folder, G = exported
    random = np.random.RandomState(0)
    given = {
        "z": random.randn(5, 8).astype(np.float32),
        "c": np.eye(3, dtype=np.float32)[[0, 1, 2, 1, 0]],
        "psi": np.float32(0.6),
    }
    np.savez(tmp_path / "data.npz", **given)
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    result = subprocess.run(
        [sys.executable, "-c", STRANGER, str(folder), str(tmp_path / "data.npz")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "custom gradient" not in result.stderr
    found = np.load(tmp_path / "data.npz")
    images = G(given["z"], given["c"], truncation_psi=0.6).numpy()
    ws = G.mapping(given["z"], given["c"], truncation_psi=0.6).numpy()
    np.testing.assert_allclose(found["ws"], ws, atol=1e-5)
    for name in ("synthesis", "generate"):
        np.testing.assert_allclose(found[name], images, atol=1e-5)
    assert found["uint8"].dtype == np.uint8
    np.testing.assert_allclose(found["uint8"], np.clip(images * 127.5 + 127.5, 0, 255), atol=0.51)
    for name, expected in zip(("first", "second"), derivatives(G, given["z"], given["c"], 0.6), strict=True):
        np.testing.assert_allclose(found[name], expected, atol=1e-4 * np.abs(expected).max())


def test_a_folder_whose_name_is_a_pattern(tmp_path, caplog):
    folder = export_saved_model(tiny_generator(), tmp_path / "model[1]" / "a*")
    assert "move it or make a link to it" in caplog.text
    assert {path.name for path in folder.iterdir()} == {"saved_model.pb", "variables", "assets", "description.json"}
    (tmp_path / "model").symlink_to(folder)
    assert set(tf.saved_model.load(tmp_path / "model").signatures) == {"mapping", "synthesis", "generate"}


def test_the_graph_holds_tensorflows_ops_alone(exported):
    saved = saved_model_pb2.SavedModel.FromString((exported[0] / "saved_model.pb").read_bytes())
    (meta_graph,) = saved.meta_graphs
    functions = meta_graph.graph_def.library.function
    nodes = [*meta_graph.graph_def.node, *(node for function in functions for node in function.node_def)]
    assert len(nodes) > 100
    assert {node.op for node in nodes} <= set(dir(tf.raw_ops))
    assert not [node for node in nodes if "_gradient_op_type" in node.attr]


def test_signatures_take_batches_of_any_size(exported):
    signatures = tf.saved_model.load(exported[0]).signatures
    assert set(signatures) == {"mapping", "synthesis", "generate"}
    for count in (1, 4):
        result = signatures["generate"](z=tf.zeros([count, 8]), c=tf.zeros([count, 3]), truncation_psi=tf.constant(1.0))
        assert result["images"].shape == (count, 16, 16, 1)


def test_stylegan3_takes_a_transform(tmp_path):
    G = tiny_generator(c_dim=0, cfg="stylegan3-r")
    folder = export_saved_model(G, tmp_path / "model")
    description = json.loads((folder / "description.json").read_text(encoding="utf-8"))
    assert "transform" in description["signatures"]["synthesis_transformed"]["inputs"]
    ws = G.mapping(tf.constant(np.random.RandomState(0).randn(2, 8), tf.float32)).numpy()
    moves = np.stack([np.eye(3), inverse_transform((0.1, -0.2), 30)]).astype(np.float32)
    still = G.synthesis(ws).numpy()
    all_alike, each = G.synthesis(ws, transform=moves[1]).numpy(), G.synthesis(ws, transform=moves).numpy()
    np.savez(tmp_path / "data.npz", ws=ws, moves=moves)
    program = """
import sys
import numpy as np, tensorflow as tf
folder, path = sys.argv[1:]
data = dict(np.load(path))
ws, moves = tf.constant(data["ws"]), tf.constant(data["moves"])
model = tf.saved_model.load(folder)
found = {"still": model.synthesis(ws), "still_signature": model.signatures["synthesis"](ws=ws)}
for name, transform in (("alike", moves[1]), ("each", moves)):
    found[name] = model.synthesis(ws, transform)
    found[name + "_signature"] = model.signatures["synthesis_transformed"](ws=ws, transform=transform)
assert not [name for name in sys.modules if name.startswith("sg_keras")]
np.savez(path, **{name: outputs["images"] for name, outputs in found.items()})
"""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    command = [sys.executable, "-c", program, str(folder), str(tmp_path / "data.npz")]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    found = np.load(tmp_path / "data.npz")
    for name, images in (("still", still), ("alike", all_alike), ("each", each)):
        np.testing.assert_allclose(found[name], images, atol=1e-5)
        np.testing.assert_allclose(found[f"{name}_signature"], images, atol=1e-5)


def test_description(exported):
    description = json.loads((exported[0] / "description.json").read_text(encoding="utf-8"))
    generate = description["signatures"]["generate"]
    assert generate["inputs"]["z"] == "float32 [N, 8], standard normal"
    assert generate["outputs"]["images"] == "float32 [N, 16, 16, 1], nominally -1..1"
    assert description["network"]["img_resolution"] == 16


def test_a_failed_export_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(tf.saved_model, "save", lambda *args, **kwargs: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        export_saved_model(tiny_generator(), tmp_path / "model")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("c_dim, rows", [(3, 3), (0, 1)])
def test_the_example_program(c_dim, rows, tmp_path, capsys):
    folder = export_saved_model(tiny_generator(c_dim, channels=3), tmp_path / "model [1]")
    assert use_savedmodel.main(str(folder), str(tmp_path / "grid.png")) == 1  # in this process sg_keras is loaded
    assert "found sg_keras among the loaded modules" in capsys.readouterr().err
    with Image.open(tmp_path / "grid.png") as grid:
        assert grid.size == (160, rows * 16)
