"""What is heard of a sound, and what it moves."""

import numpy as np
import pytest
import scipy.io.wavfile

from sg_keras.inference import Film, Keyframe, style_path
from sg_keras.inference.film_sound import (
    SOURCES,
    Sound,
    driven_phases,
    driven_styles,
    driven_truncation,
    levels,
    read_wav,
)
from tests.tiny_generator import tiny_generator

RATE = 16000


def tone(frequency: float, start: float, stop: float, seconds: float = 2.0) -> np.ndarray:
    times = np.arange(int(RATE * seconds)) / RATE
    return np.where((times >= start) & (times < stop), np.sin(2 * np.pi * frequency * times), 0).astype(np.float32)


def test_bands_are_told_apart():
    sound = Sound(RATE, 0.5 * (tone(80, 0, 0.5) + tone(800, 0.5, 1) + tone(5000, 1, 1.5)))
    heard = levels(sound, fps=20, num_frames=50)
    assert set(heard) == set(SOURCES) and all(values.shape == (50,) for values in heard.values())
    for band, frame in (("bass", 5), ("mid", 15), ("high", 25)):
        assert heard[band][frame] > 0.95
        others = [heard[name][frame] for name in ("bass", "mid", "high") if name != band]
        assert max(others) < 0.7 * heard[band][frame]
    assert heard["loud"][:29].min() > 0.9
    assert all(values.min() >= 0 and values.max() <= 1 and values[-1] < 0.05 for values in heard.values())


def test_onsets_are_where_notes_begin():
    beats = (0.25, 0.75, 1.5)
    times = np.arange(2 * RATE) / RATE
    notes = [tone(440 * (i + 1), start, 2) * np.exp(-8 * (times - start)) for i, start in enumerate(beats)]
    sound = Sound(RATE, sum(notes).astype(np.float32))
    onset = levels(sound, fps=40, num_frames=80)["onset"]
    begin = np.flatnonzero(np.diff(onset, prepend=0) > 0.2)
    assert len(begin) == 3 and np.abs(begin / 40 - beats).max() <= 0.05


def test_silence_is_silent():
    heard = levels(Sound(RATE, np.zeros(RATE, np.float32)), fps=30, num_frames=30)
    assert all(np.all(values == 0) for values in heard.values())


@pytest.mark.parametrize("dtype, scale", [("int16", 32767), ("int32", 2**31 - 1), ("uint8", 127), ("float32", 1)])
def test_wav_files_of_all_kinds(tmp_path, dtype, scale):
    wave = 0.5 * tone(440, 0, 2)
    samples = (np.stack([wave, np.zeros_like(wave)], axis=1) * scale + (128 if dtype == "uint8" else 0)).astype(dtype)
    scipy.io.wavfile.write(tmp_path / "a.wav", RATE, samples)
    sound = read_wav(tmp_path / "a.wav")
    assert (sound.rate, sound.seconds) == (RATE, 2.0)
    np.testing.assert_allclose(sound.samples, wave / 2, atol=0.01)


@pytest.mark.parametrize("content", [None, b"", b"RIFF", b"this is no sound, whatever its name says", "cut"])
def test_what_is_no_sound_is_one_line(tmp_path, content):
    path = tmp_path / "a.wav"
    if content == "cut":
        scipy.io.wavfile.write(path, RATE, tone(440, 0, 1))
        content = path.read_bytes()[:30]
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.wav: found .*, expected ") as caught:
        read_wav(path)
    assert "\n" not in str(caught.value)


def test_a_sound_moves_layers_truncation_and_noise():
    G = tiny_generator(c_dim=0)
    path = style_path(G, [Keyframe(4, (seed,)) for seed in (1, 2)])
    strengths = np.array([0, 1, 0.5, 0, 0, 0, 0, 0])
    film = Film(G, path, changes=(driven_styles(path, strengths, [1, 2], 1.0),))
    plain, found = (film_.styles(range(8)) for film_ in (Film(G, path), film))
    np.testing.assert_array_equal(found[:, :, [0, 3, 4, 5]], plain[:, :, [0, 3, 4, 5]])
    np.testing.assert_allclose(found[1, :, 1], plain[5, :, 1], atol=1e-12)
    np.testing.assert_allclose(found[2, :, 2], (plain[2, :, 2] + plain[6, :, 2]) / 2, atol=1e-12)
    frames = np.arange(4)
    np.testing.assert_allclose(driven_truncation(strengths, 0.6)(frames), [0.4, 1, 0.7, 0.4])
    np.testing.assert_allclose(driven_phases(strengths, 10, fps=20)(frames), [0, 0.5, 0.75, 0.75])
