"""Films opened frame by frame."""

import pathlib
import warnings
from typing import Any

import imageio_ffmpeg
import numpy as np
from PIL import Image


def mp4_frames(path: pathlib.Path) -> tuple[dict[str, Any], np.ndarray]:
    """What is said of a film (fps, codec, duration, audio_codec), and its frames uint8 [N,H,W,3]."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # imageio-ffmpeg leaves pipes open
        reader = imageio_ffmpeg.read_frames(str(path))
        facts = next(reader)
        width, height = facts["size"]
        frames = [np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in reader]
        del reader
    return facts, np.stack(frames)


def png_frames(folder: pathlib.Path) -> np.ndarray:
    """Frames of a folder of PNG files, uint8 [N,H,W,C]."""
    images = []
    for path in sorted(folder.iterdir()):
        with Image.open(path) as image:
            images.append(np.asarray(image).reshape([image.height, image.width, -1]))
    return np.stack(images)
