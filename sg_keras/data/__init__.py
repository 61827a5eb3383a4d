"""Training images: sources (folder, zip, built-in digits), labels, sample order and the tf.data pipeline."""

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
