"""The published configurations as their recipes have them: each resolved, with the speed that its comment tells."""

from __future__ import annotations

import pathlib
import re
import types
from collections.abc import Iterator, Sequence
from typing import Any

from sg_keras.config import TrainingConfig
from sg_keras.files.optional import recipes_folder
from sg_keras.flags import parse_command_line
from sg_keras.planning.published import PublishedRow

_SECONDS = re.compile(r"([0-9.]+) s/kimg on ([A-Z][0-9]+)")
_MEMORY = re.compile(r"([0-9.]+) GB")
_SIZE = re.compile(r"([0-9]+)x[0-9]+")


def config_of_options(words: Sequence[str], resolution: int) -> TrainingConfig:
    """The configuration of a run with these options, on a data set of RGB images without labels.

    Raises:
        ValueError: an option cannot be used; one line.
    """
    facts = {"name": "images", "channels": 3, "c_dim": 0, "num_images": 1, "has_labels": False, "fingerprint": ""}
    images = types.SimpleNamespace(resolution=resolution, notes=(), close=lambda: None, **facts)

    def open_dataset(*_: Any, **__: Any) -> Any:
        return images

    line = ["--outdir=runs", "--data=images", *words, "--dry-run"]
    return parse_command_line(line, open_dataset=open_dataset).config
