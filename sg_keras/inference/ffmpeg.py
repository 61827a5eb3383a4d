"""The program ffmpeg, which writes films: that of the package imageio-ffmpeg."""

from __future__ import annotations

import contextlib
import functools
import pathlib
import subprocess
import tempfile
from collections.abc import Iterable, Sequence

import numpy as np

from sg_keras.files.errors import first_line
from sg_keras.files.optional import optional_package

#: Codec -> ffmpeg's encoder, and what it is told: no frame refers to a later one, so that parts follow one another
#: without a gap, and a quality without visible loss (a smaller number is a better one).
CODECS: dict[str, tuple[str, tuple[str, ...]]] = {
    "h264": ("libx264", ("-preset", "medium", "-bf", "0")),
    "h265": ("libx265", ("-preset", "medium", "-bf", "0", "-tag:v", "hvc1", "-x265-params", "log-level=none")),
    "av1": ("libsvtav1", ("-preset", "8", "-svtav1-params", "pred-struct=1")),
}

_FILTER = "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,"
_FILTER += "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
_TICKS = "90000"  # a second, of all parts alike


@functools.cache
def ffmpeg_program() -> str:
    """Path of ffmpeg.

    Raises:
        ValueError: there is none; one line that says what to install.
    """
    package = optional_package("imageio_ffmpeg", "video", "ffmpeg")
    try:
        return str(package.get_ffmpeg_exe())
    except RuntimeError as error:
        raise ValueError(
            "ffmpeg: found no such program, expected one: pip install 'sg-keras[video]', or set IMAGEIO_FFMPEG_EXE"
        ) from error


def check_codec(codec: str) -> None:
    """Refuse a codec that this ffmpeg cannot write.

    Raises:
        ValueError: there is no such codec, or no ffmpeg; one line.
    """
    if codec not in CODECS:
        raise ValueError(f"codec: found {codec!r}, expected one of {', '.join(CODECS)}")
    encoder = CODECS[codec][0]
    if encoder not in _run(["-encoders"]).split():
        raise ValueError(f"codec: found {codec}, for which this ffmpeg has no {encoder}, expected h264")


def encode(frames: Iterable[np.ndarray], path: pathlib.Path, fps: float, codec: str, crf: int) -> None:
    """Write frames uint8 [H,W,3], one or more, as a film without sound, one after another as they come.

    Raises:
        OSError: ffmpeg failed; one line with what it said.
    """
    iterator = iter(frames)
    first = next(iterator)
    size = f"{first.shape[1]}x{first.shape[0]}"
    encoder, options = CODECS[codec]
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", f"{fps:g}", "-i", "-"]
    target = ["-vf", _FILTER, "-c:v", encoder, *options, "-crf", str(crf)]
    target += ["-video_track_timescale", _TICKS, "-f", "mp4", f"file:{path}"]
    with tempfile.TemporaryFile() as said:
        command = [ffmpeg_program(), "-hide_banner", "-loglevel", "error", "-y", *source, *target]
        # In a session of its own, so that Ctrl-C reaches this process alone, which then ends it.
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
        )
        try:
            _send(process, first, iterator)
        except BaseException:
            process.kill()
            raise
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.communicate()  # closes its input and waits
        if process.returncode:
            said.seek(0)
            raise _failure(path, said.read())


def _send(process: subprocess.Popen[bytes], first: np.ndarray, rest: Iterable[np.ndarray]) -> None:
    if process.stdin is None:
        return
    with contextlib.suppress(BrokenPipeError):  # it has ended: its exit status and its words say why
        process.stdin.write(first.tobytes())
        for frame in rest:
            process.stdin.write(frame.tobytes())


def join(
    parts: Sequence[pathlib.Path],
    path: pathlib.Path,
    sound: pathlib.Path | None = None,
    seconds: float | None = None,
) -> None:
    """Write one film of its parts, as `encode` made them, with a sound.

    Args:
        parts: in their order; no image is encoded again.
        path: of the film.
        sound: a file of sound, from its beginning.
        seconds: how long the film is, where there is a sound, which ends with it.

    Raises:
        OSError: ffmpeg failed; one line with what it said.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as listing:
        quoted = (str(part.resolve()).replace("'", "'\\''") for part in parts)
        listing.write("".join(f"file '{name}'\n" for name in quoted))
        listing.flush()
        words = ["-y", "-f", "concat", "-safe", "0", "-i", listing.name]
        if sound is not None:
            words += ["-i", f"file:{sound}", "-map", "0:v:0", "-map", "1:a:0", "-c:a", "aac", "-b:a", "192k"]
            words += ["-t", f"{seconds:.6f}"]
        _run([*words, "-c:v", "copy", "-movflags", "+faststart", "-f", "mp4", f"file:{path}"], path)


def _run(words: Sequence[str], path: pathlib.Path | None = None) -> str:
    """What ffmpeg prints.

    Raises:
        OSError: it failed; one line on `path`.
    """
    command = [ffmpeg_program(), "-hide_banner", "-loglevel", "error", *words]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        raise _failure(path, done.stderr)
    return done.stdout.decode(errors="replace")


def _failure(path: pathlib.Path | None, said: bytes) -> OSError:
    words = first_line(ValueError(said.decode(errors="replace")))
    return OSError(
        f"{path or 'ffmpeg'}: found that ffmpeg failed ({words}), expected a film: free its disk, or try h264"
    )
