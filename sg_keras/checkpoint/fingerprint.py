"""One number for the whole state of a run: equal fingerprints, equal continuation."""

from __future__ import annotations

import hashlib
import pathlib
from collections.abc import Iterable

import numpy as np

from sg_keras.checkpoint.state import SavedState


def fingerprint(state: Iterable[tuple[str, np.ndarray]]) -> str:
    """SHA-256 over names, types, shapes and bytes of named arrays, in the order of their names.

    Args:
        state: pairs of name and value.
    """
    digest = hashlib.sha256()
    for name, value in sorted(state, key=lambda item: item[0]):
        value = np.asarray(value)
        digest.update(f"{name}\0{value.dtype.name}\0{value.shape}\0".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


def checkpoint_fingerprint(prefix: pathlib.Path) -> tuple[int, str]:
    """Real images seen, and the fingerprint, of a checkpoint. Nothing is built. Errors as of SavedState."""
    saved = SavedState(prefix)
    return saved.nimg, fingerprint(saved.values())
