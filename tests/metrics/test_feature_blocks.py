"""Features block by block: what is kept is used again, what changed is not, and sizes may be mixed."""

import numpy as np
import pytest

from sg_keras.features import FeatureExtractor
from sg_keras.metrics.feature_blocks import FeatureCache, Features, ImageBlock
from sg_keras.metrics.feature_blocks import features_of as features_by_name


class Means(FeatureExtractor):
    """Sees the mean of each of three channels, and counts."""

    name = "means"
    fingerprint = "0" * 64

    def __init__(self):
        self.calls = []

    def features(self, images: np.ndarray) -> np.ndarray:
        self.calls.append(images.shape)
        return images.mean(axis=(1, 2)).astype(np.float32)


def image(value: int, size: int = 4) -> np.ndarray:
    return np.full([size, size, 3], value, np.uint8)


def blocks(*contents: str):
    return [
        ImageBlock(2, name, lambda name=name: iter([image(ord(name)), image(ord(name) + 1, 6)])) for name in contents
    ]


def features_of(blocks, extractor, cache, on_images=None) -> Features:
    return features_by_name(blocks, {"means": extractor}, {"means": 100}, cache, on_images)["means"]


def test_in_their_order_whatever_the_sizes():
    extractor, done = Means(), []
    found = features_of(blocks("a", "c"), extractor, FeatureCache(None), done.append)
    assert found.values[:, 0].tolist() == [97, 98, 99, 100] and done == [2, 4]
    assert found.content != features_of(blocks("c", "a"), extractor, FeatureCache(None)).content


def test_what_was_seen_is_not_seen_again(tmp_path):
    cache, first = FeatureCache(tmp_path / "cache"), Means()
    features_of(blocks("a", "c"), first, cache)
    second = Means()
    again = features_of(blocks("a", "c", "e"), second, cache)
    assert len(first.calls) == 4 and len(second.calls) == 2
    assert again.values[:, 0].tolist() == [97, 98, 99, 100, 101, 102]
    other = Means()
    other.fingerprint = "1" * 64
    features_of(blocks("a"), other, cache)
    assert len(other.calls) == 2


@pytest.mark.parametrize("content", [b"", b"torn", None], ids=["empty", "torn", "of another number"])
def test_a_torn_file_is_written_anew(tmp_path, content):
    cache = FeatureCache(tmp_path)
    features_of(blocks("a"), Means(), cache)
    (file,) = tmp_path.glob("*/*.npy")
    if content is None:
        np.save(file, np.zeros([7, 3], np.float32))
    else:
        file.write_bytes(content)
    extractor = Means()
    assert features_of(blocks("a"), extractor, cache).values[:, 0].tolist() == [97, 98]
    assert extractor.calls and len(np.load(file)) == 2


def test_what_cannot_be_kept_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="found that no files can be kept there"):
        features_of(blocks("a"), Means(), FeatureCache(tmp_path / "file"))
