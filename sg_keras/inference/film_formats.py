"""Formats of films. Each writes parts of a film, frame by frame, and joins parts without encoding them again."""

from __future__ import annotations

import dataclasses
import io
import pathlib
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
from PIL import GifImagePlugin, Image

from sg_keras.inference.ffmpeg import check_codec, encode, join
from sg_keras.inference.images import png_bytes, viewable

#: By suffix; a name without one is a folder of PNG files.
SUFFIXES = (".mp4", ".webp", ".gif", "")
_FRAME = re.compile(r"frame[0-9]{6,}\.png")
MAX_FPS_OF_GIF = 50  # viewers take shorter times for mistakes, and show such frames for a tenth of a second


class FilmFormat(Protocol):
    """How films are written."""

    def write_part(self, path: pathlib.Path, frames: Iterable[np.ndarray], first: int) -> None:
        """Write frames uint8 [H,W,C], one or more, as they come; the first has that number in the film."""

    def join(self, parts: Sequence[pathlib.Path], path: pathlib.Path, num_frames: int) -> None:
        """Write the film at `path` from its parts, which may be used up."""


def film_format(
    path: pathlib.Path, fps: float, *, codec: str = "h264", crf: int = 12, sound: pathlib.Path | None = None
) -> FilmFormat:
    """The format of a film by its name.

    Args:
        path: .mp4, .webp, .gif, or a name without suffix for a folder of PNG files.
        fps: frames per second.
        codec: of MP4: of CODECS.
        crf: of MP4: quality, a smaller number is a better one.
        sound: of MP4: a file of sound that goes with it.

    Raises:
        ValueError: there is no such format, it cannot be that fast, or ffmpeg is missing; one line.

    Example:
        >>> film_format(pathlib.Path("film.webp"), fps=30)
        WebP(fps=30)
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(
            f"{path}: found the suffix {path.suffix!r}, expected .mp4, .webp, .gif, or none for a folder of PNG files"
        )
    if suffix == ".mp4":
        check_codec(codec)
        return MP4(fps, codec, crf, sound)
    if suffix == ".gif" and fps > MAX_FPS_OF_GIF:
        raise ValueError(f"{path}: found {fps:g} frames per second, expected {MAX_FPS_OF_GIF} at most in a GIF")
    if not suffix:
        _check_folder(path)
    others: dict[str, FilmFormat] = {".webp": WebP(fps), ".gif": GIF(fps), "": PNGFolder()}
    return others[suffix]


def _check_folder(path: pathlib.Path) -> None:
    """Refuse to replace a folder of anything but frames."""
    others = [file.name for file in path.iterdir() if not _FRAME.fullmatch(file.name)] if path.is_dir() else []
    if others:
        raise ValueError(f"{path}: found {others[0]!r} in it, expected a new folder, or one of frames to replace")


@dataclasses.dataclass(frozen=True)
class MP4:
    """H.264 and the like by ffmpeg; each part begins with a whole image."""

    fps: float
    codec: str
    crf: int
    sound: pathlib.Path | None

    def write_part(self, path: pathlib.Path, frames: Iterable[np.ndarray], first: int) -> None:
        encode((_rgb(frame) for frame in frames), path, self.fps, self.codec, self.crf)

    def join(self, parts: Sequence[pathlib.Path], path: pathlib.Path, num_frames: int) -> None:
        join(parts, path, self.sound, num_frames / self.fps)


@dataclasses.dataclass(frozen=True)
class GIF:
    """Endless, each frame with 256 colours of its own (GIF89a); times are in hundredths of a second."""

    fps: float

    def write_part(self, path: pathlib.Path, frames: Iterable[np.ndarray], first: int) -> None:
        with path.open("wb") as file:
            for number, frame in enumerate(frames, first):
                if not file.tell():  # each part has the beginning of a whole file, of which the film takes the first
                    file.writelines(_gif_beginning(frame))
                duration = 10 * _duration(number, self.fps, 100)
                file.writelines(GifImagePlugin.getdata(_palette(frame), duration=duration, include_color_table=True))

    def join(self, parts: Sequence[pathlib.Path], path: pathlib.Path, num_frames: int) -> None:
        with path.open("wb") as file:
            for index, part in enumerate(parts):
                with part.open("rb") as source:
                    if index:
                        source.seek(_GIF_BEGINNING)
                    shutil.copyfileobj(source, file)
            file.write(b";")


@dataclasses.dataclass(frozen=True)
class WebP:
    """Endless, without loss; each frame stands for itself (ANMF chunks of the container's specification)."""

    fps: float

    def write_part(self, path: pathlib.Path, frames: Iterable[np.ndarray], first: int) -> None:
        with path.open("wb") as file:
            for number, frame in enumerate(frames, first):
                if not file.tell():
                    height, width = frame.shape[:2]
                    file.write(_canvas(width, height))
                file.write(_webp_frame(frame, _duration(number, self.fps, 1000)))

    def join(self, parts: Sequence[pathlib.Path], path: pathlib.Path, num_frames: int) -> None:
        with path.open("wb") as file:
            file.write(b"RIFF\0\0\0\0WEBP")
            for index, part in enumerate(parts):
                with part.open("rb") as source:
                    if index:
                        source.seek(_WEBP_BEGINNING)
                    shutil.copyfileobj(source, file)
            size = file.tell() - 8
            file.seek(4)
            file.write(size.to_bytes(4, "little"))


class PNGFolder:
    """A folder of files frame000000.png, frame000001.png ..., with alpha where the images have it."""

    def write_part(self, path: pathlib.Path, frames: Iterable[np.ndarray], first: int) -> None:
        path.mkdir()
        for number, frame in enumerate(frames, first):
            (path / f"frame{number:06d}.png").write_bytes(png_bytes(frame if _is_png(frame) else _rgb(frame)))

    def join(self, parts: Sequence[pathlib.Path], path: pathlib.Path, num_frames: int) -> None:
        for part in parts:
            for file in part.iterdir():
                shutil.copy2(file, path / file.name)


def _is_png(frame: np.ndarray) -> bool:
    return frame.shape[2] in (1, 3, 4)


def _rgb(frame: np.ndarray) -> np.ndarray:
    seen = viewable(frame[np.newaxis])[0]
    return seen if seen.shape[2] == 3 else np.repeat(seen, 3, axis=2)


def _duration(number: int, fps: float, units: int) -> int:
    """Of a frame, in parts of a second; rounding does not add up."""
    return round((number + 1) * units / fps) - round(number * units / fps)


_GIF_BEGINNING = 13 + 768 + 19  # screen descriptor, 256 colours, extension of endless repetition
_WEBP_BEGINNING = 18 + 14  # VP8X, ANIM


def _palette(frame: np.ndarray) -> Image.Image:
    """256 colours; of gray images all."""
    seen = viewable(frame[np.newaxis])[0]
    if seen.shape[2] == 1:
        image = Image.fromarray(seen[:, :, 0]).convert("P")
        image.putpalette(bytes(value for gray in range(256) for value in (gray, gray, gray)))
        return image
    return Image.fromarray(seen).quantize(256)


def _gif_beginning(frame: np.ndarray) -> list[bytes]:
    height, width = frame.shape[:2]
    gray = bytes(value for level in range(256) for value in (level, level, level))
    screen = b"GIF89a" + width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"\xf7\0\0"
    return [screen, gray, b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"]


def _canvas(width: int, height: int) -> bytes:
    animated = (0b10).to_bytes(4, "little")
    canvas = animated + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    background_and_endless = b"\0\0\0\xff" + b"\0\0"
    return b"".join(_chunk(b"VP8X", canvas)) + b"".join(_chunk(b"ANIM", background_and_endless))


def _webp_frame(frame: np.ndarray, milliseconds: int) -> bytes:
    still = io.BytesIO()
    Image.fromarray(_rgb(frame)).save(still, "WEBP", lossless=True)
    data = still.getvalue()[12:]  # after RIFF, its length and WEBP: one chunk VP8L
    height, width = frame.shape[:2]
    place = bytes(6) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    whole_frame_unblended = b"\x02"
    return b"".join(_chunk(b"ANMF", place + milliseconds.to_bytes(3, "little") + whole_frame_unblended + data))


def _chunk(name: bytes, content: bytes) -> Iterator[bytes]:
    """A chunk of RIFF, of an even length."""
    yield from (name, len(content).to_bytes(4, "little"), content, b"\0" * (len(content) % 2))
