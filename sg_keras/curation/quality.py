"""What can be measured of one image by itself."""

from __future__ import annotations

import dataclasses
import hashlib
import io

import numpy as np
import scipy.ndimage
from PIL import Image

from sg_keras.curation.brisque import brisque
from sg_keras.curation.decode import UnreadableOriginalError, decode_original
from sg_keras.curation.duplicates import perceptual_hash
from sg_keras.curation.encode import is_transparent, without_alpha
from sg_keras.curation.work import Job

#: Pixels a side of the small copy that networks see.
SEEN_SIDE = 224
#: Of all that a look gives: to be raised where any of it becomes another one, as looks are kept.
LOOK_VERSION = 1
#: Pixels a side of the small copy that duplicates are compared by.
SMALL_SIDE = 32
#: Images are measured at no more than so many pixels a side: BRISQUE's own were of this size.
MEASURED_SIDE = 1024
_THUMBNAIL_SIDE, _THUMBNAIL_QUALITY = 88, 62
_HALF_BINS = (16, 8)  # of the silhouette: rows, and columns from the middle to the edge
_BORDER_TOLERANCE = 16  # of 255, of what counts as the border's colour
_BLURRED, _DARK, _BRIGHT, _FLAT = 50.0, 30.0, 225.0, 8.0  # BRISQUE, brightness (twice), contrast
#: Flaws, and in words what images are that have them.
FLAWS = {
    "blurred": f"have BRISQUE above {_BLURRED:g} (blurred, noisy or compressed)",
    "dark": f"are dark (mean brightness below {_DARK:g} of 255)",
    "bright": f"are bright (mean brightness above {_BRIGHT:g} of 255)",
    "flat": f"are flat (contrast below {_FLAT:g} of 255)",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Measures:
    """One image in numbers.

    Attributes:
        width, height: in pixels, upright.
        channels: 1 (gray), 3, or 2 and 4 where any pixel is transparent.
        bytes: of the file.
        pixel_hash: SHA-256 of size and pixels: equal where images are the same to the last bit.
        perceptual_hash: as of `duplicates.perceptual_hash`.
        brightness: mean luma, 0..255.
        contrast: standard deviation of luma, 0..127.5.
        sharpness: variance of the Laplacian of luma; depends on what is shown as well as on focus.
        brisque: as of `brisque`.
        symmetry: of left and right, 0 to 1 = own mirror image; as of `symmetry`.
        notes: what is out of the ordinary about the file, such as "16 bits to 8".
    """

    width: int
    height: int
    channels: int
    bytes: int
    pixel_hash: str
    perceptual_hash: int
    brightness: float
    contrast: float
    sharpness: float
    brisque: float | None
    symmetry: float
    notes: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Looked:
    """What a look at an image gives.

    Attributes:
        index: of the image in its source.
        measures: None where it cannot be read.
        seen: uint8 [224,224,3], over white; None where nobody asks for it.
        small: uint8 [32,32,3], of that.
        thumbnail: a WebP file.
        reason: why it cannot be read, in words.
        content: what the file is known by; "" = nothing.
    """

    index: int
    measures: Measures | None = None
    seen: np.ndarray | None = None
    small: np.ndarray | None = None
    thumbnail: bytes = b""
    reason: str = ""
    content: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class LookJob(Job):
    """An image to look at: what its file is known by, and what an earlier look gave, to which what is seen is added."""

    content: str = ""
    known: Looked | None = None


def look_at(job: Job) -> Looked:
    """Measure one image."""
    known, content = (job.known, job.content) if isinstance(job, LookJob) else (None, "")
    if job.reason:
        return Looked(job.index, reason=job.reason)
    try:
        decoded = decode_original(job.data)
    except UnreadableOriginalError as error:
        return Looked(job.index, reason=str(error))
    image = decoded.image
    opaque = without_alpha(image, "white" if is_transparent(image) else None).convert("RGB")
    seen = np.asarray(opaque.resize((SEEN_SIDE, SEEN_SIDE), Image.Resampling.BICUBIC))
    if known is not None:
        return dataclasses.replace(known, seen=seen)
    measures = _measures(image, decoded.size, len(job.data), decoded.notes)
    return Looked(job.index, measures, seen, _small(seen), _thumbnail(opaque), content=content)


def flaws(measures: Measures) -> tuple[str, ...]:
    """Which of FLAWS an image has."""
    has = {
        "blurred": measures.brisque is not None and measures.brisque > _BLURRED,
        "dark": measures.brightness < _DARK,
        "bright": measures.brightness > _BRIGHT,
        "flat": measures.contrast < _FLAT,
    }
    return tuple(flaw for flaw in FLAWS if has[flaw])


def _measures(image: Image.Image, size: tuple[int, int], count: int, notes: tuple[str, ...]) -> Measures:
    pixels = np.asarray(image)
    digest = hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes())
    transparent = is_transparent(image)
    opaque = without_alpha(image, "white" if transparent else None)
    scale = min(1.0, MEASURED_SIDE / max(image.size))
    if scale < 1:
        smaller = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        opaque, image = (image.resize(smaller, Image.Resampling.BICUBIC) for image in (opaque, image))
    luma = np.asarray(opaque.convert("L"), np.float64)
    score = brisque(luma)
    return Measures(
        width=size[0],
        height=size[1],
        channels=len(opaque.getbands()) + transparent,
        bytes=count,
        pixel_hash=digest.hexdigest(),
        perceptual_hash=perceptual_hash(luma),
        brightness=_rounded(luma.mean()),
        contrast=_rounded(luma.std()),
        sharpness=_rounded(scipy.ndimage.laplace(luma, mode="nearest").var()),
        brisque=None if score is None else _rounded(score),
        symmetry=_rounded(symmetry(image if transparent else opaque)),
        notes=notes,
    )


def symmetry(image: Image.Image) -> float:
    """How equal left and right are: 1 less the Bhattacharyya (Hellinger) distance of the halves' histograms of place.

    A pixel counts by its alpha where any is transparent, or else by how far its colour is from that of the border. So
    it is the silhouette's symmetry where there is one before a plain background, and that of the whole where not.

    Args:
        image: of mode L, LA, RGB or RGBA.

    Returns:
        0 (nothing in common) to 1.
    """
    weights = _standing_out(image)
    half = weights.shape[1] // 2
    if not half:
        return 1.0
    left, right = _places(weights[:, :half][:, ::-1]), _places(weights[:, -half:])
    if not left.sum() or not right.sum():
        return float(left.sum() == right.sum())
    overlap = np.sqrt(left / left.sum() * (right / right.sum())).sum()
    balance = 2 * np.sqrt(left.sum() * right.sum()) / (left.sum() + right.sum())
    return float(1 - np.sqrt(max(0.0, 1 - min(1.0, overlap * balance))))


def _standing_out(image: Image.Image) -> np.ndarray:
    """[H,W] in 0..255."""
    pixels = np.asarray(image, np.float64)
    if image.mode in ("LA", "RGBA"):
        return pixels[..., -1]
    pixels = pixels.reshape([*pixels.shape[:2], -1])
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    distance = np.abs(pixels - np.median(border, axis=0)).max(axis=2)
    return np.maximum(distance - _BORDER_TOLERANCE, 0)


def _places(weights: np.ndarray) -> np.ndarray:
    """Sums over a coarse grid."""
    rows = np.linspace(0, len(weights), min(_HALF_BINS[0], len(weights)) + 1).astype(int)[:-1]
    columns = np.linspace(0, weights.shape[1], min(_HALF_BINS[1], weights.shape[1]) + 1).astype(int)[:-1]
    return np.asarray(np.add.reduceat(np.add.reduceat(weights, rows, axis=0), columns, axis=1))


def _small(seen: np.ndarray) -> np.ndarray:
    cell = SEEN_SIDE // SMALL_SIDE
    means = seen.reshape([SMALL_SIDE, cell, SMALL_SIDE, cell, 3]).mean(axis=(1, 3), dtype=np.float32)
    return np.round(means).astype(np.uint8)


def _thumbnail(image: Image.Image) -> bytes:
    small = image.copy()
    small.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=_THUMBNAIL_QUALITY, method=4)
    return buffer.getvalue()


def _rounded(value: float) -> float:
    """Without the digits that nobody reads, which depend on the processor."""
    return round(float(value), 4)
