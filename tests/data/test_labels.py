"""Labels from dataset.json, and every way in which they can be wrong."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Sequence

import numpy as np
import pytest

from sg_keras.data import open_dataset
from tests.data.conftest import Writer, label_file, write_folder, write_zip

NAMES = ["00/000.png", "00/002.png", "00/004.png", "01/001.png", "01/003.png", "01/005.png"]


def labelled(values: Sequence[object]) -> dict[str, bytes]:
    return label_file([list(pair) for pair in zip(NAMES, values, strict=True)])


def test_class_indices_become_one_hot(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    path = write_zip(tmp_path / "set.zip", files | labelled([2, 0, 1, 4, 0, 2]))
    dataset = open_dataset(path, use_labels=True, mirror=True)
    assert (dataset.c_dim, dataset.has_labels) == (5, True)
    labels = dataset.labels(np.arange(12))
    assert labels.dtype == np.float32
    assert np.array_equal(labels, np.eye(5)[[2, 0, 1, 4, 0, 2] * 2])
    assert np.array_equal(dataset.label(3), np.eye(5)[4])


def test_vectors_stay_as_they_are(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    vectors = [[0.5, i, -1] for i in range(6)]
    dataset = open_dataset(write_folder(tmp_path / "set", files | labelled(vectors)), use_labels=True)
    assert dataset.c_dim == 3
    assert np.array_equal(dataset.labels(np.arange(6)), np.array(vectors, np.float32))


def test_order_of_entries_and_backslashes_do_not_matter(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    entries = [[name.replace("/", "\\"), int(name[-5])] for name in reversed(NAMES)] + [["gone.png", 77]]
    dataset = open_dataset(write_folder(tmp_path / "set", files | label_file(entries)), use_labels=True)
    assert dataset.labels(np.arange(6)).argmax(1).tolist() == [0, 2, 4, 1, 3, 5]
    assert dataset.c_dim == 6


def test_unused_labels_have_no_width(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    dataset = open_dataset(write_folder(tmp_path / "set", files | labelled([0, 1, 2, 0, 1, 2])))
    assert (dataset.c_dim, dataset.has_labels) == (0, True)
    assert dataset.labels(np.arange(6)).shape == (6, 0)
    assert dataset.label(0).shape == (0,)


@pytest.mark.parametrize(
    "extra", [{}, label_file(None), label_file([]), {"dataset.json": b"{}"}, {"dataset.json": b"[]"}]
)
def test_no_labels(tmp_path: pathlib.Path, files: dict[str, bytes], extra: dict[str, bytes]) -> None:
    path = write_folder(tmp_path / "set", files | extra)
    assert not open_dataset(path).has_labels
    with pytest.raises(
        ValueError,
        match=r"set: found no (labels in )?dataset.json, expected labels there, since "
        r"conditional training \(--cond=1\) was asked for",
    ):
        open_dataset(path, use_labels=True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0, 1, -1, 0, 1, 0], "found the class index -1 for 00/004.png, expected 0 to 999999"),
        ([0, 1, 10**30, 0, 1, 0], "found the class index 10{30} for 00/004.png, expected 0 to 999999"),
        (
            [0, 1, [1, 0], 0, 1, 0],
            "found a vector of 2 numbers for 00/004.png but a class index for 00/000.png, "
            "expected class indices only or vectors only",
        ),
        (
            [[1], 1, [0], [0], [0], [0]],
            "found a class index for 00/002.png but a vector of 1 numbers for 00/000.png, expected class",
        ),
        (
            [[1, 2], [1, 2], [1], [1, 2], [1, 2], [1, 2]],
            "found a vector of 1 numbers for 00/004.png, expected 2 as for 00/000.png",
        ),
        ([0, 1, None, 0, 1, 0], "found no label for 00/004.png, expected one for every image"),
        ([0, 1, 1.5, 0, 1, 0], "found the label 1.5 for 00/004.png, expected a class index or a list of numbers"),
        ([0, 1, True, 0, 1, 0], "found the label true for 00/004.png, expected a class index or a list of numbers"),
        ([0, 1, "cat", 0, 1, 0], 'found the label "cat" for 00/004.png, expected a class index or a list of numbers'),
        (
            [[], 0, [], [], [], []],
            r"found the label \[\] for 5 of 6 images \(00/000.png, 00/004.png, 01/001.png, ...\), exp",
        ),
        ([9, [1], [2], [3], [4], [5]], "found a class index for 00/000.png but a vector of 1 numbers for 00/002.png"),
        (
            [-1, 0, 0, "cat", 0, 0],
            'found the class index -1 for 00/000.png, expected 0 to 999999; found the label "cat" for 01/001.png',
        ),
        ([[1], [float("nan")], [1], [1], [1], [1]], r"found the label \[NaN\] for 00/002.png, expected a class index"),
        ([[1], [[1]], [1], [1], [1], [1]], r"found the label \[\[1\]\] for 00/002.png, expected a class index"),
    ],
)
def test_bad_labels(tmp_path: pathlib.Path, files: dict[str, bytes], values: Sequence[object], message: str) -> None:
    path = write_folder(tmp_path / "set", files | labelled(values))
    with pytest.raises(ValueError, match=f"set/dataset.json: {message}"):
        open_dataset(path, use_labels=True)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (
            label_file([["00/000.png", 1]]),
            r"found no label for 5 of 6 images \(00/002.png, 00/004.png, 01/001.png, \.\.\.\), expected one for every "
            r"image \(the file's first entry is 00/000",
        ),
        (label_file([["00/000.png"]]), r'found \["00/000.png"\] at position 0 of "labels", expected a \[file'),
        (label_file([["00/000.png", 1], ["00/000.png", 2]]), "found two different labels for 00/000.png, expected one"),
        (label_file("cats"), 'found "labels" of type text, expected a list of'),
        ({"dataset.json": b"{"}, "found text that is not JSON"),
        ({"dataset.json": b"\xff\xfa"}, "found text that is not UTF-8, expected JSON"),
    ],
)
@pytest.mark.parametrize("write", [write_folder, write_zip])
def test_bad_label_file(
    tmp_path: pathlib.Path, files: dict[str, bytes], extra: dict[str, bytes], message: str, write: Writer
) -> None:
    path = write(tmp_path / "set", files | extra)
    with pytest.raises(ValueError, match=f"set/dataset.json: {message}") as caught:
        open_dataset(path, use_labels=True)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0, 1, 2, 0, 1, 2], None),
        ([1, 2, 1, 2, 1, 2], "class 0 has no images: the labels go up to 2, so there are 3 classes, 0 to 2"),
        ([0, 9, 9, 9, 9, 5], r"7 classes \(1, 2, 3, \.\.\.\) have no images: the labels go up to 9"),
        ([[0.0], [1.0], [5.0], [0.0], [0.0], [9.0]], None),
    ],
)
def test_classes_without_images_are_noted(
    tmp_path: pathlib.Path, files: dict[str, bytes], values: Sequence[object], words: str | None
) -> None:
    path = write_folder(tmp_path / "set", files | labelled(values))
    notes = open_dataset(path, use_labels=True).notes
    assert notes == () if words is None else re.match(words, notes[0])
    assert open_dataset(path).notes == ()
