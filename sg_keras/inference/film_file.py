"""Films as files, written as their frames are made, and continued where that was interrupted."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from sg_keras.files.atomic import atomic_file, atomic_folder, write_text
from sg_keras.files.errors import PARTIAL, file_errors_explained
from sg_keras.inference.film_formats import FilmFormat, PNGFolder, film_format

_MOST_FRAMES, _MOST_PIXELS = 240, 1 << 24  # of a part: what is lost at most when a film is interrupted
_MADE_FROM = "made_from.json"


class FrameSource(Protocol):
    """What gives frames; parts that begin at the same frame have to be the same."""

    @property
    def num_frames(self) -> int:
        """Of the whole film."""

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""

    def frames(self, start: int, stop: int) -> Iterator[np.ndarray]:
        """Frames uint8 [H,W,C] number `start` to `stop - 1`, as they are made."""


@dataclasses.dataclass(frozen=True, eq=False)
class GivenFrames:
    """Frames uint8 [H,W,C], one or more, that are there already."""

    given: Sequence[np.ndarray]

    @property
    def num_frames(self) -> int:
        """How many there are."""
        return len(self.given)

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        height, width, channels = self.given[0].shape
        return height, width, channels

    def frames(self, start: int, stop: int) -> Iterator[np.ndarray]:
        """Some of them."""
        return iter(self.given[start:stop])


def parts_folder(path: pathlib.Path) -> pathlib.Path:
    """Where the parts of a film are until it is whole."""
    return path.with_name(f"{PARTIAL}{path.name}-parts")


def write_film(
    path: pathlib.Path,
    source: FrameSource,
    form: FilmFormat,
    *,
    made_from: Mapping[str, Any] | None = None,
    enlarge: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write a film part by part, and join the parts when all are there. Only then is there a file of its name.

    Args:
        path: of the film; an older one is replaced.
        source: gives its frames.
        form: of `film_format`.
        made_from: what the film follows from, as JSON has it. Parts of the same film that an interrupted process left
            are used; without it none are, and none are left.
        enlarge: each pixel becomes a square of so many pixels a side.
        on_progress: is told how many frames are there and of how many, at first and after each.

    Returns:
        How many frames were there before.

    Raises:
        ValueError: there are no frames.
        OSError: it cannot be written; one line.

    Example:
        >>> import tempfile
        >>> frames = GivenFrames([np.full([4, 4, 1], 50 * i, np.uint8) for i in range(3)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "film.gif"
        ...     kept = write_film(path, frames, sg_keras.inference.film_format(path, fps=20))
        ...     path.stat().st_size > 0
        True
    """
    total = source.num_frames
    if total < 1:
        raise ValueError("film: found no frames, expected one at least")
    tell = on_progress or (lambda done, total: None)
    folder, starts = parts_folder(path), _starts(source, enlarge)
    with file_errors_explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _prepare(folder, made_from)
        kept = sum(1 for start in starts if _part(folder, start).exists())
        tell(before := min(kept * len_of_part(source, enlarge), total), total)
        try:
            _write_parts(folder, starts, source, form, enlarge, tell)
            _join(path, [_part(folder, start) for start in starts], form, total)
        except BaseException:
            if made_from is None:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        shutil.rmtree(folder)
    return before


def film_bytes(frames: Iterable[np.ndarray], suffix: str, *, frames_per_sec: float = 30, enlarge: int = 1) -> bytes:
    """The content of a short film's file.

    Args:
        frames: uint8 [H,W,C], one or more; they are shown as `viewable` has it.
        suffix: ".webp", ".gif" or ".mp4".
        frames_per_sec: speed.
        enlarge: each pixel becomes a square of so many pixels a side.

    Raises:
        ValueError: no frames, or an unknown suffix.

    Example:
        >>> film_bytes([np.zeros([4, 4, 1], np.uint8)], ".gif")[:6]
        b'GIF89a'
    """
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f"film{suffix}"
        write_film(path, GivenFrames(list(frames)), film_format(path, frames_per_sec), enlarge=enlarge)
        return path.read_bytes()


def len_of_part(source: FrameSource, enlarge: int = 1) -> int:
    """Frames of each part of a film but the last."""
    height, width, _ = source.frame_shape
    return max(min(_MOST_FRAMES, _MOST_PIXELS // (height * width * enlarge**2)), 1)


def _starts(source: FrameSource, enlarge: int) -> range:
    return range(0, source.num_frames, len_of_part(source, enlarge))


def _part(folder: pathlib.Path, start: int) -> pathlib.Path:
    return folder / f"part{start:07d}"


def _prepare(folder: pathlib.Path, made_from: Mapping[str, Any] | None) -> None:
    """Make the folder of parts, without those of another film."""
    wanted = None if made_from is None else json.dumps(made_from, sort_keys=True, indent=1)
    noted = folder / _MADE_FROM
    if folder.exists():
        if wanted is not None and noted.is_file() and noted.read_text(encoding="utf-8") == wanted:
            return
        shutil.rmtree(folder)
    folder.mkdir()
    if wanted is not None:
        write_text(noted, wanted)


def _write_parts(
    folder: pathlib.Path,
    starts: range,
    source: FrameSource,
    form: FilmFormat,
    enlarge: int,
    tell: Callable[[int, int], None],
) -> None:
    """Those that are missing."""
    for start in starts:
        part = _part(folder, start)
        if part.exists():
            continue
        stop = min(start + starts.step, source.num_frames)
        frames = _told(_enlarged(source.frames(start, stop), enlarge), start, source.num_frames, tell)
        beside = part.with_name(PARTIAL + part.name)
        _remove(beside)
        form.write_part(beside, frames, start)
        beside.rename(part)


def _told(
    frames: Iterator[np.ndarray], start: int, total: int, tell: Callable[[int, int], None]
) -> Iterator[np.ndarray]:
    for number, frame in enumerate(frames, start):
        yield frame
        tell(number + 1, total)


def _enlarged(frames: Iterator[np.ndarray], enlarge: int) -> Iterator[np.ndarray]:
    for frame in frames:
        yield frame if enlarge == 1 else frame.repeat(enlarge, axis=0).repeat(enlarge, axis=1)


def _join(path: pathlib.Path, parts: Sequence[pathlib.Path], form: FilmFormat, num_frames: int) -> None:
    if isinstance(form, PNGFolder):
        with atomic_folder(path) as beside:
            form.join(parts, beside, num_frames)
    else:
        with atomic_file(path) as beside:
            form.join(parts, beside, num_frames)


def _remove(path: pathlib.Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
