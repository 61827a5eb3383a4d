"""Images from trained generators: functions without flags that print nothing."""

from sg_keras.inference.activations import (
    ActivationReader,
    channel_images,
    channel_scales,
    channel_sheet,
    channel_spectra,
)
from sg_keras.inference.column_names import named_columns
from sg_keras.inference.contact_sheet import contact_sheet
from sg_keras.inference.direction_file import DIRECTIONS_FILE, DirectionFile, read_directions, renamed, write_directions
from sg_keras.inference.direction_sheet import labelled_sheet, sheet_styles
from sg_keras.inference.directions import (
    Direction,
    along_directions,
    check_direction,
    closed_form_directions,
    moved_styles,
    principal_directions,
    swing,
)
from sg_keras.inference.dragging import Dragger, DragSettings, drag
from sg_keras.inference.film import Film, interpolate
from sg_keras.inference.film_file import GivenFrames, film_bytes, write_film
from sg_keras.inference.film_formats import film_format
from sg_keras.inference.film_keyframes import Keyframe, style_path
from sg_keras.inference.film_path import closed_walk
from sg_keras.inference.images import SUFFIXES, grid_columns, image_bytes, png_bytes, tile, viewable
from sg_keras.inference.labels import class_label, cycled_classes, vector_label
from sg_keras.inference.latents import StyleMaker, latent, latents, read_styles, styles, truncated, write_styles
from sg_keras.inference.output_size import synthesis_of_size
from sg_keras.inference.projection import Projector, project
from sg_keras.inference.projection_settings import ProjectionSettings
from sg_keras.inference.row_names import named_rows
from sg_keras.inference.sample import generate
from sg_keras.inference.style_centres import truncate_to_centres, truncation_centres
from sg_keras.inference.style_mixing import mix, mix_styles
from sg_keras.inference.style_renderer import StyleRenderer
from sg_keras.inference.style_samples import sampled_styles
from sg_keras.inference.transform import inverse_transform
from sg_keras.inference.tuning import Tuner, TuningSettings
from sg_keras.ops.pixel_values import to_uint8

__all__ = [
    "DIRECTIONS_FILE",
    "SUFFIXES",
    "ActivationReader",
    "Direction",
    "DirectionFile",
    "DragSettings",
    "Dragger",
    "Film",
    "GivenFrames",
    "Keyframe",
    "ProjectionSettings",
    "Projector",
    "StyleMaker",
    "StyleRenderer",
    "Tuner",
    "TuningSettings",
    "along_directions",
    "channel_images",
    "channel_scales",
    "channel_sheet",
    "channel_spectra",
    "check_direction",
    "class_label",
    "closed_form_directions",
    "closed_walk",
    "contact_sheet",
    "cycled_classes",
    "drag",
    "film_bytes",
    "film_format",
    "generate",
    "grid_columns",
    "image_bytes",
    "interpolate",
    "inverse_transform",
    "labelled_sheet",
    "latent",
    "latents",
    "mix",
    "mix_styles",
    "moved_styles",
    "named_columns",
    "named_rows",
    "png_bytes",
    "principal_directions",
    "project",
    "read_directions",
    "read_styles",
    "renamed",
    "sampled_styles",
    "sheet_styles",
    "style_path",
    "styles",
    "swing",
    "synthesis_of_size",
    "tile",
    "to_uint8",
    "truncate_to_centres",
    "truncated",
    "truncation_centres",
    "vector_label",
    "viewable",
    "write_directions",
    "write_film",
    "write_styles",
]
