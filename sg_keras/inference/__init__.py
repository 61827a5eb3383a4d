"""Pictures from trained generators: functions without flags that print nothing."""

from sg_keras.inference.pictures import grid_columns, png_bytes, tile, to_uint8
from sg_keras.inference.sample import class_label, cycled_classes, generate, latent

__all__ = [
    "class_label",
    "cycled_classes",
    "generate",
    "grid_columns",
    "latent",
    "png_bytes",
    "tile",
    "to_uint8",
]
