"""Images from trained generators: functions without flags that print nothing."""

from sg_keras.inference.dragging import Dragger, DragSettings, drag
from sg_keras.inference.images import grid_columns, png_bytes, tile, viewable
from sg_keras.inference.labels import class_label, cycled_classes, vector_label
from sg_keras.inference.latents import latent, latents, read_styles, styles, write_styles
from sg_keras.inference.projection import Projector, project
from sg_keras.inference.projection_settings import ProjectionSettings
from sg_keras.inference.row_names import named_rows
from sg_keras.inference.sample import generate
from sg_keras.inference.style_renderer import StyleRenderer
from sg_keras.inference.transform import inverse_transform
from sg_keras.inference.tuning import Tuner, TuningSettings
from sg_keras.inference.video import film_bytes, latent_walk
from sg_keras.ops.pixel_values import to_uint8

__all__ = [
    "DragSettings",
    "Dragger",
    "ProjectionSettings",
    "Projector",
    "StyleRenderer",
    "Tuner",
    "TuningSettings",
    "class_label",
    "cycled_classes",
    "drag",
    "film_bytes",
    "generate",
    "grid_columns",
    "inverse_transform",
    "latent",
    "latent_walk",
    "latents",
    "named_rows",
    "png_bytes",
    "project",
    "read_styles",
    "styles",
    "tile",
    "to_uint8",
    "vector_label",
    "viewable",
    "write_styles",
]
