"""Generators as TensorFlow SavedModels, which need none of our code."""

from __future__ import annotations

import logging
import pathlib

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from sg_keras.export.folder import DESCRIPTION_FILE, described_signatures, export_folder, write_description
from sg_keras.export.signatures import GeneratorSignatures
from sg_keras.files import is_plain, plain_folder
from sg_keras.models import Generator

__all__ = ["DESCRIPTION_FILE", "GRAPH_FILE", "export_saved_model", "write_signatures"]

GRAPH_FILE = "saved_model.pb"
_LOGGER = logging.getLogger(__name__)
_OWN_FILES = (GRAPH_FILE, "fingerprint.pb", "variables", "assets")
_CUSTOM_GRADIENT = "_gradient_op_type"  # attribute of a node whose gradient is a Python function


def export_saved_model(G: Generator, folder: str | pathlib.Path, *, noise_mode: str = "const") -> pathlib.Path:
    """Write a generator as a SavedModel with these signatures, for batches of any size.

    * mapping: z [N,z_dim], c [N,c_dim], truncation_psi [] -> ws [N,num_ws,w_dim]
    * synthesis: ws [N,num_ws,w_dim] -> images [N,H,W,C], nominally -1..1, and images_uint8 [N,H,W,C]
    * generate: z [N,z_dim], c [N,c_dim], truncation_psi [] -> images, images_uint8
    * synthesis_transformed (StyleGAN3 alone): ws, transform [3,3] or [N,3,3] -> images, images_uint8, moved by the
      transform's inverse

    All floating numbers are float32, and c is left out for a network without labels. The graph holds no op and no
    gradient function of ours, so it can be differentiated, too.
    The loaded model has them as methods, too; there, StyleGAN3's synthesis takes the transform as an optional second
    argument. (Signatures know no optional arguments.) A description for people lies beside it, in description.json.

    Args:
        G: generator, in any implementation of the ops and any precision; exported is float32 in plain TensorFlow.
        folder: where it goes. What is there already is replaced if it is an export.
        noise_mode: "const" (the image stored in the network), "random" (fresh with each call) or "none".

    Returns:
        The folder's absolute path.

    Raises:
        ValueError: the folder holds something else, or G is no generator.
    """
    module = GeneratorSignatures(G, noise_mode=noise_mode, any_rank=True)
    with export_folder(folder, _OWN_FILES, "the SavedModel") as (beside, place):
        write_signatures(module, beside)
        arguments = ["z=z", *(["c=c"] if G.c_dim > 0 else []), "truncation_psi=tf.constant(0.7)"]
        use = [
            "import tensorflow as tf",
            f"model = tf.saved_model.load({place.name!r})",
            f"images = model.signatures['generate']({', '.join(arguments)})['images_uint8']",
        ]
        write_description(
            beside,
            G,
            "TensorFlow SavedModel",
            use,
            signatures=described_signatures(G, any_rank=True),
            noise_mode=noise_mode,
        )
    if not is_plain(place):
        _LOGGER.warning(
            "%s: TensorFlow takes some characters of this path for a pattern; where tf.saved_model.load does not find "
            "the model, move it or make a link to it",
            place,
        )
    return place


def write_signatures(module: GeneratorSignatures, folder: pathlib.Path) -> None:
    """Write the functions as a SavedModel into a folder, which is empty."""
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    with plain_folder(folder) as plain:
        tf.saved_model.save(module, plain.path, signatures=module.signatures(), options=options)
    _make_self_contained(folder)


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
