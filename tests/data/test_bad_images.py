"""--on_bad_image=skip: bad images are replaced by the next readable ones, whatever was read before."""

import logging

import numpy as np
import pytest
from PIL import Image

from sg_keras.data import make_pipeline, open_dataset

BAD = (2, 3, 7)  # the last one too: its replacement is the first


@pytest.fixture
def folder(tmp_path):
    """Eight gray images, image k of shade 10 * k with label k; of the bad ones the pixel data are damaged."""
    for number in range(8):
        Image.fromarray(np.full([8, 8], 10 * number, np.uint8)).save(tmp_path / f"{number}.png")
    entries = ", ".join(f'["{number}.png", {number}]' for number in range(8))
    (tmp_path / "dataset.json").write_text(f'{{"labels": [{entries}]}}', encoding="utf-8")
    for number in BAD:
        path = tmp_path / f"{number}.png"
        content = bytearray(path.read_bytes())
        content[content.index(b"IDAT") + 6] ^= 255
        path.write_bytes(content)
    return tmp_path


def shades(images):
    return [int(image[0, 0, 0]) // 10 for image in images]


@pytest.mark.parametrize("max_cached_bytes", [0, 2**20])
@pytest.mark.parametrize("order", [range(8), range(7, -1, -1)])
def test_the_next_readable_one_with_its_label(folder, max_cached_bytes, order, caplog):
    dataset = open_dataset(folder, use_labels=True, skip_bad=True, max_cached_bytes=max_cached_bytes)
    shown = dict(enumerate([0, 1, 4, 4, 4, 5, 6, 0]))
    with caplog.at_level(logging.WARNING, "sg_keras"):
        for _ in range(2):
            images, labels = dataset.examples(np.array(order))
            assert shades(images) == [shown[number] for number in order]
            assert np.argmax(labels, axis=1).tolist() == shades(images)
            assert shades(dataset.images(np.array(order))) == shades(images)
    named = sorted(record.getMessage().split("/")[-1][:5] for record in caplog.records)
    assert named == [f"{number}.png" for number in BAD]  # each once
    assert caplog.records[-1].getMessage().startswith("bad image 3: ")


def test_batches_are_the_same_from_wherever_they_start(folder):
    def batches(start, count):
        dataset = open_dataset(folder, use_labels=True, mirror=True, skip_bad=True)
        pipeline = make_pipeline(dataset, seed=3, batch=4, start_nimg=start, num_phases=2)
        return list(pipeline.take(count).as_numpy_iterator())

    for one, other in zip(batches(0, 8)[5:], batches(20, 3), strict=True):
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


def test_without_it_the_first_bad_one_is_an_error(folder):
    with pytest.raises(OSError, match=r"2\.png: found a damaged image"):
        open_dataset(folder).images(np.arange(8))


def test_truncated_files_are_found_at_the_start_or_skipped(folder):
    for name in ("0.png", "5.png"):
        path = folder / name
        path.write_bytes(path.read_bytes()[:20] if name == "0.png" else path.read_bytes()[:-14])
    with pytest.raises(OSError, match=r"0\.png: "):
        open_dataset(folder)
    assert shades(open_dataset(folder, skip_bad=True).images(np.arange(8))) == [1, 1, 4, 4, 4, 6, 6, 1]


def test_no_readable_image_is_an_error(folder):
    dataset = open_dataset(folder, skip_bad=True)
    for path in folder.glob("*.png"):
        path.unlink()
    with pytest.raises(OSError, match="no image that can be read, all 8 are bad"):
        dataset.images(np.arange(2))


def test_the_file_is_that_of_the_image_that_is_shown(folder):
    dataset = open_dataset(folder, skip_bad=True, mirror=True)
    for index, shown in ((1, 1), (2, 4), (7, 0), (8 + 1, 1)):
        assert dataset.file(index) == (folder / f"{shown}.png").read_bytes()
