"""Exact checkpoints, network snapshots, and weights under their published names."""

import sg_keras.config.tensorflow_backend  # noqa: F401  # before Keras is loaded
from sg_keras.checkpoint.fingerprint import checkpoint_fingerprint, fingerprint
from sg_keras.checkpoint.load import find_checkpoint, load, training_config
from sg_keras.checkpoint.manager import CheckpointStore
from sg_keras.checkpoint.published_names import load_published_weights, published_weights
from sg_keras.checkpoint.resume import StartingPoint, find_start
from sg_keras.checkpoint.snapshot import read_snapshot, write_snapshot
from sg_keras.checkpoint.state import DamagedCheckpointError, SavedState

__all__ = [
    "CheckpointStore",
    "DamagedCheckpointError",
    "SavedState",
    "StartingPoint",
    "checkpoint_fingerprint",
    "find_checkpoint",
    "find_start",
    "fingerprint",
    "load",
    "load_published_weights",
    "published_weights",
    "read_snapshot",
    "training_config",
    "write_snapshot",
]
