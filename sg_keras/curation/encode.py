"""What becomes of transparency and colour, and the bytes of an image as the destination holds them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageColor

from sg_keras.curation.recipe import PIXELS
from sg_keras.data.image_headers import PILLOW_MODES
from sg_keras.data.tfrecord_format import encode_example, framed

_NAMED = {"white": "#ffffff", "black": "#000000"}


def is_transparent(image: Image.Image) -> bool:
    """Whether any pixel is not opaque."""
    return image.mode in ("LA", "RGBA") and image.getchannel("A").getextrema()[0] != 255


def without_alpha(image: Image.Image, colour: str | None) -> Image.Image:
    """An image before a colour (white, black or #rrggbb); None = it is opaque."""
    if image.mode not in ("LA", "RGBA"):
        return image
    gray = image.mode == "LA"
    if colour is None:
        return image.convert("L" if gray else "RGB")
    red, green, blue = ImageColor.getrgb(_NAMED.get(colour, colour))[:3]
    ground = Image.new("RGBA", image.size, (red, green, blue, 255))
    laid = Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
    return laid.convert("L") if gray and red == green == blue else laid


def with_channels(image: Image.Image, channels: int) -> Image.Image:
    """An image of 1 (gray, by ITU-R 601 luma), 3 or 4 channels."""
    mode = PILLOW_MODES[channels]
    return image if image.mode == mode else image.convert(mode)


def encoded(image: Image.Image, file_format: str) -> bytes:
    """The bytes of an image: a whole file, or a framed record of pixels."""
    if file_format == PIXELS:
        pixels = np.asarray(image)
        planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)  # [C,H,W]
        return framed(encode_example({"shape": list(planes.shape), "data": planes.tobytes()}))
    buffer = io.BytesIO()
    name, _, quality = file_format.partition(":")
    if name == "jpeg":
        image.save(buffer, "JPEG", quality=int(quality or 95), subsampling=0, optimize=False)
    elif name == "webp-lossless":
        image.save(buffer, "WEBP", lossless=True, quality=70, method=4, exact=True)
    else:
        image.save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()


def suffix_of(file_format: str) -> str:
    """The ending of a file of a format."""
    return {"jpeg": ".jpg", "webp-lossless": ".webp"}.get(file_format.partition(":")[0], ".png")
