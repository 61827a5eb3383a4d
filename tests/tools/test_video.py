"""sg_keras.tools.video: films opened frame by frame."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import scipy.io.wavfile
from PIL import Image

import sg_keras
from sg_keras import inference
from sg_keras.flags.video_options import VIDEO_OPTIONS
from sg_keras.inference import ffmpeg, film_file, film_formats, film_path, film_sound
from sg_keras.inference.film_keyframes import INTERPOLATIONS
from sg_keras.tools import video
from tests.opened_films import mp4_frames, png_frames

ROOT = pathlib.Path(__file__).resolve().parents[2]
PICKLES = ROOT / "tests" / "fixtures" / "golden" / "pickles"


def run(network, output, *options):
    return video.main([f"--network={network}", f"--output={output}", *options])


def test_the_published_film(unconditional_snapshot, tmp_path, capsys):
    options = ["--seeds=0-3", "--grid=2x1", "--w-frames=6", "--trunc=0.7"]
    assert run(unconditional_snapshot, tmp_path / "film.mp4", "--crf=0", *options) == 0
    assert "12 frames, 0.2 s at 60 per second, in " in capsys.readouterr().out
    assert run(unconditional_snapshot, tmp_path / "film", *options) == 0
    facts, found = mp4_frames(tmp_path / "film.mp4")
    exact = png_frames(tmp_path / "film")
    assert (facts["fps"], facts["codec"], facts["duration"]) == (60, "h264", 0.2)
    assert found.shape == (12, 16, 32, 3) and exact.shape == (12, 16, 32, 1)
    assert np.abs(found.astype(int) - exact).mean() < 2
    G = sg_keras.load(unconditional_snapshot)["G_ema"]
    still = np.stack(list(inference.generate(G, [0, 2, 1, 3], truncation_psi=0.7))).astype(int)
    np.testing.assert_allclose(exact[0], np.concatenate(still[:2], axis=1), atol=1)
    np.testing.assert_allclose(exact[6], np.concatenate(still[2:], axis=1), atol=1)


def test_a_conditional_film_and_its_notes(snapshot, tmp_path, capsys):
    options = ["--seeds=5", "--num-keyframes=3", "--class=0-2", "--w-frames=2", "--interpolation=linear"]
    assert run(snapshot, tmp_path / "film", *options) == 0
    assert "Note" not in capsys.readouterr().out
    found = png_frames(tmp_path / "film")
    G = sg_keras.load(snapshot)["G_ema"]
    still = np.stack(list(inference.generate(G, [5, 5, 5], [0, 1, 2])))
    assert np.abs(found[::2].astype(int) - still).max() <= 1
    assert run(snapshot, tmp_path / "turns", "--seeds=5,6", "--w-frames=1") == 0
    assert "--class=N (0 to 2)" in capsys.readouterr().out
    turns = np.stack(list(inference.generate(G, [5, 6], [2, 0])))
    assert np.abs(png_frames(tmp_path / "turns").astype(int) - turns).max() <= 1


def test_a_film_of_an_official_pickle(tmp_path):
    options = ["--seeds=1", "--interpolation=circle", "--seconds=0.2", "--fps=20", "--noise-mode=loop"]
    assert run(PICKLES / "tf1_sg2_32.pkl", tmp_path / "film.webp", *options) == 0
    with Image.open(tmp_path / "film.webp") as film:
        film.seek(3)
        film.load()
        assert (film.n_frames, film.size, film.info["duration"], film.info["loop"]) == (4, (32, 32), 50, 0)


def test_stylegan3_turns_and_a_time_line_moves_it(stylegan3_snapshot, tmp_path):
    assert run(stylegan3_snapshot, tmp_path / "turn", "--seeds=4", "--w-frames=8", "--rotate=0,360") == 0
    G = sg_keras.load(stylegan3_snapshot)["G_ema"]
    expected = next(inference.generate(G, [4], transform=inference.inverse_transform(rotate=90)))
    assert np.abs(png_frames(tmp_path / "turn")[2].astype(int) - expected).max() <= 1
    w = inference.styles(G, inference.latents([9], 8), np.zeros([1, 0], np.float32))
    inference.write_styles(tmp_path / "w.npz", w)
    line = [
        {"w": "w.npz", "seconds": 0.2, "transform": {"translate": [0.25, 0]}},
        {"seed": 4, "truncation": 0.5, "seconds": 0.3, "easing": "smooth"},
    ]
    (tmp_path / "line.json").write_text(json.dumps(line))
    words = [f"--timeline={tmp_path / 'line.json'}", "--fps=10", "--loop=0"]
    assert run(stylegan3_snapshot, tmp_path / "line", *words) == 0
    found = png_frames(tmp_path / "line").astype(int)
    moved = next(inference.generate(G, [9], transform=inference.inverse_transform((0.25, 0))))
    still = next(inference.generate(G, [4], truncation_psi=0.5))
    assert len(found) == 3 and np.abs(found[0] - moved).max() <= 1 and np.abs(found[2] - still).max() <= 1


@pytest.fixture
def wav(tmp_path) -> pathlib.Path:
    """Half a second of sound: silence, then a low tone."""
    times = np.arange(8000) / 16000
    scipy.io.wavfile.write(tmp_path / "a.wav", 16000, (np.sin(600 * times) * (times > 0.25)).astype(np.float32))
    return tmp_path / "a.wav"


def test_a_film_of_a_sound(snapshot, wav, tmp_path):
    options = ["--seeds=1,2", "--class=0", f"--audio={wav}", "--fps=20", "--audio-drives=bass=all;onset=trunc*0.5"]
    assert run(snapshot, tmp_path / "film.mp4", *options) == 0
    facts, found = mp4_frames(tmp_path / "film.mp4")
    assert (len(found), facts["fps"], facts["audio_codec"]) == (10, 20, "aac")
    assert facts["duration"] == pytest.approx(0.5, abs=0.06)
    drives = ["--audio-drives=loud=noise*2", "--mix-seed=3", "--trunc-pulse=0.5"]
    assert run(snapshot, tmp_path / "noise", *options[:-1], *drives) == 0
    assert len(png_frames(tmp_path / "noise")) == 10


def test_a_sound_drives_directions(snapshot, wav, tmp_path, capsys):
    G = sg_keras.load(snapshot)["G_ema"]
    across = np.eye(1, G.w_dim, dtype=np.float32)[0]
    found = [
        inference.Direction("Smile", across, 2.0, (0, 5), "pca"),
        inference.Direction("up", -across, 1.0, (0, 5), "pca"),
    ]
    file = inference.write_directions(tmp_path, found)
    options = ["--seeds=1,2", "--class=0", f"--audio={wav}", "--fps=20", f"--directions={file}"]
    assert run(snapshot, tmp_path / "still", *options[:4], "--audio-drives=bass=trunc*1e-9") == 0
    assert run(snapshot, tmp_path / "driven", *options, "--audio-drives=Loud=Smile*-1") == 0
    assert run(snapshot, tmp_path / "undone", *options, "--audio-drives=loud=Smile*-1;loud=up*-2") == 0
    still, driven, undone = (png_frames(tmp_path / name).astype(int) for name in ("still", "driven", "undone"))
    assert (driven != still).any() and np.abs(undone - still).max() <= 1
    for words, message in (
        ([*options, "--audio-drives=loud=smile"], "--audio-drives: found no 'smile', did you mean Smile?"),
        ([*options[:4], "--audio-drives=loud=Smile"], "--audio-drives: found 'Smile', expected layers"),
    ):
        capsys.readouterr()
        assert run(snapshot, tmp_path / "none", *words) == 1
        error = capsys.readouterr().err
        assert error.startswith(f"Error: {message}") and error.count("\n") == 1


class KilledError(BaseException):
    """In place of a signal that nobody can catch."""


def test_a_killed_film_goes_on_unless_something_differs(snapshot, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(film_file, "_MOST_FRAMES", 4)
    options = ["--seeds=1-3", "--class=0", "--w-frames=4", "--noise-mode=drift", "--noise-seconds=0.1"]
    assert run(snapshot, tmp_path / "whole", *options) == 0
    made = inference.Film.frames

    def killed(film, start=0, stop=None):
        if start == 8:
            raise KilledError
        return made(film, start, stop)

    with monkeypatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(inference.Film, "frames", killed)
        run(snapshot, tmp_path / "again", *options)
    assert not (tmp_path / "again").exists()
    shutil.copytree(*(film_file.parts_folder(tmp_path / name) for name in ("again", "other")))
    for name, further in (("again", []), ("other", ["--trunc=0.9"])):
        capsys.readouterr()
        assert run(snapshot, tmp_path / name, *options, *further) == 0
        assert ("12 frames (8 of them were there already)" in capsys.readouterr().out) == (name == "again")
    np.testing.assert_array_equal(png_frames(tmp_path / "again"), png_frames(tmp_path / "whole"))
    assert np.any(png_frames(tmp_path / "other") != png_frames(tmp_path / "whole"))
    assert not list(tmp_path.glob(".partial*"))


@pytest.mark.long
def test_a_film_whose_process_is_killed_is_finished_by_the_same_command(unconditional_snapshot, tmp_path):
    command = [sys.executable, "-m", "sg_keras.tools.video", f"--network={unconditional_snapshot}", "--seeds=0-9"]
    command += ["--w-frames=400"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name in ("cut.mp4", "whole.mp4"):
        process = subprocess.Popen([*command, f"--output={tmp_path / name}"], env=environment)
        if name == "cut.mp4":
            parts = film_file.parts_folder(tmp_path / name)
            while len(list(parts.glob("part*"))) < 3:
                assert process.poll() is None
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            assert process.wait() != 0 and not (tmp_path / name).exists()
            process = subprocess.Popen([*command, f"--output={tmp_path / name}"], env=environment)
        assert process.wait(timeout=300) == 0
    assert (tmp_path / "cut.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


@pytest.mark.parametrize(
    "options, message",
    [
        (["--seeds=0", "--class=3"], "--class: found 3, expected 0 to 2, the classes of the network"),
        ([], "--seeds, --projected-w, --timeline: found none, expected one of them"),
        (
            ["--seeds=0", "--projected-w=w.npz"],
            "--seeds, --projected-w, --timeline: found --seeds and --projected-w, expected one of them",
        ),
        (["--seeds=0", "--seconds=0"], "--seconds: found '0', expected a number above 0"),
        (["--seeds=0-3", "--seconds=0.01"], "--seconds: found 0.0025 seconds, expected 0.0167 at least, one frame"),
        (["--seeds=0", "--seconds=1", "--w-frames=5"], "--seconds: found it beside --w-frames, expected one of them"),
        (["--seeds=0-2", "--grid=2x1"], "--seeds: found 3, expected a multiple of 2, the images of the grid, or"),
        (["--projected-w=narrow.npz"], "narrow.npz: found w [1, 6, 4], expected [N, 6, 8], the styles of the network"),
        (["--projected-w=nowhere.npz"], "--projected-w: nowhere.npz: found nothing there"),
        (["--timeline=line.json"], "line.json: keyframe 1: found the key 'sed', expected seed, w"),
        (["--timeline=class.json"], "class.json: keyframe 1: class: found 7, expected 0 to 2"),
        (["--timeline=class.json", "--seconds=3"], "--seconds: found it beside --timeline, expected none"),
        (["--timeline=moved.json"], "moved.json: transform: found it with StyleGAN2, expected StyleGAN3"),
        (["--timeline=narrow.json"], "narrow.json: keyframe 1: narrow.npz: found w [1, 6, 4]"),
        (["--seeds=0", "--rotate=0,360"], "--rotate: found it with StyleGAN2, expected StyleGAN3"),
        (["--seeds=0", "--audio=line.json"], "line.json: found no sound that can be read, expected a WAV file"),
        (["--seeds=0", "--audio-drives=drums=all"], "--audio-drives: found 'drums=all', expected SOURCE=TARGET*AMOUNT"),
        (["--seeds=0", "--mix-seed=1", "--mix-styles=4-6"], "--mix-styles: found layer 6, expected 0 to 5"),
        (["--seeds=0", "--output=film.mov"], "film.mov: found the suffix '.mov', expected .mp4, .webp, .gif, or none"),
        (["--seeds=0", "--fps=60", "--output=film.gif"], "film.gif: found 60 frames per second, expected 50 at most"),
    ],
)
def test_errors(snapshot, tmp_path, options, message, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez("narrow.npz", w=np.zeros([1, 6, 4], np.float32))
    lines = {
        "line": [{"sed": 1}],
        "class": [{"seed": 1, "class": 7}],
        "moved": [{"seed": 1, "class": 0, "transform": {"rotate": 9}}],
        "narrow": [{"w": "narrow.npz"}],
    }
    for name, line in lines.items():
        pathlib.Path(f"{name}.json").write_text(json.dumps(line))
    before = sorted(tmp_path.iterdir())
    output = [] if any("--output" in option for option in options) else ["--output=film.mp4"]
    assert video.main([f"--network={snapshot}", *output, *options]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith(f"Error: {message}") and printed.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_missing_ffmpeg_is_one_line(snapshot, tmp_path, monkeypatch, capsys):
    ffmpeg.ffmpeg_program.cache_clear()
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    assert run(snapshot, tmp_path / "film.mp4", "--seeds=0") == 1
    assert capsys.readouterr().err == (
        "Error: ffmpeg: found no package imageio_ffmpeg, expected it: pip install 'sg-keras[video]'\n"
    )
    ffmpeg.ffmpeg_program.cache_clear()


def test_stylegan3_has_no_noise_that_could_drift(stylegan3_snapshot, tmp_path, capsys):
    assert run(stylegan3_snapshot, tmp_path / "film", "--seeds=0", "--noise-mode=drift") == 1
    assert capsys.readouterr().err.startswith("Error: --noise-mode: found a network without noise inputs")


def test_options_offer_what_there_is():
    choices = {option.key: getattr(option.kind, "choices", ()) for option in VIDEO_OPTIONS}
    assert choices["interpolation"] == INTERPOLATIONS
    assert choices["easing"] == tuple(film_path.EASINGS)
    assert choices["codec"] == tuple(ffmpeg.CODECS)
    drives = next(option for option in VIDEO_OPTIONS if option.key == "audio_drives").kind
    every = ";".join(f"{source}=1-2,5*0.5" for source in film_sound.SOURCES)
    assert [source for source, _, _ in drives.parse(every)] == list(film_sound.SOURCES)
    assert film_formats.SUFFIXES == (".mp4", ".webp", ".gif", "")
