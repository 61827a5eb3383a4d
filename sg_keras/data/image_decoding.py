"""From the bytes of an image file to uint8 pixels."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import tensorflow as tf
from PIL import Image, UnidentifiedImageError

from sg_keras.data.image_headers import (
    PILLOW_MODES,
    NeedMoreBytesError,
    check_png_chunks,
    netpbm_pixels,
    parse_image_header,
)
from sg_keras.files.errors import first_line

# TensorFlow decodes large PNGs 1.8 times as fast as Pillow but has a high fixed cost a call, which several threads
# cannot share. From this many pixels on it wins.
_TENSORFLOW_MIN_PIXELS = 128 * 128
_DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    struct.error,
    zlib.error,
    NeedMoreBytesError,
    Image.DecompressionBombError,
    tf.errors.OpError,
)


def decode_image(data: bytes, where: str) -> np.ndarray:
    """Decode one file. EXIF orientation and colour profiles are not applied.

    Args:
        data: A whole PNG, JPEG or WebP file, or netpbm.
        where: Name of the file for error messages.

    Returns:
        uint8 [H,W,C], C 1 (gray), 3 (RGB) or 4 (RGBA, alpha as it is in the file). Palettes become RGB, and what has
        transparency RGBA.

    Raises:
        OSError: The file is damaged; one line that names it.
    """
    try:
        header = parse_image_header(data)
        if header.plain and header.width * header.height >= _TENSORFLOW_MIN_PIXELS:
            with tf.device("CPU:0"):
                return tf.io.decode_png(data, channels=header.channels).numpy()
        if header.format == "PPM":
            return netpbm_pixels(data)
        if header.format == "PNG":
            check_png_chunks(data)  # TensorFlow's decoder does this itself
        with Image.open(io.BytesIO(data), formats=(header.format,)) as image:
            pixels = np.asarray(image.convert(PILLOW_MODES[header.channels]))
        return pixels.reshape(header.height, header.width, header.channels)
    except _DECODING_ERRORS as error:
        reason = _reason(error)
        raise OSError(
            f"{where}: found a damaged image ({reason}), expected a PNG or JPEG file that can be decoded"
        ) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, NeedMoreBytesError):
        return "it is truncated"
    if isinstance(error, tf.errors.OpError):
        return "its PNG data are invalid"
    if isinstance(error, UnidentifiedImageError):  # its text is the address of a buffer
        return "its header is invalid"
    return first_line(error)
