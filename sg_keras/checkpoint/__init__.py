"""Exact state: checkpoints of a run, where a run starts, fingerprints."""

import sg_keras.config.tensorflow_backend  # noqa: F401  # before Keras is loaded
from sg_keras.checkpoint.fingerprint import checkpoint_fingerprint, fingerprint
from sg_keras.checkpoint.manager import CheckpointStore
from sg_keras.checkpoint.resume import StartingPoint, find_start
from sg_keras.checkpoint.state import DamagedCheckpointError, SavedState

__all__ = [
    "CheckpointStore",
    "DamagedCheckpointError",
    "SavedState",
    "StartingPoint",
    "checkpoint_fingerprint",
    "find_start",
    "fingerprint",
]
