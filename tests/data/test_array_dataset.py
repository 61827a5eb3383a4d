"""Arrays in .npz and .npy files as data sets: any small number of channels, labels, and what is refused in one line."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from sg_keras.curation.sources import open_originals
from sg_keras.data import make_pipeline, open_dataset
from sg_keras.data.convert_command import UnpreparedImagesError
from sg_keras.data.dataset import ImageDataset

CLASSES = np.arange(12) % 3


def images(channels: int = 3, side: int = 8, count: int = 12) -> np.ndarray:
    return np.random.default_rng(channels).integers(0, 256, [count, side, side, channels], np.uint8)


def write(path: pathlib.Path, **arrays: np.ndarray) -> pathlib.Path:
    np.savez(path, **arrays)
    return path


def opened(path: pathlib.Path, **how: object) -> ImageDataset:
    return open_dataset(path, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 16])
def test_any_small_number_of_channels(channels: int, tmp_path: pathlib.Path):
    pixels = images(channels)
    np.save(tmp_path / "set.npy", pixels)
    np.savez_compressed(tmp_path / "packed.npz", images=pixels, labels=CLASSES)
    prints = set()
    for path in (tmp_path / "set.npy", write(tmp_path / "cats.npz", images=pixels), tmp_path / "packed.npz"):
        dataset = opened(path)
        assert (dataset.name, dataset.resolution, dataset.channels, dataset.c_dim) == (path.stem, 8, channels, 0)
        np.testing.assert_array_equal(dataset.images(np.arange(12)), pixels)
        assert dataset.has_labels == (path.name == "packed.npz")
        assert bool(dataset.notes) == (channels == 4)
        prints.add(dataset.fingerprint)
        dataset.close()
    assert len(prints) == 1  # what counts is what they hold
    pixels[7, 0, 0, 0] ^= 1
    assert opened(write(tmp_path / "cats.npz", images=pixels)).fingerprint not in prints


def test_gray_without_channels_and_channels_that_come_first(tmp_path: pathlib.Path):
    gray = opened(write(tmp_path / "a.npz", images=images(1)[..., 0]))
    assert gray.image_shape == (8, 8, 1)
    np.testing.assert_array_equal(gray.images(np.arange(12)), images(1))
    first = opened(write(tmp_path / "b.NPZ.npz", x_train=images(3).transpose(0, 3, 1, 2)))
    np.testing.assert_array_equal(first.images(np.arange(12)), images(3))
    assert first.fingerprint == opened(write(tmp_path / "c.npz", images=images(3))).fingerprint


def test_a_conversion_reads_the_same_images(tmp_path: pathlib.Path):
    path = write(tmp_path / "a.npz", images=images(3), labels=CLASSES)
    source = open_originals(str(path))
    assert len(source.names) == 12 and source.own_labels().values == CLASSES.tolist()
    assert source.read(5).endswith(opened(path).image(5).tobytes())


def test_large_npy_files_stay_where_they_are(tmp_path: pathlib.Path):
    pixels = images(5)
    np.save(tmp_path / "set.npy", pixels)
    dataset = opened(tmp_path / "set.npy", max_cached_bytes=100, mirror=True)
    np.testing.assert_array_equal(dataset.images(np.array([3, 15])), [pixels[3], pixels[3][:, ::-1]])
    assert dataset.fingerprint == opened(tmp_path / "set.npy").fingerprint
    np.testing.assert_array_equal(np.load(tmp_path / "set.npy"), pixels)  # mirroring touched no file
    (tmp_path / "set.npy").write_bytes((tmp_path / "set.npy").read_bytes()[:1000])
    with pytest.raises(OSError, match="cut short while it was in use"):
        dataset.images(np.array([11]))


@pytest.mark.parametrize(
    "labels, c_dim, row",
    [
        (CLASSES, 3, [0, 1, 0]),
        (CLASSES[:, np.newaxis].astype(np.uint8), 3, [0, 1, 0]),
        (CLASSES / 4, 1, [0.25]),
        (np.stack([CLASSES / 4, CLASSES], axis=1).astype(np.float32), 2, [0.25, 1]),
    ],
    ids=["classes", "column", "numbers", "vectors"],
)
def test_labels(labels: np.ndarray, c_dim: int, row: list[float], tmp_path: pathlib.Path):
    path = write(tmp_path / "a.npz", images=images(), labels=labels)
    dataset = opened(path, use_labels=True)
    assert (dataset.c_dim, dataset.label(1).tolist()) == (c_dim, row)
    assert dataset.label_kind == ("classes" if c_dim == 3 else "vectors")
    assert dataset.fingerprint != opened(path).fingerprint
    batch = next(iter(make_pipeline(dataset, seed=0, batch=4, start_nimg=0, num_phases=1)))
    assert batch["image"].shape == (4, 8, 8, 3) and batch["label"].shape == (4, c_dim)


def test_a_class_without_images_is_noted(tmp_path: pathlib.Path):
    assert (
        "class 0 has no images"
        in opened(write(tmp_path / "a.npz", images=images(), labels=CLASSES + 1), use_labels=True).notes[0]
    )


@pytest.mark.parametrize(
    "arrays, message",
    [
        ({"images": images().astype(np.float32)}, r"it has float32 of shape \[12, 8, 8, 3\]\), expected uint8 images "),
        ({"images": images().astype(np.uint16)}, "it has uint16 of shape"),
        ({"images": images(17)}, r"it has 17 channels\), expected uint8 images .* of 1 to 16 channels"),
        ({"images": images()[0], "labels": CLASSES[:8]}, "found 3x8 pixels, expected "),
        ({"images": images()[:, 0, 0]}, r"it has uint8 of shape \[12, 3\]"),
        ({"images": images()[:0]}, r"it has uint8 of shape \[0, 8, 8, 3\]"),
        ({"pixels": images()}, "it has pixels in it and no 'images'"),
        ({"images": np.array([None])}, "Object arrays cannot be loaded"),
        ({"images": images(), "labels": CLASSES[:5]}, r"it has labels of int64 and shape \[5\] for 12 images"),
        ({"images": images(), "labels": CLASSES == 1}, r"it has labels of bool and shape"),
        ({"images": images(), "labels": np.array(["a"] * 12)}, r"it has labels of <U1 and shape"),
        (
            {"images": images(), "labels": CLASSES - 1},
            r"found the class index -1 for 4 of 12 images \(image 0, ",
        ),
        (
            {"images": images(), "labels": np.where(CLASSES == 2, np.nan, 1)},
            r"found the label \[NaN\] for 4 of",
        ),
        ({"images": images(), "labels": np.full([12, 2], np.inf)}, r"found the label \[Infinity, Infinity\]"),
        (
            {"images": images(), "labels": np.full(12, 1 << 40)},
            r"found the class index 1099511627776 for 12 of",
        ),
        ({"images": images()}, r"found no array 'labels' in it, expected labels there, since conditional"),
    ],
)
def test_what_cannot_be_trained_on_is_one_line(arrays: dict[str, np.ndarray], message: str, tmp_path: pathlib.Path):
    path = write(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=f"^{path}: .*{message}") as caught:
        opened(path, use_labels=True)
    assert "\n" not in str(caught.value) and ", expected " in str(caught.value)


def test_labels_are_read_where_they_are_used_alone(tmp_path: pathlib.Path):
    path = write(tmp_path / "a.npz", images=images(), labels=np.full(12, np.nan))
    dataset = opened(path)
    assert dataset.has_labels and dataset.c_dim == 0


def test_files_that_are_something_else(tmp_path: pathlib.Path):
    with pytest.raises(OSError, match=r"none\.npz: found nothing there"):
        opened(tmp_path / "none.npz")
    (tmp_path / "a.npz").write_bytes(b"x" * 100)
    (tmp_path / "a.npy").write_bytes(b"x" * 100)
    write(tmp_path / "b.npz", images=images())
    (tmp_path / "b.npz").rename(tmp_path / "b.npy")
    np.save(tmp_path / "cut.npy", images())
    (tmp_path / "cut.npy").write_bytes((tmp_path / "cut.npy").read_bytes()[:900])
    for name, reason in (("a.npz", "not a zip"), ("a.npy", ""), ("b.npy", "should end in .npz"), ("cut.npy", "")):
        with pytest.raises(
            ValueError, match=rf"{name}: found a file that cannot be read \(.*{reason}.*\), expected"
        ) as e:
            opened(tmp_path / name)
        assert "\n" not in str(e.value)
    with pytest.raises(ValueError, match="found no array 'labels'"):
        np.save(tmp_path / "c.npy", images())
        opened(tmp_path / "c.npy", use_labels=True)


def test_other_sizes_name_the_conversion_that_mends_them(tmp_path: pathlib.Path):
    path = write(tmp_path / "a.npz", images=images(1, 30))
    with pytest.raises(UnpreparedImagesError, match="found 30x30 pixels, expected ") as caught:
        opened(path)
    assert f"convert --source={path} --dest=a-16.zip --resolution=16x16" in caught.value.command
    with pytest.raises(UnpreparedImagesError) as caught:
        opened(write(tmp_path / "b.npz", images=images(5, 30)))
    assert caught.value.command == ""
    assert opened(path, cfg="stylegan3-t").resolution == 30


def test_a_folder_of_that_name_is_a_folder(tmp_path: pathlib.Path):
    (tmp_path / "a.npz").mkdir()
    with pytest.raises(ValueError, match="found no images"):
        opened(tmp_path / "a.npz")
