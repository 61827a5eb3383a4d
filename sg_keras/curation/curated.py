"""Writes the images of a set that are kept to one of convert's destinations: as the files they are, or as pixels."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

from PIL import Image

import sg_keras
from sg_keras.config.parts import colors_text
from sg_keras.curation.convert import image_name
from sg_keras.curation.curate import Curation
from sg_keras.curation.decode import UnreadableOriginalError, decode_original
from sg_keras.curation.destinations import destination_kind, open_destination
from sg_keras.curation.encode import encoded
from sg_keras.curation.labels import dataset_json
from sg_keras.curation.original_source import OriginalSource
from sg_keras.curation.partial_files import discard_partial, refuse_existing
from sg_keras.curation.progress import Progress, clock
from sg_keras.curation.recipe import PIXELS
from sg_keras.data.image_source import is_webp
from sg_keras.files.atomic import write_text
from sg_keras.files.errors import file_errors_explained

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


def curation_path(destination: pathlib.Path) -> pathlib.Path:
    """Where what was kept and dropped is written, beside a destination."""
    return destination.with_name(destination.name + ".curation.json")


def check_curated(destination: str) -> None:
    """Refuse a destination that cannot be written, before there is any work in it.

    Raises:
        OSError: there is something already.
        ValueError: its ending is that of something else. Both one line.
    """
    path = pathlib.Path(destination)
    destination_kind(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"--dest: {path.parent}: found no such folder, expected one that is there")
    with file_errors_explained(path):
        refuse_existing(path)


def write_curated(
    source: OriginalSource,
    curation: Curation,
    destination: str,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> None:
    """Write all images that are kept, byte for byte; those of arrays as PNG, and TFRecords hold pixels.

    The source is not touched.

    Args:
        source: of the images.
        curation: what is kept of them.
        destination: NAME.zip, NAME.tfrecords, NAME.lmdb or a folder; nothing is there yet.
        on_progress: is told how far it is.

    Raises:
        OSError: something cannot be read or written.
        ValueError: TFRecords cannot hold the images. Both one line, and nothing is left behind.
    """
    path = pathlib.Path(destination)
    check_curated(destination)
    tick = clock("writing", len(curation.kept), 0, on_progress)
    pairs = []
    records = _Records(source, curation, path) if destination_kind(path) == "tfrecords" else None
    try:
        with file_errors_explained(path):
            taker = open_destination(path, [], records.side if records else 0)
            try:
                for done, index in enumerate(curation.kept, 1):
                    content, suffix = records.of(index) if records else _file(source.read(index))
                    name = image_name(index, None, suffix)
                    taker.add(name, content)
                    pairs.append([name, curation.labels.get(index)])
                    tick(done)
                taker.flush()
                labels = [label for _, label in pairs] if curation.labels else None
                taker.finish(labels, _description(curation, pairs if curation.labels else None))
            finally:
                taker.close()
    except BaseException:
        discard_partial(path)
        raise
    write_text(curation_path(path), curation.json())


def _file(content: bytes) -> tuple[bytes, str]:
    """A file that training reads, and its ending."""
    for suffix, is_it in ((".png", content.startswith(_PNG)), (".jpg", content.startswith(_JPEG))):
        if is_it:
            return content, suffix
    return (content, ".webp") if is_webp(content) else (encoded(decode_original(content).image, "png"), ".png")


class _Records:
    """Images as framed records of pixels: upright, in sRGB, all like the first one that is kept."""

    def __init__(self, source: OriginalSource, curation: Curation, destination: pathlib.Path) -> None:
        self._source, self._destination = source, destination
        if not curation.kept:
            raise ValueError(f"--dest: {destination}: found no image that is kept, expected one at least")
        self._model_index = curation.kept[0]
        self._model = self._image(self._model_index)
        self.side = max(self._model.size)

    def of(self, index: int) -> tuple[bytes, str]:
        """The record of an image, and the ending of its name. ValueError: it is not like the first. One line."""
        image = self._image(index)
        if (image.size, image.mode) != (self._model.size, self._model.mode):
            model, names = self._model_index, self._source.names
            raise ValueError(
                f"--dest: {self._destination}: found {names[index]} of {_kind(image)}, expected {_kind(self._model)} "
                f"as {names[model]}: TFRecords hold images of one size and colour; .zip, .lmdb or a folder hold any"
            )
        return encoded(image, PIXELS), ".png"

    def _image(self, index: int) -> Image.Image:
        try:
            image = decode_original(self._source.read(index)).image
        except UnreadableOriginalError as error:  # it was another file when it was measured
            raise OSError(f"{self._source.path}/{self._source.names[index]}: {error}") from error
        return image.convert("RGBA") if image.mode == "LA" else image  # as training reads it


def _kind(image: Image.Image) -> str:
    return f"{image.width}x{image.height} {colors_text(len(image.getbands()))}"


def _description(curation: Curation, pairs: list[list[object]] | None) -> bytes:
    record = curation.record()
    conversion = {
        "tool": f"sg-keras {sg_keras.__version__}",
        "source": curation.path,
        "curation": record["rules"],
        "originals": len(curation.names),
        "images": len(curation.kept),
    }
    return dataset_json(pairs, curation.class_names, conversion, {})
