"""Films as files: opened frame by frame, and continued where they were interrupted."""

import hashlib
import pathlib

import numpy as np
import pytest
from PIL import Image

from sg_keras.inference import GivenFrames, ffmpeg, film_bytes, film_file, film_format, write_film
from tests.opened_films import mp4_frames


def gradient_frames(count: int, channels: int = 3, height: int = 16, width: int = 24) -> list[np.ndarray]:
    """A soft ramp that moves; the mean of a frame says which it is."""
    ramp = np.linspace(0, 60, width)[np.newaxis, :, np.newaxis] + np.linspace(0, 30, height)[:, np.newaxis, np.newaxis]
    return [np.repeat(ramp + 120 * i / count, channels, axis=2).astype(np.uint8) for i in range(count)]


@pytest.fixture
def small_parts(monkeypatch):
    """Parts of four frames."""
    monkeypatch.setattr(film_file, "_MOST_FRAMES", 4)


@pytest.mark.parametrize("codec", ["h264", "h265", "av1"])
def test_mp4(tmp_path, codec, small_parts):
    frames = gradient_frames(10)
    path = tmp_path / "new" / "film's.mp4"
    assert write_film(path, GivenFrames(frames), film_format(path, 25, codec=codec)) == 0
    facts, found = mp4_frames(path)
    assert (facts["fps"], facts["codec"]) == (25, {"h264": "h264", "h265": "hevc", "av1": "av1"}[codec])
    assert facts["duration"] == pytest.approx(10 / 25, abs=0.001) and found.shape == (10, 16, 24, 3)
    np.testing.assert_allclose(found, frames, atol=4)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", [".webp", ".gif"])
def test_animated_images(tmp_path, suffix, channels, small_parts):
    frames = gradient_frames(9, channels)
    if channels == 4:
        frames = [np.concatenate([frame[..., :3], np.full_like(frame[..., 3:], 255)], axis=-1) for frame in frames]
    path = tmp_path / f"film{suffix}"
    write_film(path, GivenFrames(frames), film_format(path, 40), enlarge=2)
    assert film_bytes(iter(frames), suffix, frames_per_sec=40, enlarge=2) == path.read_bytes()
    with Image.open(path) as film:
        assert (film.n_frames, film.size) == (9, (48, 32))
        times = []
        for index, frame in enumerate(frames):
            film.seek(index)
            pixels = np.asarray(film.convert("RGB"))[::2, ::2].astype(int)
            times.append(film.info["duration"])
            exact = suffix == ".webp" or channels == 1
            assert np.abs(pixels - frame[..., :3]).max() <= (0 if exact else 6)
        assert film.info["loop"] == 0
        assert sum(times) == (225 if suffix == ".webp" else 220) and set(times) <= {20, 25, 30}


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_folder_of_png_files(tmp_path, channels, small_parts):
    frames = gradient_frames(6, channels)
    path = tmp_path / "film"
    write_film(path, GivenFrames(frames), film_format(path, 30))
    files = sorted(path.iterdir())
    assert [file.name for file in files] == [f"frame{number:06d}.png" for number in range(6)]
    for file, frame in zip(files, frames, strict=True):
        with Image.open(file) as image:
            np.testing.assert_array_equal(np.asarray(image).reshape(frame.shape), frame)
    write_film(path, GivenFrames(frames[:2]), film_format(path, 30))
    assert len(list(path.iterdir())) == 2
    (path / "letter.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"found 'letter\.txt' in it, expected a new folder"):
        film_format(path, 30)


class Interrupted(GivenFrames):
    """Frames of which the process does not see the end."""

    def __init__(self, given, stop_at):
        object.__setattr__(self, "given", given)
        object.__setattr__(self, "stop_at", stop_at)

    def frames(self, start, stop):
        for number in range(start, stop):
            if number == self.stop_at:
                raise KeyboardInterrupt
            yield self.given[number]


def digest(path: pathlib.Path) -> str:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


@pytest.mark.parametrize("name", ["film.mp4", "film.webp", "film.gif", "film"])
def test_an_interrupted_film_goes_on_to_the_same_bytes(tmp_path, name, small_parts):
    frames = gradient_frames(15)
    whole, path = tmp_path / "whole" / name, tmp_path / "cut" / name
    write_film(whole, GivenFrames(frames), film_format(whole, 30))
    with pytest.raises(KeyboardInterrupt):
        write_film(path, Interrupted(frames, 10), film_format(path, 30), made_from={"seeds": [1]})
    assert not path.exists()
    told: list[tuple[int, int]] = []
    kept = write_film(
        path,
        GivenFrames(frames),
        film_format(path, 30),
        made_from={"seeds": [1]},
        on_progress=lambda *how_far: told.append(how_far),
    )
    assert kept == 8 and told == [(number, 15) for number in range(8, 16)]
    assert digest(path) == digest(whole)
    assert [file.name for file in path.parent.iterdir()] == [name]


def test_other_films_begin_anew(tmp_path, small_parts):
    path, frames = tmp_path / "film", gradient_frames(10)
    for made_from in ({"seeds": [1]}, None):
        with pytest.raises(KeyboardInterrupt):
            write_film(path, Interrupted(frames, 9), film_format(path, 30), made_from=made_from)
        assert film_file.parts_folder(path).exists() == (made_from is not None)
    with pytest.raises(KeyboardInterrupt):
        write_film(path, Interrupted(frames, 9), film_format(path, 30), made_from={"seeds": [1]})
    assert write_film(path, GivenFrames(frames), film_format(path, 30), made_from={"seeds": [2]}) == 0


@pytest.mark.parametrize(
    "name, options, message",
    [
        ("film.avi", {}, r"film\.avi: found the suffix '\.avi', expected \.mp4, \.webp, \.gif, or none"),
        ("film.gif", {"fps": 60}, r"film\.gif: found 60 frames per second, expected 50 at most"),
        ("film.mp4", {"codec": "vp9"}, "codec: found 'vp9', expected one of h264, h265, av1"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, name, options, message):
    with pytest.raises(ValueError, match=message):
        film_format(tmp_path / name, **{"fps": 30, **options})
    with pytest.raises(ValueError, match="film: found no frames"):
        write_film(tmp_path / "film", GivenFrames([]), film_format(tmp_path / "film", 30))


def test_what_ffmpeg_says_becomes_one_line(tmp_path, monkeypatch):
    path = tmp_path / "film.mp4"
    form = film_format(path, 30)
    monkeypatch.setitem(ffmpeg.CODECS, "h264", ("libnothing", ()))
    with pytest.raises(OSError, match=r"found that ffmpeg failed .*libnothing") as caught:
        write_film(path, GivenFrames(gradient_frames(2)), form)
    assert "\n" not in str(caught.value) and not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match=r"codec: found h264, for which this ffmpeg has no libnothing"):
        film_format(path, 30)


def test_a_missing_ffmpeg_is_one_line(monkeypatch, tmp_path):
    ffmpeg.ffmpeg_program.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "imageio_ffmpeg", None)
    with pytest.raises(
        ValueError, match=r"^ffmpeg: found no package imageio_ffmpeg, .*pip install 'sg-keras\[video\]'$"
    ):
        film_format(tmp_path / "film.mp4", 30)
    ffmpeg.ffmpeg_program.cache_clear()
