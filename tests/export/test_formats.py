"""Exports for other programs: run by them, and their graphs looked through."""

import functools
import json
import logging
import pathlib

import numpy as np
import onnx
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from sg_keras.export import formats, litert, onnx_file
from sg_keras.export.parity import TOLERANCES, GeneratorFunctions, compare
from sg_keras.inference import inverse_transform
from sg_keras.models import Generator
from tests.tiny_generator import tiny_generator

MAX_RANK = 5  # what LiteRT and its kin take
OTHERS = ("onnx", "litert", "openvino")


@functools.cache
def network(cfg: str):
    return tiny_generator(c_dim=3 if cfg == "stylegan2" else 0, channels=3, cfg=cfg)


@pytest.fixture(scope="module", params=["stylegan2", pytest.param("stylegan3-r", marks=pytest.mark.long)])
def exported(request, tmp_path_factory):
    """(settings, folder of each format)"""
    settings = formats.ExportSettings({"G_ema": network(request.param)}, class_names=("one", "two", "three"))
    places = {name: tmp_path_factory.mktemp(request.param) / name for name in ("savedmodel", *OTHERS)}
    for name, folder in places.items():
        assert formats.FORMATS[name].write(settings, folder) == folder
    return settings, places


@pytest.mark.rounding
def test_other_programs_make_the_same_images(exported):
    settings, places = exported
    expected = GeneratorFunctions(settings.G, impl="reference")
    for name in OTHERS:
        for kind, functions in formats.FORMATS[name].open(settings, places[name]).items():
            for row in compare(settings.G, expected, functions, kind or "float32", timed_sec=0):
                assert row.is_close and row.ms > 0, (name, kind, row)
                # Far from the tolerance: float32 is float32 everywhere.
                assert kind == "float16" or row.error < 0.3 * TOLERANCES["float32"][0], (name, row)


def test_stylegan3_is_moved(exported):
    settings, places = exported
    if not settings.G.takes_transform:
        pytest.skip("StyleGAN2 is not")
    ws = np.random.RandomState(0).randn(1, settings.G.num_ws, settings.G.w_dim).astype(np.float32)
    move = inverse_transform((0.1, -0.2), 30).astype(np.float32)[np.newaxis]
    expected = settings.G.synthesis(ws, transform=move).numpy()
    for name in OTHERS:
        for kind, functions in formats.FORMATS[name].open(settings, places[name]).items():
            found = functions("synthesis_transformed", {"ws": ws, "transform": move})["images"]
            np.testing.assert_allclose(found, expected, atol=TOLERANCES[kind or "float32"][0])


def test_graphs_hold_plain_ops_of_few_axes(exported):
    _, places = exported
    for place, ranks in {**_saved_model(places), **_onnx(places), **_litert(places)}.items():
        assert len(ranks) > 10 and max(ranks) <= MAX_RANK, place


def _saved_model(places):
    """Ranks of all tensors, by function."""
    model, found = tf.saved_model.load(str(places["savedmodel"])), {}
    for name, function in model.signatures.items():
        graphs = [function.graph, *(f.graph for f in function.graph._functions.values() if hasattr(f, "graph"))]
        definition = function.graph.as_graph_def(add_shapes=True)
        nodes = [*definition.node, *(node for f in definition.library.function for node in f.node_def)]
        assert graphs and {node.op for node in nodes} <= {
            *dir(tf.raw_ops),
            *(f.signature.name for f in definition.library.function),
        }
        shapes = [shape for node in nodes for shape in node.attr["_output_shapes"].list.shape]
        found[f"savedmodel {name}"] = [len(shape.dim) for shape in shapes if not shape.unknown_rank]
    return found


def _onnx(places):
    found = {}
    for path in places["onnx"].glob("*.onnx"):
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        assert {node.domain for node in model.graph.node} == {""}
        assert [(entry.domain, entry.version) for entry in model.opset_import if not entry.domain] == [("", 18)]
        values = onnx.shape_inference.infer_shapes(model).graph.value_info
        found[path.name] = [len(value.type.tensor_type.shape.dim) for value in values]
    return found


def _litert(places):
    found = {}
    for path in places["litert"].glob("*.tflite"):
        interpreter = Interpreter(str(path))
        ops = {op["op_name"] for op in interpreter._get_ops_details()}
        assert not [op for op in ops if op.lower().startswith(("flex", "custom"))], ops
        for signature in interpreter.get_signature_list():
            index = interpreter.get_signature_runner(signature)._subgraph_index
            details = interpreter.get_tensor_details(index)
            found[f"{path.name} {signature}"] = [len(tensor["shape"]) for tensor in details]
    return found


def test_onnx_files_say_what_they_are(exported):
    settings, places = exported
    names = {path.stem for path in places["onnx"].glob("*.onnx")}
    assert names == {"mapping", "synthesis", "generate"} | (
        {"synthesis_transformed"} if settings.G.takes_transform else set()
    )
    model = onnx.load(places["onnx"] / "generate.onnx")
    latents = ["z", "c", "truncation_psi"] if settings.G.c_dim else ["z", "truncation_psi"]
    assert [value.name for value in model.graph.input] == latents
    assert [value.name for value in model.graph.output] == ["images", "images_uint8"]
    facts = json.loads({entry.key: entry.value for entry in model.metadata_props}["sg_keras"])
    assert (facts["z_dim"], facts["w_dim"], facts["classes"]) == (8, 8, ["one", "two", "three"])
    assert facts["image"] == {"height": 16, "width": 16, "channels": 3} and "truncation_psi" in facts["truncation"]


def test_descriptions_are_programs(exported, tmp_path, monkeypatch):
    settings, places = exported
    for name in OTHERS:
        monkeypatch.chdir(places[name].parent)
        lines = json.loads((places[name] / "description.json").read_text(encoding="utf-8"))["use"]
        given = {"z": np.zeros([1, 8], np.float32), "c": np.eye(3, dtype=np.float32)[:1]}
        exec("\n".join(lines), given)
        assert given["images"].shape == (1, 16, 16, 3) and given["images"].dtype == np.uint8
    assert litert.fixed_batch(settings.G) == (1 if settings.G.takes_transform else None)


def test_conversions_leave_no_level_of_logs_behind(exported):
    assert logging.getLogger("tf2onnx").level != logging.ERROR and pathlib.Path(exported[1]["onnx"]).is_dir()


@pytest.mark.rounding
@pytest.mark.parametrize(
    "arguments, opset",
    [
        ({"img_channels": 4, "c_dim": 2, "architecture": "resnet", "num_fp16_res": 2, "no_const": True}, 18),
        pytest.param(
            {"img_resolution": [16, 24], "img_channels": 1, "architecture": "orig"}, 13, marks=pytest.mark.long
        ),
        pytest.param({"activation": "swish", "use_noise": False}, 15, marks=pytest.mark.long),
    ],
)
def test_networks_of_all_kinds_are_onnx(arguments, opset, tmp_path):
    common = {"z_dim": 8, "w_dim": 8, "img_resolution": 16, "channel_base": 64, "channel_max": 8}
    G = Generator(**{**common, **arguments}, mapping_kwargs={"num_layers": 2})
    folder = onnx_file.export_onnx(G, tmp_path / "onnx", opset=opset)
    rows = compare(G, GeneratorFunctions(G, impl="reference"), onnx_file.OnnxGenerator(folder), timed_sec=0)
    assert [row.is_close for row in rows] == [True] * 3


def test_fresh_noise_differs_from_call_to_call(tmp_path):
    G = network("stylegan2")
    generator = onnx_file.OnnxGenerator(onnx_file.export_onnx(G, tmp_path / "onnx", noise_mode="random"))
    inputs = {"ws": np.ones([1, G.num_ws, 8], np.float32)}
    first, second = (generator("synthesis", inputs)["images"] for _ in range(2))
    assert np.abs(first - second).max() > 1e-3
