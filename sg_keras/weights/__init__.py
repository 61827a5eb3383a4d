"""Networks as files: snapshots, official pickles, safetensors, weights under their published names, transfer."""

import sg_keras.config.tensorflow_backend  # noqa: F401  # before Keras is loaded
from sg_keras.weights.combine import average_networks, blend_networks
from sg_keras.weights.load import Networks, find_checkpoint, load, trained_nimg, training_config
from sg_keras.weights.published_names import load_published_weights, published_weights
from sg_keras.weights.snapshot import read_snapshot, write_snapshot

__all__ = [
    "Networks",
    "average_networks",
    "blend_networks",
    "find_checkpoint",
    "load",
    "load_published_weights",
    "published_weights",
    "read_snapshot",
    "trained_nimg",
    "training_config",
    "write_snapshot",
]
