"""Faces and their five points by MTCNN (Zhang et al., 2016, arXiv:1604.02878), measured in one process and kept.

The detector is the optional package mtcnn, on TensorFlow, which is imported when the first face is looked for. What it
finds is kept in the cache folder by the content of the file, so each image is looked at once, by whatever command.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from sg_keras.config.face_conditions import FaceCondition
from sg_keras.curation.decode import UnreadableOriginalError, decode_original
from sg_keras.curation.encode import is_transparent, without_alpha
from sg_keras.curation.progress import Progress, clock
from sg_keras.files.cache import cache_errors_explained, cache_folder, prepare_cache
from sg_keras.files.optional import optional_package

#: Of faces that convert cuts out: a temple's roofs were found to be one with 0.80, true faces lie above 0.97.
LEAST_CONFIDENCE = 0.9
_POINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
_LEAST_EYE_DISTANCE = 2.0  # pixels; points that lie closer say nothing
_SEEN_SIDE = 1024  # longer sides are made this long before faces are looked for


class Face(NamedTuple):
    """A face. Lengths are in pixels of the upright image.

    Attributes:
        box: left, top, width, height.
        points: (x, y) of the eye that is left in the image, the right one, nose, left and right corner of the mouth.
        confidence: of the detector, 0 to 1.
    """

    box: tuple[float, float, float, float]
    points: tuple[tuple[float, float], ...]
    confidence: float

    @property
    def area(self) -> float:
        """Of the box."""
        return self.box[2] * self.box[3]


class FaceDetector(Protocol):
    """What finds faces."""

    name: str  # with the version: what it found before counts for the same one alone

    def find(self, pixels: np.ndarray) -> tuple[Face, ...]:
        """Faces in uint8 [H,W,3]."""


class MTCNNDetector:
    """The package mtcnn, on the CPU.

    Args:
        asker: option that asks for it, to name in errors.

    Raises:
        ValueError: the package is not installed. One line.
    """

    def __init__(self, asker: str) -> None:
        package = optional_package("mtcnn", "curate", asker)
        self.name = f"mtcnn-{importlib.metadata.version('mtcnn')}"
        self._network = package.MTCNN(device="CPU:0")

    def find(self, pixels: np.ndarray) -> tuple[Face, ...]:
        """Faces in uint8 [H,W,3]."""
        if min(pixels.shape[:2]) < 12:  # smaller than its first network sees
            return ()
        found = [one for one in self._network.detect_faces(pixels) if isinstance(one, dict)]
        return tuple(
            Face(
                tuple(round(float(value), 3) for value in one["box"]),  # type: ignore[arg-type]
                tuple((round(float(x), 3), round(float(y), 3)) for x, y in (one["keypoints"][key] for key in _POINTS)),
                round(float(one["confidence"]), 4),
            )
            for one in found
        )


class FaceMemory:
    """Faces by the content of files; new ones are found by a detector, in this process.

    Args:
        detector: finds them.
        keeps: whether what is found is kept in the cache folder, and what was kept there counts.

    Raises:
        OSError, ValueError: the cache folder cannot be used. One line.
    """

    def __init__(self, detector: FaceDetector, keeps: bool = True) -> None:
        self._detector = detector
        self.name = detector.name
        self._path = cache_folder() / "faces" / f"{detector.name}.jsonl" if keeps else None
        if self._path is not None:
            prepare_cache(self._path.parent)
        self._known = {} if self._path is None else _read(self._path)

    def faces(self, data: bytes) -> tuple[Face, ...]:
        """Faces in an image file, the largest first; none where it cannot be read."""
        key = hashlib.sha256(data).hexdigest()
        if key not in self._known:
            self._known[key] = self._look(data)
            if self._path is not None:
                line = json.dumps([key, self._known[key]]) + "\n"
                with cache_errors_explained(self._path.parent), self._path.open("a", encoding="ascii") as file:
                    file.write(line)
        return self._known[key]

    def _look(self, data: bytes) -> tuple[Face, ...]:
        try:
            image = decode_original(data).image
        except UnreadableOriginalError:
            return ()
        image = without_alpha(image, "white" if is_transparent(image) else None).convert("RGB")
        scale = min(1.0, _SEEN_SIDE / max(image.size))
        if scale < 1:
            image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
        found = [_scaled(face, 1 / scale) for face in self._detector.find(np.asarray(image))]
        usable = [face for face in found if _eye_distance(face) >= _LEAST_EYE_DISTANCE]
        return tuple(sorted(usable, key=lambda face: (-face.area, face.box)))


def _scaled(face: Face, factor: float) -> Face:
    left, top, width, height = (value * factor for value in face.box)
    points = tuple((x * factor, y * factor) for x, y in face.points)
    return Face((left, top, width, height), points, face.confidence)


def _eye_distance(face: Face) -> float:
    (left, top), (right, bottom) = face.points[:2]
    return float(np.hypot(right - left, bottom - top))


def _read(path: pathlib.Path) -> dict[str, tuple[Face, ...]]:
    known = {}
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, UnicodeDecodeError):
        return {}
    for line in lines:
        try:
            key, faces = json.loads(line)
            known[str(key)] = tuple(Face(tuple(b), tuple((x, y) for x, y in p), float(c)) for b, p, c in faces)
        except (ValueError, TypeError):
            continue  # torn: it is looked at again
    return known


def face_measures(faces: Sequence[Face], size: tuple[int, int]) -> dict[str, float]:
    """What conditions ask of the largest face of an image; of an image without one, count alone.

    eye_height is the difference of the eyes' heights in units of their distance; centre how far the box's middle lies
    from the image's, 0 to 1 = at the border, of the worse direction; size the box's longer side in units of the
    image's shorter one.

    Args:
        faces: the largest first.
        size: (width, height) of the image.
    """
    if not faces:
        return {"count": 0.0}
    face = faces[0]
    left, top, width, height = face.box
    (_, first), (_, second) = face.points[:2]
    off = abs(2 * (left + width / 2) / size[0] - 1), abs(2 * (top + height / 2) / size[1] - 1)
    return {
        "count": float(len(faces)),
        "eye_height": round(abs(first - second) / _eye_distance(face), 4),
        "centre": round(min(1.0, max(off)), 4),
        "size": round(max(width, height) / min(size), 4),
        "confidence": face.confidence,
    }


def failed_condition(conditions: Sequence[FaceCondition], measured: Mapping[str, float]) -> str:
    """Why an image is dropped; "" = it stays."""
    for condition in conditions:
        value = measured.get(condition.measure)
        if value is None:
            return "no face found"
        if not condition.holds(value):
            return f"faces, not {condition}: {value:g}"
    return ""


def all_faces(
    read: Callable[[int], bytes],
    sizes: Mapping[int, tuple[int, int]],
    memory: FaceMemory,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> dict[int, dict[str, float]]:
    """Measures of faces by image.

    Args:
        read: gives the file of an image.
        sizes: (width, height) of the images to look at, by index.
        memory: of faces.
        on_progress: is told how far it is.
    """
    tick = clock("finding faces", len(sizes), 0, on_progress)
    found = {}
    for done, (index, size) in enumerate(sizes.items(), 1):
        found[index] = face_measures(memory.faces(read(index)), size)
        tick(done)
    return found
