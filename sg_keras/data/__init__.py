"""Training images: sources (folder, zip, TFRecords, LMDB, digits), labels, sample order and the tf.data pipeline.

TensorFlow is loaded at the first use of something that needs it: conversions read sources without it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sg_keras.data.dataset import ImageDataset, open_dataset
    from sg_keras.data.pipeline import DataError, data_error_line, make_pipeline, readable_data_errors
    from sg_keras.data.sample_order import IndexSampler, generated_label_indices

__all__ = [
    "DataError",
    "ImageDataset",
    "IndexSampler",
    "data_error_line",
    "generated_label_indices",
    "make_pipeline",
    "open_dataset",
    "readable_data_errors",
]

_MODULES = {
    **dict.fromkeys(("ImageDataset", "open_dataset"), "dataset"),
    **dict.fromkeys(("DataError", "data_error_line", "make_pipeline", "readable_data_errors"), "pipeline"),
    **dict.fromkeys(("IndexSampler", "generated_label_indices"), "sample_order"),
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
