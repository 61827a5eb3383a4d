"""A data set of images with labels, opened from files, arrays or the built-in digits."""

from __future__ import annotations

import os
import pathlib

import numpy as np

from sg_keras.config.sizes import ImageSize, Resolution, image_size
from sg_keras.data.array_dataset import OpenedArrays, open_arrays
from sg_keras.data.bad_images import SkippingPixels
from sg_keras.data.convert_command import (
    UnpreparedImagesError,
    check_convertible,
    command_of_size,
    open_convertible,
)
from sg_keras.data.description import Description, describe
from sg_keras.data.digits import DIGITS_NAME, load_digits
from sg_keras.data.faults import first_names
from sg_keras.data.fingerprint import array_fingerprint, source_fingerprint
from sg_keras.data.image_checks import ExpectedSize
from sg_keras.data.image_source import ImageSource, count_by_suffix
from sg_keras.data.label_file import has_labels, is_label_file, read_labels
from sg_keras.data.labels import Labels, class_labels, no_labels
from sg_keras.data.numpy_file import is_numpy_file
from sg_keras.data.pixels import ArrayPixels, CachedPixels, EncodedPixels, Pixels
from sg_keras.files.cache import is_url
from sg_keras.files.object_storage import local_copy

_MAX_CACHED_BYTES = 2**30
#: Copies with left and right exchanged.
MIRRORED = "mirrored"
_NOTHING_SAID = Description()


class ImageDataset:
    """Images of one size with labels. Safe to read from several threads.

    Mirrored copies are images of their own, with the same labels: index i + k * num_images is copy k of image i.
    With `mirror`, copies of odd k have left and right exchanged; with `mirrory`, those of the upper half of all k have
    top and bottom exchanged.

    Attributes:
        name: For people and run directories: "digits", the file's name without suffix, or the folder's name.
        size: Height and width in pixels.
        resolution: The same as arguments have it: pixels a side of squares, (height, width) of others.
        channels: 1 (gray), 3 (RGB), 4 (RGBA) or another number.
        c_dim: Width of the labels, 0 if they are not used.
        num_images: Without mirrored copies.
        has_labels: Whether the source has labels, used or not.
        fingerprint: Of the content, as sg_keras.data.fingerprint has it; mirrored copies have no part in it.
        notes: Lines that people should see: what was left out or overlooked.
        description: Names of classes, and how the images were made, where dataset.json says so.
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
        fingerprint: str = "",
        notes: tuple[str, ...] = (),
        description: Description = _NOTHING_SAID,
    ) -> None:
        self.name = name
        height, width, self.channels = pixels.shape
        self.size = ImageSize(height, width)
        self.resolution = self.size.plain
        self.c_dim = labels.c_dim
        self.num_images = len(pixels)
        self.has_labels = has_labels
        self.fingerprint = fingerprint
        self.notes = notes
        self.description = description
        self._pixels = pixels
        self._labels = labels
        # Whether each copy of an image has rows (top and bottom) and columns (left and right) exchanged.
        self._flips = [(y, x) for y in (False, True)[: 1 + mirrory] for x in (False, True)[: 1 + mirror]]

    @property
    def copies(self) -> tuple[str, ...]:
        """What copies 1, 2 ... of each image are: mirrored, upside down or turned."""
        kinds = {(False, True): MIRRORED, (True, False): "upside down", (True, True): "turned"}
        return tuple(kinds[flips] for flips in self._flips[1:])

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        return (self.size.height, self.size.width, self.channels)

    def __len__(self) -> int:
        """Images, mirrored copies included."""
        return self.num_images * len(self._flips)

    def image(self, index: int) -> np.ndarray:
        """One image: uint8 [H,W,C]. Errors as of `images`."""
        return self.images(np.array([index]))[0]

    def images(self, indices: np.ndarray) -> np.ndarray:
        """Images: uint8 [n,H,W,C], a new array.

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
        """Images and labels, as of `images` and `labels`; where a bad image is skipped, both of its replacement."""
        indices = self._checked(indices)
        if not isinstance(self._pixels, SkippingPixels):
            return self.images(indices), self.labels(indices)
        images, shown = self._pixels.gather_shown(indices % self.num_images)
        return self._flipped(images, indices), self._labels.rows(shown)

    def label(self, index: int) -> np.ndarray:
        """Label of one image: float32 [c_dim], one-hot for class indices."""
        return self.labels(np.array([index]))[0]

    @property
    def label_kind(self) -> str:
        """What a label is: "classes", "vectors", or "" where none are used."""
        return self._labels.kind

    def label_examples(self, most: int) -> np.ndarray:
        """Up to `most` different label vectors of the images, float32 [n, c_dim]; none with classes."""
        return self._labels.examples(most)

    def labels(self, indices: np.ndarray) -> np.ndarray:
        """Labels of images: float32 [n, c_dim]. IndexError as of `images`."""
        return self._labels.rows(self._checked(indices) % self.num_images)

    def file(self, index: int) -> bytes:
        """The whole file that an image comes from, one for all its copies. Errors as of `images`."""
        return self._pixels.file(int(self._checked(np.array([index]))[0] % self.num_images))

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
    resolution: Resolution | None = None,
    cfg: str | None = "stylegan2",
    max_cached_bytes: int = _MAX_CACHED_BYTES,
    skip_bad: bool = False,
) -> ImageDataset:
    """Open a data set and check the headers of all its images.

    Args:
        path: "digits" (built in), a folder (read recursively), zip file or LMDB of PNG, JPEG or WebP files,
            TFRecords, or an .npz or .npy file of uint8 images [n,H,W] or [n,H,W,C], with `labels`; scheme://... is a
            zip file in object storage, which is copied to this machine.
        use_labels: Whether labels are wanted (`--cond=1`).
        mirror: Whether copies with left and right exchanged count as images of their own (`--mirror=1`).
        mirrory: Whether copies with top and bottom exchanged do (`--mirrory=1`).
        resolution: Pixels a side, or height and width, that the images must have; None takes what is there.
        cfg: Refuse sizes that the networks of this configuration cannot make; None takes any.
        max_cached_bytes: A set whose decoded images take no more than this stays in memory once decoded.
        skip_bad: Whether the next readable image takes the place of one that cannot be read
            (`--on_bad_image=skip`).

    Raises:
        OSError: Something is missing, unreadable, truncated or damaged.
        ValueError: The images or labels do not fit together or cannot be used.
            Both carry one line: file, what was found, what was expected.
    """
    path = os.fspath(path)
    expected = ExpectedSize(None if resolution is None else image_size(resolution), cfg)
    if path == DIGITS_NAME:
        return _open_digits(use_labels, expected, mirror, mirrory)
    if is_numpy_file(path) and not is_url(path):
        opened = open_arrays(path, use_labels, max_cached_bytes)
        return _of_arrays(path, _name(path), opened, use_labels, expected, mirror, mirrory)
    source = open_convertible(str(local_copy(path)) if is_url(path) else path)
    name = _name(path)
    try:
        labels, note = read_labels(source, name) if use_labels else (no_labels(len(source.names)), "")
        images = check_convertible(source, expected, skip_bad, path)
        return ImageDataset(
            name=name,
            pixels=_pixels(source, images.shape, max_cached_bytes, skip_bad),
            labels=labels,
            has_labels=use_labels or has_labels(source),
            mirror=mirror,
            mirrory=mirrory,
            fingerprint=source_fingerprint(source, images.sizes, labels if use_labels else None),
            notes=tuple(filter(None, (note, _transparency(images.shape), _left_out(source), _empty_classes(labels)))),
            description=describe(source),
        )
    except (OSError, ValueError):
        source.close()
        raise


def _open_digits(use_labels: bool, expected: ExpectedSize, mirror: bool, mirrory: bool) -> ImageDataset:
    images, classes = load_digits()
    labels = class_labels(classes) if use_labels else no_labels(len(images))
    opened = OpenedArrays(ArrayPixels(images), images, labels, has_labels=True)
    return _of_arrays(DIGITS_NAME, DIGITS_NAME, opened, use_labels, expected, mirror, mirrory)


def _of_arrays(
    path: str, name: str, opened: OpenedArrays, use_labels: bool, expected: ExpectedSize, mirror: bool, mirrory: bool
) -> ImageDataset:
    pixels = opened.pixels
    size = ImageSize(*pixels.shape[:2])
    unlike = expected.unlike(size)
    if unlike:
        mends = expected.size is None and pixels.shape[2] in (1, 3)
        command = command_of_size(path, (size.width, size.height)) if mends else ""
        raise UnpreparedImagesError(f"{path}: found {size} pixels, expected {unlike}", command)
    return ImageDataset(
        name=name,
        pixels=pixels,
        labels=opened.labels,
        has_labels=opened.has_labels,
        mirror=mirror,
        mirrory=mirrory,
        fingerprint=array_fingerprint(opened.images, opened.labels if use_labels else None),
        notes=tuple(filter(None, (_transparency(pixels.shape), _empty_classes(opened.labels)))),
    )


def _name(path: str) -> str:
    absolute = pathlib.Path(path).absolute()
    if absolute.name == "..":
        absolute = absolute.resolve()
    is_one_thing = not absolute.is_dir() or absolute.suffix in (".lmdb", ".tfrecords")  # which are folders, too
    return absolute.stem if is_one_thing else absolute.name


def _pixels(source: ImageSource, shape: tuple[int, int, int], max_cached_bytes: int, skip_bad: bool) -> Pixels:
    encoded = EncodedPixels(source, shape)
    fits = len(encoded) * int(np.prod(shape)) <= max_cached_bytes
    pixels = CachedPixels(encoded) if fits else encoded
    return SkippingPixels(pixels) if skip_bad else pixels


def _transparency(shape: tuple[int, int, int]) -> str:
    return "the images have transparency: networks of 4 channels (RGBA) learn it as it is" if shape[2] == 4 else ""


def _left_out(source: ImageSource) -> str:
    others = [name for name in source.other_names if not is_label_file(name)]
    if not others:
        return ""
    return (
        f"{source.path}: files other than .png, .jpg and .jpeg are left out ({count_by_suffix(others)}); "
        f"{len(source.names)} image{'s are' if len(source.names) > 1 else ' is'} used"
    )


def _empty_classes(labels: Labels) -> str:
    empty = [str(number) for number in labels.classes_without_images()]
    if not empty:
        return ""
    which = f"class {empty[0]} has" if len(empty) == 1 else f"{len(empty)} classes ({first_names(empty)}) have"
    return (
        f"{which} no images: the labels go up to {labels.c_dim - 1}, so there are {labels.c_dim} classes, 0 to "
        f"{labels.c_dim - 1}, and what the networks make of one without images means nothing"
    )
