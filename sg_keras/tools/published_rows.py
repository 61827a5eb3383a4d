"""The published configurations as their recipes have them: each resolved, with the speed that its comment tells."""

from __future__ import annotations

import re
import types
from collections.abc import Sequence
from typing import Any

from sg_keras.config import TrainingConfig
from sg_keras.flags import parse_command_line
from sg_keras.flags.recipes import all_recipes
from sg_keras.planning.published import PublishedRow

_SIZE = re.compile(r"([0-9]+)x[0-9]+|paper([0-9]+)")
_USUAL_SIZE = 1024  # of configurations whose title names none


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


def published_rows() -> list[PublishedRow]:
    """All published configurations, in the order of their names.

    Example:
        >>> rows = sg_keras.tools.published_rows.published_rows()
        >>> len(rows), rows[-1].name, rows[-1].config.dataset.resolution
        (66, 'stylegan3-t-512-8gpus', 512)
    """
    rows = []
    for recipe in all_recipes():
        if recipe.measured is None:
            continue
        size = _SIZE.search(f"{recipe.title} {recipe.measured.table[1]}")
        resolution = _USUAL_SIZE if size is None else int(size[1] or size[2])
        seconds = {"V100": recipe.measured.sec_per_kimg_v100, "A100": recipe.measured.sec_per_kimg_a100}
        rows.append(
            PublishedRow(
                name=recipe.name,
                title=recipe.title,
                config=config_of_options(recipe.options, resolution),
                sec_per_kimg={kind: float(text) for kind, text in seconds.items()},
                gpu_gb=float(recipe.measured.gpu_mem_gb),
            )
        )
    return rows
