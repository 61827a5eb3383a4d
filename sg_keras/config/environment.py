"""What a process of ours needs of its environment, before TensorFlow and Keras are loaded.

Keras and TensorFlow take settings from the user's files and variables, most of which were meant for other programs.
Commands of ours set what they need for themselves; a program that imports sg_keras keeps its own settings.
"""

from __future__ import annotations

import os
import sys

#: What commands set, whatever the user's own value is.
SETTINGS = {
    "KERAS_BACKEND": "tensorflow",  # goes before the backend of keras.json
    # No file can be in it: keras.json cannot change types or epsilon, and a damaged one cannot be in the way.
    "KERAS_HOME": os.devnull,
    "TF_USE_LEGACY_KERAS": "0",
    "TF2_BEHAVIOR": "1",
}
#: What commands take away. XLA compiles nothing of ours, unless these make it compile what it finds.
REMOVED = (
    *("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED"),
    *("TF_XLA_FLAGS", "XLA_FLAGS", "TF_FUNCTION_JIT_COMPILE_DEFAULT"),
    *("TF_DETERMINISTIC_OPS", "TF_CUDNN_DETERMINISTIC"),  # --deterministic is the way, and is kept with the run
)

_not_used: dict[str, str] = {}


def settle_environment() -> None:
    """Set what commands need, and take away what would change results. Without effect once Keras is loaded."""
    if "keras" in sys.modules:
        return
    for name in (*SETTINGS, *REMOVED):
        found = os.environ.pop(name, None)
        if found not in (None, "", SETTINGS.get(name)):
            _not_used[name] = str(found)
    os.environ.update(SETTINGS)


def settings_not_used() -> dict[str, str]:
    """Variables of the user that settle_environment replaced or took away, and their values."""
    return dict(_not_used)


def check_backend() -> None:
    """Make sure that Keras computes with TensorFlow, before or after it is loaded.

    Raises:
        ImportError: it is to use, or uses, another backend. One line.
    """
    keras = sys.modules.get("keras")
    if keras is None:
        name, found = "KERAS_BACKEND", os.environ.get("KERAS_BACKEND") or "tensorflow"
        os.environ["KERAS_BACKEND"] = found  # keras.json may say otherwise
    else:
        name, found = "Keras", keras.config.backend()
    if found != "tensorflow":
        raise ImportError(
            f"{name}: found the backend {found!r}, expected 'tensorflow', which sg_keras is written for: set "
            "KERAS_BACKEND=tensorflow before Keras is imported"
        )
