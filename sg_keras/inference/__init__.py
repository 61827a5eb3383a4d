"""Images from trained generators: functions without flags that print nothing."""

from sg_keras.inference.film import Film, interpolate
from sg_keras.inference.film_file import GivenFrames, film_bytes, write_film
from sg_keras.inference.film_formats import film_format
from sg_keras.inference.film_keyframes import Keyframe, style_path
from sg_keras.inference.images import grid_columns, png_bytes, tile, viewable
from sg_keras.inference.labels import class_label, cycled_classes, vector_label
from sg_keras.inference.latents import latent, latents, read_styles, styles, write_styles
from sg_keras.inference.row_names import named_rows
from sg_keras.inference.sample import generate
from sg_keras.inference.style_renderer import StyleRenderer
from sg_keras.inference.transform import inverse_transform
from sg_keras.ops.pixel_values import to_uint8

__all__ = [
    "Film",
    "GivenFrames",
    "Keyframe",
    "StyleRenderer",
    "class_label",
    "cycled_classes",
    "film_bytes",
    "film_format",
    "generate",
    "grid_columns",
    "interpolate",
    "inverse_transform",
    "latent",
    "latents",
    "named_rows",
    "png_bytes",
    "read_styles",
    "style_path",
    "styles",
    "tile",
    "to_uint8",
    "vector_label",
    "viewable",
    "write_film",
    "write_styles",
]
