"""Images from trained generators: functions without flags that print nothing."""

from sg_keras.inference.contact_sheet import contact_sheet
from sg_keras.inference.images import SUFFIXES, grid_columns, image_bytes, png_bytes, tile, viewable
from sg_keras.inference.labels import class_label, cycled_classes, vector_label
from sg_keras.inference.latents import StyleMaker, latent, latents, read_styles, styles, truncated, write_styles
from sg_keras.inference.output_size import synthesis_of_size
from sg_keras.inference.row_names import named_rows
from sg_keras.inference.sample import generate
from sg_keras.inference.style_mixing import mix, mix_styles
from sg_keras.inference.style_renderer import StyleRenderer
from sg_keras.inference.transform import inverse_transform
from sg_keras.inference.video import film_bytes, latent_walk
from sg_keras.ops.pixel_values import to_uint8

__all__ = [
    "SUFFIXES",
    "StyleMaker",
    "StyleRenderer",
    "class_label",
    "contact_sheet",
    "cycled_classes",
    "film_bytes",
    "generate",
    "grid_columns",
    "image_bytes",
    "inverse_transform",
    "latent",
    "latent_walk",
    "latents",
    "mix",
    "mix_styles",
    "named_rows",
    "png_bytes",
    "read_styles",
    "styles",
    "synthesis_of_size",
    "tile",
    "to_uint8",
    "truncated",
    "vector_label",
    "viewable",
    "write_styles",
]
