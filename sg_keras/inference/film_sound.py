"""What a sound does to a film: how loud its bands are and where its onsets are, frame by frame, and what they drive."""

from __future__ import annotations

import dataclasses
import pathlib
import warnings
from collections.abc import Callable, Sequence

import numpy as np

from sg_keras.files.errors import explain_file_error
from sg_keras.inference.film import Change
from sg_keras.inference.film_keyframes import StylePath

#: Band -> its lowest and highest frequency in Hz.
BANDS: dict[str, tuple[float, float]] = {"bass": (20, 250), "mid": (250, 2000), "high": (2000, 16000)}
#: What can be heard of a sound.
SOURCES = (*BANDS, "loud", "onset")
_WINDOW_SEC = 0.046  # 2048 samples at 44.1 kHz
_RANGE_DB = 40.0  # below the loudest frame that is silence
_RELEASE_SEC = {"onset": 0.15}  # in which a level falls to 1/e; it rises at once
_OTHER_RELEASE_SEC = 0.2
_APART_SEC, _PROMINENCE = 0.1, 0.1  # of onsets: at least; of the largest rise
_BLOCK = 256  # frames whose spectra are made at a time


@dataclasses.dataclass(frozen=True, eq=False)
class Sound:
    """Samples float32 [n] of one channel, the mean of those that the file has, at a rate in Hz."""

    rate: int
    samples: np.ndarray

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate


def read_wav(path: pathlib.Path) -> Sound:
    """The sound of a WAV file.

    Raises:
        ValueError: it cannot be read, or has no samples; one line.
    """
    from scipy.io import wavfile

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # of chunks that are no sound
            rate, samples = wavfile.read(path)
    except OSError as error:
        raise ValueError(explain_file_error(error, path)) from error
    except Exception as error:  # of scipy on damaged files: ValueError, struct.error, ZeroDivisionError ...
        raise ValueError(
            f"{path}: found no sound that can be read, expected a WAV file: ffmpeg -i FILE x.wav"
        ) from error
    if not len(samples) or rate < 1:
        raise ValueError(f"{path}: found no samples, expected a sound")
    middle, scale = 0.0, 1.0
    if samples.dtype == np.uint8:  # the only format without a sign
        middle, scale = 128.0, 128.0
    elif np.issubdtype(samples.dtype, np.integer):
        scale = float(np.iinfo(samples.dtype).max)
    one_channel = samples.reshape([len(samples), -1]).mean(axis=1, dtype=np.float64)
    return Sound(int(rate), ((one_channel - middle) / scale).astype(np.float32))


def levels(sound: Sound, fps: float, num_frames: int) -> dict[str, np.ndarray]:
    """How strong each of SOURCES is at each frame of a film, float64 [num_frames], 0 to 1.

    Bands and loudness are in decibels below their loudest frame, 1 = that, 0 = 40 dB less. Onsets are where the
    spectrum rises (spectral flux), 1 = the strongest one. A level rises at once and falls slowly.

    Example:
        >>> rate = 8000
        >>> tone = np.sin(2 * np.pi * 100 * np.arange(rate) / rate) * (np.arange(rate) >= rate // 2)
        >>> heard = levels(Sound(rate, tone.astype(np.float32)), fps=10, num_frames=10)
        >>> heard["bass"].round().astype(int).tolist(), int(heard["onset"].argmax())
        ([0, 0, 0, 0, 0, 1, 1, 1, 1, 1], 5)
    """
    size = max(int(_WINDOW_SEC * sound.rate) // 2 * 2, 16)
    frequencies = np.fft.rfftfreq(size, 1 / sound.rate)
    masks = {name: (frequencies >= low) & (frequencies < high) for name, (low, high) in BANDS.items()}
    masks["loud"] = frequencies >= 20
    heard: dict[str, list[np.ndarray]] = {name: [] for name in (*masks, "rise")}
    before = np.zeros([1, len(frequencies)])
    for first in range(0, num_frames, _BLOCK):
        spectra = _spectra(sound, fps, range(first, min(first + _BLOCK, num_frames)), size)
        for name, mask in masks.items():
            heard[name].append(np.sqrt(np.sum(spectra[:, mask] ** 2, axis=1)))
        compressed = np.log1p(100 * spectra)
        heard["rise"].append(np.maximum(np.diff(compressed, axis=0, prepend=before), 0).sum(axis=1))
        before = compressed[-1:]
    found = {name: _in_decibels(np.concatenate(heard[name])) for name in masks}
    found["onset"] = _onsets(np.concatenate(heard["rise"]), fps)
    return {name: _falling(found[name], fps * _RELEASE_SEC.get(name, _OTHER_RELEASE_SEC)) for name in SOURCES}


def _spectra(sound: Sound, fps: float, numbers: range, size: int) -> np.ndarray:
    """Amplitudes [n,size/2+1] around the times of some frames; beyond its ends a sound is silent."""
    window = (1 - np.cos(2 * np.pi * np.arange(size) / size)) / 2  # Hann's
    places = (
        np.round(np.array(numbers) / fps * sound.rate).astype(np.int64)[:, np.newaxis] + np.arange(size) - size // 2
    )
    inside = (places >= 0) & (places < len(sound.samples))
    pieces = np.where(inside, sound.samples[np.clip(places, 0, len(sound.samples) - 1)], 0)
    return np.asarray(np.abs(np.fft.rfft(pieces * window, axis=1)) * (2 / window.sum()))


def _in_decibels(strengths: np.ndarray) -> np.ndarray:
    loudest = strengths.max()
    if loudest <= 1e-6:  # less than the last bit of a sound of 16 bits
        return np.zeros_like(strengths)
    return np.clip(1 + 20 * np.log10(np.maximum(strengths / loudest, 1e-9)) / _RANGE_DB, 0, 1)


def _onsets(rises: np.ndarray, fps: float) -> np.ndarray:
    from scipy import signal  # half a second to import

    found = np.zeros_like(rises)
    most = rises.max()
    if most > 1e-6:
        padded = np.pad(rises / most, 1)  # so that there is one at the beginning, too
        peaks, _ = signal.find_peaks(padded, prominence=_PROMINENCE, distance=max(round(_APART_SEC * fps), 1))
        found[peaks - 1] = padded[peaks]
    return found


def _falling(values: np.ndarray, frames: float) -> np.ndarray:
    kept, factor = np.array(values), np.exp(-1 / frames)
    for index in range(1, len(kept)):
        kept[index] = max(kept[index], kept[index - 1] * factor)
    return kept


def driven_styles(path: StylePath, strengths: np.ndarray, layers: Sequence[int], amount: float) -> Change:
    """A change that moves some layers with a sound: towards what the film shows half its length later.

    Args:
        path: of the film.
        strengths: of the sound at each frame, [num_frames], 0 to 1.
        layers: whose styles move.
        amount: how far at the strongest; 1 = all the way.
    """
    chosen = np.array(layers, np.int64)

    def change(frames: np.ndarray, ws: np.ndarray) -> np.ndarray:
        total = path.num_frames
        far = path.at((frames + total // 2) % total)[:, :, chosen]
        moved = np.array(ws)
        moved[:, :, chosen] += amount * np.reshape(strengths[frames], [-1, 1, 1, 1]) * (far - moved[:, :, chosen])
        return moved

    return change


def driven_truncation(strengths: np.ndarray, amount: float) -> Callable[[np.ndarray], np.ndarray]:
    """Factors [n] of `pulsing` at frames [n]: 1 at the strongest, 1 - amount in silence."""
    return lambda frames: 1 - amount * (1 - strengths[frames])


def driven_phases(strengths: np.ndarray, amount: float, fps: float) -> Callable[[np.ndarray], np.ndarray]:
    """Phases [n] of `MovingNoise` at frames [n]: so many noise images a second at the strongest, none in silence."""
    phases = np.cumsum(strengths) * (amount / fps)
    return lambda frames: phases[frames]
