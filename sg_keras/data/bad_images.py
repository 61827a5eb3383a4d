"""Images that cannot be read are replaced by the next ones that can: --on_bad_image=skip."""

from __future__ import annotations

import logging
import threading

import numpy as np

from sg_keras.data.pixels import Pixels

_LOGGER = logging.getLogger(__name__)


class SkippingPixels:
    """Images of which each bad one shows the next readable one, going round at the end.

    What is shown is a function of the files alone, whatever was read before: a run with bad images can be continued
    to the same bits, as long as the same files stay bad. Each bad one is named once in a warning, with their number.
    """

    def __init__(self, pixels: Pixels) -> None:
        self._pixels = pixels
        self.shape = pixels.shape
        self._bad: set[int] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._pixels)

    def gather(self, indices: np.ndarray) -> np.ndarray:
        """As of Pixels. OSError only if no image at all can be read."""
        return self.gather_shown(indices)[0]

    def gather_shown(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """uint8 [n,H,W,C], and which images these are, int64 [n]."""
        if not self._bad.intersection(indices.tolist()):
            try:
                return self._pixels.gather(indices), indices
            except OSError:
                pass
        images, shown = np.empty((len(indices), *self.shape), np.uint8), np.empty(len(indices), np.int64)
        for row, index in enumerate(indices):
            images[row], shown[row] = self._next_readable(int(index))
        return images, shown

    def file(self, index: int) -> bytes:
        """Of the image that is shown."""
        _, shown = self.gather_shown(np.array([index]))
        return self._pixels.file(int(shown[0]))

    def close(self) -> None:
        """Release files."""
        self._pixels.close()

    def _next_readable(self, index: int) -> tuple[np.ndarray, int]:
        for candidate in (*range(index, len(self)), *range(index)):
            if candidate in self._bad:
                continue
            try:
                return self._pixels.gather(np.array([candidate]))[0], candidate
            except OSError as error:
                self._take_note(candidate, str(error))
        raise OSError(f"--on_bad_image=skip: found no image that can be read, all {len(self)} are bad")

    def _take_note(self, index: int, reason: str) -> None:
        with self._lock:
            if index not in self._bad:
                self._bad.add(index)
                _LOGGER.warning("bad image %d: %s; the next readable one is used", len(self._bad), reason)
