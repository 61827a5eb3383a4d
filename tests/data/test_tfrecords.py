"""TFRecords: check sums, framing and Examples as TensorFlow has them, and files of several makers as data sets."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.data import open_dataset
from sg_keras.data.crc32c import crc32c
from sg_keras.data.tfrecord_format import decode_example, encode_example, framed, record_places
from sg_keras.files.plain_names import plain_folder
from tests.data.conftest import encode, make_pixels


def bytewise(data: bytes) -> int:
    """CRC-32C bit by bit, from its definition."""
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


@pytest.mark.parametrize("size", [0, 1, 3, 8, 63, 64, 65, 100, 1023, 1024, 4095, 4096, 4097, 9001])
def test_check_sums(size: int):
    data = np.random.default_rng(size).bytes(size)
    assert crc32c(data) == crc32c(memoryview(data)) == bytewise(data)


def test_a_known_check_sum():
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720 and others


def example(**features: object) -> bytes:
    """An Example as TensorFlow writes it."""
    made = {}
    for name, value in features.items():
        name = name.replace("__", "/")
        if isinstance(value, bytes):
            made[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        elif isinstance(value[0], float):  # type: ignore[index]
            made[name] = tf.train.Feature(float_list=tf.train.FloatList(value=value))
        else:
            made[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=value))
    return tf.train.Example(features=tf.train.Features(feature=made)).SerializeToString()


def write_with_tensorflow(path: pathlib.Path, records: list[bytes]) -> None:
    with plain_folder(path.parent) as folder, tf.io.TFRecordWriter(f"{folder.path}/{path.name}") as writer:
        for record in records:
            writer.write(record)


def test_examples_are_tensorflows():
    features = {"shape": [3, 8, 300], "data": bytes(range(256)) * 30}
    ours = encode_example(features)
    parsed = tf.train.Example.FromString(ours).features.feature
    assert list(parsed["shape"].int64_list.value) == [3, 8, 300]
    assert parsed["data"].bytes_list.value[0] == features["data"]
    theirs = decode_example(example(a=[-1, 2**40], b=b"xyz", c=[0.5, -2.0], d__e=[7]))
    assert theirs == {"a": [-1, 2**40], "b": [b"xyz"], "c": [0.5, -2.0], "d/e": [7]}


def test_frames_are_tensorflows(tmp_path: pathlib.Path):
    records = [np.random.default_rng(size).bytes(size) for size in (0, 5, 70, 5000)]
    write_with_tensorflow(tmp_path / "a.tfrecords", records)
    content = (tmp_path / "a.tfrecords").read_bytes()
    assert content == b"".join(map(framed, records))
    assert [content[start : start + length] for start, length in record_places(content)] == records


def pixel_records(count: int, side: int = 8) -> list[bytes]:
    planes = [make_pixels(index, side).transpose(2, 0, 1) for index in range(count)]
    return [example(shape=list(image.shape), data=image.tobytes()) for image in planes]


def test_stylegan2_ada_files_with_classes(tmp_path: pathlib.Path):
    for level in (3, 4):
        write_with_tensorflow(tmp_path / f"cats-r{level:02d}.tfrecords", pixel_records(4, 2**level))
    with (tmp_path / "cats-rxx.labels").open("wb") as file:
        np.save(file, np.eye(4, dtype=np.float32)[[1, 0, 2, 1]])
    dataset = open_dataset(tmp_path, use_labels=True)
    assert (dataset.resolution, dataset.channels, dataset.num_images, dataset.label_kind) == (16, 3, 4, "classes")
    np.testing.assert_array_equal(dataset.labels(np.arange(4)), np.eye(4)[[1, 0, 2, 1]])
    for index in range(4):
        np.testing.assert_array_equal(dataset.image(index), make_pixels(index, 16))
    dataset.close()
    assert open_dataset(tmp_path / "cats-r03.tfrecords").resolution == 8


def test_labels_that_are_vectors(tmp_path: pathlib.Path):
    write_with_tensorflow(tmp_path / "a.tfrecords", pixel_records(3))
    vectors = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    for values, message in (
        (vectors, ""),
        (vectors[:2], "found float32 labels of shape"),
        (vectors * np.nan, "finite"),
    ):
        with (tmp_path / "a.labels").open("wb") as file:
            np.save(file, values)
        if message:
            with pytest.raises(ValueError, match=message):
                open_dataset(tmp_path, use_labels=True)
        else:
            np.testing.assert_array_equal(open_dataset(tmp_path, use_labels=True).labels(np.arange(3)), values)


def test_shards_of_image_files_with_labels_in_them(tmp_path: pathlib.Path):
    for shard in range(2):
        records = [
            example(image__encoded=encode(make_pixels(2 * shard + i)), image__class__label=[shard]) for i in range(2)
        ]
        write_with_tensorflow(tmp_path / f"train-{shard:05d}-of-00002.tfrecord", records)
    dataset = open_dataset(tmp_path, use_labels=True)
    assert (dataset.num_images, dataset.c_dim, dataset.has_labels) == (4, 2, True)
    np.testing.assert_array_equal(dataset.images(np.arange(4)), np.stack([make_pixels(index) for index in range(4)]))
    np.testing.assert_array_equal(dataset.labels(np.arange(4)).argmax(1), [0, 0, 1, 1])
    assert not open_dataset(tmp_path).c_dim


@pytest.mark.parametrize("beside", ["a.png", "sub/a.JPG"])
def test_a_folder_of_images_with_records_beside_them_is_one_of_images(beside: str, tmp_path: pathlib.Path):
    write_with_tensorflow(tmp_path / "a.tfrecords", pixel_records(3))
    (tmp_path / beside).parent.mkdir(exist_ok=True)
    (tmp_path / beside).write_bytes(encode(make_pixels(9)))
    assert open_dataset(tmp_path).num_images == 1


def test_gray_pixels(tmp_path: pathlib.Path):
    image = make_pixels(0, 8, 1)
    write_with_tensorflow(tmp_path / "a.tfrecords", [example(shape=[1, 8, 8], data=image.tobytes())])
    dataset = open_dataset(tmp_path)
    assert dataset.channels == 1 and not dataset.has_labels
    np.testing.assert_array_equal(dataset.image(0), image)


def test_damage_is_found_and_named(tmp_path: pathlib.Path):
    path = tmp_path / "a.tfrecords"
    write_with_tensorflow(path, pixel_records(3))
    content = path.read_bytes()
    damaged = bytearray(content)
    damaged[len(content) // 2] ^= 1
    for data, message in (
        (content[:-10], r"a.tfrecords: found that it ends within the record at byte .*, expected a complete file"),
        (content[20:], r"a.tfrecords: found no record at byte 0, expected TFRecords"),
    ):
        path.write_bytes(data)
        with pytest.raises(OSError, match=message):
            open_dataset(path)
    path.write_bytes(damaged)
    dataset = open_dataset(path)
    with pytest.raises(OSError, match=r"a.tfrecords: record 1: found a wrong check sum, expected an intact record"):
        dataset.images(np.arange(3))
    dataset.close()
    skipping = open_dataset(path, skip_bad=True)
    np.testing.assert_array_equal(skipping.image(1), make_pixels(2))


@pytest.mark.parametrize(
    "record, message",
    [
        (b"\xff\xff", "found a record that is no tf.train.Example"),
        (example(a=[1]), "found a record with a in it, expected data and shape, or an image file"),
        (example(shape=[3, 8, 9], data=bytes(10)), r"found 10 bytes for the shape \[3, 8, 9\]"),
        (example(shape=[2, 8, 8], data=bytes(128)), "expected 1, 3 or 4 x H x W"),
        (example(image=b"a text that is no image"), "found neither a PNG nor a JPEG file"),
    ],
    ids=["no example", "no image", "too few bytes", "two channels", "a text"],  # the bytes of a map have no fixed order
)
def test_records_that_hold_no_image(record: bytes, message: str, tmp_path: pathlib.Path):
    write_with_tensorflow(tmp_path / "a.tfrecords", [record])
    with pytest.raises((OSError, ValueError), match=message) as caught:
        open_dataset(tmp_path)
    assert "\n" not in str(caught.value)


def test_records_with_alpha(tmp_path: pathlib.Path):
    pixels = make_pixels(0, 8, 4)
    record = example(shape=[4, 8, 8], data=pixels.transpose(2, 0, 1).tobytes())
    write_with_tensorflow(tmp_path / "a.tfrecords", [record])
    np.testing.assert_array_equal(open_dataset(tmp_path).image(0), pixels)
