"""Silhouettes: where the network's file comes from, and the symmetry of what it sees."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
from PIL import Image

from sg_keras.curation.kept_looks import LookMemory
from sg_keras.curation.silhouettes import U2NetP, silhouette_symmetries
from sg_keras.files.optional import optional_package
from tests.curation.originals import file_of, noise


class Half:
    """Sees the left half, and counts."""

    name = "half"

    def __init__(self) -> None:
        self.looks = 0

    def mask(self, image: Image.Image) -> Image.Image:
        self.looks += 1
        pixels = np.zeros([image.height, image.width], np.uint8)
        pixels[:, : image.width // 2] = 255
        return Image.fromarray(pixels)


def test_symmetry_is_that_of_the_mask_where_there_is_no_alpha():
    transparent = noise(1, channels=4)
    files = {3: file_of(noise(0)), 5: file_of(transparent)}
    assert silhouette_symmetries(files.__getitem__, {3: 0.9, 5: 0.8}, Half()) == {3: 0, 5: 0.8}


def test_what_was_seen_is_not_looked_for_again(tmp_path: pathlib.Path):
    files = {index: file_of(noise(index)) for index in range(5)}
    first, second = Half(), Half()
    before = dict.fromkeys(range(3), 0.9)
    found = silhouette_symmetries(files.__getitem__, before, first, memory=LookMemory(tmp_path))
    again = silhouette_symmetries(files.__getitem__, dict.fromkeys(files, 0.9), second, memory=LookMemory(tmp_path))
    assert (first.looks, second.looks) == (3, 2) and {index: again[index] for index in found} == found
    second.name = "another half"
    silhouette_symmetries(files.__getitem__, before, second, memory=LookMemory(tmp_path))
    assert second.looks == 5


def test_other_files_are_refused(tmp_path: pathlib.Path):
    pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    (tmp_path / "a.onnx").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"^--silhouette: .*a\.onnx: found another file than U\^2-Net-p's, expected "):
        U2NetP(str(tmp_path / "a.onnx"))
    (tmp_path / "a.whl").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"a\.whl: found a wheel without rembg/u2netp\.onnx"):
        U2NetP(str(tmp_path / "a.whl"))
    with pytest.raises(OSError, match=r"--silhouette: .*none\.onnx"):
        U2NetP(str(tmp_path / "none.onnx"))


def test_a_missing_package_is_one_line_with_the_command():
    with pytest.raises(
        ValueError, match=r"^--faces: found no package nosuch, expected it: pip install 'sg-keras\[curate\]'$"
    ):
        optional_package("nosuch.part", "curate", "--faces")
