"""Batches are functions of (seed, sample): shapes, restarts, workers, and errors that name the file."""

from __future__ import annotations

import pathlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.data import (
    DataError,
    ImageDataset,
    IndexSampler,
    data_error_line,
    generated_label_indices,
    make_pipeline,
    open_dataset,
    readable_data_errors,
)
from tests.data.conftest import encode, label_file, make_pixels, png_files, write_folder, write_zip


def take(dataset: ImageDataset, count: int, **options: int) -> list[dict[str, np.ndarray]]:
    pipeline = make_pipeline(dataset, **({"seed": 0, "batch": 4, "start_nimg": 0, "num_phases": 4} | options))
    return list(pipeline.take(count).as_numpy_iterator())


def assert_same(a: list[dict[str, np.ndarray]], b: list[dict[str, np.ndarray]]) -> None:
    assert len(a) == len(b)
    for first, second in zip(a, b, strict=True):
        assert first.keys() == second.keys()
        assert all(np.array_equal(first[key], second[key]) for key in first)


@pytest.fixture
def labelled(tmp_path: pathlib.Path) -> ImageDataset:
    files = png_files(10)
    labels = label_file([[name, i % 3] for i, name in enumerate(files)])
    return open_dataset(write_zip(tmp_path / "set.zip", files | labels), use_labels=True, mirror=True)


def test_static_shapes(labelled: ImageDataset) -> None:
    spec = make_pipeline(labelled, seed=0, batch=4, start_nimg=0, num_phases=3).element_spec
    assert spec == {
        "image": tf.TensorSpec((4, 8, 8, 3), tf.uint8),
        "label": tf.TensorSpec((4, 3), tf.float32),
        "gen_label": tf.TensorSpec((4, 3, 3), tf.float32),
    }


def test_without_labels_they_have_no_width() -> None:
    element = take(open_dataset("digits"), 1)[0]
    assert element["image"].shape == (4, 32, 32, 1)
    assert element["label"].shape == (4, 0)
    assert element["gen_label"].shape == (4, 4, 0)


def test_content_is_what_the_sample_order_says(labelled: ImageDataset) -> None:
    elements = take(labelled, 12, seed=7, start_nimg=40)
    sampler = IndexSampler(20, seed=7)
    for iteration, element in enumerate(elements):
        nimg = 40 + 4 * iteration
        items = sampler.indices(nimg, 4)
        assert np.array_equal(element["image"], labelled.images(items))
        assert np.array_equal(element["label"], labelled.labels(items))
        drawn = generated_label_indices(7, nimg, 4, 4, 10)
        assert np.array_equal(element["gen_label"], labelled.labels(drawn.ravel()).reshape(4, 4, 3))


def test_an_epoch_holds_every_image_and_mirrored_copy_once(labelled: ImageDataset) -> None:
    images = np.concatenate([element["image"] for element in take(labelled, 5)])
    assert {image.tobytes() for image in images} == {labelled.image(i).tobytes() for i in range(20)}


@pytest.mark.parametrize("cached_bytes", [0, 2**30])
def test_restart_gives_the_rest(tmp_path: pathlib.Path, cached_bytes: int) -> None:
    dataset = open_dataset(write_folder(tmp_path / "set", png_files(7)), max_cached_bytes=cached_bytes)
    whole = take(dataset, 20)
    for iteration in (1, 7, 19):
        assert_same(take(dataset, 20 - iteration, start_nimg=4 * iteration), whole[iteration:])


def test_number_of_workers_changes_nothing(labelled: ImageDataset) -> None:
    assert_same(take(labelled, 10, workers=1), take(labelled, 10, workers=8))


def test_seeds_differ(labelled: ImageDataset) -> None:
    assert not np.array_equal(take(labelled, 1, seed=0)[0]["image"], take(labelled, 1, seed=1)[0]["image"])


def test_batch_larger_than_the_data_set(tmp_path: pathlib.Path) -> None:
    dataset = open_dataset(write_folder(tmp_path / "set", png_files(2)))
    images = take(dataset, 1, batch=7)[0]["image"]
    assert len({image.tobytes() for image in images}) == 2


def test_splits_over_replicas(labelled: ImageDataset) -> None:
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    pipeline = make_pipeline(labelled, seed=0, batch=4, start_nimg=0, num_phases=4)
    iterator = iter(strategy.experimental_distribute_dataset(pipeline))
    assert_same([{key: value.numpy() for key, value in next(iterator).items()} for _ in range(3)], take(labelled, 3))


@pytest.mark.parametrize("in_graph", [False, True])
def test_damaged_file_met_on_the_way_is_named(tmp_path: pathlib.Path, in_graph: bool) -> None:
    good = encode(make_pixels(0))
    bad = good[:60] + b"\0" * 16 + good[76:]
    dataset = open_dataset(write_folder(tmp_path / "set", {"a.png": good, "b (1) 'ü'.png": bad}))
    iterator = iter(make_pipeline(dataset, seed=0, batch=2, start_nimg=0, num_phases=1))
    following = tf.function(lambda: next(iterator)) if in_graph else lambda: next(iterator)
    message = r"set/b \(1\) 'ü'.png: found a damaged image \(.*, expected .*decoded$"
    with pytest.raises(DataError, match=message) as caught, readable_data_errors():
        following()
    assert "\n" not in str(caught.value)


def test_other_errors_pass_unchanged() -> None:
    error = tf.errors.InvalidArgumentError(None, None, "something else")
    assert data_error_line(error) is None
    with pytest.raises(tf.errors.InvalidArgumentError, match="something else"), readable_data_errors():
        raise error


@pytest.mark.parametrize("option", [{"batch": 0}, {"workers": 0}, {"num_phases": 0}, {"start_nimg": -1}])
def test_bad_arguments(labelled: ImageDataset, option: dict[str, int]) -> None:
    name, value = next(iter(option.items()))
    with pytest.raises(ValueError, match=f"{name}: found {value}, expected"):
        take(labelled, 1, **option)


def test_pipelines_do_not_disturb_each_other(labelled: ImageDataset) -> None:
    alone = take(labelled, 10)
    with ThreadPoolExecutor(3) as pool:
        for elements in pool.map(lambda _: take(labelled, 10), range(3)):
            assert_same(elements, alone)
