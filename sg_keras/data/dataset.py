"""A data set of pictures with labels, opened from a folder, a zip file or the built-in digits."""

from __future__ import annotations

import os
import pathlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sg_keras.config.places import is_address
from sg_keras.data.bad_images import SkippingPixels
from sg_keras.data.digits import DIGITS_NAME, load_digits
from sg_keras.data.image_decoding import decode_image
from sg_keras.data.image_headers import ImageHeader, NeedMoreBytesError, ends_properly, parse_image_header
from sg_keras.data.labels import (
    LABEL_FILE,
    Labels,
    class_labels,
    labels_from_entries,
    no_labels,
    read_label_entries,
)
from sg_keras.data.pixels import ArrayPixels, CachedPixels, EncodedPixels, Pixels
from sg_keras.data.remote import local_copy
from sg_keras.data.sources import ImageSource, open_source

_MAX_CACHED_BYTES = 2**30
_HEAD_BYTES = 1024  # holds the header of nearly every PNG and JPEG file
_CHECK_THREADS = 4  # to overlap the waiting for disks and network file systems
_CHECK_CHUNK = 512


class ImageDataset:
    """Pictures of one square size with labels. Safe to read from several threads.

    Mirrored copies are pictures of their own, with the same labels: index i + k * num_images is copy k of picture i.
    With `mirror`, copies of odd k have left and right exchanged; with `mirrory`, those of the upper half of all k have
    top and bottom exchanged.

    Attributes:
        name: For people and run directories: "digits", the zip file's name without suffix, or the folder's name.
        resolution: Pixels a side.
        channels: 1 (gray) or 3 (RGB).
        c_dim: Width of the labels, 0 if they are not used.
        num_images: Without mirrored copies.
        has_labels: Whether the source has labels, used or not.
    """

    def __init__(
        self,
        *,
        name: str,
        pixels: Pixels,
        labels: Labels,
        has_labels: bool,
        mirror: bool = False,
        mirrory: bool = False,
    ) -> None:
        self.name = name
        self.resolution, _, self.channels = pixels.shape
        self.c_dim = labels.c_dim
        self.num_images = len(pixels)
        self.has_labels = has_labels
        self._pixels = pixels
        self._labels = labels
        # Whether each copy of a picture has rows (top and bottom) and columns (left and right) exchanged.
        self._flips = [(y, x) for y in (False, True)[: 1 + mirrory] for x in (False, True)[: 1 + mirror]]

    def __len__(self) -> int:
        """Pictures, mirrored copies included."""
        return self.num_images * len(self._flips)

    def image(self, index: int) -> np.ndarray:
        """One picture: uint8 [H,W,C]. Errors as of `images`."""
        return self.images(np.array([index]))[0]

    def images(self, indices: np.ndarray) -> np.ndarray:
        """Pictures: uint8 [n,H,W,C], a new array.

        Args:
            indices: Integers [n] in [0, len(self)).

        Raises:
            IndexError: An index is out of range.
            OSError: A file cannot be read or decoded; one line that names it.
        """
        indices = self._checked(indices)
        return self._flipped(self._pixels.gather(indices % self.num_images), indices)

    def _flipped(self, images: np.ndarray, indices: np.ndarray) -> np.ndarray:
        for number, flips in enumerate(self._flips):
            mirrored = np.flatnonzero(indices // self.num_images == number)
            if any(flips) and len(mirrored):
                axes = tuple(axis for axis, flipped in enumerate(flips, start=1) if flipped)
                images[mirrored] = np.flip(images[mirrored], axes)
        return images

    def examples(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pictures and labels, as of `images` and `labels`; where a bad picture is skipped, both of its replacement."""
        indices = self._checked(indices)
        if not isinstance(self._pixels, SkippingPixels):
            return self.images(indices), self.labels(indices)
        images, shown = self._pixels.gather_shown(indices % self.num_images)
        return self._flipped(images, indices), self._labels.rows(shown)

    def label(self, index: int) -> np.ndarray:
        """Label of one picture: float32 [c_dim], one-hot for class indices."""
        return self.labels(np.array([index]))[0]

    @property
    def label_kind(self) -> str:
        """What a label is: "classes", "vectors", or "" where none are used."""
        return self._labels.kind

    def label_examples(self, most: int) -> np.ndarray:
        """Up to `most` different label vectors of the images, float32 [n, c_dim]; none with classes."""
        return self._labels.examples(most)

    def labels(self, indices: np.ndarray) -> np.ndarray:
        """Labels of pictures: float32 [n, c_dim]. IndexError as of `images`."""
        return self._labels.rows(self._checked(indices) % self.num_images)

    def close(self) -> None:
        """Release files. The data set cannot be read afterwards."""
        self._pixels.close()

    def _checked(self, indices: np.ndarray) -> np.ndarray:
        indices = np.asarray(indices, np.int64)
        if len(indices) and (indices.min() < 0 or indices.max() >= len(self)):
            raise IndexError(
                f"{self.name}: found indices from {indices.min()} to {indices.max()}, expected 0 to {len(self) - 1}"
            )
        return indices


def open_dataset(
    path: str | os.PathLike[str],
    *,
    use_labels: bool = False,
    mirror: bool = False,
    mirrory: bool = False,
    resolution: int | None = None,
    require_power_of_two: bool = True,
    max_cached_bytes: int = _MAX_CACHED_BYTES,
    skip_bad: bool = False,
) -> ImageDataset:
    """Open a data set and check the headers of all its pictures.

    Args:
        path: "digits" (built in), a folder (read recursively), or a zip file, of PNG and JPEG files;
            scheme://... is a zip file in object storage, which is copied to this machine.
        use_labels: Whether labels are wanted (`--cond=1`).
        mirror: Whether copies with left and right exchanged count as pictures of their own (`--mirror=1`).
        mirrory: Whether copies with top and bottom exchanged do (`--mirrory=1`).
        resolution: Pixels a side that the pictures must have; None takes what is there.
        require_power_of_two: Refuse sizes that StyleGAN2 cannot make.
        max_cached_bytes: A set whose decoded pictures take no more than this stays in memory once decoded.
        skip_bad: Whether the next readable picture takes the place of one that cannot be read
            (`--on_bad_image=skip`).

    Raises:
        OSError: Something is missing, unreadable, truncated or damaged.
        ValueError: The pictures or labels do not fit together or cannot be used.
            Both carry one line: file, what was found, what was expected.
    """
    path = os.fspath(path)
    if path == DIGITS_NAME:
        images, classes = load_digits()
        pixels: Pixels = ArrayPixels(images)
        labels = class_labels(classes) if use_labels else no_labels(len(images))
        name, where, has_labels = DIGITS_NAME, DIGITS_NAME, True
    else:
        source = open_source(str(local_copy(path)) if is_address(path) else path)
        try:
            labels, has_labels = _read_labels(source, use_labels)
            pixels = _open_pixels(source, max_cached_bytes, skip_bad)
        except (OSError, ValueError):
            source.close()
            raise
        name, where = _name(path), source.where(0)
    _check_resolution(where, pixels.shape[0], resolution, require_power_of_two)
    return ImageDataset(name=name, pixels=pixels, labels=labels, has_labels=has_labels, mirror=mirror, mirrory=mirrory)


def _name(path: str) -> str:
    absolute = pathlib.Path(path).absolute()
    if absolute.name == "..":
        absolute = absolute.resolve()
    return absolute.name if absolute.is_dir() else absolute.stem


def _read_labels(source: ImageSource, use_labels: bool) -> tuple[Labels, bool]:
    where = f"{source.path}/{LABEL_FILE}"
    try:
        text = source.read_text(LABEL_FILE)
    except UnicodeDecodeError as error:
        raise ValueError(f"{where}: found text that is not UTF-8, expected JSON") from error
    entries = read_label_entries(text, where)
    if not use_labels:
        return no_labels(len(source.names)), entries is not None
    if entries is None:
        found = f"no {LABEL_FILE}" if text is None else f"no labels in {LABEL_FILE}"
        raise ValueError(
            f"{source.path}: found {found}, expected labels there, since conditional training (--cond=1) was asked for"
        )
    return labels_from_entries(entries, source.names, where), True


def _open_pixels(source: ImageSource, max_cached_bytes: int, skip_bad: bool) -> Pixels:
    shape = _check_headers(source, skip_bad)
    encoded = EncodedPixels(source, shape)
    fits = len(encoded) * int(np.prod(shape)) <= max_cached_bytes
    pixels = CachedPixels(encoded) if fits else encoded
    return SkippingPixels(pixels) if skip_bad else pixels


def _check_headers(source: ImageSource, skip_bad: bool) -> tuple[int, int, int]:
    """Common [H,W,C] of all pictures. The first one, by name, decides; with `skip_bad` the first that can be read."""
    number, first = _first_header(source, skip_bad)
    if first.width != first.height:
        raise ValueError(f"{source.where(number)}: found {first.width}x{first.height} pixels, expected a square image")

    def check(start: int) -> None:
        for index in range(start, min(start + _CHECK_CHUNK, len(source.names))):
            try:
                _check_same(_read_header(source, index), source.where(index), first, source.where(number))
            except OSError:
                if not skip_bad:
                    raise

    with ThreadPoolExecutor(_CHECK_THREADS) as pool:
        for _ in pool.map(check, range(0, len(source.names), _CHECK_CHUNK)):
            pass  # raises what a check raised, the first in order
    return first.height, first.width, first.channels


def _first_header(source: ImageSource, skip_bad: bool) -> tuple[int, ImageHeader]:
    for number in range(len(source.names)):
        try:
            return number, _read_header(source, number)
        except OSError:
            if not skip_bad or number == len(source.names) - 1:
                raise
    raise ValueError(f"{source.path}: found no images")


def _read_header(source: ImageSource, index: int) -> ImageHeader:
    head, tail = source.ends(index, _HEAD_BYTES)
    where = source.where(index)
    if not head:
        raise OSError(f"{where}: found an empty file, expected a PNG or JPEG image")
    try:
        header = parse_image_header(head)
    except NeedMoreBytesError:
        header = _parse_whole(source.read(index), where)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    if tail is not None and not ends_properly(head, tail):
        decode_image(source.read(index), where)  # truncated, or only followed by further bytes: this tells
    return header


def _parse_whole(data: bytes, where: str) -> ImageHeader:
    try:
        return parse_image_header(data)
    except NeedMoreBytesError as error:
        raise OSError(f"{where}: found an image that ends within its header, expected a complete file") from error
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _check_same(header: ImageHeader, where: str, first: ImageHeader, first_where: str) -> None:
    if (header.width, header.height) != (first.width, first.height):
        raise ValueError(
            f"{where}: found {header.width}x{header.height} pixels, expected {first.width}x"
            f"{first.height} as in {first_where}"
        )
    if header.channels != first.channels:
        kinds = {1: "gray", 3: "RGB"}
        raise ValueError(
            f"{where}: found a {kinds[header.channels]} image, expected {kinds[first.channels]} as in {first_where}"
        )


def _check_resolution(where: str, found: int, resolution: int | None, require_power_of_two: bool) -> None:
    if require_power_of_two and (found < 4 or found & (found - 1)):
        raise ValueError(f"{where}: found {found}x{found} pixels, expected a power of two, 4 or more, a side")
    if resolution is not None and found != resolution:
        raise ValueError(f"{where}: found {found}x{found} pixels, expected {resolution}x{resolution}")
