"""Generators as TensorFlow SavedModels, which need none of our code."""

from __future__ import annotations

import json
import logging
import pathlib
from typing import Any

import keras
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import sg_keras
from sg_keras.files import is_plain, plain_folder
from sg_keras.files.atomic import atomic_folder
from sg_keras.models import Generator, in_full_precision
from sg_keras.ops.pixel_values import to_uint8

DESCRIPTION_FILE = "description.json"
GRAPH_FILE = "saved_model.pb"
_LOGGER = logging.getLogger(__name__)
# How our code would run the network.
_NOT_DESCRIBED = ("name", "dtype", "trainable", "impl", "num_fp16_res", "half_dtype")
_OWN_FILES = {GRAPH_FILE, DESCRIPTION_FILE, "fingerprint.pb", "variables", "assets"}
_CUSTOM_GRADIENT = "_gradient_op_type"  # attribute of a node whose gradient is a Python function


def export_saved_model(G: Generator, folder: str | pathlib.Path) -> pathlib.Path:
    """Write a generator as a SavedModel with these signatures, for batches of any size.

    * mapping: z [N,z_dim], c [N,c_dim], truncation_psi [] -> ws [N,num_ws,w_dim]
    * synthesis: ws [N,num_ws,w_dim] -> images [N,H,W,C], nominally -1..1, and images_uint8 [N,H,W,C]
    * generate: z [N,z_dim], c [N,c_dim], truncation_psi [] -> images, images_uint8
    * synthesis_transformed (StyleGAN3 alone): ws, transform [3,3] or [N,3,3] -> images, images_uint8, moved by the
      transform's inverse

    All floating numbers are float32, noise is the image stored in the network, and c is left out for a network
    without labels. The graph holds no op and no gradient function of ours, so it can be differentiated, too.
    The loaded model has them as methods, too; there, StyleGAN3's synthesis takes the transform as an optional second
    argument. (Signatures know no optional arguments.) A description for people lies beside it, in description.json.

    Args:
        G: generator, in any implementation of the ops and any precision; exported is float32 in plain TensorFlow.
        folder: where it goes. What is there already is replaced if it is an export.

    Returns:
        The folder's absolute path.

    Raises:
        ValueError: the folder holds something else, or G is no generator.
    """
    if not isinstance(G, Generator):
        raise ValueError(f"found {type(G).__name__}, expected a Generator to export")
    place = pathlib.Path(folder).absolute().resolve()
    _check_replaceable(place)
    G = in_full_precision(G, "reference")
    module = _ExportedGenerator(G)
    place.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(place) as beside:
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        with plain_folder(beside) as plain:
            tf.saved_model.save(module, plain.path, signatures=module.signatures(), options=options)
        _make_self_contained(beside)
        text = json.dumps(_description(G, place), indent=2) + "\n"
        (beside / DESCRIPTION_FILE).write_text(text, encoding="utf-8")
    if not is_plain(place):
        _LOGGER.warning(
            "%s: TensorFlow takes some characters of this path for a pattern; where tf.saved_model.load does not find "
            "the model, move it or make a link to it",
            place,
        )
    return place


class _ExportedGenerator(tf.Module):
    """What is saved: weights and three functions, and nothing of Keras."""

    def __init__(self, G: Generator) -> None:
        super().__init__(name="generator")
        self.weights = [variable.value for variable in G.variables]
        latents = [tf.TensorSpec([None, G.z_dim], tf.float32, name="z")]
        if G.c_dim > 0:
            latents.append(tf.TensorSpec([None, G.c_dim], tf.float32, name="c"))
        latents.append(tf.TensorSpec([], tf.float32, name="truncation_psi"))
        styles = [tf.TensorSpec([None, G.num_ws, G.w_dim], tf.float32, name="ws")]

        def ws_of(*inputs: tf.Tensor) -> tf.Tensor:
            *z_and_c, psi = inputs
            return G.mapping(*z_and_c, truncation_psi=psi)

        def outputs_of(ws: tf.Tensor, **move: tf.Tensor) -> dict[str, tf.Tensor]:
            images = G.synthesis(ws, noise_mode="const", **move)
            return {"images": images, "images_uint8": to_uint8(images)}

        def moved(ws: tf.Tensor, transform: tf.Tensor = tf.eye(3)) -> dict[str, tf.Tensor]:  # noqa: B008
            return outputs_of(ws, transform=tf.reshape(transform, [-1, 3, 3]))

        self.mapping = _function(lambda *inputs: {"ws": ws_of(*inputs)}, latents)
        self.synthesis = still = _function(outputs_of, styles)
        self.generate = _function(lambda *inputs: outputs_of(ws_of(*inputs)), latents)
        self._signatures = {"mapping": self.mapping, "synthesis": still, "generate": self.generate}
        if G.takes_transform:
            matrices = tf.TensorSpec(None, tf.float32, name="transform")  # [3,3] or [N,3,3]
            self.synthesis = self._signatures["synthesis_transformed"] = _function(moved, [*styles, matrices])

    def signatures(self) -> dict[str, Any]:
        """The functions to save, by name."""
        return dict(self._signatures)


def _function(function: Any, inputs: list[tf.TensorSpec]) -> Any:
    return tf.function(function, input_signature=inputs, autograph=False, jit_compile=False)


def _check_replaceable(folder: pathlib.Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ValueError(f"{folder}: found a file, expected a folder for the SavedModel, or nothing yet")
    others = sorted(entry.name for entry in folder.iterdir() if entry.name not in _OWN_FILES)
    if others:
        raise ValueError(f"{folder}: found {others[0]} in it, expected an empty folder, an older export or nothing yet")


def _make_self_contained(folder: pathlib.Path) -> None:
    """Check that all ops are TensorFlow's, and let it differentiate them by itself.

    The reference ops have gradient functions of their own, for speed; a process without our code would look for these
    and fail. Without the mark, TensorFlow takes the gradients of the plain ops inside, which are the same.
    """
    path = folder / GRAPH_FILE
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for meta_graph in saved.meta_graphs:
        library = meta_graph.graph_def.library.function
        known = {function.signature.name for function in library}
        for nodes in [meta_graph.graph_def.node, *(function.node_def for function in library)]:
            for node in nodes:
                if not hasattr(tf.raw_ops, node.op) and node.op not in known:
                    raise ValueError(f"export: found the op {node.op} in the graph, expected TensorFlow's own alone")
                node.attr.pop(_CUSTOM_GRADIENT, None)
    path.write_bytes(saved.SerializeToString())
    (folder / "fingerprint.pb").unlink(missing_ok=True)  # of the graph as it was before


def _description(G: Generator, place: pathlib.Path) -> dict[str, Any]:
    """What people want to know of the exported network, without loading it."""
    images = ["N", *G.image_shape]
    latents = {"z": f"float32 [N, {G.z_dim}], standard normal"}
    if G.c_dim > 0:
        latents["c"] = f"float32 [N, {G.c_dim}], the label: one-hot for classes"
    latents["truncation_psi"] = "float32 [], 1 for no truncation"
    ws = f"float32 [N, {G.num_ws}, {G.w_dim}]"
    outputs_of = {
        "images": f"float32 {images}, nominally -1..1".replace("'", ""),
        "images_uint8": f"uint8 {images}, 0..255".replace("'", ""),
    }
    arguments = ["z=z", *(["c=c"] if G.c_dim > 0 else []), "truncation_psi=tf.constant(0.7)"]
    signatures = {
        "mapping": {"inputs": latents, "outputs": {"ws": ws}},
        "synthesis": {"inputs": {"ws": ws}, "outputs": outputs_of},
        "generate": {"inputs": latents, "outputs": outputs_of},
    }
    if G.takes_transform:
        transform = "float32 [3, 3] or [N, 3, 3], the inverse of what the image does: x right, y down, shorter side 1"
        signatures["synthesis_transformed"] = {"inputs": {"ws": ws, "transform": transform}, "outputs": outputs_of}
    return {
        "format": "TensorFlow SavedModel",
        "signatures": signatures,
        "use": [
            "import tensorflow as tf",
            f"model = tf.saved_model.load({place.name!r})",
            f"images = model.signatures['generate']({', '.join(arguments)})['images_uint8']",
        ],
        "network": {key: value for key, value in G.get_config().items() if key not in _NOT_DESCRIBED},
        "made_with": {"sg_keras": sg_keras.__version__, "tensorflow": tf.__version__, "keras": keras.__version__},
    }
